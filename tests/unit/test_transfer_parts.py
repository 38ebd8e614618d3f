"""The parts of a copy between OSS and HDFS: what is asked for, patterns, checksums, what is left to do, logs in OSS."""
from __future__ import annotations

import json
import random
import re
from types import SimpleNamespace

import pytest
from fastcrc import crc64 as reference

from ansible_collections.emr.cluster.plugins.action import transfer as action
from ansible_collections.emr.cluster.plugins.module_utils.domain.config import settings as config
from ansible_collections.emr.cluster.plugins.module_utils.domain.errors import EmrError, Refused
from ansible_collections.emr.cluster.plugins.module_utils.domain.jobs import logs as job_logs
from ansible_collections.emr.cluster.plugins.module_utils.domain.spec.model import parse_spec
from ansible_collections.emr.cluster.plugins.module_utils.domain.transfer import (
    jdbc as transfer_jdbc,
    oss as transfer_oss,
    request as transfer,
)
from ansible_collections.emr.cluster.plugins.module_utils.node.common import NodeError
from ansible_collections.emr.cluster.plugins.module_utils.node.hdfs import globs
from ansible_collections.emr.cluster.plugins.module_utils.node.oss import crc64
from ansible_collections.emr.cluster.plugins.module_utils.node.oss.client import OssError, split, with_step
from ansible_collections.emr.cluster.plugins.module_utils.node.transfer import distcp
from ansible_collections.emr.cluster.plugins.module_utils.node.transfer.sides import (
    OssSide,
    unfit_for_hdfs,
    unfit_for_oss,
)
from ansible_collections.emr.cluster.plugins.plugin_utils import data_oss, streams

from .test_config import SPEC, topology

KEY = {"access_key_id": "LTAIexample", "access_key_secret": "very-secret"}


def wanted(**changes):
    given = {"direction": "import", "source": "oss://my-bucket/in", "target": "/data/in", "options": dict(transfer_oss.OPTIONS),
             "credentials": KEY, "provider": "jceks://hdfs/user/emr/.emr/secrets/x.jceks", "secret_file": "/run/emr/secrets/x.json", "user": "emr"}
    return {**given, **changes}


def test_request_has_the_key_among_the_secrets_alone():
    found = transfer_oss.request(wanted())
    assert found["secrets"] == KEY and found["keep"] == transfer.MEMORY
    rest = json.dumps({key: value for key, value in found.items() if key != "secrets"})
    assert "very-secret" not in rest and "LTAIexample" not in rest
    asked = json.loads(found["files"]["request.json"])
    assert (asked["source"], asked["target"], asked["secret_file"]) == ("oss://my-bucket/in", "/data/in", "/run/emr/secrets/x.json")


def test_the_command_that_asks_for_a_transfer_again():
    given = {"direction": "export", "source": "/data/a b", "target": "mysql://shop@db/shop", "credentials": "/home/me/db.yml", "user": "emr",
             "queue": "etl", "options": {"table": "t", "types": ["a=int", "b=int"], "bandwidth_mb": 3, "split_by": "id", "tls": True, "delete": False}}
    assert transfer.command("sales", given) == (
        "emrctl export sales '/data/a b' mysql://shop@db/shop --table t --column-type a=int --column-type b=int --bandwidth 3 --split-by id --tls "
        "--credentials /home/me/db.yml --queue etl")
    args = {"direction": "import", "source": "oss://b/in", "target": "in", "user": "etl", "wait": True, "token": "t"}
    assert action.again("sales", transfer_oss, args) == (
        "emrctl import sales oss://b/in in --user etl   (with OSS_ACCESS_KEY_ID, OSS_ACCESS_KEY_SECRET, OSS_SESSION_TOKEN set as before)")


def test_every_option_of_a_transfer_is_one_of_emrctl():
    from typer.main import get_command

    from emrctl.main import build

    known = {flag for verb in ("import", "export") for row in get_command(build([verb])).commands[verb].params for flag in row.opts}
    options = {**transfer_oss.OPTIONS, **transfer_jdbc.OPTIONS}
    words = transfer.command("c", {"direction": "import", "source": "s", "target": "t", "options": {key: "x" for key in options}}).split()
    assert {word for word in words if word.startswith("--")} <= known and len(words) == 5 + 2 * len(options)


def test_without_a_key_it_is_the_role_of_the_node():
    found = transfer_oss.request(wanted(credentials={}))
    assert found["secrets"] == {} and json.loads(found["files"]["request.json"])["secret_file"] == ""


@pytest.mark.parametrize(("changes", "word"), [
    ({"source": "oss://B/x"}, "not a place in OSS"), ({"source": "oss://my-bucket//x"}, "not a place in OSS"),
    ({"target": "hdfs://other:8020/x"}, "not a path in this cluster's HDFS"), ({"target": "/a/../b"}, "not a path in HDFS"),
    ({"credentials": {"access_key_id": "x"}}, "half of an access key"), ({"options": {"verify": "md5"}}, "verify"),
    ({"options": {"include": ["/"]}}, "not a pattern"), ({"options": {"maps": 0}}, "positive"), ({"options": {"endpoint": "a b"}}, "endpoint"),
    ({"target": "/data/${user.name}"}, "variable"), ({"target": "/", "options": {"delete": True}}, "--delete for all")])
def test_what_is_wrong_is_refused(changes, word):
    options = {**transfer_oss.OPTIONS, **changes.pop("options", {})}
    with pytest.raises(Refused, match=re.escape(word)):
        transfer_oss.request(wanted(options=options, **changes))


@pytest.mark.parametrize(("direction", "source", "target"), [("import", "/a", "/b"), ("import", "oss://my-bucket/a", "oss://my-bucket/b"),
                                                            ("export", "oss://my-bucket/a", "/b"), ("move", "/a", "/b")])
def test_addresses_fit_the_direction(direction, source, target):
    with pytest.raises(Refused):
        transfer.kind_of(direction, source, target)
    assert transfer.kind_of("export", "/a", "oss://my-bucket/b") is transfer_oss


def test_credentials_of_a_file_that_others_may_read_are_refused(tmp_path):
    path = tmp_path / "key.yml"
    path.write_text("access_key_id: a\naccess_key_secret: b\n")
    path.chmod(0o640)
    with pytest.raises(Refused, match="others may read"):
        action.credentials(transfer_oss, str(path), {})
    path.chmod(0o600)
    assert action.credentials(transfer_oss, str(path), {}) == {"access_key_id": "a", "access_key_secret": "b"}
    path.write_text("password: geheim\n")
    with pytest.raises(Refused) as caught:
        action.credentials(transfer_oss, str(path), {})
    assert "geheim" not in str(caught.value)
    assert action.credentials(transfer_oss, "", {"OSS_ACCESS_KEY_ID": "x"}) == {"access_key_id": "x"}


NAMES = ["a.csv", "sub/b.csv", "sub/_temporary/0/c.csv", "year=2013/x", "x+(y).txt", "deep/er/z.txt"]


@pytest.mark.parametrize(("include", "exclude", "left"), [
    ([], [], NAMES), (["*.csv"], [], NAMES[:3]), ([], ["_temporary"], [n for n in NAMES if "_temp" not in n]), (["sub/*.csv"], [], ["sub/b.csv"]),
    (["sub/**"], ["*.csv"], []), (["x+(y).txt"], [], ["x+(y).txt"]), (["year=*/?"], [], ["year=2013/x"]), (["deep"], [], ["deep/er/z.txt"])])
def test_patterns_mean_the_same_to_us_and_to_distcp(include, exclude, left):
    selected = globs.selects(include, exclude)
    assert [name for name in NAMES if selected(name)] == left
    lines = [re.compile(line) for line in globs.distcp_filters("/in.d/x", include, exclude)]
    assert [name for name in NAMES if not any(line.fullmatch(f"oss://bucket/in.d/x/{name}") for line in lines)] == left


def test_crc64_is_that_of_oss():
    first, second = random.Random(1).randbytes(100_003), random.Random(2).randbytes(7_777)
    assert crc64.crc64(first) == crc64.slow(first) == reference.xz(first)
    assert crc64.crc64(second, crc64.crc64(first)) == reference.xz(first + second)
    assert crc64.combine(crc64.crc64(first), crc64.crc64(second), len(second)) == reference.xz(first + second)
    assert crc64.combine(0, crc64.crc64(first), len(first)) == crc64.crc64(first)


def test_names_and_addresses():
    side = SimpleNamespace(address="oss://b/in", markers=[])
    for name in ("../z", "a//b", "x:y", "ü" * 128):
        assert repr(name) in unfit_for_hdfs(side, ["a/b", name, "ok.txt"], lambda _name: True)
        assert unfit_for_hdfs(side, ["a/b", name, "ok.txt"], lambda found, name=name: found != name) == ""
    assert unfit_for_hdfs(side, ["a/b", "ü" * 127, "run[1]", "*"], lambda _name: True) == ""
    assert split("oss://my-bucket") == ("my-bucket", "") and split("oss://my-bucket/a/ü") == ("my-bucket", "a/ü")
    with pytest.raises(OssError):
        split("oss://B/x")


def test_objects_that_would_be_file_and_folder_are_told_by_both_names():
    side = SimpleNamespace(address="oss://b/x", markers=["d/"])
    for names, pair in ((["a", "a/b/c"], ("oss://b/x/a ", "oss://b/x/a/b/c ")), (["d"], ("oss://b/x/d ", "oss://b/x/d/ "))):
        found = unfit_for_hdfs(side, names, lambda _name: True)
        assert all(name in found for name in pair), found
        assert "both objects" in unfit_for_hdfs(side, names, lambda name, names=names: name == names[-1])
        assert unfit_for_hdfs(side, names, lambda _name: False) == ""
    assert unfit_for_hdfs(side, ["a", "ab/c", "d/e"], lambda _name: True) == ""
    with pytest.raises(EmrError, match=re.escape("oss://b/x/a and oss://b/x/a/b are both objects")):
        data_oss._fit({"a", "a/b"}, "oss://b/x/")


def test_names_that_are_too_long_for_oss():
    side = OssSide(None, "oss://my-bucket/out")
    assert unfit_for_oss(side, ["a" * 1019]) == "" and "1023 bytes" in unfit_for_oss(side, ["a" * 1020])


def test_distcp_takes_its_arguments_literally():
    """Blanks at the end are cut off by DistCp, in a path they are the name's."""
    assert distcp._address("hdfs:///data/x ") == "hdfs:///data/x /" and distcp._address("oss://b/run[1]") == "oss://b/run[1]"


def test_a_file_appears_at_once_and_goes_on(tmp_path):
    content, told = random.Random(3).randbytes(20_000), []
    final = tmp_path / "f"

    def broken(take, at):
        take(content[at:at + 5000])
        raise ConnectionError("gone")

    progress = streams.Progress(len(content), told.append)
    with pytest.raises(EmrError, match="broke"):
        streams.receive(str(final), len(content), "v1", lambda _take, _at: (_ for _ in ()).throw(ConnectionError("gone")), progress)
    assert not final.exists()
    streams.receive(str(final), len(content), "v1", broken, progress)
    assert final.read_bytes() == content and [path.name for path in tmp_path.iterdir()] == ["f"]
    with pytest.raises(EmrError, match="expected"):
        streams.receive(str(final), 10, "v2", lambda take, _at: take(b"123"), progress)
    assert final.read_bytes() == content


def test_retention_is_the_specs_and_config_wins():
    given = parse_spec(SPEC + "logs: {keep: 2d}\n")
    nodes = topology()
    found = config.effective_config(given, nodes, nodes.control_node)
    assert found["mapred-site"]["mapreduce.jobhistory.max-age-ms"].value == "172800000"
    assert found["spark-defaults"]["spark.history.fs.cleaner.maxAge"].value == "172800s"
    assert found["spark-defaults"]["spark.history.fs.eventLog.rolling.maxFilesToRetain"].value == "8"
    assert found["yarn-site"]["yarn.log-aggregation.retain-seconds"].value == "60"  # of the spec's config
    assert not job_logs.side_units(given, nodes, nodes.control_node, found)[0]["wanted"]
    outside = parse_spec(SPEC + "logs: {oss: 'oss://my-bucket/logs'}\n")
    unit = job_logs.side_units(outside, nodes, nodes.control_node, found)[0]
    assert unit["wanted"] and any("oss://my-bucket/logs/sales-emr-0123456789ab" in row["content"] for row in unit["files"])
    assert given.digest() != outside.digest() != parse_spec(SPEC).digest()


@pytest.mark.parametrize(("error", "step"), [
    (OssError("GET oss://b/: NoSuchBucket: x", "NoSuchBucket", 404), "look at the bucket's name"), (OssError("http://e does not answer: timed out"), "--endpoint"),
    (OssError("GET oss://b/k: SignatureDoesNotMatch: x", "SignatureDoesNotMatch", 403), "OSS_ACCESS_KEY_SECRET")])
def test_what_oss_says_comes_with_the_next_step(error, step):
    assert step in with_step(error).split(". Next: ")[1]
    assert with_step(OssError("arrived broken. Next: run it again")) == "arrived broken. Next: run it again" and with_step(NodeError("x")) == "x"
