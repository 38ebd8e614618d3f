"""Backups of the NameNode's metadata: when a copy counts, how many are kept, and what a restore tells."""
from __future__ import annotations

import hashlib
import json
import os
import tarfile
import time
from pathlib import Path

import pytest

from ansible_collections.emr.cluster.plugins.module_utils.domain import paths
from ansible_collections.emr.cluster.plugins.module_utils.domain.backup import places as backups
from ansible_collections.emr.cluster.plugins.module_utils.domain.config.settings import effective_config
from ansible_collections.emr.cluster.plugins.module_utils.domain.health import backup as findings_backup
from ansible_collections.emr.cluster.plugins.module_utils.domain.resident import package as resident
from ansible_collections.emr.cluster.plugins.module_utils.domain.spec.model import parse_spec
from ansible_collections.emr.cluster.plugins.module_utils.domain.topology.nodes import Disk, Node, Topology
from ansible_collections.emr.cluster.plugins.module_utils.node.backup import (
    edits as node_edits,
    operations as node_backup,
    restore as node_restore,
    restore_after as node_restore_after,
)
from ansible_collections.emr.cluster.plugins.module_utils.node.backup.tool import (
    Backup,
    BackupError,
    copies,
    verify_copy,
)
from ansible_collections.emr.cluster.plugins.module_utils.node.common import NodeError
from tests.unit.spec_samples import FULL, problems_of

POOL = "BP-1-10.0.0.1-1700000000000"


def version(cluster="emr-1", namespace="77", pool=POOL) -> str:
    return f"#x\nnamespaceID={namespace}\nclusterID={cluster}\ncTime=1\nstorageType=NAME_NODE\nblockpoolID={pool}\nlayoutVersion=-67\n"


class Bed:
    """A folder of backups with a NameNode and a checkpoint that are made of files."""

    def __init__(self, folder: Path):
        self.root, self.now = folder / "backup", {"cluster_id": "emr-1", "blockpool_id": POOL, "txid": 10}
        (self.root / "copies").mkdir(parents=True)
        pool = folder / "data" / "current" / POOL / "current"
        pool.mkdir(parents=True)
        (pool / "VERSION").write_text(version())
        self.config = {"root": str(self.root), "every_s": 3600, "keep": 3, "cluster": "c", "cluster_id": "emr-1",
                       "data_dirs": [str(folder / "data")], "namenode": "http://127.0.0.1:1", "heap_mib": 192, "quick": True}
        self.txid, self.version, self.damage = 12, version(), False

    def backup(self) -> Backup:
        it = Backup(self.config)
        it._namenode = lambda: dict(self.now)
        it._secondary = self._checkpoint
        return it

    def _checkpoint(self) -> str:
        work = self.root / "checkpoint" / "current"
        work.mkdir(parents=True, exist_ok=True)
        image = work / f"fsimage_{self.txid:019d}"
        image.write_bytes(os.urandom(100))
        digest = hashlib.md5(image.read_bytes()).hexdigest()
        Path(f"{image}.md5").write_text(f"{digest} *{image.name}\n")
        if self.damage:
            image.write_bytes(b"other")
        (work / f"edits_{1:019d}-{self.txid:019d}").write_bytes(b"edits")
        (work / "VERSION").write_text(self.version)
        return ""

    def state(self) -> dict:
        return json.loads((self.root / "state.json").read_text())


@pytest.fixture
def bed(tmp_path, monkeypatch):
    it = Bed(tmp_path)
    config = tmp_path / "backup.json"
    config.write_text(json.dumps(it.config))
    monkeypatch.setattr(node_backup, "CONFIG", str(config))
    return it


def test_a_copy_holds_image_edits_and_version(bed):
    record = bed.backup().run()
    (found,) = copies(bed.root)
    assert found["id"] == record["id"] and found["txid"] == 12 and found["namespace_id"] == "77"
    names = sorted(os.listdir(found["folder"]))
    assert names == ["VERSION", "backup.json", f"edits_{1:019d}-{12:019d}", f"fsimage_{12:019d}", f"fsimage_{12:019d}.md5"]
    assert bed.state()["attempt"]["ok"] is True
    assert node_backup.summary()["last"]["txid"] == 12 and not node_backup.summary()["error"]


@pytest.mark.parametrize(("change", "said"), [
    (lambda b: setattr(b, "damage", True), "damaged"),
    (lambda b: setattr(b, "version", version(cluster="emr-2")), "clusterID emr-2"),
    (lambda b: setattr(b, "version", version(namespace="78")), "namespaceID 78"),
    (lambda b: setattr(b, "version", version(pool="BP-2")), "blockpoolID BP-2"),
    (lambda b: b.now.update(cluster_id="emr-2"), "the NameNode is of cluster emr-2"),
    (lambda b: b.now.update(txid=13), "ends with transaction 12, but 13"),
])
def test_what_is_not_proven_is_no_copy_and_is_told(bed, change, said):
    change(bed)
    with pytest.raises(BackupError, match=said):
        bed.backup().run()
    assert copies(bed.root) == []
    assert said in node_backup.summary()["error"]


def test_a_failure_leaves_the_last_good_copy_the_last(bed):
    good = bed.backup().run()
    bed.txid, bed.damage = 20, True
    with pytest.raises(BackupError):
        bed.backup().run()
    told = node_backup.summary()
    assert told["last"]["id"] == good["id"] and told["copies"] == 1 and "damaged" in told["error"]
    bed.damage = False
    bed.backup().run()
    assert node_backup.summary()["error"] == ""


def test_older_transactions_than_the_last_copy_has_are_refused(bed):
    bed.txid = 30
    bed.backup().run()
    bed.txid = 25
    (bed.root / "checkpoint" / "current" / f"fsimage_{30:019d}").unlink()
    with pytest.raises(BackupError, match="ends with transaction 25, but 30"):
        bed.backup().run()


def test_only_the_newest_are_kept(bed):
    for txid in range(20, 26):
        bed.txid = txid
        bed.backup().run()
    assert [row["txid"] for row in copies(bed.root)] == [23, 24, 25]


def test_due(bed):
    assert bed.backup().due()
    bed.backup().run()
    assert not bed.backup().due()
    bed.config["every_s"] = 0
    assert bed.backup().due()


def test_after_a_restore_a_new_line_begins_at_the_restored_transaction(bed, monkeypatch):
    monkeypatch.setattr(node_backup.os, "chown", lambda *a: None)
    monkeypatch.setattr(node_backup.pwd, "getpwnam", lambda name: type("P", (), {"pw_uid": 0, "pw_gid": 0}))
    first = bed.backup().run()
    bed.txid = 40
    bed.backup().run()
    assert node_backup.restored({"root": str(bed.root), "txid": first["txid"]})["changed"]
    assert not (bed.root / "checkpoint").exists() and len(copies(bed.root)) == 2
    assert node_backup.summary()["last"] is None and bed.backup().due()
    bed.txid = 16
    assert bed.backup().run()["txid"] == 16
    assert node_backup.summary()["last"]["txid"] == 16 and node_backup.summary()["copies"] == 1


def test_a_checkpoint_that_cannot_go_on_is_begun_anew_once(bed):
    it, said = bed.backup(), iter(["broken", ""])
    (bed.root / "checkpoint" / "current").mkdir(parents=True)
    (bed.root / "checkpoint" / "current" / "fsimage_left").touch()

    def run():
        problem = next(said)
        return problem or bed._checkpoint()

    it._secondary = run
    it.run()
    assert not (bed.root / "checkpoint" / "current" / "fsimage_left").exists()


def test_overdue_and_without_any_copy(bed, monkeypatch):
    assert node_backup.summary()["last"] is None and not node_backup.summary()["overdue"]
    os.utime(node_backup.CONFIG, (time.time() - 9000, time.time() - 9000))
    assert node_backup.summary()["overdue"]
    monkeypatch.setattr(node_backup, "CONFIG", "/nowhere")
    assert node_backup.summary() is None


@pytest.mark.parametrize("harm", ["image", "md5", "record"])
def test_a_copy_that_rotted_is_not_packed(bed, tmp_path, harm):
    record = bed.backup().run()
    folder = bed.root / "copies" / record["id"]
    if harm == "image":
        next(folder.glob("fsimage_*[0-9]")).write_bytes(b"rot")
    elif harm == "md5":
        next(folder.glob("*.md5")).write_text("")
    else:
        data = json.loads((folder / "backup.json").read_text())
        (folder / "backup.json").write_text(json.dumps(dict(data, txid=99)))
    with pytest.raises(NodeError, match="not usable"):
        node_restore_after.pack({"root": str(bed.root), "id": record["id"], "archive": str(tmp_path / "a.tar")})


def test_pack(bed, tmp_path):
    record = bed.backup().run()
    node_restore_after.pack({"root": str(bed.root), "id": record["id"], "archive": str(tmp_path / "a.tar")})
    assert (tmp_path / "a.tar").stat().st_mode & 0o777 == 0o600
    with tarfile.open(tmp_path / "a.tar") as archive:
        archive.extractall(tmp_path / "out", filter="data")
    assert verify_copy(str(tmp_path / "out"))["txid"] == 12


@pytest.fixture
def lookable(tmp_path, monkeypatch):
    monkeypatch.setattr(node_backup, "RECORD", str(tmp_path / "restore.json"))
    monkeypatch.setattr(node_restore, "jmx", lambda base: ({}, {}, {}))
    (tmp_path / "name").mkdir()
    return tmp_path


def test_an_empty_directory_may_be_restored(lookable):
    for path in ("name", "gone"):
        assert node_restore.look({"namenode": "", "dirs": [str(lookable / path)]})["refusal"] == ""


@pytest.mark.parametrize("content", ["current/VERSION", "current/fsimage_1", "something"])
def test_a_directory_with_anything_in_it_is_not_overwritten(lookable, content):
    path = lookable / "name" / content
    path.parent.mkdir(exist_ok=True)
    path.write_text("x")
    assert "is not empty" in node_restore.look({"namenode": "", "dirs": [str(lookable / "name")]})["refusal"]


def test_a_namenode_that_answers_is_not_replaced(lookable, monkeypatch):
    monkeypatch.setattr(node_restore, "jmx", lambda base: ({"Safemode": ""}, {}, {}))
    options = {"namenode": "", "dirs": [str(lookable / "name")]}
    assert "answers" in node_restore.look(options)["refusal"]
    (lookable / "restore.json").write_text(json.dumps({"state": "held"}))
    assert "answers" in node_restore.look(options)["refusal"]
    monkeypatch.setattr(node_restore, "jmx", lambda base: ({"Safemode": "ON"}, {}, {}))
    assert node_restore.look(options)["refusal"] == ""


def test_the_facts_of_an_image():
    text = ("<?xml version=\"1.0\"?>\n<fsimage><version><layoutVersion>-67</layoutVersion></version>\n<NameSection><namespaceId>7"
            "</namespaceId><genstampV1>1000</genstampV1><genstampV2>1009</genstampV2><genstampV1Limit>0</genstampV1Limit>"
            "<lastAllocatedBlockId>1073741833</lastAllocatedBlockId><txid>88</txid></NameSection>")
    assert node_edits.parse_facts(text) == {"genstamp": 1009, "last_block": 1073741833}
    with pytest.raises(NodeError, match="cannot be read: Premature EOF"):
        node_edits.parse_facts("", "x\nPremature EOF")


def test_the_number_of_the_next_block_is_moved_ahead_in_one_segment():
    text, last = node_edits.segment_xml(88, node_edits.ahead_rows({"genstamp": 1009, "last_block": 1073741833}), "-67")
    assert [int(part.split("<")[0]) for part in text.split("<TXID>")[1:]] == [89, 90, 91] and last == 91
    assert f"<BLOCK_ID>{1073741833 + (1 << 32)}<" in text


def test_blocks_from_after_the_backup_are_counted(tmp_path):
    folder = tmp_path / "current" / POOL / "current" / "finalized" / "subdir0"
    folder.mkdir(parents=True)
    for block, stamp, size in ((1, 1001, 10), (2, 1002, 20), (3, 1003, 30)):
        (folder / f"blk_{block}").write_bytes(b"x" * size)
        (folder / f"blk_{block}_{stamp}.meta").touch()
    options = {"dirs": [str(tmp_path)], "genstamp": 1001, "last_block": 2}
    found = node_restore_after.scan(options)
    assert (found["since"]["replicas"], found["since"]["bytes"]) == (1, 30) and found["since"]["newest"]
    assert found["blocks"] == [[2, 1002, 20]]
    assert node_restore_after.scan(dict(options, genstamp=1003))["since"]["newest"] == ""


def test_of_a_changed_block_the_newest_stamp_and_the_shortest_replica_count():
    reports = [[[5, 1010, 50], [6, 1011, 60], [99, 1012, 1]], [[5, 1009, 99], [6, 1011, 40]]]
    assert node_edits.newest_replicas(reports, 10) == {5: (1010, 50), 6: (1011, 40)}
    assert node_edits.newest_replicas([[], []], 10) == {}


def test_the_edit_of_an_appended_file_names_all_its_blocks():
    code, data = node_edits.update_row("/a & b", [(1, 1001, 10), (2, 1009, 20)])
    assert code == "OP_UPDATE_BLOCKS" and data.startswith("<PATH>/a &amp; b</PATH><BLOCK><BLOCK_ID>1</BLOCK_ID><NUM_BYTES>10<")
    assert data.index("<GENSTAMP>1001<") < data.index("<GENSTAMP>1009<")


FSCK = """FSCK started by hdfs (auth:SIMPLE) from /10.0.0.2 for path / at Tue Nov 24 18:50:01 UTC 2026


/user/emr/a/f0: MISSING 1 blocks of total size 300000 B.
/user/emr/odd: name: MISSING 2 blocks of total size 7 B.
Status: CORRUPT
 Number of data-nodes:\t2

Replicated Blocks:
 Total size:\t1589937 B
 Total files:\t7
 Total blocks (validated):\t9 (avg. block size 227133 B)
"""


def test_the_check_of_the_file_system_is_read():
    found = node_restore_after.parse_fsck(FSCK)
    assert (found["files"], found["blocks"], found["broken_files"]) == (7, 9, 2)
    assert found["broken"][0] == {"path": "/user/emr/a/f0", "kind": "missing", "blocks": 1, "bytes": 300000}
    assert found["broken"][1]["path"] == "/user/emr/odd: name"
    with pytest.raises(NodeError, match="did not end"):
        node_restore_after.parse_fsck(FSCK[:300])


def test_what_status_and_check_say():
    good = {"last": {"txid": 7}, "age_s": 60, "copies": 2, "every_s": 3600, "overdue": False, "error": ""}
    assert findings_backup.problems("c", {"s1": {"backup": good}, "m": {}}) == []
    late = dict(good, overdue=True, age_s=9000, error="damaged")
    assert findings_backup.problems("c", {"s1": {"backup": late}}) == ["the last good backup of the NameNode's metadata is 2h old (damaged)"]
    (held,) = findings_backup.problems("c", {"m": {"restored": {"time": "T"}}})
    assert "restore c --accept-loss" in held

    def states(wanted, found):
        return [row[0] for row in findings_backup.findings("c", wanted, found)]

    assert states(True, {"s1": {"backup": good}}) == ["ok"] and states(True, {"s1": {"backup": late}}) == ["fail"]
    assert states(True, {"s1": {"backup": dict(good, error="x")}}) == ["warn"]
    assert states(True, {"s1": {}}) == ["fail"] and states(False, {"s1": {}}) == []


def topology(disks=0) -> Topology:
    def node(name, role):
        return Node(name, role, role, f"10.0.0.{len(name)}", 4096, 2,
                    tuple(Disk(f"d{i}", 40) for i in range(disks)), f"i-{name}", "ecs.g7.xlarge")
    return Topology("sales", "emr-1", (node("m1", "master"), node("s1", "slave"), node("s2", "slave")))


def rows(text: str, name: str, disks=0):
    spec, top = parse_spec(text, environ={}), topology(disks)
    node = top.node(name)
    effective = effective_config(spec, top, node)
    return backups.side_units(spec, top, node, effective), backups.directories(spec, top, node)


def test_the_first_slave_keeps_the_backups():
    found, folders = rows(FULL, "s1", disks=2)
    assert [row["unit"] for row in found] == ["emr-backup.timer"] and found[0]["wanted"]
    assert folders == [{"path": "/data/1/dfs/backup", "owner": "hdfs", "group": "hadoop", "mode": "0700"}]
    files = {file["path"]: file for file in found[0]["files"]}
    settings = json.loads(files["/etc/emr/backup/backup.json"]["content"])
    assert (settings["every_s"], settings["keep"], settings["cluster_id"]) == (3600, 24, "emr-1")
    assert settings["data_dirs"] == ["/data/1/dfs/data", "/data/2/dfs/data"]
    assert "file:///data/1/dfs/backup/checkpoint" in files["/etc/emr/backup/hdfs-site.xml"]["content"]
    assert files[paths.BACKUP]["mode"] == "0755" and "User=hdfs" in files["/etc/systemd/system/emr-backup.service"]["content"]
    assert all(file["owner"] == "root" for file in files.values())


def test_other_nodes_do_not_and_a_spec_may_switch_them_off():
    assert rows(FULL, "m1") == ([], [])
    for text, name in ((FULL, "s2"), (FULL + "backup: {enabled: false}\n", "s1")):
        found, folders = rows(text, name)
        assert folders == [] and [row["wanted"] for row in found] == [False]


def test_the_key_in_the_spec():
    spec = parse_spec(FULL + "backup: {every: 15m, keep: 5, oss: oss://my-bucket/a/b}\n", environ={})
    assert (spec.backup.every, spec.backup.keep, spec.backup.oss) == ("15m", 5, "oss://my-bucket/a/b")
    for wrong, said in (("{every: 1m}", "from 5m to 7d"), ("{keep: 0}", "from 1 to 1000"), ("{oss: s3://x}", "oss://my-bucket"),
                        ("{oss: 'oss://b/../x'}", "oss://my-bucket"), ("{evry: 1h}", "unknown key"), ("no", "expected a mapping")):
        (problem,) = problems_of(FULL + f"backup: {wrong}\n")
        assert said in problem.message + problem.remedy, (wrong, problem)


def test_the_program_comes_with_all_that_it_imports():
    """What a node without masters' programs gets runs there, and nothing of Ansible is in it."""
    files = {file["path"]: file["content"] for row in rows(FULL, "s1")[0] for file in row["files"]}
    files.update({file["path"]: file["content"] for file in resident.node_files()})
    for name in ("backup/tool", "backup/oss", "oss/client", "oss/files", "host/instance_role", "oss/crc64"):
        assert "ansible" not in files[f"{resident.PACKAGE}/node/{name}.py"]
        compile(files[f"{resident.PACKAGE}/node/{name}.py"], name, "exec")
    assert "emr_node.node.backup.tool" in files[paths.BACKUP]
