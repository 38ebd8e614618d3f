"""Each artifact has a source that answers before anything is bought, or the plan is refused."""
from __future__ import annotations

import http.server
import json
import threading
import urllib.error
import urllib.request
from pathlib import Path

import oss2
import pytest

from ansible_collections.emr.cluster.plugins.module_utils.cloud.cluster import operation as operation_module
from ansible_collections.emr.cluster.plugins.module_utils.cloud.credentials.chain import Credentials
from ansible_collections.emr.cluster.plugins.module_utils.cloud.ecs.client import EcsClient
from ansible_collections.emr.cluster.plugins.module_utils.cloud.install import dist_cache, sources
from ansible_collections.emr.cluster.plugins.module_utils.cloud.scale import convergence
from ansible_collections.emr.cluster.plugins.module_utils.domain.errors import EmrError, Refused
from ansible_collections.emr.cluster.plugins.module_utils.domain.install.releases import Artifact, release
from ansible_collections.emr.cluster.plugins.module_utils.domain.spec.model import parse_spec
from ansible_collections.emr.cluster.plugins.module_utils.node.oss.client import Oss, OssError
from emrctl.dist import publish
from tests.integration import cloudbed

HADOOP = release("emr-1.0").artifacts["hadoop"]
pytestmark = pytest.mark.usefixtures("door")


# What lies beside a file, in the forms that are met.
BESIDE = {"stale": f"{'0b' * 64}  {HADOOP.file}\n", "older": f"SHA512 ({HADOOP.file}) = {'0B' * 64}\n", "same": f"{HADOOP.sha512.upper()}  {HADOOP.file}\n"}


@pytest.fixture
def web(monkeypatch):
    """What is at http://NAME.example.com/: NAME says what it does. It is reached as a proxy, as on many machines in offices."""
    asked: list = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            name = self.path.split("//")[1].split(".")[0]
            status = {"missing": 404, "forbidden": 403, "broken": 502}.get(name, 200)
            body = b"<html>Log in first</html>" if name == "page" else b"\x1f\x8b\x08\x00" * 1000
            if self.path.endswith(".sha512") and name in BESIDE:
                body = BESIDE[name].encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    yield asked
    server.shutdown()
    server.server_close()


@pytest.fixture
def empty(monkeypatch, tmp_path):
    """A cache without any tarball."""
    monkeypatch.setenv("EMR_CACHE", str(tmp_path / "empty"))
    return tmp_path / "empty" / "dist"


def bucket(ecs, name: str) -> oss2.Bucket:
    found = oss2.Bucket(oss2.Auth(ecs.access_key_id, ecs.access_key_secret), ecs.endpoint, name)
    found.create_bucket()
    return found


def plan(wanted, before=None):
    client = EcsClient(wanted.region)
    return operation_module.Operation(client, wanted.name, 1).plan(wanted, before=before)[0]


def refused(ecs, wanted) -> str:
    """What the refusal of a create says. Nothing was bought or made."""
    client = EcsClient(wanted.region)
    with cloudbed.Owner() as owner, pytest.raises(Refused) as caught:
        cloudbed.operation(client, wanted.name, owner).present(wanted)
    assert client.items("DescribeInstances", Tag=[{"Key": "emr:cluster", "Value": wanted.name}]) == []
    assert [g for g in client.items("DescribeSecurityGroups") if g["SecurityGroupName"] == f"emr-{wanted.name}"] == []
    text = str(caught.value)
    if wanted.artifacts:
        assert "Correct artifacts.hadoop.urls in the spec" in text and "dist build" not in text
    else:
        assert "emrctl dist build" in text and "emrctl dist publish oss://" in text and "mirrors" in text
    return text


MISSING = {
    "nothing at all": ("", [f"{HADOOP.file} (this machine): has no such file"]),
    "no such file": ("mirrors: [http://missing.example.com/dist]", ["missing.example.com/dist/hadoop-3.4.2.tar.gz (mirrors): HTTP 404"]),
    "not for everybody": ("mirrors: [http://forbidden.example.com]", ["(mirrors): HTTP 403"]),
    "a broken server": ("mirrors: [http://broken.example.com]", ["(mirrors): HTTP 502"]),
    "a page of a firewall": ("mirrors: [http://page.example.com]", ["answers, but not with a gzip file"]),
    "the node itself": ("mirrors: [http://localhost:8000/dist]", ["names the node itself"]),
    "a name that is none": ("mirrors: [https://nowhere.invalid/dist]", ["https://nowhere.invalid/dist/hadoop-3.4.2.tar.gz (mirrors):"]),
    "no such bucket": ("mirrors: [oss://no-such-bucket-of-anybody/x]", ["NoSuchBucket"]),
    "no such object": ("mirrors: [oss://bits-empty/x]", ["oss://bits-empty/x/hadoop-3.4.2.tar.gz (mirrors): there is no such object"]),
    "a mirror of another release": ("mirrors: [http://stale.example.com]", ["(mirrors): is another file of that name: its .sha512 has 0b0b0b0b"]),
    "the same, as BSD writes it": ("mirrors: [http://older.example.com]", ["(mirrors): is another file of that name: its .sha512 has 0b0b0b0b"]),
    "a bucket of another release": ("mirrors: [oss://bits-stale/x]", ["oss://bits-stale/x/hadoop-3.4.2.tar.gz (mirrors): is another file of that name"]),
    "all of several": ("mirrors: [http://missing.example.com, http://broken.example.com]", ["HTTP 404", "HTTP 502"]),
    "a file of one's own": (f"artifacts: {{hadoop: {{urls: [http://missing.example.com/h.tgz], sha512: {'0a' * 64}}}}}",
                            ["http://missing.example.com/h.tgz (artifacts): HTTP 404", "h.tgz (this machine): has no such file"]),
    "the second file": ("services: [hadoop, spark]\nmirrors: [http://missing.example.com]", ["spark-4.1.4.tar.gz", "connectors-1.0.tar.gz"]),
}


@pytest.mark.parametrize("way", MISSING)
def test_without_a_source_nothing_is_bought(ecs, web, empty, way):
    text, expected = MISSING[way]
    bucket(ecs, "bits-empty")
    stale = bucket(ecs, "bits-stale")
    stale.put_object(f"x/{HADOOP.file}", b"x")
    stale.put_object(f"x/{HADOOP.file}.sha512", BESIDE["stale"])
    said = refused(ecs, cloudbed.spec(ecs, "bits", more=text))
    assert [part for part in expected if part not in said] == [], said


def test_a_damaged_file_in_the_cache_is_no_source(ecs, empty):
    empty.mkdir(parents=True)
    (empty / HADOOP.file).write_bytes(b"\x1f\x8b damaged")
    assert f"{HADOOP.file} (this machine): holds another file of that name" in refused(ecs, cloudbed.spec(ecs, "bits"))


def test_a_mirror_of_the_environment_that_does_not_answer_is_no_source(ecs, web, empty, monkeypatch):
    monkeypatch.setenv("EMR_MIRRORS", "http://broken.example.com/dist")
    assert "http://broken.example.com/dist/hadoop-3.4.2.tar.gz" in refused(ecs, cloudbed.spec(ecs, "bits"))


@pytest.mark.parametrize("text, kind, address", [
    ("mirrors: [http://missing.example.com, http://good.example.com/dist]", "mirrors", "http://good.example.com/dist/hadoop-3.4.2.tar.gz"),
    (f"artifacts: {{hadoop: {{urls: [http://good.example.com/h.tgz], sha512: {'0a' * 64}}}}}", "artifacts", "http://good.example.com/h.tgz"),
    ("mirrors: [http://missing.example.com]", "EMR_MIRRORS", "http://env.example.com/hadoop-3.4.2.tar.gz"),
    ("mirrors: [http://stale.example.com, http://same.example.com]", "mirrors", "http://same.example.com/hadoop-3.4.2.tar.gz"),
    ("mirrors: [http://missing.example.com, oss://bits-full/x]", "mirrors", "oss://bits-full/x/hadoop-3.4.2.tar.gz")])
def test_the_first_source_that_answers_is_taken(ecs, web, empty, monkeypatch, text, kind, address):
    monkeypatch.setenv("EMR_MIRRORS", "http://env.example.com")
    bucket(ecs, "bits-full").put_object(f"x/{HADOOP.file}", b"x")
    found = plan(cloudbed.spec(ecs, "bits", more=text))
    assert found.sources == [{"artifact": "hadoop", "version": "3.4.2", "file": address.rpartition("/")[2], "source": kind,
                              "address": address, "push_mib": 0}]
    assert found.to_dict()["push_mib"] == 0


def test_the_cache_is_the_last_source_and_the_plan_says_how_much_is_pushed(ecs, web, empty):
    own = b"\x1f\x8b" + bytes(3 << 20)
    empty.mkdir(parents=True)
    (empty / "h.tgz").write_bytes(own)
    spec = cloudbed.spec(ecs, "bits", more="artifacts: {hadoop: {urls: [http://missing.example.com/h.tgz], sha512: "
                         f"{dist_cache.sha512_of(empty / 'h.tgz')}}}}}")
    data = plan(spec).to_dict()
    assert data["push_mib"] == 4 and data["sources"][0]["source"] == "this machine"
    assert json.dumps(data)  # plain data


def test_what_a_running_cluster_has_it_gives_to_new_nodes(ecs, web, monkeypatch, tmp_path):
    small = cloudbed.spec(ecs, "grown", slave="  slave: {count: 1, instance_types: [ecs.c6.large]}")
    with cloudbed.Owner() as owner:
        run, _found = cloudbed.create(EcsClient(ecs.region), small, owner)
        run.settle(small)
        monkeypatch.setenv("EMR_CACHE", str(tmp_path / "nothing"))
        assert plan(small).sources == [], "nobody has to install anything"
        large = cloudbed.spec(ecs, "grown")
        assert [(r["source"], r["address"]) for r in plan(large, small).sources] == [("cluster", "grown-master-001")]
        assert [r["source"] for r in plan(large).sources] == ["cluster"], "by its tags"
        with_spark = cloudbed.spec(ecs, "grown", more="services: [hadoop, spark]",
                                   slave="  slave: {count: 1, instance_types: [ecs.c6.large]}")
        with pytest.raises(Refused, match=r"spark-4\.1\.4\.tar\.gz, connectors-1\.0\.tar\.gz"):
            convergence.prepare(cloudbed.operation(EcsClient(ecs.region), "grown", owner), with_spark, small)


def test_a_signed_address_opens_one_object_for_reading_alone(ecs):
    bucket(ecs, "bits-signed").put_object("a dir/x+y.gz", b"content")
    for key in ({"access_key_id": ecs.access_key_id, "access_key_secret": ecs.access_key_secret}, _temporary(ecs)):
        address = Oss(ecs.endpoint, ecs.region, key).signed("bits-signed", "a dir/x+y.gz", 3600)
        assert urllib.request.urlopen(address, timeout=10).read() == b"content"
        assert key["access_key_secret"] not in address
        other = address.replace("x%2By.gz", "z.gz")
        assert other != address
        for wrong, method in ((other, "GET"), (address, "DELETE"), (address[:-1] + ("0" if address[-1] != "0" else "1"), "GET")):
            with pytest.raises(urllib.error.HTTPError, match="403"):
                urllib.request.urlopen(urllib.request.Request(wrong, method=method), timeout=10)


def _temporary(ecs) -> dict:
    found = ecs.temporary()
    return {"access_key_id": found["AccessKeyId"], "access_key_secret": found["AccessKeySecret"], "security_token": found["SecurityToken"]}


def test_nodes_get_the_internal_name_of_the_service():
    key = Credentials("id", "secret")
    for given, host in (("", "bkt.oss-cn-x-internal.aliyuncs.com"), ("oss-cn-x.aliyuncs.com", "bkt.oss-cn-x-internal.aliyuncs.com"),
                        ("https://oss.example.com", "bkt.oss.example.com")):
        found = sources.signed(["http://a/x", "oss://bkt/x"], "cn-x", lambda: key, {"ALIBABA_CLOUD_OSS_ENDPOINT": given})
        assert list(found) == ["oss://bkt/x"] and found["oss://bkt/x"].startswith(f"https://{host}/x?")


class Interrupted(Oss):
    """A connection that ends for good after some parts."""

    left = 2

    def put_part(self, *args):
        if self.left == 0:
            raise OssError("the line is dead")
        self.left -= 1
        return super().put_part(*args)


def test_publish_goes_on_where_it_was_interrupted_and_does_nothing_twice(ecs, empty, monkeypatch):
    monkeypatch.setattr(publish, "PART", 1 << 20)
    empty.mkdir(parents=True)
    path = empty / "thing-1.tar.gz"
    path.write_bytes(bytes(range(256)) * 4096 * 5 + b"end")
    thing = Artifact("hadoop", "1", path.name, dist_cache.sha512_of(path))
    there, key, said = bucket(ecs, "bits-published"), {"access_key_id": ecs.access_key_id, "access_key_secret": ecs.access_key_secret}, []
    with pytest.raises(EmrError, match="it goes on from here"):
        publish.publish(Interrupted(ecs.endpoint, ecs.region, key), "oss://bits-published/emr/", [thing], said.append)
    oss = Oss(ecs.endpoint, ecs.region, key)
    row = publish.publish(oss, "oss://bits-published/emr/", [thing], said.append)[0]
    assert row["address"] == "oss://bits-published/emr/thing-1.tar.gz" and 0 < row["sent"] <= path.stat().st_size - (2 << 20)
    assert any("going on after 2.1 MB" in line for line in said), said
    assert there.get_object("emr/thing-1.tar.gz").read() == path.read_bytes() and list(oss.uploads("bits-published")) == []
    assert publish.publish(oss, "oss://bits-published/emr", [thing], said.append)[0]["sent"] == 0
    # Another build of the same name takes the place of what is there, parts of the old one do not get into it.
    path.write_bytes(b"other" + path.read_bytes())
    with pytest.raises(Refused, match="emrctl dist build"):
        publish.publish(oss, "oss://bits-published/emr", [thing], said.append)
    other = Artifact("hadoop", "1", path.name, dist_cache.sha512_of(path))
    assert publish.publish(oss, "oss://bits-published/emr", [other], said.append)[0]["sent"] == path.stat().st_size
    assert there.get_object("emr/thing-1.tar.gz").read() == path.read_bytes()


@pytest.mark.parametrize("address", ["my-bucket/x", "http://x/y", "oss://", "oss://UPPER/x"])
def test_publish_wants_a_place_in_oss(address):
    with pytest.raises(Refused, match="emrctl dist publish oss://my-bucket/emr"):
        publish.place_of(address)


def test_the_readmes_example_can_be_had_with_a_vswitch_of_ones_own(ecs):
    example = Path(__file__).parents[2].joinpath("README.md").read_text().split("```yaml\n")[1].split("```")[0]
    assert "vsw-bp1example" in example
    text = example.replace("vsw-bp1example", ecs.vswitch)
    found = plan(parse_spec(text, environ={}))
    assert [(p.group, len(p.ordinals)) for p in found.purchases] == [("master", 1), ("slave", 3)] and found.price["hourly"] > 0
    assert [(row["artifact"], row["source"]) for row in found.sources] == [("hadoop", "this machine"), ("monitoring", "this machine")]
    assert parse_spec(text + "mirrors: [oss://my-bucket/emr/]\n", environ={}).mirrors == ("oss://my-bucket/emr",)
