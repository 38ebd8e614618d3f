"""Which daemons an operation means, and in which turns."""
from __future__ import annotations

import pytest

from ansible_collections.emr.cluster.plugins.module_utils.domain.daemons.scope import batches, in_words, select
from ansible_collections.emr.cluster.plugins.module_utils.domain.errors import Refused
from ansible_collections.emr.cluster.plugins.module_utils.domain.topology.nodes import Node, Topology
from ansible_collections.emr.cluster.plugins.module_utils.services.registry import SERVICES


def cluster(slaves=3, tasks=2):
    nodes = [Node("c-master-001", "master", "master", "10.0.0.1", 4096, 2)]
    nodes += [Node(f"c-slave-{n:03d}", "slave", "slave", f"10.0.1.{n}", 4096, 2) for n in range(1, slaves + 1)]
    nodes += [Node(f"c-night-{n:03d}", "night", "task", f"10.0.2.{n}", 4096, 2) for n in range(1, tasks + 1)]
    return Topology("c", "emr-1", tuple(nodes))


def test_everything_in_start_order():
    found = select({}, cluster(), tuple(SERVICES))
    assert found["c-master-001"] == ["namenode", "node-exporter", "alertmanager", "prometheus", "cluster-page", "resourcemanager", "historyserver",
                                     "metastore", "spark-historyserver", "spark-connect", "spark-thrift"]
    assert found["c-slave-001"] == ["node-exporter", "datanode", "nodemanager"] and found["c-night-001"] == ["node-exporter", "nodemanager"] and len(found) == 6


@pytest.mark.parametrize(("scope", "expected"), [
    ({"services": ["hdfs"]}, {"c-master-001": ["namenode"], "c-slave-001": ["datanode"], "c-slave-002": ["datanode"],
                              "c-slave-003": ["datanode"]}),
    ({"components": ["nodemanager"], "groups": ["night"]}, {"c-night-001": ["nodemanager"], "c-night-002": ["nodemanager"]}),
    ({"nodes": ["c-slave-002"]}, {"c-slave-002": ["node-exporter", "datanode", "nodemanager"]}),
    ({"services": ["hadoop"], "nodes": ["c-night-001"]}, {"c-night-001": ["nodemanager"]}),
    ({"services": "yarn", "groups": ["master"]}, {"c-master-001": ["resourcemanager"]}),
])
def test_parts(scope, expected):
    assert select(scope, cluster(), tuple(SERVICES)) == expected


@pytest.mark.parametrize(("scope", "says"), [
    ({"services": ["spark"]}, "no service 'spark'"), ({"components": ["datanod"]}, "datanode"),
    ({"groups": ["nights"]}, "night"), ({"nodes": ["c-slave-01"]}, "c-slave-001"),
    ({"components": ["datanode"], "groups": ["master"]}, "at the same time"), ({"hosts": ["x"]}, "unknown key"),
])
def test_what_is_not_there_is_refused_with_the_nearest_name(scope, says):
    with pytest.raises(Refused) as caught:
        select(scope, cluster(), ("hdfs", "yarn", "mapreduce"))
    assert says in str(caught.value)


def test_masters_take_their_turn_first_and_alone():
    top = cluster(3, 2)
    assert batches(top, [n.name for n in top.nodes]) == [
        ["c-master-001"], ["c-slave-001"], ["c-slave-002"], ["c-slave-003"], ["c-night-001"], ["c-night-002"]]


def test_a_tenth_at_a_time_unless_said_otherwise():
    top = cluster(25, 0)
    names = [n.name for n in top.nodes]
    assert [len(turn) for turn in batches(top, names)] == [1] + [2] * 12 + [1]
    assert [len(turn) for turn in batches(top, names, 10)] == [1, 10, 10, 5]


def test_no_more_slaves_at_a_time_than_leave_a_copy_of_each_block():
    top = cluster(25, 20)
    names = [n.name for n in top.nodes]
    assert [len(turn) for turn in batches(top, names, 10, most=1)] == [1] + [1] * 25 + [10, 10]
    assert [len(turn) for turn in batches(top, names, most=3)] == [1] + [2] * 12 + [1] + [2] * 10


def test_the_size_follows_from_all_nodes_not_from_those_that_are_left():
    top = cluster(25, 0)
    assert batches(top, ["c-slave-024", "c-slave-025", "c-slave-001"]) == [["c-slave-001", "c-slave-024"], ["c-slave-025"]]
    assert batches(top, []) == []


def test_words():
    assert in_words({"services": ["hdfs"], "nodes": ["a"]}) == " --service hdfs --node a" and in_words({}) == ""
