"""The NameNode's disk is destroyed: what is older than the last backup is back, byte for byte, and the rest is named."""
from __future__ import annotations

import hashlib
import json
import os
import re

import pytest

from tests.lab import lab, until

NAME, MASTER, KEEPER = "lost", "lost-master-001", "lost-slave-001"
BIN = "/opt/emr/hadoop/bin"
NAME_DIR = "/var/lib/emr/hdfs/name"


@pytest.fixture(scope="module")
def bed(tmp_path_factory):
    with lab(tmp_path_factory.mktemp("restore"), "soakrest", 143, 8043) as it:
        spec = it.spec(NAME)
        it.emrctl("create", str(spec), "--yes")
        try:
            yield it
        finally:
            it.emrctl("release", NAME, "--yes", expect=None)


def put(bed, folder: str, count: int, size: int = 300_000) -> dict:
    """Write files into an HDFS folder; {path: SHA-256}."""
    files = {}
    for number in range(count):
        local = bed.folder / f"f{number}"
        local.write_bytes(os.urandom(size + number))
        files[f"{folder}/f{number}"] = hashlib.sha256(local.read_bytes()).hexdigest()
    bed.emrctl("put", NAME, *(str(bed.folder / f"f{n}") for n in range(count)), f"{folder}/")
    return files


def sums(bed, paths) -> dict:
    """{path: SHA-256} of files in HDFS as a client reads them; those that cannot be read are not in it."""
    script = "; ".join(f"echo {path} $({BIN}/hdfs dfs -cat {path} 2>/dev/null | sha256sum)" for path in paths)
    empty = hashlib.sha256().hexdigest()
    lines = [line.split() for line in bed.ssh(NAME, MASTER, script, timeout=600).splitlines() if line.strip()]
    return {line[0]: line[1] for line in lines if line[1] != empty}


def hdfs(bed, command: str, check: bool = True) -> str:
    return bed.ssh(NAME, MASTER, f"runuser -u hdfs -- {BIN}/hdfs {command}", check=check, timeout=300)


def blocks(bed, path: str) -> set:
    """Numbers of the blocks of everything below a path, as the NameNode knows them."""
    return {int(n) for n in re.findall(r"blk_(\d+)_", hdfs(bed, f"fsck {path} -files -blocks"))}


def replicas(bed) -> set:
    """Numbers of the blocks that any DataNode has."""
    texts = [bed.ssh(NAME, f"{NAME}-slave-00{n}", "find /var/lib/emr/hdfs/data -name 'blk_*.meta'") for n in (1, 2, 3)]
    return {int(n) for text in texts for n in re.findall(r"blk_(\d+)_", text)}


def destroy(bed) -> None:
    """What a dead disk is: the NameNode is gone and its directory empty."""
    bed.ssh(NAME, MASTER, f"systemctl kill -s KILL emr-namenode; systemctl stop emr-namenode; rm -rf {NAME_DIR}/*")


def test_a_healthy_namenode_is_not_restored(bed):
    bed.emrctl("backup", NAME)
    done = bed.emrctl("restore", NAME, "--yes", expect=3)
    assert "answers" in done.stderr
    bed.ssh(NAME, MASTER, "systemctl stop emr-namenode")
    done = bed.emrctl("restore", NAME, "--yes", expect=3)
    assert "is not empty" in done.stderr
    bed.emrctl("start", NAME)


def test_the_namenode_comes_back_from_the_backup(bed):
    before = put(bed, "/user/emr/a", 8)
    made = bed.json("backup", NAME)["made"]
    listed = bed.json("backup", NAME, "--list")
    assert listed["copies"][KEEPER][0]["id"] == made["id"] and listed["backup"]["error"] == ""

    after = put(bed, "/user/emr/b", 5)
    (block,) = blocks(bed, "/user/emr/a/f0")
    hdfs(bed, "dfs -rm -skipTrash /user/emr/a/f0")
    hdfs(bed, "dfs -mv /user/emr/a/f1 /user/emr/a/renamed")
    bed.ssh(NAME, MASTER, "echo more > /tmp/more; runuser -u emr -- /opt/emr/hadoop/bin/hdfs dfs "
            "-appendToFile /tmp/more /user/emr/a/f2")
    until(lambda: block not in replicas(bed), "the DataNodes deleted the block of the deleted file", 180)

    destroy(bed)
    # A create does not format a NameNode of which DataNodes hold data.
    done = bed.emrctl("create", str(bed.folder / f"{NAME}.yml"), "--yes", expect=5)
    assert "formatting one is refused" in done.stderr

    told = bed.json("restore", NAME, "--yes")
    assert told["restore"]["from"]["txid"] == made["txid"] and told["restore"]["from"]["time"] == made["time"]
    assert told["appended"] == ["/user/emr/a/f2"]
    assert sum(row["replicas"] for row in told["since"].values()) >= len(after)
    assert [row["path"] for row in told["restore"]["broken"]] == ["/user/emr/a/f0"]

    # In safe mode: readable, not writable, also after a restart of the NameNode.
    bed.ssh(NAME, MASTER, "systemctl restart emr-namenode")
    until(lambda: len(sums(bed, ["/user/emr/a/f3"])) == 1, "the NameNode reads again", 180)
    assert "Safe mode is ON" in hdfs(bed, "dfsadmin -safemode get")
    assert "safe mode" in bed.emrctl("status", NAME, expect=5).stderr
    found = sums(bed, before)
    lost = {"/user/emr/a/f0"}
    appended = "/user/emr/a/f2"
    assert {path: found.get(path) for path in before if path not in lost | {appended}} == {
        path: value for path, value in before.items() if path not in lost | {appended}}
    whole = bed.ssh(NAME, MASTER, f"{BIN}/hdfs dfs -cat {appended} | head -c -5 | sha256sum").split()[0]
    assert whole == before[appended]

    done = bed.json("restore", NAME, "--accept-loss", "--yes")
    assert done["accepted"]["deleted"] and done["made"]["txid"] > made["txid"]
    status = bed.json("status", NAME)
    assert status["hdfs"]["missing_blocks"] == 0 and status["hdfs"]["safe_mode"] == "" and status["hdfs"]["live"] == 3
    listing = hdfs(bed, "dfs -ls -R /user/emr")
    assert "/user/emr/b" not in listing and "renamed" not in listing and "/a/f0" not in listing
    assert "/user/emr/a/f1" in listing


def test_new_blocks_do_not_meet_those_of_the_lost_past(bed):
    """All of it again on top: new files get numbers that no DataNode has, so they are whole on every node."""
    files = put(bed, "/user/emr/c", 6)
    assert sums(bed, files) == files
    numbers, past = blocks(bed, "/user/emr/c"), replicas(bed) - blocks(bed, "/")
    assert len(numbers) == 6 and min(numbers) > 1 << 32
    assert len(past) >= 5, "the DataNodes still have the blocks of the files in /user/emr/b"
    # They go when the DataNodes report all that they have.
    for node in range(1, 4):
        hdfs(bed, f"dfsadmin -triggerBlockReport {NAME}-slave-00{node}:9867")
    until(lambda: not past & replicas(bed), "the blocks of the lost past are deleted", 180)
    assert sums(bed, files) == files
    assert bed.json("status", NAME)["hdfs"]["missing_blocks"] == 0


def test_a_damaged_copy_is_refused_and_an_older_one_works(bed):
    put(bed, "/user/emr/d", 2)
    older = bed.json("backup", NAME)["made"]["id"]
    put(bed, "/user/emr/e", 2)
    newest = bed.json("backup", NAME)["made"]["id"]
    bed.ssh(NAME, KEEPER, f"cd /var/lib/emr/hdfs/backup/copies/{newest} && for f in fsimage_*[0-9]; do cp $f x && echo rot >> x "
            "&& mv x $f; done")
    destroy(bed)
    done = bed.emrctl("restore", NAME, "--yes", expect=5)
    assert "not usable" in done.stderr and "damaged" in done.stderr
    told = bed.json("restore", NAME, "--from", older, "--yes")
    assert told["restore"]["from"]["from"] == older
    bed.emrctl("restore", NAME, "--accept-loss", "--yes")
    listing = hdfs(bed, "dfs -ls -R /user/emr")
    assert "/user/emr/d/f1" in listing and "/user/emr/e" not in listing


def test_nodes_that_are_given_up_do_not_stop_the_others(bed):
    files = put(bed, "/user/emr/g", 3)
    bed.emrctl("backup", NAME)
    last = next(i["InstanceId"] for i in bed.instances(NAME) if i["InstanceName"] == f"{NAME}-slave-003")
    bed.local("fault", f"die={json.dumps([last])}")
    destroy(bed)
    bed.emrctl("restore", NAME, "--yes")
    refused = bed.emrctl("restore", NAME, "--accept-loss", "--yes", expect=3)
    assert "2 of 3 DataNodes are live" in refused.stderr and "--without-nodes" in refused.stderr
    done = bed.json("restore", NAME, "--accept-loss", "--without-nodes", "--keep-broken", "--yes")
    assert done["accepted"]["broken_files"] == 0 and done["made"]
    assert "no restore on this master waits" in bed.emrctl("restore", NAME, "--accept-loss", "--yes", expect=3).stderr
    assert sums(bed, files) == files
    bed.emrctl("repair", NAME, "--yes", timeout=1800)
    assert bed.json("status", NAME)["hdfs"]["live"] == 3 and sums(bed, files) == files
