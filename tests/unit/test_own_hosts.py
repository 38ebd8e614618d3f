"""Which cluster a playbook means: one of the inventory's own hosts, or a bought one."""
from __future__ import annotations

import pytest

from ansible_collections.emr.cluster.plugins.module_utils.domain.errors import Refused
from ansible_collections.emr.cluster.plugins.plugin_utils import own_hosts, run


def variables(facts=None, **hosts):
    """Variables of localhost in an inventory of these hosts: name = {group, and what it says}."""
    hostvars = {name: {"group_names": [row["group"]], **row} for name, row in hosts.items()}
    groups: dict = {}
    for name, row in hosts.items():
        groups.setdefault(row["group"], []).append(name)
    return {"groups": groups, "hostvars": hostvars, "ansible_facts": facts or {}}


OWN = {"m1": {"group": "master", "ansible_user": "admin"}, "s1": {"group": "slave"}}


def test_hosts_of_the_inventory_are_the_cluster():
    found = own_hosts.answer("nodes", {}, variables(**OWN))
    assert found["own_hosts"] == ["m1", "s1"] and [n["name"] for n in found["reader"]] == ["m1"]
    assert found["emr_result"]["name"] == "cluster"
    assert [n["vars"]["ansible_become"] for n in found["nodes"]] == [True, False]
    assert own_hosts.answer("inspection", {}, variables(**OWN))["inspection"]["instances"][1]["role"] == "slave"


@pytest.mark.parametrize("arguments", [{"name": "sales"}, {"spec": {"name": "cluster"}}, {"spec_file": "cluster.yml"}])
def test_who_names_a_bought_cluster_means_that(arguments):
    assert own_hosts.answer("nodes", arguments, variables(**OWN)) is None


def test_bought_nodes_and_a_bare_inventory_are_none():
    bought = {name: {**row, "emr_instance_id": "i-1"} for name, row in OWN.items()}
    assert own_hosts.answer("nodes", {}, variables(**bought)) is None
    assert own_hosts.answer("nodes", {}, variables()) is None
    assert own_hosts.answer("purchase", {}, variables(**OWN)) is None


def test_two_clusters_of_one_inventory_are_told_apart():
    two = variables(m1={"group": "master", "emr_cluster_name": "a"}, m2={"group": "master", "emr_cluster_name": "b"})
    assert own_hosts.answer("nodes", {"name": "b"}, two)["own_hosts"] == ["m2"]
    with pytest.raises(Refused, match="the clusters a, b"):
        own_hosts.answer("nodes", {}, two)


def facts():
    found = own_hosts.answer("nodes", {}, variables(**OWN))
    return run.with_run(found, {}, "cluster", "")["ansible_facts"]


def test_what_follows_keeps_to_them_and_buys_nothing():
    known = variables(facts(), **OWN)
    for _time in range(2):
        result = own_hosts.answer("lock", {}, known)
        known["ansible_facts"] = run.with_run(result, known["ansible_facts"], result["emr_result"]["name"], result["emr_result"]["region"])["ansible_facts"]
        assert run.known(known["ansible_facts"])["own_hosts"] == ["m1", "s1"]
    with pytest.raises(Refused, match="were not bought"):
        own_hosts.answer("release", {}, known)
    with pytest.raises(Refused, match="never deployed"):
        own_hosts.answer("converge", {"plan_only": False, "revision": {}}, known)
