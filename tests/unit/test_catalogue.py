"""The component catalogue and the topology."""
from __future__ import annotations

import pytest

from ansible_collections.emr.cluster.plugins.module_utils.domain.config.keys import ENV_NAMES
from ansible_collections.emr.cluster.plugins.module_utils.domain.topology.nodes import Node, Topology
from ansible_collections.emr.cluster.plugins.module_utils.node.services.hooks import hook
from ansible_collections.emr.cluster.plugins.module_utils.services.registry import (
    BUNDLES,
    COMPONENTS,
    ROLES,
    SERVICES,
    STEMS,
    components_for,
    expand_services,
    start_order,
)


def test_rows_are_consistent():
    for name, row in COMPONENTS.items():
        assert name == row.name and row.service in SERVICES and row.roles <= set(ROLES) and row.roles
        assert row.unit == f"emr-{name}"
        assert row.health.port in row.ports
        assert row.health.path.startswith("/") == (row.health.kind not in ("tcp", "metastore.metastore", "zookeeper.server"))
        assert row.health.kind in ("http", "tcp") or hook(row.health.kind, "READERS" if row.health.path else "SOCKETS")
        assert not row.turn or hook(row.turn, "TURNS")
        assert not row.web or row.web in row.ports
        assert row.reads <= set(STEMS) and set(row.after) <= set(COMPONENTS)
        assert 0 < row.heap.share < 1 and 0 < row.heap.least <= row.heap.most
        # An application of YARN takes its options from Spark's settings.
        assert row.user != "root" and (row.jvm_opts_env == "" if row.application or not row.jvm else row.jvm_opts_env in ENV_NAMES)
    daemons = [row for row in COMPONENTS.values() if row.jvm and not row.application]
    assert len({row.jvm_opts_env for row in daemons}) == len(daemons)


@pytest.mark.parametrize("role", ROLES)
def test_no_port_is_used_twice_on_a_node(role):
    ports = [port for row in components_for(SERVICES, role) for port in row.ports.values()]
    assert len(ports) == len(set(ports))


def test_start_order_respects_what_each_waits_for():
    order = [c.name for c in start_order()]
    assert sorted(order) == sorted(COMPONENTS)
    for name, row in COMPONENTS.items():
        assert all(order.index(before) < order.index(name) for before in row.after)


def test_services_are_expanded_in_order_and_once():
    assert expand_services(["spark", "hadoop", "hdfs"]) == ("hdfs", "yarn", "mapreduce", "spark")
    assert all(set(members) <= set(SERVICES) for members in BUNDLES.values())
    assert all(set(needs) <= set(SERVICES) for needs in SERVICES.values())
    with pytest.raises(KeyError):
        expand_services(["hbase"])


def test_components_of_a_role():
    assert [c.name for c in components_for(("hdfs", "yarn"), "slave")] == ["datanode", "nodemanager"]
    assert [c.name for c in components_for(("hdfs", "yarn"), "task")] == ["nodemanager"]
    assert components_for(("hdfs", "yarn"), "gateway") == ()
    assert [c.name for c in components_for(("hdfs",)) if c.placement.least == 1] == ["namenode", "datanode"]
    order = [c.name for c in components_for(("hdfs", "yarn", "zookeeper"), "master")]
    assert order == ["journalnode", "zookeeper", "namenode", "resourcemanager", "zkfc"]


def test_topology():
    nodes = tuple(Node(name, role, role, "", 4096, 2) for name, role in (("m", "master"), ("s", "slave"), ("t", "task")))
    top = Topology("c", "emr-1", nodes)
    assert top.control_node.name == "m" and [n.name for n in top.with_role("slave", "task")] == ["s", "t"]
    assert top.node("t").role == "task"
    with pytest.raises(KeyError):
        top.node("x")
