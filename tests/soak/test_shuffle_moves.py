"""A node leaves while a job of Spark still needs what it has shuffled there: the job goes on, and computes nothing again."""
from __future__ import annotations

import json

import pytest

from tests.lab import lab, until

NAME, MASTER = "shuffle", "shuffle-master-001"
# Shuffles once and reads that again and again, until it is told to end; the sum is the same each time.
PROGRAM = """import sys, time
from pyspark import SparkContext
sc = SparkContext()
fs = sc._jvm.org.apache.hadoop.fs.FileSystem.get(sc._jsc.hadoopConfiguration())
path = lambda name: sc._jvm.org.apache.hadoop.fs.Path(f"{sys.argv[1]}/{name}")
kept = sc.parallelize(range(24), 24).flatMap(lambda i: ((k, "x" * 500) for k in range(i, 240000, 24))).partitionBy(12)
expected = kept.mapValues(len).values().sum()
assert expected == 240000 * 500, expected
fs.create(path("shuffled")).close()
rounds = 0
while not fs.exists(path("end")):
    found = kept.mapValues(len).values().sum()
    assert found == expected, found
    rounds += 1
    time.sleep(1)
assert kept.mapValues(len).values().sum() == expected
print(f"read it {rounds} times")
"""
OFF = {"spark.decommission.enabled": "false", "spark.storage.decommission.enabled": "false"}


@pytest.fixture(scope="module")
def bed(tmp_path_factory):
    with lab(tmp_path_factory.mktemp("shuffle"), "soakmv", 169, 8069) as it:
        types = ["ecs.c6.large"]
        spec = it.spec(NAME, services=["hadoop", "spark"], node_groups={
            "master": {"count": 1, "instance_types": types}, "slave": {"count": 3, "instance_types": types}})
        it.emrctl("create", str(spec), "--yes", timeout=1800)
        (it.folder / "shuffle.py").write_text(PROGRAM)
        yield it


def history(bed, application: str, what: str):
    return json.loads(bed.ssh(NAME, MASTER, f"curl -s localhost:18080/api/v1/applications/{application}/{what}"))


def executors(bed) -> dict:
    """{host: containers} of YARN's running application, without its master."""
    nodes = json.loads(bed.ssh(NAME, MASTER, "curl -s localhost:8088/ws/v1/cluster/nodes"))["nodes"]["node"]
    return {row["nodeHostName"]: row["numContainers"] for row in nodes}


def without_master(bed) -> str:
    """A node with executors that is not the one of the application's master: with that, YARN would take all of them."""
    (running,) = json.loads(bed.ssh(NAME, MASTER, "curl -s 'localhost:8088/ws/v1/cluster/apps?states=RUNNING'"))["apps"]["app"]
    return next(host for host, number in executors(bed).items() if number and not running["amHostHttpAddress"].startswith(f"{host}:"))


def job_that_loses_a_node(bed, tag: str, properties: dict) -> dict:
    """Run the program, scale in when it has shuffled, let it read once more. Returns the ended job."""
    bed.ssh(NAME, MASTER, f"sudo -u emr /opt/emr/hadoop/bin/hdfs dfs -mkdir -p /user/emr/{tag}")
    words = [word for key, value in properties.items() for word in ("--property", f"{key}={value}")]
    job = bed.json("submit", NAME, "--type", "PYSPARK", "-f", "shuffle.py", "--property", "spark.dynamicAllocation.enabled=false", "--property",
                   "spark.executor.instances=4", *words, "--", "shuffle.py", f"/user/emr/{tag}")
    until(lambda: bed.ssh(NAME, MASTER, f"hdfs dfs -test -e /user/emr/{tag}/shuffled && echo yes", check=False).strip() == "yes", "it has shuffled", 600)
    assert sum(number > 0 for number in executors(bed).values()) == 3, "each node has an executor"
    bed.emrctl("scale", NAME, "--remove", without_master(bed), "--drain-limit", "120", "--yes", timeout=1200)
    bed.ssh(NAME, MASTER, f"sudo -u emr /opt/emr/hadoop/bin/hdfs dfs -touchz /user/emr/{tag}/end")
    return bed.json("jobs", "wait", NAME, job["id"], timeout=1200)


def computed_again(bed, job: dict) -> int:
    """Tasks of the stage that shuffles, beyond its first 24: of its second attempt or of a stage that does the same."""
    rows = [row for row in history(bed, job["applications"][0], "stages") if row["name"].startswith("partitionBy")]
    return sum(row["numCompleteTasks"] for row in rows) - 24


def test_a_job_that_loses_a_node_by_a_drain_shuffles_nothing_again(bed):
    job = job_that_loses_a_node(bed, "with", {})
    assert job["state"] == "SUCCEEDED" and computed_again(bed, job) == 0
    gone = [row for row in history(bed, job["applications"][0], "allexecutors") if not row["isActive"]]
    assert gone, "executors have left"
    assert "shuffle blocks" in bed.emrctl("jobs", "logs", NAME, job["id"], "--yarn", timeout=600).stdout


def test_without_it_the_same_job_computes_again(bed):
    bed.emrctl("scale", NAME, "slave=3", "--yes", timeout=1200)
    job = job_that_loses_a_node(bed, "without", OFF)
    assert job["state"] == "SUCCEEDED" and computed_again(bed, job) > 0
