"""A cluster with three masters: who runs where, and settings in which no single host stands for the cluster."""
from __future__ import annotations

from dataclasses import replace

import pytest

from ansible_collections.emr.cluster.plugins.action.service import origin
from ansible_collections.emr.cluster.plugins.module_utils.domain.config.render import render_conf
from ansible_collections.emr.cluster.plugins.module_utils.domain.config.settings import effective_config
from ansible_collections.emr.cluster.plugins.module_utils.domain.health import rows
from ansible_collections.emr.cluster.plugins.module_utils.domain.sizing import memory
from ansible_collections.emr.cluster.plugins.module_utils.domain.spec.model import parse_spec
from ansible_collections.emr.cluster.plugins.module_utils.domain.topology.nodes import Node, Topology
from ansible_collections.emr.cluster.plugins.module_utils.services import zookeeper
from ansible_collections.emr.cluster.plugins.module_utils.services.registry import (
    COMPONENTS,
    components_on,
    expand_services,
    joining,
)

from .test_config import SPEC

MASTERS = [f"sales-master-{n:03d}" for n in (1, 2, 3)]
HA = ["journalnode", "zookeeper", "namenode", "resourcemanager", "zkfc"]


def nodes(masters=3, memory_mib=4096):
    rows = [*((name, "master") for name in MASTERS[:masters]), ("sales-slave-001", "slave"), ("sales-edge-001", "gateway")]
    return tuple(Node(name, role, role, f"10.0.0.{n}", memory_mib, 2) for n, (name, role) in enumerate(rows, 1))


def spec(masters=3):
    one = parse_spec(SPEC, environ={})
    return replace(one, node_groups={**one.node_groups, "master": replace(one.node_groups["master"], count=masters)})


def config(name, masters=3):
    top = Topology("sales", "emr-1", nodes(masters))
    return {stem: {key: value.value for key, value in rows.items()} for stem, rows in effective_config(spec(masters), top, top.node(name)).items()}


def test_zookeeper_joins_by_the_number_of_masters_and_nobody_names_it():
    assert "zookeeper" in spec().expanded_services and "zookeeper" not in spec().services
    assert "zookeeper" not in spec(1).expanded_services and "zookeeper" not in spec(2).expanded_services
    assert joining(lambda *_roles: 3) == ("zookeeper",) and "zookeeper" not in expand_services(["hadoop"])


@pytest.mark.parametrize("masters, more", [(1, []), (2, []), (3, ["journalnode", "zookeeper", "zkfc"])])
def test_what_agrees_on_something_runs_only_where_most_survive_one(masters, more):
    top = Topology("sales", "emr-1", nodes(masters))
    for node in top.masters:
        assert {"journalnode", "zookeeper", "zkfc"} & {c.name for c in components_on(spec(masters).expanded_services, top, node)} == set(more)


def test_every_master_runs_what_may_take_over():
    top = Topology("sales", "emr-1", nodes())
    for node in top.masters:
        assert [c.name for c in components_on(("hdfs", "yarn", "zookeeper"), top, node)] == HA
    assert [c.name for c in components_on(("hdfs", "yarn", "zookeeper"), top, top.node("sales-slave-001"))] == ["datanode", "nodemanager"]


def test_clients_know_the_file_system_by_a_name_that_is_no_hosts():
    for name in ("sales-edge-001", "sales-slave-001", MASTERS[1]):
        found = config(name)
        assert found["core-site"]["fs.defaultFS"] == "hdfs://sales" and found["hdfs-site"]["dfs.internal.nameservices"] == "sales"
        assert found["hdfs-site"]["dfs.ha.namenodes.sales"] == ",".join(MASTERS)
        assert all(found["hdfs-site"][f"dfs.namenode.rpc-address.sales.{host}"] == f"{host}:8020" for host in MASTERS)
        assert found["hdfs-site"]["dfs.client.retry.policy.enabled"] == "false", "it would ask a host that is gone for a minute"
        assert "dfs.namenode.rpc-address" not in found["hdfs-site"] and "yarn.resourcemanager.hostname" not in found["yarn-site"]
        assert found["core-site"]["ha.zookeeper.quorum"] == ",".join(f"{host}:2181" for host in MASTERS)


def test_a_path_of_before_is_found_whoever_is_active():
    found = config("sales-edge-001")["hdfs-site"]
    assert found["dfs.nameservices"] == f"sales,{MASTERS[0]}" and found["dfs.nameservice.id"] == "sales"
    for name in ("sales", MASTERS[0]):
        assert found[f"dfs.ha.namenodes.{name}"] == ",".join(MASTERS) and found[f"dfs.client.failover.proxy.provider.{name}"]
        assert all(found[f"dfs.namenode.rpc-address.{name}.{host}"] == f"{host}:8020" for host in MASTERS)


def test_the_edits_are_on_all_masters_and_only_their_writers_know_it():
    found = config(MASTERS[2])["hdfs-site"]
    assert found["dfs.namenode.shared.edits.dir"] == "qjournal://" + ";".join(f"{host}:8485" for host in MASTERS) + "/sales"
    assert found["dfs.ha.namenode.id"] == MASTERS[2] and found["dfs.journalnode.edits.dir"]
    assert not {"dfs.namenode.shared.edits.dir", "dfs.ha.namenode.id", "dfs.journalnode.edits.dir"} & set(config("sales-slave-001")["hdfs-site"])


def test_each_resourcemanager_is_written_out():
    found = config("sales-slave-001")["yarn-site"]
    assert found["yarn.resourcemanager.ha.rm-ids"] == ",".join(MASTERS) and "yarn.resourcemanager.ha.id" not in found
    for key, port in (("address", 8032), ("scheduler.address", 8030), ("resource-tracker.address", 8031), ("admin.address", 8033), ("webapp.address", 8088)):
        assert [found[f"yarn.resourcemanager.{key}.{host}"] for host in MASTERS] == [f"{host}:{port}" for host in MASTERS]
    assert found["yarn.resourcemanager.store.class"].endswith("ZKRMStateStore") and "yarn.resourcemanager.fs.state-store.uri" not in found
    assert config(MASTERS[0])["yarn-site"]["yarn.resourcemanager.ha.id"] == MASTERS[0]


def test_with_one_master_nothing_of_it_is_said():
    for name in (MASTERS[0], "sales-slave-001", "sales-edge-001"):
        assert not [key for rows in config(name, 1).values() for key in rows if ".ha." in key or "journal" in key or "zk" in key or key.startswith("ha.")]


def test_each_server_of_zookeeper_has_the_number_of_its_name():
    top = Topology("sales", "emr-1", nodes())
    rows = {row["path"]: row["content"] for row in render_conf(effective_config(spec(), top, top.masters[1]), spec(), top, top.masters[1])}
    assert rows[zookeeper.NUMBER] == "2\n" and "server.2 sales-master-002:2888:3888\n" in rows[zookeeper.CONF]
    later = tuple(replace(node, name=name) for node, name in zip(top.masters, (MASTERS[1], MASTERS[2], "sales-master-004")))
    assert zookeeper.numbered(later) == {MASTERS[1]: 2, MASTERS[2]: 3, "sales-master-004": 4}, "who stays keeps its number"
    assert zookeeper.numbered([replace(node, name=name) for node, name in zip(top.masters, "abc")]) == {"a": 1, "b": 2, "c": 3}


def test_masters_of_two_gib_have_room_for_three():
    services = expand_services(["hadoop", "zookeeper", "monitoring"])
    memory.check_topology(services, nodes(memory_mib=2048))
    assert memory.demand(services, "master", 2048, nodes(3)) > memory.demand(services, "master", 2048, nodes(1))


class Seen:
    """As much of a context as the origin of a file system needs. ``storage``: {node: state of its NameNode's directory}, others were not looked at."""

    def __init__(self, host, storage, data="empty"):
        self.host, self.services, self.topology, self.data = host, ("hdfs", "zookeeper"), Topology("sales", "emr-1", nodes()), data
        self.storage = {name: {"namenode": [{"path": "/n", "state": state}]} for name, state in storage.items()}

    def fact(self, _name, host):
        return self.storage.get(host, {"datanode": [{"path": "/d", "state": self.data}]} if "slave" in host else None)


@pytest.mark.parametrize("storage, host, others, refused", [
    (dict.fromkeys(MASTERS, "empty"), MASTERS[0], [], ""),
    (dict.fromkeys(MASTERS, "empty"), MASTERS[1], [MASTERS[0], MASTERS[2]], ""),
    # Who lost its disk takes the file system over from the others, the first one too.
    ({**dict.fromkeys(MASTERS, "formatted"), MASTERS[0]: "empty"}, MASTERS[0], MASTERS[1:], ""),
    ({MASTERS[1]: "formatted", MASTERS[0]: "empty"}, MASTERS[0], [MASTERS[1]], ""),
    # Nobody is formatted as long as one that nobody has looked at may have a file system.
    ({MASTERS[0]: "empty", MASTERS[1]: "empty"}, MASTERS[1], [], MASTERS[2])])
def test_where_a_file_system_comes_from(storage, host, others, refused):
    found = origin(Seen(host, storage), COMPONENTS["namenode"])
    names = {node.address: node.name for node in nodes()}
    assert [names[url.split(":")[1].strip("/")] for url in found["others"]] == others
    assert [url.rsplit(":", 1)[1] for url in found["shared"]] == ["8480"] * 3 and (refused in found["refusal"] if refused else not found["refusal"])


def test_no_new_file_system_is_made_over_data():
    assert "holds data" in origin(Seen(MASTERS[0], dict.fromkeys(MASTERS, "empty"), "formatted"), COMPONENTS["namenode"])["refusal"]


def test_who_does_not_stand_by_is_a_finding_and_is_told():
    told = {"standing": [{"node": "m1", "state": "active"}, {"node": "m2", "state": "standby"}, {"node": "m3", "state": "no route to host"}]}
    found = rows.standing(told, "NameNode", "sales")
    assert [(row["node"], row["state"], row["next"]) for row in found] == [("m3", "warn", "emrctl repair sales")] and "no route to host" in found[0]["detail"]
    assert rows.standing({}, "NameNode", "sales") == []
