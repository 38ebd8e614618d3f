"""Monitoring on real hosts: figures of every daemon, which outlive kills and reboots, and a store that takes nothing with it."""
from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.lab import REPO, lab, until

NAME = "watched"
MASTER, SLAVE = f"{NAME}-master-001", f"{NAME}-slave-001"
pytestmark = pytest.mark.soak


@pytest.fixture(scope="module")
def bed(tmp_path_factory):
    with lab(tmp_path_factory.mktemp("watched"), "soakw", 71, 8371) as it:
        groups = {"master": {"count": 1, "instance_types": ["ecs.c6.large"]}, "slave": {"count": 2, "instance_types": ["ecs.c6.large"]}}
        # It runs by default.
        it.spec(NAME, services=["hadoop"], monitoring={}, node_groups=groups, config={"monitoring": {"scrape.interval": "5s"}})
        it.emrctl("create", str(it.folder / f"{NAME}.yml"), "--yes")
        yield it


def values(bed, query: str) -> dict:
    """{(node, component): value} of a query."""
    return {(row["labels"].get("node"), row["labels"].get("component")): float(row["values"][-1][1]) for row in bed.json("metrics", NAME, query)}


def oldest(bed) -> float:
    """The first moment of the last day for which the NameNode's figures are kept."""
    return float(bed.json("metrics", NAME, 'min_over_time(timestamp(up{component="namenode"})[1d:5s])')[0]["values"][0][1])


def running(bed) -> dict:
    """{component: process id} of the daemons of the master."""
    units = bed.ssh(NAME, MASTER, "systemctl list-units 'emr-*.service' --state=running --no-legend --plain").split()
    # What gives software to the other nodes is no daemon: it ends by itself, some minutes after a run that changed services.
    names = [word for word in units if word.startswith("emr-") and word.endswith(".service") and word != "emr-artifacts.service"]
    return {name: bed.ssh(NAME, MASTER, f"systemctl show -p MainPID --value {name}").strip() for name in names}


def test_every_daemon_is_asked_and_answers(bed):
    wanted = {(MASTER, name) for name in ("namenode", "resourcemanager", "historyserver", "prometheus", "alertmanager", "node-exporter")}
    wanted |= {(f"{NAME}-slave-00{i}", name) for i in (1, 2) for name in ("datanode", "nodemanager", "node-exporter")}
    until(lambda: values(bed, "up") == dict.fromkeys(wanted, 1.0), "all daemons answer", 120)
    # An empty page counts as an answer for `up`.
    assert min(values(bed, "scrape_samples_scraped").values()) > 50


def test_the_inventory_plugin_finds_the_same_targets(bed):
    """For people with a Prometheus of their own, who have no file of the control node."""
    file, made = bed.folder / "ecs.yml", bed.folder / "emr.json"
    file.write_text("plugin: emr.cluster.ecs\nregions: [cn-hangzhou]\nscrape_targets: true\n")
    content = "{{ hostvars.values() | map(attribute='emr_scrape_targets', default=[]) | flatten(levels=1) | to_json }}"
    subprocess.run([str(Path(sys.executable).parent / "ansible"), "-i", str(file), "localhost", "-m", "copy", "-a", f'dest={made} mode=0644 content="{content}"'],
                   env={**bed.env, "ANSIBLE_COLLECTIONS_PATH": str(REPO)}, cwd=REPO, check=True)
    rows = json.loads(made.read_text())
    assert {row["labels"].pop("cluster") for row in rows} == {NAME}
    kept = json.loads(bed.ssh(NAME, MASTER, "cat /etc/emr/monitoring/targets.json"))
    assert sorted(json.dumps(row, sort_keys=True) for row in rows) == sorted(json.dumps(row, sort_keys=True) for row in kept)


def test_a_second_create_changes_nothing(bed):
    again = bed.json("create", str(bed.folder / f"{NAME}.yml"), "--yes")
    assert {host: row["changed"] for host, row in again["stats"].items()} == dict.fromkeys(again["stats"], 0)


def test_one_look_tells_nodes_hdfs_queues_and_applications(bed):
    look = bed.json("top", NAME, "--once")
    assert {row["node"]: row["role"] for row in look["nodes"]} == {MASTER: "master", SLAVE: "slave", f"{NAME}-slave-002": "slave"}
    assert all(0 < row["memory_percent"] < 100 and 0 < row["disk_percent"] < 100 for row in look["nodes"])
    assert look["tables"]["HDFS"][0]["capacity"] > 0 and look["tables"]["HDFS"][0]["live_datanodes"] == 2
    assert {row["queue"] for row in look["tables"]["Queues"]} == {"root", "root.default"} and not look["silent"]
    assert "HDFS" in bed.emrctl("top", NAME).stdout, "without a terminal it looks once"


def test_a_running_application_tells_its_garbage_collections_and_what_it_writes_to_disks(bed):
    bed.ssh(NAME, MASTER, "runuser -l emr -c 'seq 1 1200000 | hdfs dfs -put -f - /user/emr/numbers'", timeout=300)
    # Its map spills at once, and lives for more than two looks of its node.
    bed.emrctl("submit", NAME, "--type", "HADOOP_STREAMING", "--property", "mapreduce.task.io.sort.mb=1", "--wait", "--", "-input", "/user/emr/numbers",
               "-output", "/user/emr/sorted", "-mapper", "sh -c 'cat; sleep 50'", "-reducer", "cat", timeout=900)
    for figure in ("gc_seconds_per_second", "disk_written_bytes_per_second"):
        rows = bed.json("metrics", NAME, f'max_over_time(emr_application_{figure}{{program="org.apache.hadoop.mapred.YarnChild"}}[30m])')
        assert max(float(row["values"][-1][1]) for row in rows) > 0, (figure, rows)
        assert all(row["labels"]["application"].startswith("application_") and row["labels"]["user"] for row in rows), rows


def test_wrong_queries_are_refused_in_the_words_of_prometheus(bed):
    assert "unclosed left parenthesis" in bed.emrctl("metrics", NAME, "sum(", expect=3).stderr
    assert "since" in bed.emrctl("metrics", NAME, "up", "--since", "long", expect=3).stderr
    assert "no such series" in bed.emrctl("metrics", NAME, "made_up_name").stderr


def test_no_port_is_open_beyond_the_private_network(bed):
    rules = bed.ecs("DescribeSecurityGroupAttribute", SecurityGroupId=bed.instances(NAME)[0]["SecurityGroupIds"]["SecurityGroupId"][0])
    opened = {rule["PortRange"] for rule in rules["Permissions"]["Permission"] if rule.get("SourceCidrIp")}
    assert opened == {"22/22"}


def test_a_daemon_that_stops_answering_is_seen(bed):
    bed.ssh(NAME, SLAVE, "systemctl kill -s STOP emr-datanode")
    try:
        until(lambda: values(bed, "up")[SLAVE, "datanode"] == 0, "the stopped DataNode is seen", 60)
    finally:
        bed.ssh(NAME, SLAVE, "systemctl kill -s CONT emr-datanode")
    until(lambda: values(bed, "up")[SLAVE, "datanode"] == 1, "it answers again", 60)


def test_a_store_that_is_killed_comes_back_with_its_figures_and_takes_nothing_with_it(bed):
    first, before = oldest(bed), running(bed)
    bed.ssh(NAME, MASTER, "systemctl kill -s KILL emr-prometheus")
    until(lambda: bed.emrctl("metrics", NAME, "up", expect=None).returncode == 0, "Prometheus answers again", 60)
    assert oldest(bed) == first
    after = running(bed)
    assert {name for name in before if after.get(name) != before[name]} == {"emr-prometheus.service"}


def test_figures_are_kept_over_a_reboot_of_the_master(bed):
    first = oldest(bed)
    bed.emrctl("ssh", NAME, "--", "systemctl reboot", expect=None)
    until(lambda: bed.emrctl("metrics", NAME, "up", expect=None, timeout=60).returncode == 0, "Prometheus answers after the boot", 240)
    assert oldest(bed) == first
    until(lambda: min(values(bed, "up").values()) == 1, "all daemons answer after the boot", 240)


def test_a_setting_restarts_the_store_alone(bed):
    before = running(bed)
    asked = bed.emrctl("configure", NAME, "monitoring", "retention.time=7d", expect=3)
    assert "prometheus" in asked.stderr and "namenode" not in asked.stderr
    bed.emrctl("configure", NAME, "monitoring", "retention.time=7d", "--yes")
    assert "--storage.tsdb.retention.time=7d" in bed.ssh(NAME, MASTER, "cat /opt/emr/libexec/emr-prometheus")
    after = running(bed)
    assert {name for name in before if after.get(name) != before[name]} <= {"emr-prometheus.service", "emr-alertmanager.service"}
    assert after["emr-prometheus.service"] != before["emr-prometheus.service"]


def test_a_node_that_joins_is_asked_and_nothing_restarts_for_it(bed):
    before = running(bed)
    bed.emrctl("scale", NAME, "slave=3", "--yes")
    until(lambda: values(bed, "up").get((f"{NAME}-slave-003", "datanode")) == 1, "the new DataNode is asked", 60)
    assert running(bed)["emr-prometheus.service"] == before["emr-prometheus.service"]
    bed.emrctl("scale", NAME, "slave=2", "--yes")
    until(lambda: (f"{NAME}-slave-003", "datanode") not in values(bed, "up"), "the released node is not asked any more", 60)


def test_taken_away_it_leaves_the_cluster_as_it_is_and_comes_back_with_its_figures(bed):
    first, before = oldest(bed), running(bed)
    bed.emrctl("service", "remove", NAME, "monitoring", "--yes")
    assert "service add" in bed.emrctl("metrics", NAME, "up", expect=3).stderr
    gone = {name for name in before if name not in running(bed)}
    assert gone == {f"emr-{name}.service" for name in ("prometheus", "alertmanager", "node-exporter", "cluster-page")}
    bed.emrctl("service", "add", NAME, "monitoring", "--yes")
    until(lambda: bed.emrctl("metrics", NAME, "up", expect=None).returncode == 0, "it answers again", 60)
    assert oldest(bed) == first


def test_a_spec_switches_it_off_and_on_and_the_plan_shows_that(bed):
    file, before = bed.folder / f"{NAME}.yml", running(bed)
    written = file.read_text()
    assert "monitoring: {}" in written
    file.write_text(written.replace("monitoring: {}", "monitoring: {enabled: false}"))
    assert re.search(r"(?m)^monitoring\.enabled +yes +no$", bed.emrctl("apply", str(file), expect=3).stderr)
    bed.emrctl("apply", str(file), "--yes")
    left = running(bed)
    assert left == {name: pid for name, pid in before.items() if name.split("-", 1)[1].removesuffix(".service") not in (
        "prometheus", "alertmanager", "node-exporter", "cluster-page")}
    # So is a cluster that was made before there was a switch: its export says that it is off, and changes nothing.
    exported = bed.folder / "exported.yml"
    exported.write_text(bed.emrctl("export", NAME).stdout)
    assert "enabled: false" in exported.read_text()
    again = bed.json("apply", str(exported), "--yes")
    assert {host: row["changed"] for host, row in again["stats"].items()} == dict.fromkeys(again["stats"], 0)
    # The first document would take back what came since, so the newest one is changed.
    file.write_text(written)
    assert "revision 1" in bed.emrctl("apply", str(file), "--yes", expect=3).stderr
    exported.write_text(exported.read_text().replace("enabled: false", "enabled: true"))
    assert re.search(r"(?m)^monitoring\.enabled +no +yes$", bed.emrctl("apply", str(exported), expect=3).stderr)
    bed.emrctl("apply", str(exported), "--yes")
    until(lambda: set(values(bed, "up").values()) == {1.0}, "all daemons answer", 120)
    assert {name: running(bed).get(name) for name in left} == left, "nothing of Hadoop restarts"
