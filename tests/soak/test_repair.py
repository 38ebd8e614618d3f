"""Hosts die in every way there is, and a repair neither loses a byte nor releases a node that is needed."""
from __future__ import annotations

import hashlib
import json
import os
import time

import pytest

from tests.lab import lab, until

NAME = "mend"
MASTER, FIRST, SECOND = f"{NAME}-master-001", f"{NAME}-slave-001", f"{NAME}-slave-002"


@pytest.fixture(scope="module")
def bed(tmp_path_factory):
    with lab(tmp_path_factory.mktemp("repair"), "soakr", 144, 8044) as it:
        groups = {"master": {"count": 1, "instance_types": ["ecs.c6.large"]}, "slave": {"count": 2, "instance_types": ["ecs.c6.large"]}}
        path = it.spec(NAME, node_groups=groups, config={"hdfs-site": {"dfs.replication": 2}})
        it.emrctl("create", str(path), "--yes")
        (it.folder / "two.bin").write_bytes(os.urandom(48 << 20))
        it.emrctl("put", NAME, "two.bin", "/user/emr/two.bin")
        yield it


def unharmed(bed) -> bool:
    back = bed.folder / "back.bin"
    back.unlink(missing_ok=True)
    bed.emrctl("get", NAME, "/user/emr/two.bin", str(back))
    return hashlib.sha256(back.read_bytes()).digest() == hashlib.sha256((bed.folder / "two.bin").read_bytes()).digest()


def instance(bed, name: str) -> dict:
    return next((i for i in bed.instances(NAME) if i["InstanceName"] == name), {})


def repair(bed, *args: str, expect: int = 0):
    return bed.emrctl("repair", NAME, "--yes", *args, expect=expect, timeout=1800)


def test_a_node_with_the_only_copy_is_kept_and_comes_back(bed):
    # HDFS puts the only copy on the DataNode of the machine that writes.
    url = f"http://{MASTER}:9870/webhdfs/v1/user/emr/one.bin?op=CREATE&user.name=emr&replication=1&overwrite=true"
    bed.ssh(NAME, SECOND, "head -c 1000000 /dev/urandom > /tmp/one; sha256sum < /tmp/one > /root/one.sum; "
            f"curl -sS -f -L -T /tmp/one '{url}'")
    kept = instance(bed, SECOND)["InstanceId"]
    start = {"action": "StartInstances", "code": "OperationDenied.NoStock", "times": 5}
    bed.local("fault", "errors=" + json.dumps([start]), f"die={json.dumps([kept])}")
    until(lambda: instance(bed, SECOND)["Status"] == "Stopped", "the instance is stopped", 240)
    begun = time.monotonic()
    shown = json.loads(bed.emrctl("status", NAME, "-o", "json", expect=5).stdout)
    assert {r["node"]: r["state"] for r in shown["components"]}[SECOND] == "unreachable" and shown["hdfs"]
    print(f"status with a dead host: {time.monotonic() - begun:.1f} s")

    refused = repair(bed, expect=5)
    assert "have their only copy on" in refused.stderr and "/user/emr/one.bin" in refused.stderr
    assert instance(bed, SECOND)["InstanceId"] == kept

    bed.local("fault", "--clear")
    done = repair(bed)
    assert f"Started: {SECOND}" in done.stdout and instance(bed, SECOND)["InstanceId"] == kept
    said = bed.ssh(NAME, MASTER, "runuser -l emr -c 'hdfs dfs -cat /user/emr/one.bin' | sha256sum")
    assert said == bed.ssh(NAME, SECOND, "cat /root/one.sum") and unharmed(bed)
    bed.ssh(NAME, MASTER, "runuser -l emr -c 'hdfs dfs -rm -skipTrash /user/emr/one.bin'")
    assert bed.json("repair", NAME, "--yes", timeout=1800)["changed"] is False


def test_a_node_that_only_ssh_cannot_reach_is_kept(bed):
    kept = instance(bed, SECOND)["InstanceId"]
    bed.ssh(NAME, SECOND, "systemd-run --collect --on-active=300 systemctl start ssh; systemctl stop ssh.socket ssh", check=False)
    refused = repair(bed, "--patience", "10", expect=5)
    assert "reported to the NameNode" in refused.stderr and instance(bed, SECOND)["InstanceId"] == kept
    until(lambda: bed.emrctl("ssh", NAME, SECOND, "--", "true", expect=None).returncode == 0, "sshd is back", 420)


def test_a_node_that_hangs_is_replaced_and_hdfs_heals(bed):
    old = instance(bed, SECOND)["InstanceId"]
    bed.ssh(NAME, SECOND, "systemctl stop emr-datanode emr-nodemanager; systemctl stop ssh.socket ssh", check=False)
    done = repair(bed, "--patience", "45")
    assert f"Released: {SECOND}" in done.stdout and instance(bed, SECOND)["InstanceId"] != old
    status = bed.json("status", NAME)
    assert status["hdfs"]["live"] == 2 and not status["hdfs"]["under_replicated_blocks"] and unharmed(bed)
    assert bed.json("check", NAME, "--no-work")["counts"]["fail"] == 0


def test_a_stopped_master_is_started_before_anything_is_judged(bed):
    old = instance(bed, MASTER)["InstanceId"]
    bed.local("fault", f"die={json.dumps([old])}")
    until(lambda: instance(bed, MASTER)["Status"] == "Stopped", "the master is stopped", 240)
    repair(bed)
    assert instance(bed, MASTER)["InstanceId"] == old and unharmed(bed)
    assert not bed.json("status", NAME)["problems"]
