"""What the action plugins see of a cluster that is being changed: who leaves, who fetches from whom, which scripts run."""
from __future__ import annotations

import pytest

from ansible_collections.emr.cluster.plugins.action.configure import ActionModule as Configure
from ansible_collections.emr.cluster.plugins.action.drain import ActionModule as Drain
from ansible_collections.emr.cluster.plugins.action.service import rolls
from ansible_collections.emr.cluster.plugins.module_utils.domain.errors import Refused
from ansible_collections.emr.cluster.plugins.plugin_utils.context import Context

FACTS = {"emr_node": {"memory_mib": 8192, "vcpus": 4, "java_home": "/java", "installed": {}}}
UNBOUGHT = {"emr_memory_mib": 8192, "emr_vcpus": 4}


def context(host, new=(), leaving=(), facts=None, **more):
    """One master and three slaves that stand since an earlier run; ``new`` ones were prepared in this one."""
    names = {"m1": "master", "s1": "slave", "s2": "slave", "s3": "slave"}
    hostvars = {name: dict(UNBOUGHT, group_names=[role], ansible_host=f"10.0.0.{i}", **more,
                           ansible_facts=dict(FACTS if name in new else {}, **(facts or {}).get(name, {})))
                for i, (name, role) in enumerate(names.items(), 1)}
    groups = {"emr_target": list(names), "emr_new": list(new), "emr_scale_in": list(leaving)}
    played = list(new) if host in new else [n for n in names if n not in {*new, *leaving}]
    return Context({"hostvars": hostvars, "inventory_hostname": host, "groups": groups, "ansible_play_hosts_all": played})


def test_a_leaving_node_is_no_part_of_the_topology_but_its_name_is_kept():
    found = context("m1", leaving=["s3"])
    assert [n.name for n in found.topology.nodes] == ["m1", "s1", "s2"] and found.count("datanode") == 2
    standing = Configure._standing(found)
    assert [row["name"] for row in standing["hosts"]] == ["m1", "s1", "s2", "s3"]
    assert standing["daemons"] == [c.name for c in found.components]


def test_new_nodes_fetch_from_the_control_node_which_serves_in_the_play_before():
    master = Configure._install(context("m1", new=["s3"]), {})
    assert master["serve_address"] == "10.0.0.1" and master["peer"] == ""
    assert Configure._install(context("s3", new=["s3"]), {})["peer"] == "http://10.0.0.1:8099"
    old = Configure._install(context("s1", new=["s3"]), {})
    assert old["artifacts"] and old["serve_address"] == "", "a node that was not looked at looks itself"


def test_without_new_nodes_or_new_software_nobody_serves_and_nobody_waits_for_it():
    assert Configure._install(context("m1"), {})["serve_address"] == ""
    assert Configure._install(context("s1"), {})["peer"] == ""
    before = context("m1").spec.to_dict()
    changed = {"m1": {"emr_spec_before": before, "emr_spec_data": dict(before, services=["hadoop", "spark"])}}
    assert Configure._install(context("m1", facts=changed), {})["serve_address"] == "10.0.0.1"
    assert Configure._install(context("s1", facts=changed), {})["peer"]


def test_new_nodes_run_the_scripts_that_ran_on_the_control_node(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    data = dict(context("m1").spec.to_dict(), bootstrap=[{"script": "p/prepare.sh"}])
    facts = {"m1": {"emr_spec_data": data, "emr_spec_scripts": {"p/prepare.sh": "echo kept"}}}
    assert context("s3", new=["s3"], facts=facts).bootstrap("before_install")[0]["content"] == "echo kept"
    lost = {"m1": {"emr_spec_data": data}}
    assert context("s1", new=["s3"], facts=lost).bootstrap("before_install") == []
    with pytest.raises(Refused, match="prepare.sh"):
        context("s3", new=["s3"], facts=lost).bootstrap("before_install")
    (tmp_path / "p").mkdir()
    (tmp_path / "p/prepare.sh").write_text("echo changed")
    given = context("s3", new=["s3"], facts=facts, emr_spec_file=str(tmp_path / "cluster.yml"))
    assert given.bootstrap("before_install")[0]["content"] == "echo changed"


def test_a_revision_keeps_the_scripts_that_came_with_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "p").mkdir()
    (tmp_path / "p/prepare.sh").write_text("echo new")
    data = dict(context("m1").spec.to_dict(), bootstrap=[{"script": "p/prepare.sh"}, {"script": "after.sh", "when": "after_start"}])
    facts = {"m1": {"emr_spec_data": data, "emr_spec_scripts": {"after.sh": "echo kept"}}}

    def kept(**more):
        return {row["place"]: row["content"] for row in Configure._revision(context("m1", facts=facts, **more), {})["scripts"]}

    assert kept(emr_spec_file=str(tmp_path / "cluster.yml")) == {"p/prepare.sh": "echo new", "after.sh": "echo kept"}
    assert kept() == {"after.sh": "echo kept"}, "what happens to lie where a command is given is no part of a cluster that stands"


def test_scripts_of_one_name_at_two_places_stay_two_on_new_nodes(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    data = dict(context("m1").spec.to_dict(), bootstrap=[{"script": "base/setup.sh"}, {"script": "monitor/setup.sh"}])
    facts = {"m1": {"emr_spec_data": data, "emr_spec_scripts": {"base/setup.sh": "echo base", "monitor/setup.sh": "echo monitor"}}}
    found = context("s3", new=["s3"], facts=facts).bootstrap("before_install")
    assert [(row["place"], row["content"]) for row in found] == [("base/setup.sh", "echo base"), ("monitor/setup.sh", "echo monitor")]


def test_leaving_gateways_need_no_drain_and_may_go():
    found = context("m1", leaving=["s3"])
    found.hostvars["s3"].update(emr_role="gateway")
    result = Drain.__new__(Drain).work(found, {})["result"]
    assert result["drained"] == result["ansible_facts"]["emr_drained"] == ["s3"]


def test_what_is_stale_is_left_to_the_turns_where_the_playbook_has_them():
    found = context("m1")
    assert not rolls(found)
    found.vars["emr_rolls"] = True
    assert rolls(found)
