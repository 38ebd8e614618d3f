"""`emrctl init` followed by create on real hosts: the file works without editing, and the cluster is what was promised."""
from __future__ import annotations

import json

import pytest

from tests.lab import lab

SCENARIOS = {
    "nightly": ("--workload", "batch", "--data", "20GB", "--working-set", "2GB", "--deadline", "60"),
    "clicks": ("--workload", "streaming", "--data", "0", "--growth", "30GB", "--retention", "1", "--working-set", "1GB",
               "--services", "hadoop,spark"),
}


@pytest.fixture(scope="module")
def bed(tmp_path_factory):
    with lab(tmp_path_factory.mktemp("init"), "soaki", 93, 7993) as it:
        yield it


@pytest.mark.parametrize("name", SCENARIOS)
def test_init_then_create(bed, name):
    path = bed.folder / f"{name}.yml"
    advice = bed.json("init", str(path), "--name", name, *SCENARIOS[name])
    plan = json.loads(bed.emrctl("plan", str(path), "--gate", "-o", "json", expect=10).stdout)
    assert len(plan["nodes"]) == sum(g["count"] for g in advice["groups"])
    bed.emrctl("create", str(path), "--yes")
    try:
        promised = plan["offer"]["after"]
        metrics = json.loads(bed.ssh(name, f"{name}-master-001",
                                     f"curl -s http://{name}-master-001:8088/ws/v1/cluster/metrics"))["clusterMetrics"]
        assert (metrics["totalMB"], metrics["totalVirtualCores"]) == (promised["yarn_memory_mib"], promised["yarn_vcores"])
        assert advice["demand"]["yarn_mib"] <= metrics["totalMB"]
        again = json.loads(bed.emrctl("plan", str(path), "--gate", "-o", "json").stdout)
        assert again["empty"] and again["offer"]["now"] == promised
        data = bed.folder / "numbers.txt"
        data.write_text("".join(f"{n}\n" for n in range(100_000)))
        bed.emrctl("put", name, str(data), "/user/emr/data/numbers.txt")
        measured = bed.emrctl("init", "-", "--name", "next", "--workload", "batch", "--measure", f"hdfs://{name}/user/emr/data")
        assert "in 1 files" in measured.stderr
    finally:
        bed.emrctl("release", name, "--yes")
    assert bed.instances(name) == []
