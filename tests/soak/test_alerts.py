"""Alerts on real hosts: each rule fired by a real fault, in seconds, and gone after the repair. That none fires on a healthy cluster is test_quiet.py's.

The table of all of them is printed, and written to soak-alerts.md where the test was started.
"""
from __future__ import annotations

import shlex
from pathlib import Path

import pytest
import yaml

from tests.lab import lab
from tests.soak import alert_faults as faults, alert_waves as waves

NAME, MASTER, FIRST, SECOND = "alt", "alt-master-001", "alt-slave-001", "alt-slave-002"
pytestmark = pytest.mark.soak


@pytest.fixture(scope="module")
def bed(tmp_path_factory):
    with lab(tmp_path_factory.mktemp("alerts"), "soakalt", 146, 8046) as it:
        types = ["ecs.c6.large"]
        disk = [{"category": "cloud_essd", "size_gib": 20, "count": 2}]
        spec = it.spec(NAME, services=["hadoop", "spark", "metastore", "spark-thrift", "spark-connect", "monitoring"], backup={"every": "5m"},
                       budget={"monthly": 1e6}, monitoring={"receivers": waves.RECEIVER}, config={"alerts": faults.shortened(), **waves.CLUSTER},
                       node_groups={"master": {"count": 1, "instance_types": types},
                                    "slave": {"count": 2, "instance_types": types, "data_disks": disk}})
        it.emrctl("create", str(spec), "--yes", timeout=3000)
        (it.folder / "wide.yml").write_text(yaml.safe_dump(waves.WIDE))
        it.ssh(NAME, MASTER, waves.HOOK)
        yield it


@pytest.fixture(scope="module")
def watch(bed):
    def emrctl(words: str) -> None:
        bed.emrctl(*(NAME if word == "NAME" else word for word in shlex.split(words)))
    return faults.Watch(lambda node, command: bed.ssh(NAME, node, command, check=False, timeout=400), emrctl, MASTER)


@pytest.mark.parametrize("number", range(len(waves.waves("m", "a", "b"))))
def test_faults_fire_their_alerts_and_repairs_clear_them(watch, number):
    rows = faults.run(waves.waves(MASTER, FIRST, SECOND)[number], watch, print)
    told = faults.table(rows)
    print(told)
    with Path("soak-alerts.md").open("a", encoding="utf-8") as out:
        out.write(told + "\n")
    late = [row["alert"] for row in rows if row["fires_s"] is None or row["clears_s"] is None]
    assert not late, told


def test_no_text_of_an_alert_is_broken(bed):
    rows = bed.json("alerts", NAME, "--all")
    assert not [row for row in rows if "error" in row["means"] or "{{" in row["means"] + row["help"]]
