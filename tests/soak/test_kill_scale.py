"""Killing a scale-in at seeded moments: the same command finishes it, no byte is lost, every instance is accounted for."""
from __future__ import annotations

import json
import os
import signal
import time

import pytest

from tests.lab import api_log_matches, host_runs, kill_when, lab, line_matches, seeded

NAME = "shrink"
MASTER = f"{NAME}-master-001"
INT, KILL = signal.SIGINT, signal.SIGKILL
SLAVES = 4

# name, signal, moment, faults while it runs
MOMENTS = [
    ("before the revision is kept", KILL, line_matches("Plan and buy: started"), {}),
    ("old nodes are configured", INT, line_matches("Configure the nodes that stay: started"), {}),
    ("lists written, the daemons are told", KILL, host_runs(r"DFSAdmin -refreshNodes"), {}),
    ("the ResourceManager is told", INT, host_runs(r"RMAdminCLI -refreshNodes"), {}),
    ("draining", INT, line_matches("draining begins"), {}),
    ("draining", KILL, line_matches("draining begins"), {}),
    ("drained, not released", KILL, line_matches("Release the drained nodes: started"), {}),
    ("release, call in flight", KILL, api_log_matches("DeleteInstances received"), {"latency": 1.5}),
    ("released, still listed", INT, api_log_matches("DeleteInstances OK"), {"visibility_delay": 6}),
    ("the others forget it", KILL, line_matches("Forget the released nodes: started"), {}),
]


@pytest.fixture(scope="module")
def bed(tmp_path_factory):
    import yaml

    with lab(tmp_path_factory.mktemp("shrink"), "soaks", 92, 7992) as it:
        path = it.spec(NAME, config={"hdfs-site": {"dfs.replication": 2}}, deletion_protection=True)
        document = yaml.safe_load(path.read_text())
        document["node_groups"]["slave"]["count"] = SLAVES
        path.write_text(yaml.safe_dump(document, sort_keys=False))
        it.emrctl("create", str(path), "--yes")
        for number in range(6):
            data = it.folder / f"part-{number}"
            data.write_bytes(os.urandom(3_000_000 + number))
        it.emrctl("put", NAME, *(str(it.folder / f"part-{n}") for n in range(6)), "/user/emr/")
        it.sum = checksum(it)
        yield it


def checksum(bed) -> str:
    """Of all bytes, read through HDFS."""
    return bed.ssh(NAME, MASTER, "/opt/emr/hadoop/bin/hdfs dfs -cat '/user/emr/part-*' | sha256sum", timeout=300).split()[0]


def check_whole(bed, slaves: int) -> None:
    """Exactly these nodes exist and serve, nothing is drained any more, and all bytes are there."""
    everything = bed.ecs("DescribeInstances", MaxResults=100)["Instances"]["Instance"]
    names = sorted(i["InstanceName"] for i in everything)
    assert len(names) == len(set(names)) == slaves + 1, names
    assert all(i["DeletionProtection"] for i in everything), "off for the released instance alone"
    status = bed.json("status", NAME)
    assert status["yarn"]["active"] == slaves, status["yarn"]
    assert {c["node"] for c in status["components"]} == set(names)
    assert {c["state"] for c in status["components"]} == {"running"}
    assert bed.ssh(NAME, MASTER, "cat /etc/emr/hadoop/*.exclude").strip() == ""
    hosts = bed.ssh(NAME, f"{NAME}-master-001", "cat /etc/hosts /etc/emr/hadoop/dfs.hosts").split()
    assert {w for w in hosts if w.startswith(f"{NAME}-slave")} == {n for n in names if "-slave-" in n}
    assert checksum(bed) == bed.sum
    assert hdfs_settles(bed)["missing_blocks"] == 0
    assert bed.ecs("DescribeKeyPairs", KeyPairName=f"emr-lock-{NAME}")["KeyPairs"]["KeyPair"] == []


def hdfs_settles(bed, limit: float = 120) -> dict:
    """HDFS's numbers once every block has its copies again."""
    deadline = time.monotonic() + limit
    while True:
        found = bed.json("status", NAME)["hdfs"]
        if found["under_replicated_blocks"] == 0 or time.monotonic() > deadline:
            assert found["under_replicated_blocks"] == 0, found
            return found
        time.sleep(2)


@pytest.mark.parametrize("number", range(len(MOMENTS)), ids=[f"{m[0]} ({m[1].name})" for m in MOMENTS])
def test_killed(bed, number):
    _name, how, moment, faults = MOMENTS[number]
    shrink = ["scale", NAME, f"slave={SLAVES - 1}", "--yes"]
    if faults:
        bed.local("fault", *(f"{key}={value}" for key, value in faults.items()))
    try:
        kill_when(bed, shrink, how, moment, seeded(53 * number + 11).uniform(0, 0.4))
    finally:
        bed.local("fault", "--clear")
    bed.emrctl(*shrink)
    check_whole(bed, SLAVES - 1)
    bed.emrctl("scale", NAME, f"slave={SLAVES}", "--yes")
    check_whole(bed, SLAVES)


def test_an_interrupted_scale_in_is_taken_back(bed):
    kill_when(bed, ["scale", NAME, f"slave={SLAVES - 1}", "--yes"], KILL, line_matches("draining begins"), 0.2)
    before = {i["InstanceId"] for i in bed.instances(NAME)}
    bed.emrctl("scale", NAME, "--abort", "--yes")
    check_whole(bed, SLAVES)
    assert {i["InstanceId"] for i in bed.instances(NAME)} == before
    spec = json.loads(bed.emrctl("show", NAME, "spec", "-o", "json").stdout)
    assert spec["node_groups"]["slave"]["count"] == SLAVES


@pytest.mark.parametrize(("words", "says"), [
    (["slave=1"], "2 copies"), (["slave=0"], "slave"), (["master=0"], "master"), (["--remove", MASTER], "master"),
    (["--remove", f"{NAME}-slave-077"], "slave-077"), (["nobody=3"], "nobody")])
def test_what_is_refused_changes_nothing(bed, words, says):
    before = bed.ssh(NAME, MASTER, "ls /var/lib/emr/cluster/spec")
    done = bed.emrctl("scale", NAME, *words, "--yes", expect=3)
    assert says in done.stderr, done.stderr
    assert bed.ssh(NAME, MASTER, "ls /var/lib/emr/cluster/spec") == before
    assert len(bed.instances(NAME)) == SLAVES + 1
