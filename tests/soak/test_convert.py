"""One master becomes three while files are written and a program runs: every byte is there afterwards, by the old and the new name, and the same
command finishes what was killed. How long the writer waited is printed; no test asserts a time.
"""
from __future__ import annotations

import json
import re
import shlex
import signal

import pytest

from tests.lab import host_runs, kill_when, lab, line_matches, seeded

pytestmark = [pytest.mark.e2e, pytest.mark.soak]
NAME, SMALL = "grown", "ecs.t6-c1m1.large"
MASTER, WRITER_NODE, LOOKER = f"{NAME}-master-001", f"{NAME}-slave-001", f"{NAME}-slave-002"
CONVERT = ["scale", NAME, "master=3", "--yes"]
INT, KILL = signal.SIGINT, signal.SIGKILL
# Writes one small file after the other, each again until HDFS has taken it, for so many seconds; tells what was taken, and how long one took at most.
WRITER = """
import hashlib, json, os, subprocess, sys, time
folder, end, taken, worst = sys.argv[1], time.monotonic() + float(sys.argv[2]), {}, 0.0
subprocess.run(["hdfs", "dfs", "-mkdir", "-p", folder], check=True)
while time.monotonic() < end:
    data, begun, path = os.urandom(100000), time.monotonic(), "%s/%d" % (folder, len(taken))
    while subprocess.run(["hdfs", "dfs", "-put", "-f", "-", path], input=data, stderr=subprocess.DEVNULL).returncode:
        if time.monotonic() > end + 600:
            raise SystemExit("%s cannot be written" % path)
        time.sleep(1)
    taken[path], worst = hashlib.sha256(data).hexdigest(), max(worst, time.monotonic() - begun)
print(json.dumps({"taken": taken, "waited_s": round(worst, 1)}))
"""
# One cluster is converted once: it is killed at each of these, in this order, before the run that is let through.
MOMENTS = [
    ("the new masters are prepared", KILL, line_matches("host: started")),
    ("what they agree by is started", INT, line_matches("Start what several masters agree by: started")),
    ("the edits are given away", KILL, host_runs(r"NameNode.* -initializeSharedEdits")),
    ("the slaves restart", INT, line_matches("Restart: started")),
    ("the file system is copied", KILL, host_runs(r"NameNode.* -bootstrapStandby")),
]


@pytest.fixture(scope="module")
def bed(tmp_path_factory):
    with lab(tmp_path_factory.mktemp("convert"), "soakcv", 151, 8051) as it:
        groups = {role: {"count": count, "instance_types": [SMALL]} for role, count in (("master", 1), ("slave", 2))}
        it.emrctl("create", str(it.spec(NAME, node_groups=groups)), "--yes", timeout=1800)
        it.sum = it.ssh(NAME, WRITER_NODE, "head -c 50000000 /dev/urandom | tee /tmp/data | hdfs dfs -put - /tmp/data; sha256sum < /tmp/data").split()[0]
        yield it


def checksums(it, *paths: str) -> set:
    """Of these files, read through HDFS on a node that is no master."""
    return {it.ssh(NAME, LOOKER, f"hdfs dfs -cat {path} | sha256sum", timeout=300).split()[0] for path in paths}


def test_one_master_becomes_three_whenever_it_is_killed(bed):
    bed.ssh(NAME, WRITER_NODE, "echo one | hdfs dfs -put -f - /tmp/in")
    job = bed.json("submit", NAME, "--type", "HADOOP_STREAMING", "--", "-input", "/tmp/in", "-output", "/user/emr/out", "-mapper",
                   "sh -c 'cat; sleep 900'", "-reducer", "cat")["id"]
    writer = bed.start("ssh", NAME, WRITER_NODE, "--", shlex.join(["/opt/emr/bin/python3", "-c", WRITER, "/tmp/written", "900"]))
    for number, (_name, how, moment) in enumerate(MOMENTS):
        kill_when(bed, CONVERT, how, moment, seeded(31 * number + 7).uniform(0, 0.4), limit=1800)
    done = bed.emrctl(*CONVERT, timeout=2400)
    print("\n" + "\n".join(re.findall(r".* was away for .*", done.stdout + done.stderr)))
    told = json.loads(writer.communicate(timeout=1800)[0].strip().splitlines()[-1])
    print(f"the writer waited {told['waited_s']} s at most, and wrote {len(told['taken'])} files")
    script = "for path in " + " ".join(told["taken"]) + "; do echo $path $(hdfs dfs -cat $path | sha256sum); done"
    assert {line.split()[0]: line.split()[1] for line in bed.ssh(NAME, LOOKER, script, timeout=1800).splitlines()} == told["taken"]
    assert bed.json("jobs", "wait", NAME, job, timeout=1800)["state"] == "SUCCEEDED"
    assert bed.ssh(NAME, LOOKER, "hdfs dfs -cat /user/emr/out/part-*").split() == ["one"]


def test_every_byte_is_there_by_both_names_whoever_is_active(bed):
    both = ["/tmp/data", f"hdfs://{MASTER}:8020/tmp/data", f"hdfs://{NAME}/tmp/data"]
    assert checksums(bed, *both) == {bed.sum}
    status = bed.json("status", NAME)
    assert sorted(row["state"] for row in status["hdfs"]["standing"]) == ["active", "standby", "standby"]
    bed.emrctl("failover", NAME)
    assert checksums(bed, *both) == {bed.sum}


def test_a_second_run_changes_nothing(bed):
    again = bed.emrctl(*CONVERT, timeout=1200)
    assert "bought" not in again.stderr and "was away" not in again.stderr + again.stdout
    assert not [row for row in bed.json("check", NAME)["findings"] if row["state"] != "ok"]


def test_back_to_one_is_refused_before_any_change(bed):
    assert "masters" in bed.emrctl("scale", NAME, "master=1", "--yes", expect=3).stderr
