"""The native engine: asked for by one key, with an artifact that no other cluster needs and sizes that fill a container exactly."""
from __future__ import annotations

import pytest

from ansible_collections.emr.cluster.plugins.module_utils.cloud.install import sources as cloud_sources
from ansible_collections.emr.cluster.plugins.module_utils.domain.config.settings import effective_config
from ansible_collections.emr.cluster.plugins.module_utils.domain.errors import Refused, SpecError
from ansible_collections.emr.cluster.plugins.module_utils.domain.install import sources
from ansible_collections.emr.cluster.plugins.module_utils.domain.spec.model import parse_spec
from ansible_collections.emr.cluster.plugins.module_utils.domain.topology.nodes import Node, Topology
from ansible_collections.emr.cluster.plugins.module_utils.services import spark, spark_native, yarn
from emrctl.dist import build

SPEC = """\
name: sales
region: cn-hangzhou
zone: cn-hangzhou-h
services: [hadoop, spark]
monitoring: {enabled: false}
image: m-x1
network: {vswitch_id: vsw-1, ssh_from: 10.0.0.0/8}
node_groups:
  master: {instance_types: [ecs.g6.xlarge]}
  slave: {count: 3, instance_types: [ecs.g6.xlarge]}
"""
NATIVE = SPEC + "spark: {engine: native}\n"
GIB = 1024


def names(text, role=None):
    return [artifact.component for artifact in sources.artifacts(parse_spec(text, environ={}), role)]


def defaults_of(text, memory=4 * GIB, vcpus=2, slaves=3):
    nodes = [Node("sales-master-001", "master", "master", "10.0.0.1", memory, vcpus, ())]
    nodes += [Node(f"sales-slave-{i:03d}", "slave", "slave", f"10.0.0.{10 + i}", memory, vcpus, ()) for i in range(1, slaves + 1)]
    top = Topology("sales", "emr-0123456789ab", tuple(nodes))
    return {key: value.value for key, value in effective_config(parse_spec(text), top, top.with_role("master")[0])["spark-defaults"].items()}


def mib(text) -> int:
    return int(str(text).removesuffix("m"))


def test_without_a_word_spark_is_stock_and_nobody_needs_the_artifact():
    assert "native" not in names(SPEC) and names(SPEC) == names(SPEC + "spark: {engine: stock}\n")
    conf = defaults_of(SPEC)
    assert not {"spark.plugins", "spark.shuffle.manager", "spark.memory.offHeap.enabled"} & set(conf)
    assert spark_native.JARS not in spark._spark_env(facts(SPEC), {})


def facts(text):
    return type("Facts", (), {"spec": parse_spec(text)})()


@pytest.mark.parametrize("role", ["master", "slave", "task", "gateway"])
def test_every_node_that_may_run_a_driver_or_an_executor_gets_it(role):
    assert names(NATIVE, role)[-1] == "native" and names(NATIVE).count("native") == 1


def test_drivers_and_containers_find_it_by_the_same_path():
    assert f"/share/hadoop/tools/lib/*:{spark_native.JARS}" in spark._spark_env(facts(NATIVE), {})
    conf = defaults_of(NATIVE)
    assert conf["spark.plugins"] == "org.apache.spark.CometPlugin"
    libraries = {conf[f"spark.{who}.extraLibraryPath"] for who in ("executor", "driver", "yarn.am")}
    assert libraries == {"/opt/emr/hadoop/lib/native:/opt/emr/native/lib"}, "its own beside Hadoop's"


@pytest.mark.parametrize(("memory", "vcpus"), [(2, 2), (3, 2), (4, 2), (8, 2), (8, 4), (16, 4), (32, 8), (64, 16), (256, 64)])
@pytest.mark.parametrize("slaves", [1, 3])
def test_all_memory_of_a_container_is_on_some_account(memory, vcpus, slaves):
    conf = defaults_of(NATIVE, memory * GIB, vcpus, slaves)
    heap, beside, lent = (mib(conf[f"spark.{key}"]) for key in ("executor.memory", "executor.memoryOverhead", "memory.offHeap.size"))
    room, stock = yarn.yarn_memory(memory * GIB), spark.spark_sizing([(memory * GIB, vcpus)] * slaves)
    container = heap + beside + lent
    assert container <= room and container >= stock.heap + stock.overhead
    assert heap >= 500 and lent >= 128 and beside >= 0.12 * container, "Spark starts, native code can sort, and YARN kills nobody"
    if memory >= 4:
        assert container >= 2048 and beside >= 512
        assert container + spark_native.MASTER <= room or memory > 4, "an application master has room beside an executor"


def test_the_engine_has_to_fit_its_spark():
    own = f"artifacts: {{spark: {{urls: [https://a.example/spark-9.tar.gz], sha512: {'0a' * 64}}}}}\n"
    with pytest.raises(SpecError, match=r"artifacts\.native"):
        parse_spec(NATIVE + own)
    parse_spec(SPEC + own)


def test_an_engine_that_is_not_there_is_refused_with_those_that_are():
    with pytest.raises(SpecError, match="stock.*native"):
        parse_spec(SPEC + "spark: {engine: photon}\n")


def test_what_few_want_is_made_only_when_it_is_named():
    usual = {artifact.component for artifact in build.artifacts("emr-1.0")}
    assert {"bench", "native"} & usual == set() and {"hadoop", "spark"} <= usual
    assert [artifact.component for artifact in build.artifacts("emr-1.0", ["native"])] == ["native"]


def test_a_plan_without_a_source_names_what_to_make(tmp_path, monkeypatch):
    monkeypatch.setenv("EMR_CACHE", str(tmp_path))
    with pytest.raises(Refused, match="emrctl dist build hadoop spark connectors native") as refused:
        cloud_sources.look(parse_spec(NATIVE), environ={})
    assert "native-1.2.0.tar.gz" in str(refused.value)
    with pytest.raises(Refused, match=r"emrctl dist build \(create"):
        cloud_sources.look(parse_spec(SPEC), environ={})
