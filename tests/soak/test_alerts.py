"""Alerts on real hosts: each rule fired by a real fault, in seconds, and gone after the repair; none fires while a healthy cluster works.

The table of all of them is printed, and written to soak-alerts.md where the test was started.
"""
from __future__ import annotations

import shlex
import time
from pathlib import Path

import pytest

from tests.lab import lab
from tests.soak import alert_faults as faults

NAME, MASTER, FIRST, SECOND = "alt", "alt-master-001", "alt-slave-001", "alt-slave-002"
# How long the healthy cluster is watched.
QUIET_S = 600

pytestmark = pytest.mark.soak


@pytest.fixture(scope="module")
def bed(tmp_path_factory):
    with lab(tmp_path_factory.mktemp("alerts"), "soakalt", 146, 8046) as it:
        types = ["ecs.c6.large"]
        disk = [{"category": "cloud_essd", "size_gib": 20, "count": 1}]
        spec = it.spec(NAME, services=["hadoop", "spark", "metastore", "monitoring"], backup={"every": "5m"}, budget={"monthly": 1e6}, config={"alerts": faults.shortened()},
                       node_groups={"master": {"count": 1, "instance_types": types},
                                    "slave": {"count": 2, "instance_types": types, "data_disks": disk}})
        it.emrctl("create", str(spec), "--yes", timeout=3000)
        yield it


@pytest.fixture(scope="module")
def watch(bed):
    def emrctl(words: str) -> None:
        bed.emrctl(*(NAME if word == "NAME" else word for word in shlex.split(words)))
    return faults.Watch(lambda node, command: bed.ssh(NAME, node, command, check=False, timeout=400), emrctl, MASTER)


def test_a_healthy_cluster_under_work_is_silent(bed, watch):
    time.sleep(120)
    began = time.time()
    while time.time() - began < QUIET_S:
        bed.emrctl("submit", NAME, "--type", "SHELL", "--wait", "--", "sh", "-c", "echo x | hdfs dfs -put -f - /user/emr/x && hdfs dfs -cat /user/emr/x")
    watch.look()
    fired = {row[1] for row in watch.rows if row[0] > began and row[3]}
    assert not fired - set(faults.OF_THE_MACHINE)


@pytest.mark.parametrize("number", range(len(faults.waves("m", "a", "b"))))
def test_faults_fire_their_alerts_and_repairs_clear_them(watch, number):
    rows = faults.run(faults.waves(MASTER, FIRST, SECOND)[number], watch, print)
    told = faults.table(rows)
    print(told)
    with Path("soak-alerts.md").open("a", encoding="utf-8") as out:
        out.write(told + "\n")
    late = [row["alert"] for row in rows if row["fires_s"] is None or row["clears_s"] is None]
    assert not late, told


def test_no_text_of_an_alert_is_broken(bed):
    rows = bed.json("alerts", NAME, "--all")
    assert not [row for row in rows if "error" in row["means"] or "{{" in row["means"] + row["help"]]
