"""A cluster on each image of the local ECS: bought, deployed, computing, and unchanged by a second create."""
from __future__ import annotations

import pytest

from tests.lab import lab

pytestmark = pytest.mark.soak
NODE = "{name}-{group}-001"


@pytest.fixture(scope="module")
def bed(tmp_path_factory):
    with lab(tmp_path_factory.mktemp("images"), "himg", 213, 7913) as it:
        yield it


# What the image lacks is installed by the node's own apt.
@pytest.mark.parametrize(("name", "image", "python", "java", "installed"), [
    ("deb11", "debian_11_x64_20G_emr_local.vhd", "3.9", "17", ""),
    ("deb13", "debian_13_x64_20G_emr_local.vhd", "3.13", "21", ""),
    ("nojava", "debian_12_x64_20G_emr_local_nojava.vhd", "3.11", "17", "openjdk-17-jre-headless"),
    ("nopython", "debian_12_x64_20G_emr_local_nopython.vhd", "3.11", "17", "python3 openjdk-17-jre-headless"),
    ("hardened", "debian_12_x64_20G_emr_local_hardened.vhd", "3.11", "17", ""),
])
def test_create_passes_on_each_image(bed, name, image, python, java, installed):
    groups = {"master": {"count": 1, "instance_types": ["ecs.c6.large"]}, "slave": {"count": 1, "instance_types": ["ecs.c6.large"]}}
    spec = bed.spec(name, image=image, services=["hadoop", "spark"], node_groups=groups, config={"hdfs-site": {"dfs.replication": 1}})
    try:
        plan = bed.json("plan", str(spec))
        plan = plan.get("plan", plan)
        assert plan["image"]["id"] == image
        bed.emrctl("create", str(spec), "--yes", timeout=1800)
        for group in ("master", "slave"):
            node = NODE.format(name=name, group=group)
            said = bed.ssh(name, node, "/opt/emr/bin/python3 -V; . /etc/emr/units/emr-*node*.env; cat $JAVA_HOME/release"
                           if group == "slave" else "/opt/emr/bin/python3 -V; cat /usr/lib/jvm/*/release")
            assert f"Python {python}." in said and f'JAVA_VERSION="{java}.' in said, said
            for package in installed.split():
                assert "Commandline: apt-get" in bed.ssh(name, node, f"grep -B1 'install {package}' /var/log/apt/history.log")
        again = bed.json("create", str(spec), "--yes")
        assert {host: s["changed"] for host, s in again["stats"].items()} == dict.fromkeys(again["stats"], 0)
        computes(bed, name, pyspark=python != "3.9")
        assert not [f for f in bed.json("check", name)["findings"] if f["state"] == "fail"]
    finally:
        bed.emrctl("release", name, "--yes")


def computes(bed, name: str, pyspark: bool) -> None:
    """MapReduce with Python on a slave, Spark SQL, and PySpark with a function in Python on a slave."""
    bed.emrctl("put", name, "/etc/hosts", "/user/emr/hosts")
    job = bed.json("submit", name, "--type", "HADOOP_STREAMING", "--wait", "--", "-input", "/user/emr/hosts", "-output",
                   "/user/emr/out", "-mapper", "python3 -V", "-reducer", "cat")
    assert job["state"] == "SUCCEEDED", job
    job = bed.json("submit", name, "--type", "SPARK_SQL", "--wait", "--", "-e", "SELECT 6 * 7")
    assert job["state"] == "SUCCEEDED" and "42" in bed.emrctl("jobs", "logs", name, job["id"]).stdout.split()
    (bed.folder / "versions.py").write_text(
        "import sys\nfrom pyspark.sql import SparkSession\nspark = SparkSession.builder.getOrCreate()\n"
        "here = sys.executable\nthere = spark.sparkContext.parallelize([0], 1).map(lambda _: sys.executable).collect()\n"
        "print('executables', here, *there)\n")
    job = bed.json("submit", name, "--type", "PYSPARK", "--file", "versions.py", "--wait", "--", "versions.py", expect=0 if pyspark else None)
    if pyspark:
        assert "executables /opt/emr/bin/python3 /opt/emr/bin/python3" in bed.emrctl("jobs", "logs", name, job["id"]).stdout
    else:
        assert job["state"] == "FAILED"


def test_a_lost_link_is_made_again_by_the_next_operation(bed):
    spec = bed.spec("link", services=["hadoop"])
    try:
        bed.emrctl("create", str(spec), "--yes", timeout=1800)
        bed.ssh("link", "link-slave-001", "rm /opt/emr/bin/python3")
        bed.emrctl("configure", "link", "hdfs-site", "dfs.namenode.handler.count=24", "--yes")
        assert "Python 3.11" in bed.ssh("link", "link-slave-001", "/opt/emr/bin/python3 -V")
    finally:
        bed.emrctl("release", "link", "--yes")
