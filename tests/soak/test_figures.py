"""Logs, figures of jobs, reasons for slowness and the report on real hosts: a job with one large key, a job whose buffers are too small."""
from __future__ import annotations

import json
import signal
import time

import pytest

from tests.lab import lab, until

NAME = "figures"
MASTER, SLAVE = f"{NAME}-master-001", f"{NAME}-slave-001"
# 95 % of the records have one key, and each record takes its time.
SKEWED = """
import hashlib, time
from pyspark import SparkContext

def work(pair):
    count = 0
    for _value in pair[1]:
        time.sleep(0.0002)
        count += 1
    return pair[0], count

rows = SparkContext.getOrCreate().parallelize(range(120000), 8).map(lambda i: (7 if i % 20 else i, hashlib.sha256(str(i).encode()).hexdigest()))
print(rows.groupByKey(8).map(work).count())
"""
INPUT = "seq -f '%060.0f' 1 1200000 | hdfs dfs -put - /user/emr/lines"
SPILLING = ["--type", "HADOOP_STREAMING", "--property", "mapreduce.task.io.sort.mb=4", "--", "-input", "/user/emr/lines", "-output", "/user/emr/sorted",
            "-mapper", "cat", "-reducer", "cat"]


@pytest.fixture(scope="module")
def bed(tmp_path_factory):
    with lab(tmp_path_factory.mktemp("figures"), "soakg", 145, 8045) as it:
        path = it.spec(NAME, services=["hadoop", "spark"], node_groups={
            "master": {"count": 1, "instance_types": ["ecs.c6.large"]}, "slave": {"count": 2, "instance_types": ["ecs.c6.large"]}})
        it.emrctl("create", str(path), "--yes", timeout=1800)
        yield it


def submit(bed, *words) -> str:
    return json.loads(bed.emrctl("submit", NAME, "-o", "json", "--wait", *words, timeout=1800).stdout)["id"]


def shown(bed, job: str) -> dict:
    """The job, when the history of its framework has come."""
    found: dict = {}

    def complete() -> bool:
        found.update(bed.json("jobs", "show", NAME, job))
        return bool(found.get("usage") and found["usage"]["complete"])
    until(complete, f"the figures of {job}", 300)
    return found


def test_a_large_key_is_found(bed):
    path = bed.folder / "skewed.py"
    path.write_text(SKEWED)
    found = shown(bed, submit(bed, "--type", "PYSPARK", "--file", str(path), "--name", "skewed", "--", "skewed.py"))
    told = {row["cause"]: row for row in found["slow"]}
    assert "skew" in told and "spark.sql.adaptive.skewJoin" in told["skew"]["helps"], found["slow"]
    assert found["usage"]["cost"]["amount"] > 0 and found["usage"]["vcore_s"] > 0 and found["usage"]["peak_mib"] > 50


def test_small_buffers_are_found(bed):
    submit(bed, "--type", "SHELL", "--", "bash", "-c", INPUT)
    found = shown(bed, submit(bed, "--name", "spilling", *SPILLING))
    told = {row["cause"]: row for row in found["slow"]}
    assert "spill" in told and "mapreduce.task.io.sort.mb" in told["spill"]["helps"], found["slow"]
    size = 1200000 * 61
    # A split ends within a line of the next one, so a little is read twice.
    assert size <= found["usage"]["read_bytes"] < size * 1.1 and found["usage"]["written_bytes"] >= size


def test_the_report_has_both_and_their_cost(bed):
    page = bed.folder / "use.html"
    found = bed.json("report", NAME, "--since", "1d", "--html", str(page))
    names = {row["name"]: row for row in found["by"]["name"]}
    assert names["skewed"]["cost"] > 0 and names["spilling"]["cost"] > 0
    parts = sum(row["cost"] for row in found["by"]["user"])
    assert parts == pytest.approx(found["cluster"]["work_cost"], abs=1e-3) and parts < found["cluster"]["cost"]
    assert "skewed" in page.read_text()


def test_logs_are_one_stream_in_order_and_a_dead_node_is_named(bed):
    mark = f"found me {time.time()}"
    for node in (MASTER, SLAVE):
        bed.ssh(NAME, node, f"logger -p user.err '{mark}'")
    rows = bed.json("logs", NAME, "--component", "system", "--grep", mark, "--level", "ERROR")
    assert [row["node"] for row in rows] == [MASTER, SLAVE]
    rows = bed.json("logs", NAME, "--since", "1h", "--lines", "300")
    assert len(rows) == 300 and [row["time"] for row in rows] == sorted(row["time"] for row in rows)
    assert len({row["node"] for row in rows}) == 3
    follower = bed.start("logs", NAME, "--follow", "--grep", "later", "-o", "json")
    try:
        until(lambda: "emr-lines" in bed.ssh(NAME, SLAVE, "ps -eo args"), "the follower", 120)
        time.sleep(3)
        bed.ssh(NAME, SLAVE, "logger later")
        row = json.loads(follower.stdout.readline())
        assert (row["node"], row["text"]) == (SLAVE, "later")
    finally:
        follower.send_signal(signal.SIGINT)
    assert follower.wait(60) == 130
    until(lambda: "emr-lines" not in bed.ssh(NAME, SLAVE, "ps -eo args"), "the end of the program on the node", 60)
    row = next(row for row in bed.instances(NAME) if row["InstanceName"] == SLAVE)
    bed.ecs("StopInstance", InstanceId=row["InstanceId"], ForceStop="true")
    until(lambda: next(row["Status"] for row in bed.instances(NAME) if row["InstanceName"] == SLAVE) == "Stopped", "the node stops", 120)
    done = bed.emrctl("logs", NAME, "--lines", "5", expect=4)
    assert SLAVE in done.stderr and done.stdout.count("\n") >= 5
