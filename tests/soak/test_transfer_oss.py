"""Imports and exports between OSS and HDFS on real hosts: equal both ways, on bad days, after a kill, and without a trace of the key."""
from __future__ import annotations

import json
import os
import random
import subprocess
import threading
import time
from pathlib import Path

import oss2
import pytest

from tests.lab import EMRCTL, lab, until

NAME, MASTER, SLAVE = "copies", "copies-master-001", "copies-slave-001"
SOURCE = {f"part-{number:03}.csv": 300_000 for number in range(8)} | {
    "big.bin": 30_000_000, "empty": 0, "sub/ü b+c%&.txt": 7, "sub/deep/x=1/y": 1_000_000}


@pytest.fixture(scope="module")
def bed(tmp_path_factory):
    with lab(tmp_path_factory.mktemp("copies"), "soako", 138, 8038) as it:
        types = ["ecs.c6.large"]
        spec = it.spec(NAME, config={"core-site": {"fs.oss.endpoint": it.env["ALIBABA_CLOUD_OSS_ENDPOINT"]}}, node_groups={
            "master": {"count": 1, "instance_types": types}, "slave": {"count": 1, "instance_types": types}})
        it.emrctl("create", str(spec), "--yes", timeout=1800)
        it.env.update(OSS_ACCESS_KEY_ID=it.env["ALIBABA_CLOUD_ACCESS_KEY_ID"], OSS_ACCESS_KEY_SECRET=it.env["ALIBABA_CLOUD_ACCESS_KEY_SECRET"])
        yield it


@pytest.fixture(scope="module")
def bucket(bed):
    key = oss2.Auth(bed.env["ALIBABA_CLOUD_ACCESS_KEY_ID"], bed.env["ALIBABA_CLOUD_ACCESS_KEY_SECRET"])
    found = oss2.Bucket(key, bed.env["ALIBABA_CLOUD_OSS_ENDPOINT"], "copies")
    found.create_bucket()
    for name, size in SOURCE.items():
        found.put_object(f"in/{name}", random.Random(name).randbytes(size))
    return found


@pytest.fixture
def faults(bed):
    """Set faults of the local ECS; they end with the test."""
    yield lambda **wanted: bed.local("fault", *[f"{name}={json.dumps(value)}" for name, value in wanted.items()])
    bed.local("fault", "throttle=0", "errors=[]")


def copy(bed, verb, *args, expect=0):
    """The job, and what it printed, of an import or export that was waited for."""
    job = bed.json(verb, NAME, *args, "--wait", expect=expect)
    found = bed.json("jobs", "logs", NAME, job["id"])
    return job, json.loads(found["stdout"]) if found["stdout"].strip() else None, found["stderr"]


def fetched(bed, path, folder):
    """{name: content} of a folder of HDFS."""
    target = bed.folder / folder
    bed.emrctl("get", NAME, path, str(target))
    return {str(file.relative_to(target)): file.read_bytes() for file in target.rglob("*") if file.is_file()}


def content(names=SOURCE):
    return {name: random.Random(name).randbytes(SOURCE[name]) for name in names}


class Watch(threading.Thread):
    """Looks again and again whether any process of this machine, hosts included, has the secret on its command line."""

    def __init__(self, secret: str):
        super().__init__(daemon=True)
        self.secret, self.looks, self.found, self.over = secret.encode(), 0, set(), threading.Event()

    def run(self):
        while not self.over.wait(0.02):
            self.looks += 1
            for path in Path("/proc").glob("[0-9]*/cmdline"):
                try:
                    text = path.read_bytes()
                except OSError:
                    continue
                if self.secret in text:
                    self.found.add(text[:200])


def traces(bed):
    """Files with the secret on the nodes and here, but for the local ECS's own and this machine's memory."""
    secret = bed.env["OSS_ACCESS_KEY_SECRET"]
    found = []
    for node in (MASTER, SLAVE):
        # The pattern comes on standard input, for a command line would be such a trace itself.
        command = "cat >/dev/shm/p; grep -rlsF -f /dev/shm/p /etc /var /tmp /run /home /root /opt/emr/lib /data 2>/dev/null; " \
                  "journalctl --no-pager -q | grep -cF -f /dev/shm/p; rm /dev/shm/p"
        done = subprocess.run([*EMRCTL, "ssh", NAME, node, "--", command], input=secret, env=bed.env, text=True, capture_output=True,
                              cwd=bed.folder, timeout=600, check=False)
        lines = done.stdout.split()
        assert lines, done.stderr
        found += [f"{node}: {line}" for line in lines if line != "0"]
    for top in (bed.home, Path(bed.env["EMR_CACHE"]) / "runs"):
        done = subprocess.run(["grep", "-rlsF", "-f", "-", str(top)], input=secret, text=True, capture_output=True, check=False)
        found += [line for line in done.stdout.split() if "/.aliyun/" not in line]
    return found


def test_in_on_a_bad_day_and_out_again_without_a_trace(bed, bucket, faults):
    watch = Watch(bed.env["OSS_ACCESS_KEY_SECRET"])
    watch.start()
    faults(throttle=0.1, errors=[{"action": "GetObject", "code": "Disconnect", "bytes": 100_000, "times": 3}])
    job, said, log = copy(bed, "import", "oss://copies/in", "in")
    assert (said["files"], said["copied_files"], said["verified_files"]) == (len(SOURCE),) * 3, said
    assert said["bytes"] == sum(SOURCE.values()) and "copied" in log
    assert fetched(bed, "in", "both-ways") == content()
    faults(throttle=0.1, errors=[{"action": "Put*", "code": "Disconnect", "bytes": 100_000, "times": 2}])
    _job, said, _log = copy(bed, "export", "in", "oss://copies/out", "--include", "*.csv", "--include", "sub/**", "--exclude", "part-007.csv")
    wanted = content([name for name in SOURCE if (name.endswith(".csv") or name.startswith("sub/")) and name != "part-007.csv"])
    assert said["files"] == said["verified_files"] == len(wanted)
    there = {row.key[4:]: bucket.get_object(row.key).read() for row in oss2.ObjectIterator(bucket, prefix="out/") if not row.key.endswith("/")}
    assert there == wanted
    watch.over.set()
    watch.join()
    assert watch.looks > 20 and not watch.found, watch.found
    assert not bed.json("ls", NAME, ".emr/secrets")["files"]
    assert bed.ssh(NAME, MASTER, "ls /run/emr/secrets") == ""
    assert traces(bed) == []
    assert bed.json("jobs", "show", NAME, job["id"])["state"] == "SUCCEEDED"


def test_again_copies_what_differs_and_deletes_what_is_too_much(bed, bucket):
    assert bucket.object_exists("in/big.bin")
    bed.ssh(NAME, MASTER, "runuser -u emr -- bash -c '/opt/emr/hadoop/bin/hdfs dfs -rm -skipTrash in/part-001.csv; "
            "head -c 300000 /dev/zero | /opt/emr/hadoop/bin/hdfs dfs -put -f - in/part-002.csv; echo x | /opt/emr/hadoop/bin/hdfs dfs -put - in/extra'")
    _job, said, _log = copy(bed, "import", "oss://copies/in", "in", "--delete")
    assert (said["copied_files"], said["deleted_files"], said["equal_files"]) == (2, 1, len(SOURCE) - 2), said
    assert fetched(bed, "in", "again") == content()
    _job, said, _log = copy(bed, "import", "oss://copies/in", "in")
    assert (said["copied_files"], said["equal_files"]) == (0, len(SOURCE))


def test_kill_in_the_middle_and_resume(bed, bucket):
    names = [f"slow/{number}" for number in range(6)]
    for name in names:
        bucket.put_object(name, random.Random(name).randbytes(8_000_000))
    job = bed.json("import", NAME, "oss://copies/slow", "slow", "--bandwidth", "1", "--maps", "1")

    def arrived():
        found = bed.emrctl("ls", NAME, "slow", "-o", "json", expect=None)
        return [row["path"] for row in json.loads(found.stdout)["files"] if "/." not in row["path"]] if found.returncode == 0 else []

    until(lambda: len(arrived()) >= 2, "two files have arrived", 600)
    bed.emrctl("jobs", "kill", NAME, job["id"])
    before = len(arrived())
    assert bed.json("jobs", "show", NAME, job["id"])["state"] == "KILLED" and before < 6
    assert bed.ssh(NAME, MASTER, "ls /run/emr/secrets") == ""
    _job, said, _log = copy(bed, "import", "oss://copies/slow", "slow")
    assert said["equal_files"] == before and said["copied_files"] == 6 - before, said
    assert fetched(bed, "slow", "resumed") == {name[5:]: random.Random(name).randbytes(8_000_000) for name in names}


def test_what_is_wrong_is_told_by_name(bed, bucket):
    assert bucket.object_exists("in/empty")
    own = bed.env["OSS_ACCESS_KEY_SECRET"]
    try:
        bed.env["OSS_ACCESS_KEY_SECRET"] = "wrong"
        done = bed.emrctl("import", NAME, "oss://copies/in", "wrong", "--wait", expect=5)
        assert "SignatureDoesNotMatch" in done.stderr
    finally:
        bed.env["OSS_ACCESS_KEY_SECRET"] = own
    assert "NoSuchBucket" in bed.emrctl("import", NAME, "oss://no-such-bucket/in", "wrong", "--wait", expect=5).stderr
    assert "there is nothing at" in bed.emrctl("import", NAME, "oss://copies/nowhere", "wrong", "--wait", expect=5).stderr
    open_file = bed.folder / "key.yml"
    open_file.write_text("access_key_id: a\naccess_key_secret: b\n")
    open_file.chmod(0o644)
    done = bed.emrctl("import", NAME, "oss://copies/in", "wrong", "--credentials", str(open_file), expect=3)
    assert "others may read" in done.stderr


def test_large_file_goes_on_after_a_break(bed, bucket):
    """A get that is interrupted goes on; both stores give the same bytes; Parquet is a table."""
    import pyarrow
    from pyarrow import parquet

    local = bed.folder / "large.bin"
    local.write_bytes(random.Random(5).randbytes(40_000_000))
    bed.emrctl("put", NAME, str(local), "large.bin")
    bed.emrctl("put", NAME, str(local), "oss://copies/large.bin")
    assert bucket.head_object("large.bin").object_type == "Multipart"
    for source in ("large.bin", "oss://copies/large.bin"):
        target = bed.folder / "back.bin"
        process = bed.start("get", NAME, source, str(target))
        deadline = time.monotonic() + 300
        while not any(part.stat().st_size for part in bed.folder.glob(".back.bin.*.emr-part")) and process.poll() is None:
            assert time.monotonic() < deadline, "nothing has come"
            time.sleep(0.01)
        os.killpg(process.pid, 2)
        process.communicate(timeout=120)
        bed.emrctl("get", NAME, source, str(target))
        assert target.read_bytes() == local.read_bytes() and not list(bed.folder.glob(".back.bin.*"))
        target.unlink()
    table = bed.folder / "table.parquet"
    parquet.write_table(pyarrow.table({"name": ["Grüße", None], "n": [1, 2]}), table)
    for place in ("table.parquet", "oss://copies/table.parquet"):
        bed.emrctl("put", NAME, str(table), place)
        assert bed.json("cat", NAME, place, "--head", "1") == [{"name": "Grüße", "n": 1}]
