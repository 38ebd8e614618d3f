"""What the action plugins see through hostvars, with plain dictionaries in their place."""
from __future__ import annotations

import pytest

from ansible_collections.emr.cluster.plugins.action.configure import lacks
from ansible_collections.emr.cluster.plugins.action.service import format_refusal, touched
from ansible_collections.emr.cluster.plugins.module_utils.domain.edits import with_services
from ansible_collections.emr.cluster.plugins.module_utils.domain.errors import EmrError, Refused
from ansible_collections.emr.cluster.plugins.plugin_utils.context import Context


def context(host="m1", hosts=None, **more):
    """A context of one master and two slaves on a static inventory."""
    hosts = hosts or {"s2": "slave", "m1": "master", "s1": "slave"}
    hostvars = {name: dict({"group_names": [role], "ansible_host": f"10.0.0.{i}", "ansible_facts": {
        "emr_node": {"memory_mib": 8192, "vcpus": 4, "java_home": "/java", "installed": {}}}}, **more)
        for i, (name, role) in enumerate(hosts.items(), 1)}
    return Context({"hostvars": hostvars, "inventory_hostname": host, "groups": {}, "ansible_play_hosts_all": list(hosts)})


def test_any_inventory_is_a_topology():
    found = context()
    assert [n.name for n in found.topology.nodes] == ["m1", "s1", "s2"]
    assert found.node.memory_mib == 8192 and found.is_first_master and found.topology.cluster == "cluster"
    assert found.topology.cluster_id == context("s1").topology.cluster_id
    assert context(emr_cluster_id="emr-1").topology.cluster_id == "emr-1"


def test_the_nodes_of_play_1_win_over_the_hosts_of_the_play():
    found = context()
    found.vars["groups"]["emr_target"] = ["m1", "s1"]
    assert [n.name for n in found.topology.nodes] == ["m1", "s1"]


def test_without_a_master_it_is_refused():
    with pytest.raises(Refused, match="role master"):
        _nodes = context("s1", {"s1": "slave"}).topology


def test_services_and_components_follow_variables():
    found = context(emr_services=["hadoop", "spark"])
    assert found.services == ("hdfs", "yarn", "mapreduce", "spark")
    assert [c.name for c in context("s1", emr_services=["hdfs"]).components] == ["datanode"]
    assert [a["name"] for a in found.artifacts("master")] == ["hadoop", "spark"], "no address for the connectors"
    with_mirror = context(emr_services=["hadoop", "spark"], emr_mirrors=["http://mirror/x"])
    assert [a["name"] for a in with_mirror.artifacts("master")] == ["hadoop", "spark", "connectors"]
    assert [a["name"] for a in found.artifacts("slave")] == ["hadoop"]


def test_urls_links_and_counts():
    found = context()
    assert found.url("namenode") == "http://10.0.0.2:9870" and found.count("datanode") == 2
    assert set(found.links()) == {"HDFS NameNode", "YARN ResourceManager", "MapReduce JobHistoryServer"}
    assert found.url("spark-historyserver") == ""


def test_mirrors_of_variables_come_first():
    urls = context(emr_mirrors=["http://mirror/x/"]).artifacts("slave")[0]["urls"]
    assert urls[0].startswith("http://mirror/x/hadoop-")


def storage(found, name, state):
    found.hostvars[name]["ansible_facts"]["emr_storage"] = {"datanode": [{"path": "/d", "state": state, "cluster_id": ""}]}


def test_a_format_needs_a_look_at_every_datanode():
    found = context()
    storage(found, "s1", "empty")
    assert "nobody has looked at the DataNode directories of s2" in format_refusal(found)
    storage(found, "s2", "empty")
    assert format_refusal(found) == ""


@pytest.mark.parametrize("state", ["formatted", "unclear"])
def test_a_datanode_with_data_forbids_a_format(state):
    found = context()
    storage(found, "s1", "empty")
    storage(found, "s2", state)
    assert "s2 holds data in /d" in format_refusal(found)


def test_only_nodes_with_other_software_lack_something():
    found = context()
    node = found.topology.nodes[1]
    assert lacks(found, node)
    sha512 = found.artifacts("slave")[0]["sha512"]
    found.hostvars["s1"]["ansible_facts"]["emr_node"]["installed"] = {"hadoop": sha512}
    assert not lacks(found, node)


def test_without_java_it_says_what_must_run_before():
    found = context()
    found.hostvars["m1"]["ansible_facts"] = {}
    with pytest.raises(EmrError, match="emr.cluster.host must run before"):
        _home = found.java_home


def test_services_are_added_once_and_only_known_ones():
    assert with_services({"services": ["hadoop"]}, ["spark"])["services"] == ["hadoop", "spark"]
    assert with_services({"services": ["spark"]}, ["spark"])["services"] == ["spark"]
    with pytest.raises(Refused, match="there is no service 'sparkk'"):
        with_services({"services": []}, ["sparkk"])


def test_only_daemons_that_store_or_compute_ask_for_a_full_check():
    assert touched(["datanode: started"]) and not touched(["spark-historyserver: restarted", "HDFS /spark"])
