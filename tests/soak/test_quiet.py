"""A healthy cluster that works for an hour, with every threshold as it is by default: no alert fires, from its creation on.

What the machine of a test does to all its hosts at once is no fault of the cluster: OF_THE_MACHINE says which alerts that may be, and they are printed.
"""
from __future__ import annotations

import itertools
import time

import pytest

from tests.lab import lab

NAME = "quiet"
WORK_S, PAUSE_S = 3600, 120
# The kernel counts what waits for a CPU, a disk or memory once for the whole machine, which other tests may load.
OF_THE_MACHINE = {"CpuPressure", "DiskBusy", "MemoryPressure", "MemoryLow", "OutOfMemory"}
PI = ["--type", "MR", "--", "/opt/emr/hadoop/share/hadoop/mapreduce/hadoop-mapreduce-examples-3.4.2.jar", "pi", "4", "2000"]
FILES = ["--type", "SHELL", "--", "sh", "-c", "seq 1 200000 | hdfs dfs -put -f - /user/emr/lines && hdfs dfs -cat /user/emr/lines | tail -1"]
SPARK = """
from pyspark.sql import SparkSession
spark = SparkSession.builder.appName('quiet').getOrCreate()
print(spark.range(10 ** 7).selectExpr('id % 100 AS k').groupBy('k').count().count())
"""
pytestmark = pytest.mark.soak


@pytest.fixture(scope="module")
def bed(tmp_path_factory):
    with lab(tmp_path_factory.mktemp("quiet"), "soakqt", 182, 8182) as it:
        types = ["ecs.c6.large"]
        spec = it.spec(NAME, services=["hadoop", "spark", "metastore", "monitoring"], node_groups={
            "master": {"count": 1, "instance_types": types}, "slave": {"count": 2, "instance_types": types}})
        it.emrctl("create", str(spec), "--yes", timeout=3000)
        (it.folder / "quiet.py").write_text(SPARK)
        yield it


def test_none_fires_for_an_hour(bed):
    spark = ["--type", "PYSPARK", "--file", str(bed.folder / "quiet.py"), "--", "quiet.py"]
    bed.emrctl("schedule", "add", NAME, "--at", "*:0/15", "--name", "often", "-t", "SHELL", "--", "hdfs dfs -ls /user/emr")
    end, done = time.time() + WORK_S, 0
    for words in itertools.cycle((FILES, PI, spark)):
        bed.emrctl("submit", NAME, "--wait", *words, timeout=900)
        done += 1
        if time.time() > end:
            break
        time.sleep(PAUSE_S)
    asked = "max by (alertname, alertstate, node) (max_over_time(ALERTS[3h]))"
    rows = [row["labels"] for row in bed.json("metrics", NAME, asked)]
    print(f"{done} jobs; seen:", *(f"{row['alertname']} {row['alertstate']} {row.get('node', '')}" for row in rows), sep="\n  ")
    fired = {row["alertname"] for row in rows if row["alertstate"] == "firing"}
    assert done > 10 and not fired - OF_THE_MACHINE, rows
