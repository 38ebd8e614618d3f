"""Monitoring: what is scraped, which rules there are, and how figures are shown."""
from __future__ import annotations

import json
from types import SimpleNamespace

import pytest

from ansible_collections.emr.cluster.plugins.action import metrics as action
from ansible_collections.emr.cluster.plugins.module_utils.domain.config.render import render_conf
from ansible_collections.emr.cluster.plugins.module_utils.domain.config.settings import effective_config
from ansible_collections.emr.cluster.plugins.module_utils.domain.daemons import units
from ansible_collections.emr.cluster.plugins.module_utils.domain.errors import Refused
from ansible_collections.emr.cluster.plugins.module_utils.domain.monitoring import looks
from ansible_collections.emr.cluster.plugins.module_utils.domain.spec.model import parse_spec
from ansible_collections.emr.cluster.plugins.module_utils.domain.topology.nodes import Node, Topology
from ansible_collections.emr.cluster.plugins.module_utils.node.monitoring import store
from ansible_collections.emr.cluster.plugins.module_utils.services import monitoring, monitoring_files
from ansible_collections.emr.cluster.plugins.module_utils.services.registry import COMPONENTS, HOMES
from emrctl import views_metrics

SPEC = """\
name: sales
region: cn-hangzhou
zone: cn-hangzhou-h
services: [hadoop, monitoring]
image: m-x1
network: {{vswitch_id: vsw-1, ssh_from: 10.0.0.0/8}}
node_groups:
  master: {{instance_types: [ecs.g6.xlarge]}}
  slave: {{count: 2, instance_types: [ecs.g6.xlarge]}}
config: {config}
"""
NODES = (Node("m1", "master", "master", "10.0.0.1", 16384, 4), *(Node(f"s{i}", "slave", "slave", f"10.0.0.{i + 1}", 16384, 4) for i in (1, 2)))


def files(config="{}", node=0):
    spec = parse_spec(SPEC.format(config=config))
    topology = Topology("sales", "sg-1", NODES)
    effective = effective_config(spec, topology, NODES[node])
    return {row["path"]: row for row in render_conf(effective, spec, topology, NODES[node])}


def test_every_daemon_with_figures_is_a_target_and_says_where_it_is():
    rows = json.loads(files()["/etc/emr/monitoring/targets.json"]["content"])
    found = {(row["labels"]["node"], row["labels"]["component"]): row for row in rows}
    wanted = {(n.name, c.name) for n in NODES for c in COMPONENTS.values() if c.metrics and c.service in ("hdfs", "yarn", "mapreduce", "monitoring")
              and n.role in c.roles and c.placement.least == 1}
    assert set(found) == wanted and ("s2", "datanode") in wanted and ("m1", "historyserver") in wanted
    assert found["s2", "datanode"] == {"targets": ["10.0.0.3:9864"], "labels": {
        "node": "s2", "component": "datanode", "service": "hdfs", "role": "slave", "group": "slave", "__metrics_path__": "/prom"}}


def test_store_and_rules_are_on_the_control_node_alone():
    assert not [path for path in files(node=1) if "/monitoring/" in path or path.endswith("emr-prometheus")]


def test_series_that_would_never_end_are_not_kept():
    relabel = json.loads(files()["/etc/emr/monitoring/prometheus.yml"]["content"])["scrape_configs"][0]["metric_relabel_configs"]
    assert {"source_labels": ["containerresource"], "regex": ".+", "action": "drop"} in relabel
    assert "totalsynctimes" in relabel[-1]["regex"] and relabel[-1]["action"] == "labeldrop"


def test_retention_is_by_time_and_by_size_and_a_spec_may_change_both():
    program = files('{monitoring: {retention.time: 7d, retention.size: 3GB, scrape.interval: 30s}}')["/opt/emr/libexec/emr-prometheus"]
    assert "--storage.tsdb.retention.time=7d" in program["content"] and "--storage.tsdb.retention.size=3GB" in program["content"]
    assert program["mode"] == "0755"
    conf = json.loads(files('{monitoring: {scrape.interval: 5s}}')["/etc/emr/monitoring/prometheus.yml"]["content"])
    # A scrape may not last longer than the pause between two.
    assert conf["global"] == {"scrape_interval": "5s", "scrape_timeout": "5s", "evaluation_interval": "5s"}


def test_samples_go_on_to_a_store_of_the_users_own():
    conf = json.loads(files("{monitoring: {remote_write.url: 'https://m.example.com/w', remote_write.username: it's, remote_write.login_file: /root/p}}")[
        "/etc/emr/monitoring/prometheus.yml"]["content"])
    sent = conf["remote_write"][0]
    assert sent["url"] == "https://m.example.com/w" and sent["basic_auth"] == {"username": "it's", "password_file": "/root/p"}
    assert sent["write_relabel_configs"] == [{"target_label": "cluster", "replacement": "sales"}]
    assert "remote_write" not in json.loads(files()["/etc/emr/monitoring/prometheus.yml"]["content"])


@pytest.mark.parametrize("config, key", [
    ("{monitoring: {remote_write.url: 'https://me:secret@m.example.com/w'}}", "remote_write.url"), ("{monitoring: {retention.tme: 3d}}", "retention.time"),
    ("{monitoring: {retention.time: for ever}}", "retention.time"), ("{monitoring: {retention.size: 8}}", "retention.size"),
    ("{monitoring: {scrape.interval: 15}}", "scrape.interval"), ("{monitoring: {store.dir: /tmp/x}}", "store.dir"),
    ("{alerts: {HdfsFull.severity: bad}}", "HdfsFull.severity"), ("{alerts: {HdfsFull.at: much}}", "HdfsFull.at"),
    ("{alerts: {HdfsFull.for: 1 minute}}", "HdfsFull.for"), ("{alerts: {hdfs-full.at: 3}}", "hdfs-full.at")])
def test_what_prometheus_would_refuse_at_its_start_is_refused_in_the_spec(config, key):
    with pytest.raises(Refused) as caught:
        parse_spec(SPEC.format(config=config))
    assert key in str(caught.value)


def test_a_spec_adds_rules_changes_thresholds_and_switches_rules_off():
    settings = {"Full.expr": "used > {at}", "Full.at": "80", "Full.for": "10s", "Full.severity": "critical", "Full.means": "it's \"full\" {{ $value }}",
                "Off.expr": "1", "Off.severity": "none", "Half.at": "3"}
    rules = json.loads(monitoring_files.rules_yml(settings))["groups"][0]["rules"]
    assert rules == [{"alert": "Full", "expr": "used > 80", "for": "10s", "labels": {"severity": "critical"},
                      "annotations": {"means": "it's \"full\" {{ $value }}", "help": ""}}]


def test_names_of_alerts_are_given_once():
    names = [alert.name for home in HOMES.values() for alert in home.alerts]
    assert len(names) == len(set(names))


def test_the_user_of_monitoring_is_no_superuser_of_hdfs():
    accounts = {row["name"]: row["group"] for row in units.service_users()}
    assert accounts[monitoring.USER] == monitoring.USER and accounts["hdfs"] == "hadoop"


def test_programs_without_java_need_no_memory_beside_what_they_hold():
    from ansible_collections.emr.cluster.plugins.module_utils.domain.sizing import memory

    assert memory.beside(COMPONENTS["node-exporter"], 4096) == 0 and memory.beside(COMPONENTS["datanode"], 4096) >= 96


VECTOR = {"resultType": "vector", "result": [{"metric": {"node": f"n{i}"}, "value": [5, str(i)]} for i in range(store.SERIES + 3)]}


def test_answers_are_bounded_and_say_what_is_left_out():
    found = store.told(VECTOR)
    assert len(found["series"]) == store.SERIES and found["left_out"] == 3 and found["series"][2] == {"labels": {"node": "n2"}, "values": [[5, "2"]]}
    assert store.told({"resultType": "scalar", "result": [5, "7"]})["series"][0]["values"] == [[5, "7"]]


def test_the_words_of_prometheus_are_told():
    error = SimpleNamespace(body=b'{"status":"error","error":"parse error: unexpected <eof>"}')
    assert store._words(error) == "parse error: unexpected <eof>"


def series(label, **values):
    return [{"labels": {label: name}, "values": [[9.0, str(value)]]} for name, value in values.items()]


LOOK = {"time": 9.0, "silent": {}, "alerts": [{"name": "DataNodeDead", "severity": "critical", "node": "s1", "means": "dead\x1b[2J", "help": "emrctl repair x"}],
        "figures": {"role": [{"labels": {"node": n, "role": r}, "values": [[9, "1"]]} for n, r in (("m1", "master"), ("s1", "slave"), ("s2", "slave"))],
                    "cpu": series("node", m1=5, s1=90, s2=20), "memory_used": series("node", m1=1, s1=1, s2=1), "memory": series("node", m1=4, s1=2, s2=4),
                    "daemons": series("node", m1=6, s1=2, s2=3), "daemons_wanted": series("node", m1=6, s1=3, s2=3),
                    "HDFS.capacity": [{"labels": {}, "values": [[9, "1024"]]}], "HDFS.share": [{"labels": {}, "values": [[9, "50"]]}],
                    "Queues.share": series("queue", **{"root": 25, "root.a": 25}), "Queues.running": series("queue", **{"root.a": 1})},
        "applications": [{"id": "a_1", "user": "emr", "queue": "root.a", "state": "RUNNING", "progress": 50.0, "allocatedMB": -1, "allocatedVCores": -1,
                          "elapsedTime": 2000, "name": "x\x1b[31m"}]}


def test_a_look_becomes_rows():
    nodes = {row["node"]: row for row in looks.nodes(LOOK)}
    assert nodes["s1"]["memory_percent"] == 50 and nodes["s1"]["daemons"] == "2/3" and nodes["s1"]["alerts"] == 1 and nodes["m1"]["disk_percent"] is None
    tables = looks.tables(LOOK)
    assert [(row["queue"], row["running"]) for row in tables["Queues"]] == [("root", None), ("root.a", 1)]
    assert tables["HDFS"][0]["capacity"] == 1024 and "queue" not in tables["HDFS"][0] and looks.tables({"figures": {}}) == {}
    assert looks.applications(LOOK)[0]["memory_mib"] == 0


def test_top_sorts_filters_and_steers_no_terminal():
    view = views_metrics.View("sales", "cpu")
    text = view.text(LOOK)
    assert "1.0 KiB" in text and text.index("s1 ") < text.index("s2 ") < text.index("m1 ") and "\x1b" not in text and "1 alerts, 1 critical" in text
    view.filter = "S2"
    assert "m1 " not in view.text(LOOK)


def test_a_chart_has_the_series_and_the_time_below():
    data = {"kind": "matrix", "since_s": 3600, "series": [{"labels": {"node": "m1"}, "values": [[0, "1"], [1800, "5"], [3600, "3"]]}]}
    lines = views_metrics.answer(data).splitlines()
    assert "m1" in lines[1] and len(lines) > 18 and lines[-1].split() == ["m1", "1", "3", "5", "3"] and "\x1b" not in "\n".join(lines)


@pytest.mark.parametrize("value, shown", [(None, "-"), (3, "3"), (12345, "12.35K"), (0.5, "0.5"), (-2e7, "-20M")])
def test_numbers_for_people(value, shown):
    assert views_metrics.number(value) == shown


def test_how_far_to_look_back():
    assert action.seconds("6h") == 21600 and action.seconds(None) == 0
    with pytest.raises(Refused, match="since"):
        action.seconds("six hours")


def test_a_login_shell_that_prints_is_no_document():
    assert action.document(b"Welcome!\n") is None and action.document(b"7\n") is None and action.document(b'{"a": 1}\n') == {"a": 1}


def test_a_share_of_nothing_spoils_no_sum():
    rows = [[1.0, "NaN"], [2.0, "10"], [3.0, "30"], [4.0, "+Inf"]]
    data = {"kind": "matrix", "since_s": 60, "series": [{"labels": {"queue": "a"}, "values": rows}, {"labels": {"queue": "b"}, "values": rows[:1]}]}
    lines = [line.split() for line in views_metrics.answer(data).splitlines()[-2:]]
    assert lines == [["a", "10", "20", "30", "-"], ["b", "-", "-", "-", "-"]]
