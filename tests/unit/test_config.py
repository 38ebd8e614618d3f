"""The effective configuration: layers, origins, and values that hold a cluster together."""
from __future__ import annotations

import json
import re

import pytest

from ansible_collections.emr.cluster.plugins.module_utils.domain.config import keys as config_keys
from ansible_collections.emr.cluster.plugins.module_utils.domain.config.folders import data_roots
from ansible_collections.emr.cluster.plugins.module_utils.domain.config.settings import (
    Value,
    effective_config,
    jvm_options,
)
from ansible_collections.emr.cluster.plugins.module_utils.domain.spec.model import parse_spec
from ansible_collections.emr.cluster.plugins.module_utils.domain.text import credential_words
from ansible_collections.emr.cluster.plugins.module_utils.domain.topology.nodes import Disk, Node, Topology
from ansible_collections.emr.cluster.plugins.module_utils.services.registry import (
    COMPONENTS,
    HOMES,
    STEMS,
    components_for,
)

SPEC = """\
name: sales
region: cn-hangzhou
zone: cn-hangzhou-h
services: [hadoop, spark]
image: m-x1
network: {vswitch_id: vsw-1, ssh_from: 10.0.0.0/8}
node_groups:
  master: {instance_types: [ecs.g6.xlarge]}
  slave: {count: 3, instance_types: [ecs.g6.xlarge], config: {yarn-site: {yarn.nodemanager.vmem-check-enabled: true}}}
  night: {role: task, count: 1, instance_types: [ecs.g6.xlarge]}
  edge: {role: gateway, count: 1, instance_types: [ecs.g6.xlarge]}
config:
  yarn-site: {yarn.nodemanager.vmem-check-enabled: false, yarn.log-aggregation.retain-seconds: 60}
  env: {HDFS_NAMENODE_OPTS: -Xmx3g}
"""


def topology(memory=16384, vcpus=4, slaves=3, disks=0):
    """One master, some slaves, one task node and one gateway, all of one size."""
    def node(name, group, role, number):
        return Node(f"sales-{name}", group, role, f"10.0.0.{number}", memory, vcpus,
                    tuple(Disk(f"s{i}", 100) for i in range(disks if role == "slave" else 0)))
    nodes = [node("master-001", "master", "master", 1)]
    nodes += [node(f"slave-{i:03d}", "slave", "slave", 10 + i) for i in range(1, slaves + 1)]
    nodes += [node("night-001", "night", "task", 90), node("edge-001", "edge", "gateway", 91)]
    return Topology("sales", "emr-0123456789ab", tuple(nodes))


def config_of(role, text=SPEC, **shape):
    top = topology(**shape)
    return effective_config(parse_spec(text), top, top.with_role(role)[0])


def values(effective):
    return {key: value.value for settings in effective.values() for key, value in settings.items()}


def test_shape_of_the_answer():
    effective = config_of("slave")
    assert tuple(effective) == STEMS
    for settings in effective.values():
        assert list(settings) == sorted(settings)
        for value in settings.values():
            assert isinstance(value, Value) and isinstance(value.value, str)
            assert value.origin in ("default", "sizing", "spec", "group")


def test_every_value_says_where_it_comes_from():
    slave, task = config_of("slave")["yarn-site"], config_of("task")["yarn-site"]
    assert slave["yarn.nodemanager.aux-services"] == Value("mapreduce_shuffle", "default")
    assert slave["yarn.nodemanager.resource.memory-mb"] == Value("12288", "sizing")
    assert slave["yarn.log-aggregation.retain-seconds"] == Value("60", "spec")
    assert slave["yarn.nodemanager.vmem-check-enabled"] == Value("true", "group")
    assert task["yarn.nodemanager.vmem-check-enabled"] == Value("false", "spec")


def test_options_of_the_user_come_after_the_computed_ones():
    value = config_of("master")["env"]["HDFS_NAMENODE_OPTS"]
    assert value.origin == "spec" and value.value.startswith("-Xmx1638m ") and value.value.endswith(" -Xmx3g")


def test_a_spec_and_its_plain_data_give_the_same():
    top = topology()
    spec = parse_spec(SPEC)
    for node in top.nodes:
        assert effective_config(spec, top, node) == effective_config(json.loads(json.dumps(spec.to_dict())), top, node)


def test_a_topology_without_master_is_an_error():
    with pytest.raises(ValueError, match="no master"):
        effective_config(parse_spec(SPEC), Topology("sales", "x", topology().nodes[1:]), topology().nodes[1])


def test_what_the_cluster_decides_cannot_be_set_by_a_spec():
    """Every address, directory and list of nodes that is computed is also reserved."""
    for role in ("master", "slave"):
        for stem, settings in config_of(role).items():
            for key, value in settings.items():
                needs = re.search(r"(address|hostname|bind-host|\.dirs?|-dirs|-path|done-dir)$|^dfs\.hosts|defaultFS", key)
                if needs and value.origin == "default":
                    assert config_keys.check_key(stem, key), key


@pytest.mark.parametrize("role", ["master", "slave", "task", "gateway"])
def test_computed_values_pass_the_checks_of_a_spec(role):
    for stem, settings in config_of(role).items():
        for key, value in settings.items():
            assert config_keys.home_of(key) in (stem, ""), key
            assert stem == "env" or config_keys.check_value(stem, key, value.value, "str") is None, key
            assert not credential_words.secret_key(key) and not credential_words.secret_value(value.value)


def test_the_fixed_ports_are_those_of_the_catalogue():
    found = values(config_of("slave"))
    ports = {name: c.ports for name, c in COMPONENTS.items()}
    assert found["fs.defaultFS"] == f"hdfs://sales-master-001:{ports['namenode']['ipc']}"
    assert found["dfs.namenode.http-address"] == f"sales-master-001:{ports['namenode']['http']}"
    assert found["yarn.nodemanager.address"] == f"sales-slave-001:{ports['nodemanager']['ipc']}"
    assert found["mapreduce.jobhistory.address"] == f"sales-master-001:{ports['historyserver']['ipc']}"
    assert found["mapreduce.shuffle.port"] == str(ports["nodemanager"]["shuffle"])
    assert found["spark.yarn.historyServer.address"] == f"sales-master-001:{ports['spark-historyserver']['http']}"


def test_facts_that_were_learned_by_running():
    master, slave = values(config_of("master")), values(config_of("slave"))
    for found in (master, slave):
        assert found["yarn.app.mapreduce.am.staging-dir"] == "/user"
        assert found["mapreduce.jobhistory.intermediate-done-dir"] == "/mr-history/tmp"
        assert "$HADOOP_HOME/share/hadoop/mapreduce/*" in found["mapreduce.application.classpath"]
        assert found["hadoop.prometheus.endpoint.enabled"] == "true"
        assert found["yarn.webapp.enable-rest-app-submissions"] == "false"
        assert found["hadoop.http.staticuser.user"] not in ("hdfs", "yarn", "mapred", "spark", "root", "emr")
        assert found["yarn.resourcemanager.recovery.enabled"] == "true"
        assert found["dfs.namenode.safemode.extension"] == "0"
        assert int(found["dfs.namenode.heartbeat.recheck-interval"]) * 2 / 1000 + 30 <= 120, "dead within two minutes"
        # Loops of clients nest; together they outlast a restart of the NameNode, and give up on a dead one in some minutes.
        spec = [int(word) for word in found["dfs.client.retry.policy.spec"].split(",")]
        tries, pauses = sum(spec[1::2]), sum(ms * n for ms, n in zip(spec[::2], spec[1::2], strict=True)) / 1000
        waits = tries * int(found["ipc.client.connect.max.retries"]) * int(found["ipc.client.connect.retry.interval"]) / 1000 + pauses
        assert found["dfs.client.retry.policy.enabled"] == "true" and pauses >= 30 and 120 <= waits <= 300
    assert master["dfs.namenode.rpc-bind-host"] == master["yarn.resourcemanager.bind-host"] == "0.0.0.0"
    assert slave["yarn.nodemanager.recovery.enabled"] == slave["yarn.nodemanager.recovery.supervised"] == "true"
    assert not slave["yarn.nodemanager.address"].endswith(":0"), "recovery needs a fixed port"
    assert "--add-opens=java.base/java.lang=ALL-UNNAMED" in slave["YARN_NODEMANAGER_OPTS"]


def test_spark_keeps_its_jars_in_hdfs_and_shuffles_without_a_service():
    found = config_of("master")["spark-defaults"]
    assert re.fullmatch(r"hdfs:///spark/spark-libs-\d+\.\d+\.\d+\.zip", found["spark.yarn.archive"].value)
    assert found["spark.dynamicAllocation.shuffleTracking.enabled"].value == "true"
    assert found["spark.eventLog.dir"].value == found["spark.history.fs.logDirectory"].value == "hdfs:///spark/events"
    assert "spark.default.parallelism" not in found


@pytest.mark.parametrize(("slaves", "copies"), [(1, "1"), (2, "2"), (3, "2"), (4, "3")])
def test_replication_follows_the_slaves(slaves, copies):
    assert config_of("master", slaves=slaves)["hdfs-site"]["dfs.replication"] == Value(copies, "sizing")


def test_one_directory_on_each_disk():
    found = values(config_of("slave", disks=3))
    assert found["dfs.datanode.data.dir"] == ",".join(f"file:///data/{i}/dfs/data" for i in (1, 2, 3))
    assert found["yarn.nodemanager.local-dirs"] == "/data/1/yarn/local,/data/2/yarn/local,/data/3/yarn/local"
    assert found["dfs.datanode.failed.volumes.tolerated"] == "1"
    assert int(found["dfs.datanode.du.reserved"]) == 1 << 30
    assert data_roots(topology(disks=2).with_role("slave")[0]) == ["/data/1", "/data/2"]


def test_the_system_disk_without_data_disks():
    found = values(config_of("slave"))
    assert found["dfs.datanode.data.dir"] == "file:///var/lib/emr/hdfs/data"
    assert found["yarn.nodemanager.log-dirs"] == "/var/lib/emr/yarn/log"
    assert int(found["dfs.datanode.du.reserved"]) == 4 << 30
    assert values(config_of("master"))["dfs.namenode.name.dir"] == "file:///var/lib/emr/hdfs/name"


@pytest.mark.parametrize(("memory", "quick"), [(2048, True), (4096, True), (7680, False), (8192, False), (65536, False)])
def test_small_nodes_start_with_quick_flags(memory, quick):
    top = topology(memory=memory)
    for role in ("master", "slave"):
        options = jvm_options(components_for(("hdfs", "yarn", "mapreduce", "spark"), role), top.with_role(role)[0])
        for component in components_for(("hdfs", "yarn", "mapreduce", "spark"), role):
            text = options[component.jvm_opts_env]
            assert ("-XX:+UseSerialGC" in text) == ("-XX:TieredStopAtLevel=1" in text) == quick
            assert "SharedArchiveFile" not in text, "the launcher looks whether there is one"
            # Spark's launcher refuses nothing but appends its own -Xmx, taken from SPARK_DAEMON_MEMORY.
            assert ("-Xmx" in text) == (component.service != "spark")
            assert all(flag in text for flag in component.jvm_flags)
    effective = config_of("slave", memory=memory)
    assert effective["mapred-site"]["mapreduce.map.java.opts"].value.startswith("-Xmx")
    flags = {key: value.value for key, value in effective["spark-defaults"].items() if key.endswith("extraJavaOptions")}
    # Only the application master, which in client mode is neither driver nor executor, computes nothing.
    assert flags == ({"spark.executor.extraJavaOptions": "-XX:+UseSerialGC", "spark.driver.extraJavaOptions": "-XX:+UseSerialGC",
                      "spark.yarn.am.extraJavaOptions": "-XX:+UseSerialGC -XX:TieredStopAtLevel=1"} if quick else {})


def test_daemons_of_other_roles_have_no_options():
    assert set(config_of("slave", SPEC.replace("  env: {HDFS_NAMENODE_OPTS: -Xmx3g}\n", ""))["env"]) == {
        "HDFS_DATANODE_OPTS", "YARN_NODEMANAGER_OPTS", "HADOOP_CLIENT_OPTS"}


def test_without_spark_nothing_of_spark():
    effective = config_of("master", SPEC.replace("[hadoop, spark]", "[hadoop]"))
    assert effective["spark-defaults"] == {} and not [k for k in effective["env"] if k.startswith("SPARK")]


def test_yarn_alone_does_not_name_a_file_system():
    found = values(config_of("slave", SPEC.replace("[hadoop, spark]", "[yarn]")))
    assert "fs.defaultFS" not in found and found["yarn.log-aggregation-enable"] == "false"
    assert not [key for key in found if key.startswith(("dfs.", "mapreduce."))]


def test_adding_spark_leaves_the_files_of_hadoop_alone():
    """So that a running cluster needs no restart when Spark is added."""
    with_spark, without = config_of("slave"), config_of("slave", SPEC.replace("[hadoop, spark]", "[hadoop]"))
    for stem in STEMS[:5]:
        assert with_spark[stem] == without[stem]


def test_maximum_allocation_is_that_of_the_largest_node():
    top = topology()
    nodes = (*top.nodes, Node("sales-big-001", "slave", "slave", "10.0.0.99", 65536, 16))
    effective = effective_config(parse_spec(SPEC), Topology("sales", "x", nodes), nodes[0])
    assert effective["yarn-site"]["yarn.scheduler.maximum-allocation-mb"].value == "57344"
    assert effective["yarn-site"]["yarn.scheduler.maximum-allocation-vcores"].value == "16"


def test_executors_give_away_what_they_keep_before_their_node_leaves():
    conf = {key: value.value for key, value in config_of("master")["spark-defaults"].items()}
    assert conf["spark.decommission.enabled"] == conf["spark.storage.decommission.shuffleBlocks.enabled"] == "true"
    # Spark ignores a notice of YARN where a shuffle service keeps the data.
    assert "spark.shuffle.service.enabled" not in conf
    place = conf["spark.storage.decommission.fallbackStorage.path"].removeprefix("hdfs://").rstrip("/")
    assert (place, "1777") in {(path, mode) for home in HOMES.values() for path, _owner, _group, mode in home.hdfs_paths}
