"""What the action plugins see through hostvars, with plain dictionaries in their place."""
from __future__ import annotations

import json

import pytest

from ansible_collections.emr.cluster.plugins.action.configure import lacks
from ansible_collections.emr.cluster.plugins.action.service import (
    ActionModule as Service,
    format_refusal,
    has_data,
    touched,
)
from ansible_collections.emr.cluster.plugins.module_utils.domain.errors import EmrError, Refused
from ansible_collections.emr.cluster.plugins.module_utils.domain.spec.edits import with_services
from ansible_collections.emr.cluster.plugins.module_utils.domain.topology import record as node_record
from ansible_collections.emr.cluster.plugins.module_utils.domain.topology.nodes import Node, Topology
from ansible_collections.emr.cluster.plugins.module_utils.services.registry import COMPONENTS
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
    assert found.node.memory_mib == 8192 and found.is_control_node and found.topology.cluster == "cluster"
    assert found.topology.cluster_id == context("s1").topology.cluster_id
    assert context(emr_cluster_id="emr-1").topology.cluster_id == "emr-1"


def test_the_nodes_of_play_1_win_over_the_hosts_of_the_play():
    found = context()
    found.vars["groups"]["emr_target"] = ["m1", "s1"]
    assert [n.name for n in found.topology.nodes] == ["m1", "s1"]


def test_without_a_file_system_of_its_own_nothing_is_made_in_one():
    found = context(emr_services=["yarn"])
    assert found.services == ("yarn",) and Service._file_system(found, found.services) == {"base": "", "directories": [], "homes": [], "archives": []}
    whole = context(emr_services=["hdfs", "yarn"])
    assert Service._file_system(whole, whole.services)["base"] == "http://10.0.0.2:9870" and Service._file_system(whole, whole.services)["directories"]


def limited(reached, recorded=(), **more):
    """A context of m1 in a run that reaches only some hosts of an inventory with m1, s1 and s2; ``recorded``: who is on record."""
    found = context(**more)
    found.vars["groups"].update(master=["m1"], slave=["s1", "s2"])
    found.vars["ansible_play_hosts_all"] = list(reached)
    for name in {"m1", "s1", "s2"} - set(reached):
        del found.hostvars[name]["ansible_facts"]["emr_node"]
    nodes = tuple(Node(name, "slave", "slave", address, 4096, 2) for name, address in recorded)
    found.hostvars["m1"]["ansible_facts"]["emr_node"]["record"] = json.loads(node_record.text(Topology("cluster", "emr-1", nodes)))
    return found


def test_a_limit_does_not_make_the_cluster_smaller():
    found = limited(["m1", "s2"], [("s1", "10.0.0.3")])
    assert [n.name for n in found.topology.nodes] == ["m1", "s1", "s2"]
    assert found.topology.node("s1").memory_mib == 4096, "as it is on record, since this run does not measure it"
    assert found.effective["hdfs-site"]["dfs.replication"].value == "2" and found.kept == ()


def test_without_the_shape_of_a_node_nothing_is_configured():
    found = limited(["m1", "s2"])
    with pytest.raises(Refused, match="memory and vCPUs.* of s1"):
        _settings = found.effective


def test_a_line_taken_out_of_the_inventory_is_not_an_order_to_leave():
    found = limited(["m1", "s1", "s2"], [("s3", "10.0.0.9"), ("renamed", "10.0.0.3")])
    assert [n.name for n in found.topology.nodes] == ["m1", "s1", "s2", "s3"], "renamed has the address of s1: it is the same host"
    assert [n.name for n in found.kept] == ["s3"] and found.draining == ()
    other = limited(["m1", "s1", "s2"], [("s3", "10.0.0.9")], emr_cluster_name="other")
    assert [n.name for n in other.topology.nodes] == ["m1", "s1", "s2"], "the record is of another cluster"


def test_a_removed_host_leaves_and_is_admitted_until_it_is_drained():
    found = limited(["m1", "s1", "s2"], [("s3", "10.0.0.9")], emr_removed_hosts=["s3", "s4"])
    assert [n.name for n in found.topology.nodes] == ["m1", "s1", "s2"] and [n.name for n in found.draining] == ["s3"]
    found.vars["emr_released"] = True
    assert found.draining == () and [n.name for n in found.topology.nodes] == ["m1", "s1", "s2"]


@pytest.mark.parametrize(("given", "said"), [(["s1"], "the inventory still has s1"), ({"s3": 1}, "not a list of host names"),
                                             ([3], "not a list of host names")])
def test_a_wrong_list_of_removed_hosts_is_refused(given, said):
    found = limited(["m1", "s1", "s2"], [("s3", "10.0.0.9")], emr_removed_hosts=given)
    with pytest.raises(Refused, match=said):
        _nodes = found.topology


def test_hosts_of_another_cluster_in_the_inventory_are_not_taken_in():
    found = context(hosts={"m1": "master", "s1": "slave", "x1": "slave", "x9": "master"})
    found.vars["groups"].update(master=["m1", "x9"], slave=["s1", "x1"])
    found.vars["ansible_play_hosts_all"] = ["m1"]
    for name in ("m1", "s1"):
        found.hostvars[name]["emr_cluster_name"] = "mine"
    assert [n.name for n in found.topology.nodes] == ["m1", "s1"]


def test_without_a_master_it_is_refused():
    with pytest.raises(Refused, match="role master"):
        _nodes = context("s1", {"s1": "slave"}).topology


def test_services_and_components_follow_variables():
    found = context(emr_services=["hadoop", "spark"])
    assert found.services == ("hdfs", "yarn", "mapreduce", "spark")
    assert [c.name for c in context("s1", emr_services=["hdfs"]).components] == ["datanode"]
    own = {"spark": {"urls": ["https://example.com/spark.tgz"], "sha512": "0a" * 64}}
    theirs = context(emr_services=["hadoop", "spark"], emr_artifacts=own)
    assert [a["name"] for a in theirs.artifacts("master")] == ["hadoop", "spark"], "a Spark of the user's own without connectors"
    assert [a["name"] for a in found.artifacts("master")] == ["hadoop", "spark", "connectors"], "pushed where no address is known"
    with_mirror = context(emr_services=["hadoop", "spark"], emr_mirrors=["http://mirror/x"], emr_artifacts=own)
    assert [a["name"] for a in with_mirror.artifacts("master")] == ["hadoop", "spark", "connectors"]
    assert [a["name"] for a in found.artifacts("slave")] == ["hadoop"]


class Templar:
    """As much of Ansible's as a context asks of it."""

    @staticmethod
    def template(value):
        return value.replace("{{ size }}", "32") if isinstance(value, str) else {k: Templar.template(v) for k, v in value.items()}


def test_variables_of_a_play_count_as_those_of_the_inventory_do():
    found = context(emr_services=["hdfs"])
    found.templar = Templar()
    found.vars.update(emr_services=["hdfs"], emr_config={"hdfs-site": {"dfs.namenode.handler.count": "{{ size }}"}})
    assert found.setting("emr_services") == ["hdfs"] and found.setting("emr_release", "none") == "none"
    assert found.setting("emr_config") == {"hdfs-site": {"dfs.namenode.handler.count": "32"}}
    assert found.services == ("hdfs",)


def test_urls_links_and_counts():
    found = context()
    assert found.url("namenode") == "http://10.0.0.2:9870" and found.count("datanode") == 2
    assert set(found.links()) == {"HDFS NameNode", "YARN ResourceManager", "MapReduce JobHistoryServer"}
    assert found.url("spark-historyserver") == ""


def test_mirrors_of_variables_come_first():
    urls = context(emr_mirrors=["http://mirror/x/"]).artifacts("slave")[0]["urls"]
    assert urls[0].startswith("http://mirror/x/hadoop-")


def test_hosts_that_were_not_bought_look_for_buckets_in_the_region_of_the_environment(monkeypatch):
    monkeypatch.setenv("ALIBABA_CLOUD_REGION_ID", "cn-beijing")
    assert context().region == "cn-beijing"


def storage(found, name, state):
    found.hostvars[name]["ansible_facts"]["emr_storage"] = {"datanode": [{"path": "/d", "state": state, "cluster_id": ""}]}


def test_a_format_needs_a_look_at_every_datanode():
    found = context()
    storage(found, "s1", "empty")
    assert "the DataNode directories of s2 were not looked at" in format_refusal(found)
    storage(found, "s2", "empty")
    assert format_refusal(found) == ""


def test_all_start_ahead_where_the_namenode_has_its_data_alone():
    """The role of ZooKeeper comes before that of HDFS, which may format: all started ahead by it would wait for a NameNode that cannot start."""
    found = context(emr_services=["hdfs", "yarn"])
    assert not has_data(found)
    for state, known in (("empty", False), ("formatted", True)):
        found.hostvars["m1"]["ansible_facts"]["emr_storage"] = {"namenode": [{"path": "/n", "state": state, "cluster_id": ""}]}
        assert has_data(found) is known
    assert has_data(context(emr_services=["yarn"])), "nothing leads"


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


def three_masters(host="m1", **more):
    return context(host, {"m3": "master", "m1": "master", "m2": "master", "s1": "slave"}, **more)


def test_the_control_node_is_the_one_on_record_else_of_the_group_else_the_first_by_name():
    found = three_masters()
    assert found.control == "m1" and found.is_control_node and found.topology.control_node.name == "m1"
    found.vars["groups"]["emr_control"] = ["m3", "s1"]
    assert found.control == "m3" and not found.is_control_node, "a slave keeps no spec"
    kept = Topology("cluster", "emr-1", found.topology.nodes, {"control": ("m2",), "historyserver": ("m3",)})
    written = json.loads(node_record.text(kept))
    for name in ("m1", "m2", "m3"):
        found.hostvars[name]["ansible_facts"]["emr_node"]["record"] = written
    again = Context(found.vars)
    assert again.control == "m2" and again.topology.placement["historyserver"] == ("m3",)
    assert [n.name for n in again.topology.running(COMPONENTS["historyserver"])] == ["m3"]


def test_where_components_are_by_the_newest_revision_wins_over_the_record():
    found = three_masters()
    kept = Topology("cluster", "emr-1", found.topology.nodes, {"historyserver": ("m3",)})
    facts = found.hostvars["m1"]["ansible_facts"]
    facts["emr_node"]["record"] = json.loads(node_record.text(kept))
    facts["emr_placement"] = {"placement": {"historyserver": ["m2"], "control": ["gone"]}}
    assert Context(found.vars).topology.placement["historyserver"] == ("m2",) and Context(found.vars).control == "m1"
    facts["emr_placement"] = {"placement": {}}
    assert Context(found.vars).topology.placement["historyserver"] == ("m3",), "a revision of before placements does not say"


@pytest.mark.parametrize("record", [None, {}, {"placement": None}, {"placement": {"control": "m1"}}, {"placement": ["m1"]}, "text"])
def test_a_record_that_says_nothing_of_places_is_no_trouble(record):
    assert node_record.placement(record) == {}
