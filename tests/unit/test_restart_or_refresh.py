"""What a change does to running daemons: nothing, a refresh, or a restart."""
from __future__ import annotations

import pytest

from ansible_collections.emr.cluster.plugins.module_utils.domain.config.restart_or_refresh import restart_or_refresh
from ansible_collections.emr.cluster.plugins.module_utils.domain.config.settings import Value
from ansible_collections.emr.cluster.plugins.module_utils.services.registry import COMPONENTS

BEFORE = {"core-site": {}, "hdfs-site": {"dfs.replication": Value("2", "sizing")}, "yarn-site": {}, "mapred-site": {},
          "capacity-scheduler": {}, "metastore-site": {}, "spark-defaults": {}, "spark-thrift": {}, "spark-connect": {}, "env": {}}


def change(stem, key, value="other", origin="spec"):
    """{component: effect} of setting one key, of the components that it touches."""
    after = {name: dict(values) for name, values in BEFORE.items()}
    after[stem][key] = Value(value, origin)
    found = {name: restart_or_refresh(component, BEFORE, after) for name, component in COMPONENTS.items()}
    return {name: effect for name, effect in found.items() if effect}


@pytest.mark.parametrize(("stem", "key", "expected"), [
    ("capacity-scheduler", "yarn.scheduler.capacity.root.queues", {"resourcemanager": ["queues"]}),
    ("capacity-scheduler", "yarn.scheduler.capacity.resource-calculator", {"resourcemanager": "restart"}),
    ("core-site", "hadoop.proxyuser.hue.hosts",
     {"namenode": ["proxyusers"], "resourcemanager": ["proxyusers"], "historyserver": ["proxyusers"]}),
    ("hdfs-site", "dfs.namenode.replication.max-streams", {"namenode": ["settings"]}),
    ("hdfs-site", "dfs.namenode.name.cache.threshold", {"namenode": "restart"}),
    ("hdfs-site", "dfs.datanode.balance.max.concurrent.moves", {"datanode": ["settings"]}),
    ("yarn-site", "yarn.log-aggregation.retain-seconds", {"historyserver": ["log-age"]}),
    ("yarn-site", "yarn.nodemanager.resource.memory-mb", {"nodemanager": "restart"}),
    ("yarn-site", "yarn.resourcemanager.am.max-attempts", {"resourcemanager": "restart"}),
    ("mapred-site", "mapreduce.map.memory.mb", {}),
    ("mapred-site", "mapreduce.jobhistory.cleaner.enable", {"historyserver": "restart"}),
    ("spark-defaults", "spark.executor.memory", {"spark-thrift": "restart", "spark-connect": "restart"}),
    ("spark-connect", "spark.executor.memory", {"spark-connect": "restart"}),
    ("metastore-site", "metastore.server.max.threads", {"metastore": "restart"}),
    ("spark-defaults", "spark.history.fs.cleaner.maxAge", {"spark-historyserver": "restart"}),
    ("env", "HDFS_DATANODE_OPTS", {"datanode": "restart"}),
])
def test_a_change_restarts_as_little_as_it_can(stem, key, expected):
    assert change(stem, key) == expected


def test_what_nobody_knows_to_be_harmless_restarts_every_reader():
    assert set(change("core-site", "io.made.up")) == {name for name, row in COMPONENTS.items() if row.jvm and "core-site" in row.reads}


def test_figures_that_follow_from_the_number_of_nodes_wait_for_the_next_start():
    assert change("hdfs-site", "dfs.replication", "3", "sizing") == {}
    assert change("hdfs-site", "dfs.replication", "2", "spec")["datanode"] == "restart"
    assert change("hdfs-site", "dfs.namenode.handler.count", "40", "sizing") == {}
    assert change("hdfs-site", "dfs.namenode.handler.count", "40", "spec") == {"namenode": "restart"}


def test_other_software_restarts():
    row = COMPONENTS["datanode"]
    assert restart_or_refresh(row, BEFORE, BEFORE, ({"hadoop": "a"}, {"hadoop": "b"})) == "restart"
    assert restart_or_refresh(row, BEFORE, BEFORE) == []


@pytest.mark.parametrize("component", COMPONENTS.values(), ids=list(COMPONENTS))
def test_a_refreshed_key_is_of_a_file_that_the_component_reads(component):
    for refresh in component.refreshes:
        assert {stem for stem, _pattern in refresh.keys} <= component.reads
