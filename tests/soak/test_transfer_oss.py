"""OSS on real hosts: imports and exports are equal both ways, on bad days, after a kill, and without a trace of the key; jobs have their
resources there, and what is copied there of them outlives the cluster."""
from __future__ import annotations

import io
import json
import os
import random
import re
import shlex
import subprocess
import time
import zipfile

import oss2
import pytest

from tests import traces
from tests.lab import EMRCTL, lab, until

NAME, MASTER, SLAVE = "copies", "copies-master-001", "copies-slave-001"
LOGS = "oss://copies/logs"
PROVIDER = "hadoop.security.credential.provider.path=jceks://hdfs/user/emr/oss.jceks"
# What docs/jobs.md tells people to do at a terminal.
KEEP_KEY = """runuser -u emr -- python3 -c "
import json, sys
sys.path.insert(0, '/opt/emr/lib')
from emr_node.node.config import secret
for alias, text in json.load(sys.stdin).items():
    secret._ask(['credential', 'create', alias, '-provider', 'jceks://hdfs/user/emr/oss.jceks'], text, {}, 300)
" """
MAPPER = """import sys
print("the mapper was here", file=sys.stderr)
for line in sys.stdin:
    for word in line.split():
        print(f"{word}\\t1")
"""
REDUCER = """import collections, sys
found = collections.Counter(line.split()[0] for line in sys.stdin)
for word, count in sorted(found.items()):
    print(f"{word}\\t{count}")
"""
MAIN = """import helper
from pyspark.sql import SparkSession
spark = SparkSession.builder.getOrCreate()
print(spark.sparkContext.parallelize(["a", "b"], 2).map(helper.said).collect() + [row.value for row in spark.read.text("oss://copies/jobs/text").collect()])
"""
HELPER = """def said(letter):
    return letter + open("data/word", encoding="utf-8").read()
"""
SOURCE = {f"part-{number:03}.csv": 300_000 for number in range(8)} | {
    "big.bin": 30_000_000, "empty": 0, "sub/ü b+c%&.txt": 7, "sub/deep/x=1/y": 1_000_000}


@pytest.fixture(scope="module")
def bed(tmp_path_factory):
    with lab(tmp_path_factory.mktemp("copies"), "soakc", 138, 8038) as it:
        types = ["ecs.c6.xlarge"]
        spec = it.spec(NAME, services=["hadoop", "spark"], logs={"oss": LOGS}, config={
            "core-site": {"fs.oss.endpoint": it.env["ALIBABA_CLOUD_OSS_ENDPOINT"]}}, node_groups={
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


def on_master(bed, command, text):
    """Run a command on the master with this on its standard input."""
    done = subprocess.run([*EMRCTL, "ssh", NAME, MASTER, "--", f"bash -c {shlex.quote(command)}"], input=text, env=bed.env, text=True,
                          capture_output=True, cwd=bed.folder, timeout=600, check=False)
    assert done.returncode == 0, done.stderr


def test_in_on_a_bad_day_and_out_again_without_a_trace(bed, bucket, faults):
    secrets = [bed.env["OSS_ACCESS_KEY_SECRET"]]
    with traces.watched(bed, NAME, (MASTER, SLAVE), secrets, allowed=["/run/emr/secrets/"]):
        faults(throttle=0.1, errors=[{"action": "GetObject", "code": "Disconnect", "bytes": 100_000, "times": 3}])
        job, said, log = copy(bed, "import", "oss://copies/in", "in")
        assert (said["files"], said["copied_files"], said["verified_files"]) == (len(SOURCE),) * 3, said
        assert said["bytes"] == sum(SOURCE.values()) and "copied" in log
        assert fetched(bed, "in", "both-ways") == content()
        faults(throttle=0.1, errors=[{"action": "Put*", "code": "Disconnect", "bytes": 100_000, "times": 2}])
        _job, said, _log = copy(bed, "export", "in", "oss://copies/out", "--include", "*.csv", "--include", "sub/**", "--exclude", "part-007.csv")
    faults(throttle=0, errors=[])
    wanted = content([name for name in SOURCE if (name.endswith(".csv") or name.startswith("sub/")) and name != "part-007.csv"])
    assert said["files"] == said["verified_files"] == len(wanted)
    there = {row.key[4:]: bucket.get_object(row.key).read() for row in oss2.ObjectIterator(bucket, prefix="out/") if not row.key.endswith("/")}
    assert there == wanted
    assert not bed.json("ls", NAME, ".emr/secrets")["files"]
    assert bed.ssh(NAME, MASTER, "ls /run/emr/secrets") == ""
    assert traces.on_nodes(bed, NAME, (MASTER, SLAVE), secrets) == []
    assert traces.kept_here(bed, secrets) == []
    said = "".join(bed.emrctl("jobs", *words).stdout for words in (("logs", NAME, job["id"], "--yarn"), ("show", NAME, job["id"], "-o", "json")))
    assert "SUCCEEDED" in said and secrets[0] not in said


def test_again_copies_what_differs_and_deletes_what_is_too_much(bed, bucket):
    assert bucket.object_exists("in/big.bin")
    bed.ssh(NAME, MASTER, "runuser -u emr -- bash -c '/opt/emr/hadoop/bin/hdfs dfs -rm -skipTrash in/part-001.csv; "
            "head -c 300000 /dev/zero | /opt/emr/hadoop/bin/hdfs dfs -put -f - in/part-002.csv; echo x | /opt/emr/hadoop/bin/hdfs dfs -put - in/extra'")
    _job, said, _log = copy(bed, "import", "oss://copies/in", "in", "--delete")
    assert (said["copied_files"], said["deleted_files"], said["equal_files"]) == (2, 1, len(SOURCE) - 2), said
    assert fetched(bed, "in", "again") == content()
    _job, said, _log = copy(bed, "import", "oss://copies/in", "in")
    assert (said["copied_files"], said["equal_files"]) == (0, len(SOURCE))


@pytest.mark.parametrize("folder", ["run[1]", "wh?t", "st*r", "{a,b}", "a^b\\c", "blank "])
def test_names_are_names_in_both_directions(bed, bucket, folder):
    """Beside each folder is one that it would mean as a pattern."""
    names = ["a?b.csv", "a*b{c,d}.csv", "x^y$|z", "n" * 250, "s[0-9]"]
    for name in names:
        bucket.put_object(f"names/{folder}/{name}", name)
    for other in ("run1", "what", "star", "a", "blank"):
        bucket.put_object(f"names/{other}/foreign", "foreign")
    _job, said, _log = copy(bed, "import", f"oss://copies/names/{folder}", f"names/{folder}")
    assert (said["files"], said["copied_files"]) == (len(names),) * 2
    _job, said, _log = copy(bed, "export", f"names/{folder}", f"oss://copies/back/{folder}")
    assert said["files"] == len(names)
    prefix = f"back/{folder}/"
    there = {row.key[len(prefix):]: bucket.get_object(row.key).read().decode() for row in oss2.ObjectIterator(bucket, prefix=prefix)
             if not row.key.endswith("/")}
    assert there == {name: name for name in names}
    assert not [row["path"] for row in bed.json("ls", NAME, "names", "-R")["files"] if row["path"].endswith("foreign")]


def test_objects_that_would_be_a_file_and_a_folder_are_refused_by_both_names(bed, bucket):
    for name in ("both/a", "both/a/b", "both/c"):
        bucket.put_object(name, name)
    done = bed.emrctl("import", NAME, "oss://copies/both", "both", "--wait", expect=5)
    assert "oss://copies/both/a and oss://copies/both/a/b are both objects" in done.stderr, done.stderr
    done = bed.emrctl("import", NAME, "oss://copies/both/a", "both", "--wait", expect=5)
    assert "oss://copies/both/a and oss://copies/both/a/b are both objects" in done.stderr, done.stderr
    assert bed.emrctl("ls", NAME, "both", expect=5).returncode == 5


def test_without_a_key_it_is_the_role_of_the_nodes(bed, bucket):
    bucket.put_object("role/f", "by role")
    ids = json.dumps([row["InstanceId"] for row in bed.instances(NAME)])
    bed.ecs("AttachInstanceRamRole", InstanceIds=ids, RamRoleName="reader")
    key = {name: bed.env.pop(name) for name in ("OSS_ACCESS_KEY_ID", "OSS_ACCESS_KEY_SECRET")}
    try:
        _job, said, _log = copy(bed, "import", "oss://copies/role", "role")
        assert said["verified_files"] == 1 and fetched(bed, "role", "role") == {"f": b"by role"}
        word = ["--property", "hadoop.security.credential.provider.path=role", "--wait"]
        job = bed.json("submit", NAME, "--type", "SHELL", *word, "--", "hadoop fs -cat oss://copies/role/f")
        assert bed.json("jobs", "logs", NAME, job["id"])["stdout"] == "by role"
        job = bed.json("submit", NAME, "--type", "SPARK_SQL", *word, "--", "-e", "select * from text.`oss://copies/role/f`")
        assert "by role" in bed.json("jobs", "logs", NAME, job["id"])["stdout"]
    finally:
        bed.env.update(key)
        bed.ecs("DetachInstanceRamRole", InstanceIds=ids)
    done = bed.emrctl("submit", NAME, "--type", "SHELL", *word, "--", "true", expect=5)
    assert "this master's instance has no RAM role" in done.stderr, done.stderr


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
    refused = bed.emrctl("jobs", "retry", NAME, job["id"], expect=3).stderr
    told = shlex.split(re.search(rf"Next: emrctl import {NAME} (.*?)   \(with OSS_ACCESS_KEY_ID", refused)[1])
    assert told == ["oss://copies/slow", "slow", "--maps", "1", "--bandwidth", "1"], told
    _job, said, _log = copy(bed, "import", *told[:2])
    assert said["equal_files"] == before and said["copied_files"] == 6 - before, said
    assert fetched(bed, "slow", "resumed") == {name[5:]: random.Random(name).randbytes(8_000_000) for name in names}


def test_what_is_wrong_is_told_by_name(bed, bucket):
    assert bucket.object_exists("in/empty")
    own = bed.env["OSS_ACCESS_KEY_SECRET"]
    try:
        bed.env["OSS_ACCESS_KEY_SECRET"] = "wrong"
        done = bed.emrctl("import", NAME, "oss://copies/in", "wrong", "--wait", expect=5)
        assert "SignatureDoesNotMatch" in done.stderr and "Next: check OSS_ACCESS_KEY_SECRET" in done.stderr
    finally:
        bed.env["OSS_ACCESS_KEY_SECRET"] = own
    for source, said in (("oss://no-such-bucket/in", "NoSuchBucket"), ("oss://copies/nowhere", "there is nothing at")):
        found = bed.emrctl("import", NAME, source, "wrong", "--wait", expect=5).stderr
        assert said in found and "Next: " in found and "launch_container" not in found
    bed.emrctl("put", NAME, str(bed.folder / f"{NAME}.yml"), "one-file")
    assert "Next: name a folder" in bed.emrctl("import", NAME, "oss://copies/in", "one-file", "--wait", expect=5).stderr
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


def test_jobs_have_their_resources_in_hdfs_and_oss(bed, bucket):
    on_master(bed, KEEP_KEY, json.dumps({"fs.oss.accessKeyId": bed.env["OSS_ACCESS_KEY_ID"],
                                         "fs.oss.accessKeySecret": bed.env["OSS_ACCESS_KEY_SECRET"]}))
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("word", "-ü")
    for name, text in (("mapper.py", MAPPER), ("helper.py", HELPER), ("data.zip", packed.getvalue()), ("text/words", "to be or not to be\n")):
        bucket.put_object(f"jobs/{name}", text)
    for name, text in (("reducer.py", REDUCER), ("main.py", MAIN)):
        (bed.folder / name).write_text(text)
        bed.emrctl("put", NAME, name, f"jobs/{name}")
    key = ["--property", PROVIDER]
    bed.emrctl("submit", NAME, "--type", "HADOOP_STREAMING", "--name", "words", "--file", "oss://copies/jobs/mapper.py", "--file",
               "hdfs:///user/emr/jobs/reducer.py", *key, "--wait", "--", "-D", "mapreduce.job.reduces=1", "-input", "oss://copies/jobs/text", "-output",
               "words", "-mapper", "python3 mapper.py", "-reducer", "python3 reducer.py")
    assert bed.emrctl("cat", NAME, "words/part-00000").stdout == "be\t2\nnot\t1\nor\t1\nto\t2\n"
    job = bed.json("submit", NAME, "--type", "PYSPARK", "--file", "hdfs:///user/emr/jobs/main.py", "--py-file", "oss://copies/jobs/helper.py", "--archive",
                   "oss://copies/jobs/data.zip#data", *key, "--wait", "--", "main.py")
    assert bed.json("jobs", "logs", NAME, job["id"])["stdout"].strip() == "['a-ü', 'b-ü', 'to be or not to be']"
    job = bed.json("submit", NAME, "--type", "SHELL", "--archive", "oss://copies/jobs/data.zip#data", "--file", "hdfs:///user/emr/words/part-00000",
                   *key, "--wait", "--", "cat data/word part-00000")
    assert bed.json("jobs", "logs", NAME, job["id"])["stdout"] == "-übe\t2\nnot\t1\nor\t1\nto\t2\n"
    # Without the key it fails, and says so.
    done = bed.emrctl("submit", NAME, "--type", "SHELL", "--name", "no key", "--file", "oss://copies/jobs/mapper.py", "--wait", "--", "true", expect=5)
    assert re.search(r"access ?key", done.stdout + done.stderr, re.IGNORECASE), done.stderr


def test_jobs_and_their_logs_are_read_when_the_cluster_is_gone(bed, bucket):
    on_master(bed, "umask 077; mkdir -p /etc/emr/logs; cat >/etc/emr/logs/key.json", json.dumps(
        {"access_key_id": bed.env["OSS_ACCESS_KEY_ID"], "access_key_secret": bed.env["OSS_ACCESS_KEY_SECRET"]}))
    jobs = bed.json("jobs", "list", NAME)
    logs = {job["id"]: bed.json("jobs", "logs", NAME, job["id"]) for job in jobs}
    bed.emrctl("release", NAME, "--yes")
    assert bed.instances(NAME) == []
    found = bed.json("jobs", "list", NAME, "--from", LOGS)
    told = ("id", "name", "type", "user", "state", "exit_code", "submitted", "attempts")
    assert [[job[key] for key in told] for job in found] == [[job[key] for key in told] for job in jobs]
    for job in jobs:
        again = bed.json("jobs", "logs", NAME, job["id"], "--from", LOGS)
        assert [again[key] for key in ("stdout", "stderr")] == [logs[job["id"]][key] for key in ("stdout", "stderr")]
        assert bed.json("jobs", "show", NAME, job["id"], "--from", LOGS)["history"] == logs[job["id"]]["job"]["history"]
    words = next(job["id"] for job in jobs if job["name"] == "words")
    assert "the mapper was here" in bed.emrctl("jobs", "logs", NAME, words, "--yarn", "--from", LOGS).stdout
    kept = {row.key: bucket.get_object(row.key).read() for row in oss2.ObjectIterator(bucket, prefix="logs/")}
    assert any("/events/" in name for name in kept), sorted(kept)
    assert not [name for name, text in kept.items() if bed.env["OSS_ACCESS_KEY_SECRET"].encode() in text]
