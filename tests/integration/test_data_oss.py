"""Folders and many files between this machine and OSS: where they go, what is not sent again, and names."""
from __future__ import annotations

import os
import random

import oss2
import pytest

from ansible_collections.emr.cluster.plugins.module_utils.domain.errors import EmrError, Refused
from ansible_collections.emr.cluster.plugins.module_utils.node.oss.client import Oss
from ansible_collections.emr.cluster.plugins.plugin_utils.data_oss import OssData
from emrctl.local.testing import api_only

NAMES = {"f": 5, "zero": 0, "sub/run[1]*?{a,b}": 7, "sub/ü b+c%41&#;'.csv": 9, "sub/deep/back\\slash": 3, "n" * 250: 4, "big": (17 << 20) + 3}


@pytest.fixture(scope="module")
def local(tmp_path_factory):
    with api_only(tmp_path_factory.mktemp("oss")) as server:
        yield server


@pytest.fixture
def bucket(local, request):
    found = oss2.Bucket(oss2.Auth(local.access_key_id, local.access_key_secret), local.endpoint, f"data-{abs(hash(request.node.name)) % 10**8}")
    found.create_bucket()
    return found


@pytest.fixture
def store(local, bucket):
    """``store(op, path, …)`` on the test's bucket; what was told is kept in ``store.told``."""
    client = Oss(local.endpoint, local.region, {"access_key_id": local.access_key_id, "access_key_secret": local.access_key_secret})

    def perform(op, path, **args):
        return OssData(client, perform.told.append).perform(op, {"path": f"oss://{bucket.bucket_name}/{path}", "target": "", "files": [], **args})

    perform.told = []
    return perform


@pytest.fixture
def tree(tmp_path):
    top = tmp_path / "top"
    for name, size in NAMES.items():
        (top / name).parent.mkdir(parents=True, exist_ok=True)
        (top / name).write_bytes(random.Random(name).randbytes(size))
    return top


def content(folder):
    return {os.path.relpath(os.path.join(at, name), folder): os.path.getsize(os.path.join(at, name)) for at, _folders, names in os.walk(folder)
            for name in names}


def keys(bucket):
    return sorted(row.key for row in oss2.ObjectIterator(bucket))


def test_a_folder_goes_there_and_back_under_its_own_names(bucket, store, tree, tmp_path):
    for path, prefix in (("in/x", "in/x/"), ("in/y/", "in/y/top/"), ("", "top/")):
        found = store("put", path, files=[str(tree)])
        assert (found["files_count"], found["equal_files"], found["changed"]) == (len(NAMES), 0, True)
        assert [key for key in keys(bucket) if key.startswith(prefix)] == sorted(prefix + name for name in NAMES)
    back = tmp_path / "back"
    assert store("get", "in/x", target=str(back))["files_count"] == len(NAMES)
    assert content(back) == NAMES and (back / "big").read_bytes() == (tree / "big").read_bytes()
    # The folder is there now, so the second one goes below it, as with cp -r.
    store("get", "in/x/", target=str(back))
    assert content(back / "x") == NAMES
    (tmp_path / "new").mkdir()
    store("get", "in/x", target=str(tmp_path / "new"), merge=True)
    assert content(tmp_path / "new") == NAMES
    assert not [name for name in os.listdir(tmp_path) if name.startswith(".")]


def test_what_is_there_is_not_sent_again_and_what_differs_is(store, tree, tmp_path):
    store("put", "in/", files=[str(tree)])
    assert store("put", "in/", files=[str(tree)])["equal_files"] == len(NAMES)
    (tree / "f").write_bytes(b"other")
    found = store("put", "in/", files=[str(tree)])
    assert (found["equal_files"], found["changed"]) == (len(NAMES) - 1, True)
    store("get", "in/top", target=f"{tmp_path}/back/")
    (tmp_path / "back/top/zero").write_bytes(b"x")
    (tmp_path / "back/top/f").write_bytes(b"OTHER")
    assert store("get", "in/top", target=f"{tmp_path}/back/")["equal_files"] == len(NAMES) - 2
    assert content(tmp_path / "back/top") == NAMES and (tmp_path / "back/top/f").read_bytes() == b"other"


def test_objects_that_cannot_be_files_are_refused_before_anything_is_fetched(bucket, store, tmp_path):
    here = tmp_path / "here"
    here.mkdir()
    for name in ("x/a", "x/a/b", "y/" + "n" * 256, "z/../up"):
        bucket.put_object(name, name)
    with pytest.raises(Refused, match=f"oss://{bucket.bucket_name}/x/a and oss://{bucket.bucket_name}/x/a/b are both objects"):
        store("get", "x", target=str(here / "back"))
    with pytest.raises(Refused, match="longer than a file name"):
        store("get", "y", target=str(here / "back"))
    with pytest.raises(Refused, match="not a file name here"):
        store("get", "z", target=str(here / "back"))
    assert os.listdir(here) == []
    store("get", "x/a", target=str(here / "a"))
    store("get", "x/a/", target=str(here / "below"))
    assert (here / "a").read_bytes() == b"x/a" and content(here / "below") == {"b": 5}


def test_names_that_are_too_long_for_oss_are_refused(store, tmp_path):
    (tmp_path / "f").write_text("x")
    with pytest.raises(Refused, match="1023 bytes"):
        store("put", "/".join(["n" * 200] * 6) + "/", files=[str(tmp_path / "f")])


def test_a_broken_connection_leaves_whole_files_and_the_next_run_goes_on(local, bucket, store, tree, tmp_path):
    for name in NAMES:
        bucket.put_object(f"in/{name}", (tree / name).read_bytes())
    local.faults(errors=[{"action": "GetObject", "code": "AccessDenied", "times": 1}])
    with pytest.raises(EmrError):
        store("get", "in", target=str(tmp_path / "back"))
    local.cloud.faults.clear()
    assert not (tmp_path / "back").exists()
    part = content(tmp_path / ".back.emr-part")
    whole = {name for name in part if not name.endswith(".emr-part")}
    assert whole < set(NAMES)
    assert store("get", "in", target=str(tmp_path / "back"))["equal_files"] == len(whole)
    assert content(tmp_path / "back") == NAMES and not (tmp_path / ".back.emr-part").exists()
