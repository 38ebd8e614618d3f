"""Copies of the NameNode's metadata in OSS: there and back, damage, and the key's place."""
from __future__ import annotations

import json
import shutil

import oss2
import pytest

from ansible_collections.emr.cluster.plugins.module_utils.node.backup import (
    operations as node_backup,
    oss as backup_oss,
)
from ansible_collections.emr.cluster.plugins.module_utils.node.backup.tool import BackupError, verify_copy
from ansible_collections.emr.cluster.plugins.module_utils.node.host import instance_role
from emrctl.local.testing import api_only
from tests.unit.test_backup import bed  # noqa: F401

from .ecs_calls import Ecs, wait_for


@pytest.fixture(scope="module")
def local(tmp_path_factory):
    with api_only(tmp_path_factory.mktemp("oss")) as server:
        yield server


@pytest.fixture
def bucket(bed, local, monkeypatch, tmp_path):  # noqa: F811
    """The bucket to which this backup goes, with the key in its file."""
    found = oss2.Bucket(oss2.Auth(local.access_key_id, local.access_key_secret), local.endpoint, f"backups-{tmp_path.name[-1]}-of-a-test".lower())
    found.create_bucket()
    bed.config.update(oss=f"oss://{found.bucket_name}/b", oss_endpoint=local.endpoint, region=local.region, keep=2)
    key = tmp_path / "key.json"
    key.write_text(json.dumps({"access_key_id": local.access_key_id, "access_key_secret": local.access_key_secret}))
    monkeypatch.setattr(backup_oss, "KEY", str(key))
    yield found
    for row in oss2.ObjectIterator(found):
        found.delete_object(row.key)
    found.delete_bucket()


def names(bucket):
    return [row.key for row in oss2.ObjectIterator(bucket)]


def test_a_copy_goes_to_oss_and_comes_back(bed, bucket):  # noqa: F811
    for txid in (20, 21, 22):
        bed.txid = txid
        record = bed.backup().run()
    assert bed.state()["attempt"]["oss_error"] == ""
    there = sorted({name.split("/")[2] for name in names(bucket)})
    assert names(bucket)[0].startswith("b/c-emr-1/") and [name.split("-")[1] for name in there] == ["21", "22"]
    shutil.rmtree(bed.root / "copies" / record["id"])
    assert bed.backup().bring("latest") == record["id"]
    assert verify_copy(str(bed.root / "copies" / record["id"]))["txid"] == 22
    with pytest.raises(BackupError, match="no backup 20000101T000000Z-1"):
        bed.backup().bring("20000101T000000Z-1")


def test_the_secret_is_in_no_file(bed, local, bucket):  # noqa: F811
    bed.backup().run()
    assert names(bucket)
    assert local.access_key_secret not in "".join(p.read_text(errors="replace") for p in bed.root.rglob("*") if p.is_file())


def test_what_comes_back_from_oss_damaged_is_told_and_does_not_count(bed, bucket, monkeypatch):  # noqa: F811
    put = backup_oss.put_file

    def damage(oss, name, key, path):
        put(oss, name, key, path)
        if "fsimage" in key and not key.endswith(".md5"):
            oss.put(name, key, b"other")

    monkeypatch.setattr(backup_oss, "put_file", damage)
    bed.backup().run()
    assert "came back with the MD5" in node_backup.summary()["error"] and node_backup.summary()["copies"] == 1
    assert [name for name in names(bucket) if name.endswith("backup.json")] == []


def test_without_a_key_it_is_the_role_of_the_instance(bed, local, bucket, monkeypatch):  # noqa: F811
    """By the metadata service, on an instance that demands a token for it; without a role it says what to do."""
    ecs = Ecs(local)
    group = ecs.group()
    with_role, without = ecs.run(group, RamRoleName="backup", HttpTokens="required") + ecs.run(group)
    wait_for(lambda: len(ecs.instances(Status="Running")) == 2, 30)
    monkeypatch.setattr(backup_oss, "KEY", "/nowhere/key.json")
    for instance, error in ((without, "give its instance a RAM role, or write /nowhere/key.json"), (with_role, "")):
        base = local.metadata(instance) + "/latest"
        monkeypatch.setattr(backup_oss, "role_key", lambda base=base: instance_role.role_key(base))
        bed.txid += 1
        bed.backup().run()
        assert error in bed.state()["attempt"]["oss_error"] and bool(names(bucket)) == (not error)
