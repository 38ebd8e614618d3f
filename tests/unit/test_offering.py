"""What a plan says of the cluster it leads to is what the nodes' own configuration says."""
from __future__ import annotations

import time

import pytest

from ansible_collections.emr.cluster.plugins.module_utils.cloud.purchase.offering import (
    config_changes,
    offered,
    topology,
)
from ansible_collections.emr.cluster.plugins.module_utils.domain.spec.model import parse_spec
from ansible_collections.emr.cluster.plugins.module_utils.domain.topology.nodes import Disk, Node
from ansible_collections.emr.cluster.plugins.module_utils.services import yarn

TEXT = """\
name: sales
region: cn-hangzhou
zone: cn-hangzhou-h
services: [{services}]
image: m-1
network: {{vswitch_id: vsw-1, ssh_from: 203.0.113.0/24}}
node_groups:
  master: {{count: 1, instance_types: [ecs.g7.large]}}
  slave: {{count: {slaves}, instance_types: [ecs.g7.large]}}
  task: {{count: 2, instance_types: [ecs.g7.large]}}
config: {config}
"""


def spec(slaves=3, services="hadoop", config="{}"):
    return parse_spec(TEXT.format(slaves=slaves, services=services, config=config))


def nodes(slaves=3, memory=16384, disks=2):
    found = [Node("sales-master-001", "master", "master", "10.0.0.1", memory, 4)]
    found += [Node(f"sales-slave-{n:03d}", "slave", "slave", "10.0.0.2", memory, 4,
                   tuple(Disk(f"s{d}", 100) for d in range(disks))) for n in range(1, slaves + 1)]
    found += [Node(f"sales-task-{n:03d}", "task", "task", "10.0.0.3", 2 * memory, 8) for n in (1, 2)]
    return topology(spec(slaves), "emr-1", found)


def test_yarn_and_hdfs_are_those_of_the_configuration():
    found = offered(spec(), nodes())
    assert found["yarn_memory_mib"] == 3 * yarn.yarn_memory(16384) + 2 * yarn.yarn_memory(32768)
    assert found["yarn_vcores"] == 3 * 4 + 2 * 8 and found["nodes"] == 6
    assert found["replication"] == 2 and found["hdfs_raw_gib"] == 3 * 2 * 99 and found["hdfs_gib"] == 297


def test_values_of_the_spec_win():
    config = "{yarn-site: {yarn.nodemanager.resource.memory-mb: 4096}, hdfs-site: {dfs.replication: 3}}"
    found = offered(spec(config=config), nodes())
    assert found["yarn_memory_mib"] == 5 * 4096 and found["replication"] == 3 and found["hdfs_gib"] == 198


def test_without_data_disks_the_system_disk_counts():
    assert offered(spec(), nodes(disks=0))["hdfs_raw_gib"] == 3 * 36


def test_nothing_is_offered_without_a_master():
    assert offered(spec(), topology(spec(), "", [])) == {}


def test_large_clusters_are_told_at_once():
    start = time.monotonic()
    assert offered(spec(900), nodes(900))["nodes"] == 903
    assert time.monotonic() - start < 2


def test_the_same_spec_changes_nothing():
    assert config_changes(spec(), nodes(), spec(), nodes()) == []


def test_a_changed_setting_restarts_what_reads_it():
    found = config_changes(spec(), nodes(), spec(config="{hdfs-site: {dfs.blocksize: 268435456}}"), nodes())
    by_node = {row["node"]: row for row in found}
    assert set(by_node) == {n.name for n in nodes().nodes}
    assert "namenode" in by_node["sales-master-001"]["restarts"] and "datanode" in by_node["sales-slave-001"]["restarts"]
    assert by_node["sales-task-001"]["settings"] == [
        {"file": "hdfs-site", "key": "dfs.blocksize", "from": None, "to": "268435456"}]


def test_more_nodes_change_what_depends_on_their_number():
    found = config_changes(spec(3), nodes(3), spec(4), nodes(4))
    changed = {s["key"]: (s["from"], s["to"]) for row in found for s in row["settings"]}
    assert changed["dfs.replication"] == ("2", "3") and "sales-slave-004" not in {row["node"] for row in found}


@pytest.mark.parametrize("before, after, key", [("hadoop", "hadoop, spark", "starts"), ("hadoop, spark", "hadoop", "stops")])
def test_a_service_comes_or_goes(before, after, key):
    found = config_changes(spec(services=before), nodes(), spec(services=after), nodes())
    assert {row["node"]: row for row in found}["sales-master-001"][key] == ["spark-historyserver"]
