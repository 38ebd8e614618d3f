"""A stream from a real Kafka: the master is rebooted under it, and each record is in the sink once.

The program and the command are those of docs/data/kafka.md.
"""
from __future__ import annotations

import json
import re
import shlex

import pytest

from tests.databases import Kafka, Namespace
from tests.lab import REPO, lab, until

pytestmark = pytest.mark.soak
CLUSTER, MASTER = "sales", "sales-master-001"
PARTITIONS = 3
COUNT = """
import json, sys
from pyspark.sql import SparkSession
from pyspark.sql.functions import count, countDistinct, max, min
found = SparkSession.builder.getOrCreate().read.parquet(sys.argv[1]).groupBy("partition").agg(
    min("offset"), max("offset"), count("*"), countDistinct("offset"), countDistinct("value"))
for row in found.collect():
    print(json.dumps(list(row)))
"""


@pytest.fixture(scope="module")
def bed(tmp_path_factory):
    """(cluster's lab, Kafka with the topic ``orders``)."""
    folder = tmp_path_factory.mktemp("kafka")
    with lab(folder, "soakka", 222, 8222) as it:
        spec = it.spec(CLUSTER, services=["hadoop", "spark"], config={"hdfs-site": {"dfs.replication": 1}}, node_groups={
            "master": {"count": 1, "instance_types": ["ecs.c6.xlarge"]}, "slave": {"count": 1, "instance_types": ["ecs.c6.xlarge"]}})
        it.emrctl("create", str(spec), "--yes", timeout=1800)
        with Namespace(it, folder / "servers") as space, Kafka(space) as kafka:
            kafka.topic("orders", PARTITIONS)
            yield it, kafka


def example(kafka, folder) -> list:
    """The page's command for this Kafka; its program is written into the folder."""
    text = (REPO / "docs/data/kafka.md").read_text()
    (folder / "to_hdfs.py").write_text(re.search(r"```python\n(.*?)```", text, re.DOTALL)[1])
    words = shlex.split(re.search(r"```sh\n(emrctl submit .*?)```", text, re.DOTALL)[1].replace("\\\n", " "))
    return [kafka.bootstrap if word == "10.0.0.8:9092" else word for word in words[1:]]


def files(it) -> int:
    """How many files of data the sink has by now."""
    done = it.emrctl("ls", CLUSTER, "/user/emr/orders", "-o", "json", expect=None)
    rows = json.loads(done.stdout)["files"] if done.returncode == 0 else []
    return sum(row["path"].endswith(".parquet") for row in rows)


def test_a_rebooted_master_loses_and_repeats_no_record(bed):
    it, kafka = bed
    kafka.send("orders", (f"before {number}" for number in range(20_000)))
    job = it.json(*example(kafka, it.folder), timeout=1800)
    until(lambda: files(it) > 0, "the stream has written", 900)
    kafka.send("orders", (f"under way {number}" for number in range(20_000)))
    instance = next(row["InstanceId"] for row in it.instances(CLUSTER) if row["InstanceName"] == MASTER)
    it.ecs("RebootInstance", InstanceId=instance, ForceStop="true")
    kafka.send("orders", (f"meanwhile {number}" for number in range(20_000)))
    until(lambda: _attempts(it, job) > 1, "the job is running again after the reboot", 1800)
    kafka.send("orders", (f"after {number}" for number in range(20_000)))
    wanted = kafka.ends("orders")
    assert sum(wanted.values()) == 80_000
    until(lambda: _read(it) == wanted, f"the checkpoint has got to {wanted}", 1800)
    it.emrctl("jobs", "kill", CLUSTER, job["id"], timeout=600)
    (it.folder / "count.py").write_text(COUNT)
    count = it.json("submit", CLUSTER, "--type", "PYSPARK", "--file", "count.py", "--wait", "--", "count.py", "/user/emr/orders", timeout=1800)
    lines = [json.loads(line) for line in it.json("jobs", "logs", CLUSTER, count["id"])["stdout"].splitlines() if line.startswith("[")]
    assert {row[0]: row[1:] for row in lines} == {
        partition: [0, end - 1, end, end, end] for partition, end in wanted.items()}, "first and last offset, records, offsets, values"


def _attempts(it, job) -> int:
    """Starts of the job so far; 0 while the master does not answer."""
    done = it.emrctl("jobs", "show", CLUSTER, job["id"], "-o", "json", expect=None, timeout=300)
    found = json.loads(done.stdout) if done.returncode == 0 else {}
    return found.get("attempts", 0) if found.get("state") == "RUNNING" else 0


def _read(it) -> dict:
    """Offsets up to which batches have been committed: those of the newest batch in the checkpoint's list of commits."""
    checkpoint = "/user/emr/orders.checkpoint"
    names = [row["path"].rsplit("/", 1)[1] for row in it.json("ls", CLUSTER, f"{checkpoint}/commits")["files"]]
    batches = sorted(int(name) for name in names if name.isdigit())
    text = it.emrctl("cat", CLUSTER, f"{checkpoint}/offsets/{batches[-1]}").stdout if batches else ""
    lines = [line for line in text.splitlines() if line.startswith('{"orders"')]
    return {int(key): value for key, value in json.loads(lines[-1])["orders"].items()} if lines else {}
