"""A cluster's life under load: 1 GB in HDFS with replication 2, and a job that runs through it all.

Three slaves become five and three again, a setting is changed that every daemon reads, a slave's host dies and is
replaced. At the end no byte is lost and the job has the right result.
"""
from __future__ import annotations

import json
import time

import pytest

from tests.lab import lab

NAME = "life"
FILES, MIB = 16, 64
MAPS, SECONDS, HELD = 60, 10, 3
# The last ones go on until the test says so, so that the job runs as long as there is something to survive.
MAPPER = f"""import sys, time, urllib.request
for line in sys.stdin:
    number = int(line.split()[-1])
    time.sleep({SECONDS})
    while number >= {MAPS - HELD}:
        try:
            urllib.request.urlopen("http://{NAME}-master-001:9870/webhdfs/v1/user/emr/go?op=GETFILESTATUS", timeout=5)
            break
        except OSError:
            time.sleep(2)
    print(f"sum\\t{{number * number}}")
"""
REDUCER = "import sys\nprint(sum(int(line.split('\\t')[1]) for line in sys.stdin))\n"
MAKE = f"""import hashlib, random
for n in range({FILES}):
    data = random.Random(n).randbytes({MIB} << 20)
    open(f"/var/tmp/life/{{n:02}}", "wb").write(data)
"""
MASTER = f"{NAME}-master-001"


@pytest.fixture(scope="module")
def bed(tmp_path_factory):
    with lab(tmp_path_factory.mktemp("life"), "soaklife", 142, 8042, "--memory-mib", "40960") as it:
        path = it.spec(NAME)
        path.write_text(path.read_text() + "\nconfig: {hdfs-site: {dfs.replication: 2}}\n")
        it.emrctl("create", str(path), "--yes")
        yield it


def as_emr(bed, command: str, timeout: float = 300) -> str:
    return bed.ssh(NAME, MASTER, f"runuser -l emr -c '{command}'", timeout=timeout)


def checksums(bed) -> dict:
    """{file: SHA-256} of everything below /user/emr/life, read back through HDFS."""
    found = as_emr(bed, f"for n in $(seq -w 0 {FILES - 1}); do hdfs dfs -cat /user/emr/life/$n | sha256sum; done", 900)
    return dict(enumerate(line.split()[0] for line in found.split("\n") if line.strip()))


def state(bed, job: str) -> str:
    return next(j for j in bed.json("jobs", "list", NAME) if j["id"] == job)["state"]


def starts(bed) -> dict:
    """{(node, component): when it was started}."""
    return {(c["node"], c["component"]): c["since"] for c in bed.json("status", NAME)["components"]}


def test_no_byte_and_no_work_is_lost(bed):
    (bed.folder / "make.py").write_text(MAKE)
    bed.ssh(NAME, MASTER, "install -d -m 777 /var/tmp/life")
    bed.ssh(NAME, MASTER, "cat > /var/tmp/make.py <<'END'\n" + MAKE + "END\npython3 /var/tmp/make.py")
    as_emr(bed, "hdfs dfs -put /var/tmp/life /user/emr/life", 600)
    bed.ssh(NAME, MASTER, "rm -r /var/tmp/life")
    before = checksums(bed)
    assert len(before) == FILES

    (bed.folder / "mapper.py").write_text(MAPPER)
    (bed.folder / "reducer.py").write_text(REDUCER)
    numbers = bed.folder / "numbers"
    numbers.write_text("".join(f"{n}\n" for n in range(MAPS)))
    bed.emrctl("put", NAME, str(numbers), "/user/emr/numbers")
    job = bed.json("submit", NAME, "--type", "HADOOP_STREAMING", "--file", "mapper.py", "--file", "reducer.py", "--",
                   "-D", "mapreduce.job.reduces=1", "-D", "mapreduce.task.timeout=0", "-inputformat", "org.apache.hadoop.mapred.lib.NLineInputFormat",
                   "-input", "/user/emr/numbers", "-output", "/user/emr/sum", "-mapper", "python3 mapper.py",
                   "-reducer", "python3 reducer.py")["id"]

    bed.emrctl("scale", NAME, "slave=5", "--yes")
    assert bed.json("status", NAME)["hdfs"]["live"] == 5
    assert state(bed, job) == "RUNNING"
    bed.emrctl("scale", NAME, "slave=3", "--drain-limit", "90", "--yes", timeout=1800)
    assert bed.json("status", NAME)["hdfs"]["live"] == 3 and len(bed.instances(NAME)) == 4
    assert state(bed, job) == "RUNNING"

    old = starts(bed)
    bed.emrctl("configure", NAME, "core-site", "io.file.buffer.size=65536", "--yes", timeout=1800)
    new = starts(bed)
    assert new.keys() == old.keys() and not [key for key in new if new[key] == old[key]]
    assert state(bed, job) == "RUNNING"

    victim = bed.instances(NAME)[-1]
    bed.local("fault", "die=" + json.dumps([{"instance": victim["InstanceId"], "released": True}]))
    assert state(bed, job) == "RUNNING"
    bed.emrctl("repair", NAME, "--yes", timeout=1800)
    status = bed.json("status", NAME)
    assert status["hdfs"]["live"] == 3 and not status["hdfs"]["missing_blocks"] and not status["hdfs"]["under_replicated_blocks"]
    assert victim["InstanceId"] not in {i["InstanceId"] for i in bed.instances(NAME)}

    assert state(bed, job) == "RUNNING"
    bed.emrctl("put", NAME, str(numbers), "/user/emr/go")
    deadline = time.monotonic() + 1800
    while state(bed, job) == "RUNNING" and time.monotonic() < deadline:
        time.sleep(5)
    assert state(bed, job) == "SUCCEEDED", bed.emrctl("jobs", "logs", NAME, job).stdout[-3000:]
    assert as_emr(bed, "hdfs dfs -cat /user/emr/sum/part-*").split() == [str(sum(n * n for n in range(MAPS)))]
    assert checksums(bed) == before
    bed.emrctl("release", NAME, "--yes")
    assert bed.instances(NAME) == []
