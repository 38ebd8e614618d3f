"""Three masters lose one after the other while files are written and programs run: nothing acknowledged is lost, and what runs goes on.

How long a writer had to wait is printed; no test asserts a time.
"""
from __future__ import annotations

import hashlib
import json
import shlex
import time

import pytest

from tests.lab import Lab, lab, until

pytestmark = [pytest.mark.e2e, pytest.mark.soak]
NAME, SMALL = "three", "ecs.t6-c1m1.large"
MASTERS = [f"{NAME}-master-{n:03d}" for n in (1, 2, 3)]
CONTROL, WRITER_NODE, LOOKER = MASTERS[0], f"{NAME}-slave-001", f"{NAME}-slave-002"
# Writes random bytes into a file of HDFS with blocks of 1 MiB, for so many seconds, with nearly nothing on its way, and tells what it wrote.
WRITER = """
import hashlib, json, os, subprocess, sys, time
path, seconds = sys.argv[1], float(sys.argv[2])
child = subprocess.Popen(["hdfs", "dfs", "-D", "dfs.blocksize=1048576", "-D", "dfs.client.write.max-packets-in-flight=2", "-put", "-", path],
                         stdin=subprocess.PIPE, stderr=subprocess.PIPE)
digest, size, worst, end = hashlib.sha256(), 0, 0.0, time.monotonic() + seconds
while time.monotonic() < end:
    block = os.urandom(65536)
    before = time.monotonic()
    child.stdin.write(block)
    child.stdin.flush()
    worst = max(worst, time.monotonic() - before)
    digest.update(block)
    size += len(block)
    time.sleep(0.05)
said = child.communicate()[1].decode(errors="replace")
print(json.dumps({"code": child.returncode, "size": size, "sha256": digest.hexdigest(), "waited_s": round(worst, 1), "said": said[-2000:]}))
"""
# Asks each master over HTTP for the state of its daemon.
STATES = """
import json, sys, urllib.request
found = {}
for host in sys.argv[2:]:
    url = {"namenode": "http://%s:9870/jmx?qry=Hadoop:service=NameNode,name=NameNodeStatus", "resourcemanager": "http://%s:8088/ws/v1/cluster/info"}[sys.argv[1]]
    try:
        told = json.load(urllib.request.urlopen(url % host, timeout=3))
        found[host] = (told["beans"][0]["State"] if "beans" in told else told["clusterInfo"]["haState"]).lower()
    except Exception as error:
        found[host] = "silent: %s" % error
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def bed(tmp_path_factory):
    with lab(tmp_path_factory.mktemp("failover"), "soakha", 154, 8054) as it:
        make(it)
        yield it


def make(it: Lab) -> None:
    """The cluster of these tests: three masters and two slaves of 2 GiB."""
    groups = {role: {"count": count, "instance_types": [SMALL]} for role, count in (("master", 3), ("slave", 2))}
    it.emrctl("create", str(it.spec(NAME, node_groups=groups, backup={"enabled": False})), "--yes", timeout=1200)


def python(it: Lab, node: str, text: str, *words: str, timeout: float = 300) -> str:
    """What a program prints on a node."""
    return it.ssh(NAME, node, shlex.join(["/opt/emr/bin/python3", "-c", text, *words]), timeout=timeout)


def states(it: Lab, daemon: str) -> dict:
    """{master: active, standby, or why it is not known}, asked by a node that no test takes down."""
    return json.loads(python(it, LOOKER, STATES, daemon, *MASTERS))


def active(it: Lab, daemon: str, but: str = "") -> str:
    """The master whose daemon is active, '' while none is. There are never two."""
    found = [host for host, state in states(it, daemon).items() if state == "active"]
    assert len(found) <= 1, found
    return found[0] if found and found[0] != but else ""


def all_stand(it: Lab, daemon: str) -> bool:
    """Whether one is active, and all others stand by."""
    return sorted(states(it, daemon).values()) == ["active", "standby", "standby"]


class Writing:
    """A file that is written while something happens."""

    def __init__(self, it: Lab, name: str, seconds: int):
        self.it, self.path = it, f"/tmp/{name}-{time.time():.0f}"
        self.child = it.start("ssh", NAME, WRITER_NODE, "--", shlex.join(["/opt/emr/bin/python3", "-c", WRITER, self.path, str(seconds)]))
        time.sleep(8)

    def end(self) -> dict:
        """What the writer told, when the file is as it was written."""
        output = self.child.communicate(timeout=300)[0]
        told = json.loads(output.strip().splitlines()[-1])
        assert told["code"] == 0, told["said"]
        read = self.it.ssh(NAME, LOOKER, f"hdfs dfs -cat {self.path} | sha256sum; hdfs dfs -stat %b {self.path}").split()
        assert read[0] == told["sha256"] and int(read[-1]) == told["size"], (read, told)
        return told


def instance(it: Lab, node: str) -> str:
    return next(row["InstanceId"] for row in it.instances(NAME) if row["InstanceName"] == node)


def power_off(it: Lab, node: str) -> None:
    it.ecs("StopInstance", InstanceId=instance(it, node), ForceStop="true")


def power_on(it: Lab, node: str) -> None:
    until(lambda: next(row["Status"] for row in it.instances(NAME) if row["InstanceName"] == node) == "Stopped", f"{node} is off", 60)
    it.ecs("StartInstance", InstanceId=instance(it, node))


def kill(it: Lab, node: str, daemon: str) -> None:
    it.ssh(NAME, node, f"systemctl kill -s KILL emr-{daemon}.service")


def test_one_is_active_and_the_others_stand_by(bed):
    for daemon in ("namenode", "resourcemanager"):
        assert all_stand(bed, daemon), states(bed, daemon)
    told = bed.json("status", NAME)
    for service, daemon in (("hdfs", "namenode"), ("yarn", "resourcemanager")):
        assert {row["node"]: row["state"] for row in told[service]["standing"]} == states(bed, daemon)
    again = bed.emrctl("create", str(bed.folder / f"{NAME}.yml"), "--yes")
    assert "bought" not in again.stderr and not [row for row in bed.json("check", NAME)["findings"] if row["state"] != "ok"]


def test_a_writer_goes_on_when_the_active_namenode_is_killed(bed):
    before = active(bed, "namenode")
    writing = Writing(bed, "killed", 40)
    kill(bed, before, "namenode")
    until(lambda: active(bed, "namenode", but=before), "another NameNode is active", 60)
    print(f"\nNameNode killed: the writer waited {writing.end()['waited_s']} s")
    until(lambda: all_stand(bed, "namenode"), "the killed one stands by", 120)


def test_a_writer_goes_on_when_the_host_of_the_active_namenode_is_powered_off(bed):
    before = active(bed, "namenode")
    writing = Writing(bed, "off", 60)
    power_off(bed, before)
    until(lambda: active(bed, "namenode", but=before), "another NameNode is active", 90)
    print(f"\nhost of the NameNode powered off: the writer waited {writing.end()['waited_s']} s")
    power_on(bed, before)
    for daemon in ("namenode", "resourcemanager"):
        until(lambda daemon=daemon: all_stand(bed, daemon), f"all of {daemon} are back", 240)


@pytest.mark.parametrize("how", [kill, power_off])
def test_a_job_goes_on_when_its_resourcemanager_is_lost(bed, how):
    # Jobs live on the control node; what is lost here is another one.
    while active(bed, "resourcemanager") in ("", CONTROL):
        bed.ssh(NAME, CONTROL, "systemctl restart emr-resourcemanager")
        until(lambda: active(bed, "resourcemanager"), "a ResourceManager is active", 60)
    before = active(bed, "resourcemanager")
    place = f"/tmp/{how.__name__}-{time.time():.0f}"
    bed.ssh(NAME, WRITER_NODE, f"hdfs dfs -mkdir {place} && echo one | hdfs dfs -put - {place}/in")
    job = bed.json("submit", NAME, "--type", "HADOOP_STREAMING", "--", "-input", f"{place}/in", "-output", f"/user/emr{place}", "-mapper",
                   "sh -c 'cat; sleep 60'", "-reducer", "cat")["id"]
    until(lambda: "RUNNING" in bed.ssh(NAME, LOOKER, "yarn application -list -appStates RUNNING 2>/dev/null"), "the job runs", 120)
    begun = time.monotonic()
    kill(bed, before, "resourcemanager") if how is kill else power_off(bed, before)
    until(lambda: active(bed, "resourcemanager", but=before), "another ResourceManager is active", 90)
    print(f"\nResourceManager lost: another was seen active after {time.monotonic() - begun:.1f} s, with the time that asking takes")
    done = bed.json("jobs", "wait", NAME, job, timeout=600)
    assert done["state"] == "SUCCEEDED", done
    assert bed.ssh(NAME, LOOKER, f"hdfs dfs -cat /user/emr{place}/part-*").split() == ["one"]
    if how is power_off:
        power_on(bed, before)
    for daemon in ("namenode", "resourcemanager"):
        until(lambda daemon=daemon: all_stand(bed, daemon), f"all of {daemon} are back", 240)


def test_a_rolling_restart_hands_over_first_and_a_writer_notices_little(bed):
    writing = Writing(bed, "rolled", 240)
    bed.emrctl("restart", NAME, "--group", "master", timeout=1200)
    print(f"\nrolling restart of the masters: the writer waited {writing.end()['waited_s']} s")
    for daemon in ("namenode", "resourcemanager"):
        until(lambda daemon=daemon: all_stand(bed, daemon), f"all of {daemon} are back", 120)


def test_slaves_come_and_go_whoever_is_active(bed):
    while active(bed, "namenode") in ("", CONTROL):
        bed.emrctl("failover", NAME)
    bed.emrctl("scale", NAME, "slave=3", "--yes", timeout=1200)
    bed.ssh(NAME, WRITER_NODE, "head -c 20000000 /dev/urandom | tee /tmp/some | hdfs dfs -put -f - /tmp/some")
    done = bed.json("scale", NAME, "slave=2", "--yes", timeout=1200)
    assert len(done["drained"]) == 1, done
    told = bed.json("status", NAME)
    assert (told["hdfs"]["live"], told["hdfs"]["missing_blocks"], told["yarn"]["active"]) == (2, 0, 2)
    assert len(set(bed.ssh(NAME, WRITER_NODE, "sha256sum < /tmp/some; hdfs dfs -cat /tmp/some | sha256sum").split()) - {"-"}) == 1


def test_a_command_hands_over(bed):
    before = {daemon: active(bed, daemon) for daemon in ("namenode", "resourcemanager")}
    told = bed.json("failover", NAME)["active"]
    after = {daemon: active(bed, daemon) for daemon in before}
    assert all(after[daemon] not in ("", before[daemon]) for daemon in before)
    assert [told[service] for service in ("hdfs", "yarn")] == [{"from": before[daemon], "to": after[daemon]} for daemon in before]


def test_what_was_written_is_there_after_all_masters_were_off_at_once(bed):
    text = b"written before all masters went"
    bed.ssh(NAME, WRITER_NODE, f"echo -n {shlex.quote(text.decode())} | hdfs dfs -put -f - /tmp/before")
    for node in MASTERS:
        power_off(bed, node)
    for node in MASTERS:
        power_on(bed, node)
    for daemon in ("namenode", "resourcemanager"):
        until(lambda daemon=daemon: all_stand(bed, daemon), f"all of {daemon} are back", 300)
    found = bed.ssh(NAME, LOOKER, "hdfs dfs -cat /tmp/before | sha256sum").split()[0]
    assert found == hashlib.sha256(text).hexdigest()
