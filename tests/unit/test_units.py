"""Units, digests and directories that follow from the catalogue."""
from __future__ import annotations

import pytest

from ansible_collections.emr.cluster.plugins.module_utils.domain.daemons import units
from ansible_collections.emr.cluster.plugins.module_utils.domain.topology.nodes import Node
from ansible_collections.emr.cluster.plugins.module_utils.services.registry import COMPONENTS, SERVICES, components_for

MASTER = Node("sales-master-001", "master", "master", "10.0.0.1", 4096, 2)
SLAVE = Node("sales-slave-001", "slave", "slave", "10.0.0.2", 4096, 2)
EFFECTIVE = {
    "core-site": {"fs.defaultFS": "hdfs://sales-master-001:8020"},
    "hdfs-site": {"dfs.namenode.name.dir": "file:///var/lib/emr/hdfs/name",
                  "dfs.datanode.data.dir": "[SSD]file:///data/1/dfs/data,file:///data/2/dfs/data"},
    "yarn-site": {"yarn.nodemanager.local-dirs": "/data/1/yarn/local,/data/2/yarn/local"},
    "env": {"HDFS_DATANODE_OPTS": "-Xmx128m", "HDFS_NAMENODE_OPTS": "-Xmx256m"},
}


@pytest.mark.parametrize("component", COMPONENTS.values(), ids=list(COMPONENTS))
def test_every_unit_runs_as_its_own_user_and_records_its_configuration(component):
    text = units.unit_text(component, "sales")
    assert f"User={component.user}\n" in text and component.user != "root"
    assert "SuccessExitStatus=143" in text and "Restart=on-failure" in text
    # The digest is copied before the daemon starts, never after.
    assert text.index("ExecStartPre=") < text.index("ExecStart=")
    assert f"{units.DIGEST_DIR}/{component.name} {units.started_path(component.name)}" in text
    assert f"ExecStartPre=+/bin/rm -f {units.MARK_DIR}/{component.name}\n" in text
    assert (f"{component.name}.refresh {units.refreshed_path(component.name)}" in text) == bool(component.refreshes)
    # From its software, or by a program that its home writes.
    assert text.split("ExecStart=")[1].split("\n")[0].startswith((units.home_of(component) + "/bin/", "/opt/emr/libexec/emr-"))


def test_containers_survive_a_restart_of_the_nodemanager_alone():
    kill = {name: units.unit_text(row, "sales").split("KillMode=")[1].split("\n")[0] for name, row in COMPONENTS.items()}
    assert {name for name, mode in kill.items() if mode == "process"} == {"nodemanager"}


def test_a_unit_needs_the_mounts_of_its_data():
    rows = {row["component"]: row["text"] for row in units.node_units(components_for(("hdfs", "yarn"), "slave"), EFFECTIVE, "sales", "/j", {})}
    assert "RequiresMountsFor=/data/1 /data/2\n" in rows["datanode"]
    assert "RequiresMountsFor=/data/1 /data/2\n" in rows["nodemanager"]
    assert "RequiresMountsFor" not in units.unit_text(COMPONENTS["namenode"], "sales")


def test_storage_directories_lose_type_and_scheme():
    assert units.storage_dirs("datanode", EFFECTIVE) == ["/data/1/dfs/data", "/data/2/dfs/data"]
    assert units.storage_dirs("namenode", EFFECTIVE) == ["/var/lib/emr/hdfs/name"]
    assert units.storage_dirs("historyserver", EFFECTIVE) == []


def digests(effective, node=SLAVE, versions=None):
    rows = units.node_units(components_for(("hdfs", "yarn"), node.role), effective, "sales", "/java", versions or {"hadoop": "a"})
    return {row["component"]: row["digest"] for row in rows}


@pytest.mark.parametrize(("stem", "key", "stale"), [
    ("hdfs-site", "dfs.replication", {"datanode", "nodemanager"}),
    ("hdfs-site", "dfs.namenode.handler.count", set()),
    ("hdfs-site", "dfs.namenode.rpc-address", {"datanode", "nodemanager"}),
    ("hdfs-site", "dfs.datanode.balance.max.concurrent.moves", set()),
    ("hdfs-site", "dfs.datanode.handler.count", {"datanode"}),
    ("mapred-site", "mapreduce.map.memory.mb", set()),
    ("mapred-site", "mapreduce.shuffle.max.threads", {"nodemanager"}),
    ("yarn-site", "yarn.scheduler.maximum-allocation-mb", set()),
    ("yarn-site", "yarn.nodemanager.resource.memory-mb", {"nodemanager"}),
    ("env", "HDFS_DATANODE_OPTS", {"datanode"}),
    ("env", "YARN_NODEMANAGER_OPTS", {"nodemanager"}),
    ("env", "HDFS_NAMENODE_OPTS", set()),
    ("spark-defaults", "spark.master", set()),
])
def test_a_change_makes_exactly_its_readers_stale(stem, key, stale):
    changed = {name: dict(values) for name, values in EFFECTIVE.items()}
    changed.setdefault(stem, {})[key] = "other"
    before, after = digests(EFFECTIVE), digests(changed)
    assert {name for name in before if before[name] != after[name]} == stale


def test_other_software_makes_stale():
    assert digests(EFFECTIVE)["datanode"] != digests(EFFECTIVE, versions={"hadoop": "b"})["datanode"]
    assert digests(EFFECTIVE)["datanode"] == digests(EFFECTIVE, versions={"hadoop": "a", "spark": "c"})["datanode"]


def test_digests_are_written_after_everything_they_stand_for():
    paths = [f["path"] for f in units.unit_files(units.node_units(components_for(("hdfs", "yarn"), "slave"), EFFECTIVE, "s", "/j", {}))]
    first = min(i for i, path in enumerate(paths) if path.startswith(units.DIGEST_DIR))
    assert all(path.startswith(units.DIGEST_DIR) for path in paths[first:]) and len(paths) == 7


def test_units_follow_the_role():
    names = [row["component"] for row in units.node_units(components_for(SERVICES, "master"), EFFECTIVE, "s", "/j", {})]
    assert names == ["journalnode", "zookeeper", "namenode", "node-exporter", "alertmanager", "prometheus", "cluster-page", "resourcemanager", "zkfc", "historyserver",
                     "metastore", "spark-historyserver", "spark-connect", "spark-thrift"]


def test_the_job_user_is_no_superuser_of_hdfs():
    users = {user["name"]: user["group"] for user in units.service_users()}
    assert users["emr"] == "emr" and all(users[c.user] == c.group for c in COMPONENTS.values())
    # What runs other people's statements has the rights of the jobs, not those of a daemon.
    assert {c.user for c in COMPONENTS.values() if c.application} == {"emr"}


def test_hdfs_directories_come_parents_first_and_private_ones_are_private():
    rows = units.hdfs_directories(tuple(SERVICES))
    seen = set()
    for row in rows:
        parent = row["path"].rsplit("/", 1)[0]
        assert parent == "" or parent in seen
        seen.add(row["path"])
    modes = {row["path"]: row["mode"] for row in rows}
    assert modes["/tmp"] == "1777" and modes["/mr-history/done"] == "0770" and modes["/user/emr"] == "0755"
    assert not [row for row in units.hdfs_directories(("hdfs",)) if row["path"].startswith(("/yarn", "/spark"))]


def test_archives_of_spark():
    effective = {"spark-defaults": {"spark.yarn.archive": "hdfs:///spark/libs.zip"}}
    assert [r["path"] for r in units.hdfs_archives(("hdfs", "spark"), effective)] == ["/spark/libs.zip"]
    assert units.hdfs_archives(("hdfs",), effective) == []
    assert units.hdfs_archives(("spark",), {"spark-defaults": {"spark.yarn.archive": "local:/x"}}) == []


def test_a_nodes_own_daemons_have_folders_for_logs_though_they_were_deleted_with_a_service():
    made = {row["path"]: (row["owner"], row["mode"]) for row in units.node_directories([COMPONENTS["spark-historyserver"]], {})}
    assert made == {"/var/log/emr/spark": ("spark", "0755"), "/etc/emr/spark": ("root", "0755")}
