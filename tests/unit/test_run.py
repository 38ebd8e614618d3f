"""What a run of ansible-playbook knows: one object, of this run alone."""
from __future__ import annotations

import multiprocessing
import os

import pytest

from ansible_collections.emr.cluster.plugins.plugin_utils import run
from ansible_collections.emr.cluster.plugins.plugin_utils.arguments import options

CLOUD = ("plan", "purchase", "converge", "nodes", "inspection", "power", "release", "scale_in", "lock")


def _in_a_worker(queue):
    queue.put((run.process(), run.run_id()))


def test_all_workers_of_a_run_have_its_id_and_no_other_process_has():
    context = multiprocessing.get_context("fork")
    queue = context.Queue()
    for _ in range(2):
        context.Process(target=_in_a_worker, args=(queue,)).start()
    assert {queue.get(timeout=30) for _ in range(2)} == {(os.getpid(), run.run_id())}
    from ansible_collections.emr.cluster.plugins.module_utils.cloud.cluster.owner import owner_name
    assert owner_name(os.getpid()) != owner_name(os.getppid())


def test_what_an_action_tells_replaces_what_was_known_of_the_same_cluster():
    first = run.with_run({"nodes": [1], "exists": True, "events": ["x"]}, {}, "sales", "cn-x")
    assert "events" not in first["ansible_facts"]["emr_run"] and first["events"] == ["x"]
    second = run.with_run({"nodes": [2]}, first["ansible_facts"], "sales", "cn-x")
    seen = run.Run(second["ansible_facts"])
    assert (seen.nodes, seen.exists, seen.name, seen.to_release, seen.plan) == ([2], True, "sales", [], {})
    other = run.Run(run.with_run({}, second["ansible_facts"], "sales", "cn-y")["ansible_facts"])
    assert (other.nodes, other.exists, other.region) == ([], False, "cn-y")
    with pytest.raises(AttributeError):
        assert other.nods


def test_another_run_s_fact_is_not_this_one_s():
    facts = run.with_run({"nodes": [1]}, {}, "sales", "cn-x")["ansible_facts"]
    facts["emr_run"]["id"] = "0" * 16
    assert run.Run(facts).nodes == [] and run.Run({}).name == ""
    assert run.Run(run.with_run({}, facts, "sales", "cn-x")["ansible_facts"]).nodes == []


@pytest.mark.parametrize("action", CLOUD)
def test_an_action_of_the_cloud_has_at_most_ten_options(action):
    assert len(options(action)) <= 10
    assert {"name", "region", "login"} <= set(options(action))
    assert set(options(action)["login"]["options"]) == {"user", "private_key_file", "address"}
