"""Formats of tables: asked for by one key, on the metastore or refused, with artifacts that no other cluster needs, and names that never depend on
what else is chosen."""
from __future__ import annotations

import pytest

from ansible_collections.emr.cluster.plugins.module_utils.cloud.install import sources as cloud_sources
from ansible_collections.emr.cluster.plugins.module_utils.domain.config.settings import effective_config
from ansible_collections.emr.cluster.plugins.module_utils.domain.errors import Refused, SpecError
from ansible_collections.emr.cluster.plugins.module_utils.domain.install import sources
from ansible_collections.emr.cluster.plugins.module_utils.domain.spec.model import parse_spec
from ansible_collections.emr.cluster.plugins.module_utils.domain.topology.nodes import Node, Topology
from ansible_collections.emr.cluster.plugins.module_utils.services import spark, spark_server, spark_tables
from emrctl.dist import build

SPEC = """\
name: sales
region: cn-hangzhou
zone: cn-hangzhou-h
services: [hadoop, spark, metastore]
monitoring: {enabled: false}
image: m-x1
network: {vswitch_id: vsw-1, ssh_from: 10.0.0.0/8}
node_groups:
  master: {instance_types: [ecs.g6.xlarge]}
  slave: {count: 3, instance_types: [ecs.g6.xlarge]}
"""
CATALOGUE, SPARKS = "spark.sql.catalog.iceberg", "spark.sql.catalog.spark_catalog"
# Of the spec with the native engine, before there was a key for tables.
NATIVE_BEFORE = "20f8bf55a059ef1fd38288b771ec17a6b0b9b2f709369c3e3c640ab70f454209"


def asks(*formats):
    return SPEC + f"spark: {{tables: [{', '.join(formats)}]}}\n"


def names(text, role=None):
    return [artifact.component for artifact in sources.artifacts(parse_spec(text, environ={}), role)]


def conf(text, stem="spark-defaults", role="master", masters=1):
    nodes = [Node(f"sales-master-{i:03d}", "master", "master", f"10.0.0.{i}", 4096, 2, ()) for i in range(1, masters + 1)]
    nodes += [Node(f"sales-slave-{i:03d}", "slave", "slave", f"10.0.0.{10 + i}", 4096, 2, ()) for i in range(1, 4)]
    top = Topology("sales", "emr-0123456789ab", tuple(nodes))
    return {key: value.value for key, value in effective_config(parse_spec(text), top, top.with_role(role)[0])[stem].items()}


def test_without_a_word_nothing_is_there_that_was_not_before():
    assert not {"iceberg", "delta"} & set(names(SPEC)) and names(SPEC) == names(asks())
    assert not {CATALOGUE, SPARKS, "spark.sql.extensions"} & set(conf(SPEC))
    assert "AcidHouseKeeper" not in conf(SPEC, "metastore-site")["metastore.task.threads.always"]
    assert parse_spec(SPEC).digest() == parse_spec(asks()).digest()
    native = SPEC + "spark: {engine: native}\n"
    assert parse_spec(native).digest() == NATIVE_BEFORE, "as it was before this key"


@pytest.mark.parametrize("chosen", [("iceberg",), ("delta",), ("iceberg", "delta"), ("delta", "iceberg")])
@pytest.mark.parametrize("role", ["master", "slave", "task", "gateway"])
def test_every_node_gets_the_chosen_ones_alone(chosen, role):
    assert set(names(asks(*chosen), role)) & {"iceberg", "delta"} == set(chosen)


def test_a_name_means_the_same_table_whatever_else_is_chosen():
    one, other, both = conf(asks("iceberg")), conf(asks("delta")), conf(asks("delta", "iceberg"))
    assert both == conf(asks("iceberg", "delta")), "the order says nothing"
    for key in (CATALOGUE, f"{CATALOGUE}.type", f"{CATALOGUE}.warehouse"):
        assert one[key] == both[key] and key not in other
    assert other[SPARKS] == both[SPARKS] and SPARKS not in one
    assert both["spark.sql.extensions"] == f"{one['spark.sql.extensions']},{other['spark.sql.extensions']}"


def test_no_host_of_a_master_stands_in_what_tables_are_made_of():
    three = asks("iceberg", "delta").replace("master: {", "master: {count: 3, ") + "backup: {enabled: false}\n"
    made = {key: text for key, text in conf(three, masters=3).items() if key.startswith(("spark.sql.catalog", "spark.sql.warehouse"))}
    assert len(made) > 4 and "master" not in str(list(made.values()))


def test_drivers_containers_and_servers_find_them_by_the_same_path():
    facts = type("Facts", (), {"spec": parse_spec(asks("iceberg"))})()
    assert "/opt/emr/iceberg/lib/*" in spark._spark_env(facts, {}) and "delta" not in spark._spark_env(facts, {})
    # The servers' environment is that of all clusters.
    for path in ("/opt/emr/iceberg/lib/*", "/opt/emr/delta/lib/*", "/opt/emr/native/lib/*"):
        assert path in spark_server.CLASS_PATH.split(":")


def test_the_lock_of_a_killed_writer_ends_before_others_give_up():
    site = conf(asks("iceberg"), "metastore-site")
    assert "AcidHouseKeeperService" in site["metastore.task.threads.always"] and "EventCleanerTask" in site["metastore.task.threads.always"]
    assert spark_tables.ALIVE_S * 2 < spark_tables.LOCK_S and spark_tables.LOCK_S + spark_tables.LOOK_S < 180
    assert "metastore.task.threads.always" not in conf(asks("iceberg"), "metastore-site", role="slave")


def test_small_clusters_do_not_start_thousands_of_tasks_for_a_small_table():
    found = conf(asks("delta"))
    assert int(found["spark.sql.sources.parallelPartitionDiscovery.parallelism"]) <= 12
    assert int(found["spark.databricks.delta.snapshotPartitions"]) <= 12


def test_they_need_the_metastore():
    with pytest.raises(SpecError, match=r"spark\.tables.*metastore") as refused:
        parse_spec(asks("delta").replace(", metastore", ""))
    assert "Add metastore to services" in str(refused.value)


def test_they_have_to_fit_their_spark():
    own = f"artifacts: {{spark: {{urls: [https://a.example/spark-9.tar.gz], sha512: {'0a' * 64}}}}}\n"
    with pytest.raises(SpecError, match=r"artifacts\.iceberg and artifacts\.delta"):
        parse_spec(asks("iceberg", "delta") + own)


@pytest.mark.parametrize(("given", "said"), [("[hudi]", "iceberg.*delta"), ("[delta, delta]", "delta"), ("[iceburg]", "iceberg")])
def test_others_are_refused_with_those_that_are(given, said):
    with pytest.raises(SpecError, match=said):
        parse_spec(SPEC + f"spark: {{tables: {given}}}\n")


def test_one_needs_no_list():
    assert parse_spec(SPEC + "spark: {tables: delta}\n").spark.tables == ("delta",)


def test_their_artifacts_are_made_only_when_they_are_named(tmp_path, monkeypatch):
    assert not {"iceberg", "delta"} & {artifact.component for artifact in build.artifacts("emr-1.0")}
    monkeypatch.setenv("EMR_CACHE", str(tmp_path))
    with pytest.raises(Refused, match="emrctl dist build hadoop spark connectors metastore iceberg delta"):
        cloud_sources.look(parse_spec(asks("iceberg", "delta")), environ={})
