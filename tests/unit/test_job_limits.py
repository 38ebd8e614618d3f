"""What no node can do is refused when it is submitted."""
from __future__ import annotations

import io
import tarfile
import zipfile

import pytest

from ansible_collections.emr.cluster.plugins.module_utils.domain.jobs import (
    limits as job_limits,
    request as job_request,
    resident as resident_jobs,
)
from ansible_collections.emr.cluster.plugins.module_utils.domain.sizing import memory as sizing
from ansible_collections.emr.cluster.plugins.module_utils.domain.topology.nodes import Node
from ansible_collections.emr.cluster.plugins.module_utils.node.host import python_env

YARN = {"yarn.scheduler.maximum-allocation-mb": "6144", "yarn.scheduler.maximum-allocation-vcores": "4"}
DEFAULTS = {"spark.executor.memory": "1g", "spark.driver.memory": "1g"}


@pytest.mark.parametrize(("request_", "said"), [
    ({"type": "PYSPARK", "memory": "64g"}, "spark.executor.memory needs containers of 72089 MiB"),
    ({"type": "PYSPARK", "args": ["--executor-memory", "6g", "x.py"]}, "containers of 6758 MiB"),
    ({"type": "PYSPARK", "args": ["--executor-memory", "5g", "x.py"]}, ""),
    ({"type": "PYSPARK", "properties": {"spark.executor.memory": "5g", "spark.executor.memoryOverhead": "2g"}}, "containers of 7168 MiB"),
    ({"type": "SPARK", "properties": {"spark.driver.memory": "20g"}}, "a driver of 20480 MiB is larger than the master"),
    ({"type": "SPARK", "properties": {"spark.driver.memory": "20g", "spark.submit.deployMode": "cluster"}}, "spark.driver.memory needs containers"),
    ({"type": "MR", "memory": "7g"}, "mapreduce.map.memory.mb needs containers of 7168 MiB"),
    ({"type": "HADOOP_STREAMING", "args": ["-Dmapreduce.reduce.memory.mb=9000"]}, "mapreduce.reduce.memory.mb needs containers of 9000"),
    ({"type": "MR", "args": ["x.jar", "-D", "mapreduce.map.memory.mb=6144"]}, ""),
    ({"type": "MR", "cores": 5}, "mapreduce.map.cpu.vcores asks for 5 cores"), ({"type": "PYSPARK", "cores": 5}, "asks for 5 cores"),
    ({"type": "SHELL", "memory": "64g"}, ""), ({"type": "SPARK_SQL"}, ""), ({"type": "MR"}, ""),
])
def test_what_no_node_has(request_, said):
    asked = dict(job_request.DEFAULTS, files=["x.py"], **request_)
    found = job_limits.refused(asked, job_request.overlay(asked, "/w", {}), YARN, DEFAULTS, 8192)
    assert (said in found and "Next:" in found) if said else found == ""


def packed(path, names: dict) -> str:
    with tarfile.open(path, "w:gz") as tar:
        for name, target in names.items():
            info = tarfile.TarInfo(name)
            info.type, info.linkname = (tarfile.SYMTYPE, target) if target else (tarfile.REGTYPE, "")
            tar.addfile(info, None if target else io.BytesIO())
    return str(path)


@pytest.mark.parametrize(("names", "said"), [
    ({"bin/python": "/usr/bin/python3", "lib/python3.13/site-packages/x.py": ""}, "made for Python 3.13, which the nodes do not have; they have 3.9, 3.11"),
    ({"./bin/python": "python3", "./bin/python3": "/usr/bin/python3", "./lib/python3.11/site-packages/x.py": ""}, ""),
    ({"bin/python3": "/root/.pyenv/bin/python3.11", "lib/python3.11/site-packages/x.py": ""}, "starts /root/.pyenv/bin/python3.11"),
    ({"bin/python": "python3.13", "bin/python3.13": "", "lib/python3.13/os.py": "", "lib/python3.13/site-packages/x.py": ""}, ""),
    ({"readme": ""}, "")])
def test_an_environment_of_another_python(tmp_path, monkeypatch, names, said):
    here = tmp_path / "bin"
    here.mkdir()
    for name in ("python3", "python3.9", "python3.11", "python3-config"):
        (here / name).touch()
    monkeypatch.setattr(python_env, "WHERE", (str(here),))
    names = {name: target.replace("/usr/bin", str(here)) for name, target in names.items()}
    found = python_env.trouble(packed(tmp_path / "env.tar.gz", names))
    assert (said in found and "Next:" in found) if said else found == ""


def test_an_environment_in_a_zip_or_one_that_is_none(tmp_path, monkeypatch):
    monkeypatch.setattr(python_env, "WHERE", ())
    with zipfile.ZipFile(tmp_path / "env.zip", "w") as archive:
        archive.writestr("lib/python3.7/site-packages/x.py", "")
    assert "made for Python 3.7" in python_env.trouble(str(tmp_path / "env.zip"))
    (tmp_path / "no.tar.gz").write_text("none")
    assert python_env.trouble(str(tmp_path / "no.tar.gz")) == ""


@pytest.mark.parametrize("services", [("hdfs", "yarn"), ("hdfs", "yarn", "spark", "spark-thrift", "spark-connect")])
def test_the_queue_has_what_all_daemons_of_the_master_leave(services):
    node = Node("m", "master", "master", "10.0.0.1", memory_mib=16384, vcpus=4)
    assert resident_jobs.job_memory(services, node) == 16384 - sizing.demand(services, "master", 16384)
