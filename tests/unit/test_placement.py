"""Where components run: rules, the answer that is kept, and the endpoints that follow."""
from __future__ import annotations

from dataclasses import replace

import pytest

from ansible_collections.emr.cluster.plugins.module_utils.domain.topology import endpoints
from ansible_collections.emr.cluster.plugins.module_utils.domain.topology.nodes import Node, Topology
from ansible_collections.emr.cluster.plugins.module_utils.domain.topology.placement import (
    CONTROL,
    choose,
    count,
    first,
    on,
    quorum,
    resolve,
)
from ansible_collections.emr.cluster.plugins.module_utils.node.hadoop_http import NameNode
from ansible_collections.emr.cluster.plugins.module_utils.services.hdfs import default_fs
from ansible_collections.emr.cluster.plugins.module_utils.services.registry import (
    COMPONENTS,
    SERVICES,
    components_for,
    components_on,
)
from emrctl import cloud


def nodes(masters=1, slaves=3):
    rows = [("m", "master", masters), ("s", "slave", slaves)]
    return tuple(Node(f"{letter}{n}", role, role, f"10.0.{len(letter)}.{n}", 8192, 4)
                 for letter, role, number in rows for n in range(1, number + 1))


@pytest.mark.parametrize(("rule", "masters", "found"), [
    (on("master"), 2, ("m1", "m2")), (on("slave", "master"), 1, ("m1", "s1", "s2", "s3")), (first("master"), 3, ("m1",)),
    (count(3, "master", else_="slave"), 3, ("m1", "m2", "m3")), (count(3, "master", else_="slave"), 1, ("m1", "s1", "s2")),
    (count(5, "master"), 2, ("m1", "m2")), (first("gateway"), 1, ()),
    (quorum("master"), 3, ("m1", "m2", "m3")), (quorum("master"), 2, ()), (quorum("master"), 1, ())])
def test_a_rule_means_nodes(rule, masters, found):
    assert choose(rule, nodes(masters)) == found


def test_what_is_placed_stays_where_it_is():
    rule = count(3, "master", else_="slave")
    assert choose(first("master"), nodes(3), ("m2",)) == ("m2",), "a node whose name sorts before is no reason to move"
    assert choose(rule, nodes(3), ("m1", "s1", "s2")) == ("m1", "s1", "s2"), "masters that come later do not take its place"
    assert choose(rule, nodes(3), ("m1",)) == ("m1",), "one stays one until an operation makes it three"
    assert choose(rule, nodes(3), ("m2",), moves=True) == ("m2", "m1", "m3")
    assert choose(rule, nodes(1), ("m1", "s1", "s9")) == ("m1", "s1", "s2"), "s9 is gone: its place is taken"
    assert choose(on("slave"), nodes(), ("s1",)) == ("s1", "s2", "s3")


def test_the_answer_is_data_that_is_read_again():
    rows = components_for(("hdfs", "yarn", "mapreduce", "spark"))
    there = nodes(3)
    kept = resolve(rows, there, {"historyserver": ["m3"], "unknown": ["x"]})
    assert kept == {CONTROL: ("m1",), "historyserver": ("m3",), "spark-historyserver": ("m1",)}
    top = Topology("c", "emr-1", there, kept)
    assert top.control_node.name == "m1" and [n.name for n in top.running(COMPONENTS["namenode"])] == ["m1", "m2", "m3"]
    assert resolve(rows, tuple(replace(n, name="a" + n.name) for n in there[:1]) + there, kept) == kept
    daemons = [c.name for c in components_on(("hdfs", "mapreduce"), top, top.node("m3"))]
    assert daemons == ["journalnode", "namenode", "zkfc", "historyserver"] and "historyserver" not in [
        c.name for c in components_on(("hdfs", "mapreduce"), top, top.node("m1"))]


def test_without_an_answer_on_record_a_component_is_where_it_has_always_been():
    old = Topology("c", "emr-1", nodes())
    for row in COMPONENTS.values():
        able = row.placement.least == 1
        assert [n.name for n in old.running(row)] == [n.name for n in old.nodes if able and n.role in row.roles]
        assert all(old.runs(row, n) == (able and n.role in row.roles) for n in old.nodes)
    assert resolve(components_for(SERVICES), old.nodes) == resolve(components_for(SERVICES), old.nodes, {})
    with pytest.raises(KeyError):
        _node = Topology("c", "emr-1", nodes(masters=0)).control_node


def test_endpoints_are_a_list_from_the_placement():
    top = Topology("c", "emr-1", nodes(2), {"historyserver": ("m2",)})
    assert [e.authority for e in endpoints.endpoints(top, "namenode", "ipc")] == ["m1:8020", "m2:8020"]
    assert endpoints.urls(top, ("hdfs", "mapreduce"), "historyserver") == ("http://10.0.1.2:19888",)
    assert endpoints.urls(top, ("hdfs",), "historyserver") == () and endpoints.addresses(top, ("hdfs",), "historyserver") == ""
    both = endpoints.addresses(top, ("hdfs",), "namenode")
    assert both == "http://10.0.1.1:9870,http://10.0.1.2:9870" and len(NameNode(both).addresses) == 2
    assert default_fs(top) == "hdfs://m1:8020"
    with pytest.raises(ValueError, match="no node for datanode"):
        endpoints.endpoint(Topology("c", "emr-1", nodes(slaves=0)), "datanode")


def test_emrctl_tunnels_to_where_a_component_runs():
    def row(name, role, address, *more):
        return {"name": name, "groups": ["emr_c", role, *more], "vars": {
            "emr_group": role, "emr_role": role, "emr_private_ip": address, "emr_memory_mib": 8192, "emr_vcpus": 4, "emr_cluster_id": "emr-1",
            "emr_cluster_name": "c", "emr_services": ["hdfs", "mapreduce"]}}

    found = [row("m1", "master", "10.0.0.1"), row("m2", "master", "10.0.0.2", "emr_control"), row("s1", "slave", "10.0.0.3")]
    assert cloud.control_node(found)["name"] == "m2" and cloud.topology(found).control_node.name == "m2"
    assert list(cloud.pages(found)) == [
        ("HDFS NameNode m1", "10.0.0.1", 9870), ("MapReduce JobHistoryServer", "10.0.0.1", 19888), ("HDFS NameNode m2", "10.0.0.2", 9870),
        ("HDFS DataNode s1", "10.0.0.3", 9864)]
    with pytest.raises(SystemExit):
        cloud.control_node(found[2:])
