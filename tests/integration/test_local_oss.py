"""The OSS of the local ECS, as the official client sees it."""
from __future__ import annotations

import os
import socket
import subprocess
import sys
import time

import oss2
import pytest
import requests
from oss2.exceptions import (
    AccessDenied,
    BucketNotEmpty,
    InvalidArgument,
    MalformedXml,
    NoSuchBucket,
    NoSuchKey,
    NoSuchUpload,
    NotModified,
    OssError,
    PreconditionFailed,
    RequestError,
    ServerError,
    SignatureDoesNotMatch,
)
from oss2.models import PartInfo

from emrctl.local.oss import conditions
from emrctl.local.testing import api_only

ODD_KEYS = ["#h", "/leading", "100%", "a b", "a+b", "a//b", "new\nline", "q?x=1", "tab\tx", "x&y<z>\"'", "%2F", "ü/ñ/文件.csv",
            "\U0001f600", "trailing/"]
AUTHS = {"v1": oss2.Auth, "v4": oss2.AuthV4}


@pytest.fixture(scope="module")
def local(tmp_path_factory):
    with api_only(tmp_path_factory.mktemp("oss")) as server:
        yield server


@pytest.fixture(autouse=True)
def no_faults(local):
    yield
    local.cloud.faults.clear()


@pytest.fixture(params=AUTHS)
def bucket(local, request):
    return new_bucket(local, AUTHS[request.param](local.access_key_id, local.access_key_secret))


@pytest.fixture
def plain(local):
    return new_bucket(local, oss2.Auth(local.access_key_id, local.access_key_secret))


def new_bucket(local, auth):
    new_bucket.number = getattr(new_bucket, "number", 0) + 1
    made = at(local, auth, f"data-{new_bucket.number}")
    made.create_bucket()
    return made


def at(local, auth, name, **options):
    return oss2.Bucket(auth, local.endpoint, name, region=local.region, connect_timeout=20, **options)


def code_of(call, *args, **options):
    """The error code of a call that fails."""
    with pytest.raises(OssError) as caught:
        call(*args, **options)
    return caught.value.code


def content(size):
    return os.urandom(size)


# signatures

def test_keys_of_any_characters_go_out_as_they_came(bucket):
    for key in ODD_KEYS:
        bucket.put_object(key, key.encode(), headers={"x-oss-meta-name": "n", "Content-Type": "text/csv"})
        got = bucket.get_object(key)
        assert (got.read(), got.headers["x-oss-meta-name"], got.content_type) == (key.encode(), "n", "text/csv")
    assert [o.key for o in oss2.ObjectIterator(bucket, max_keys=3)] == sorted(ODD_KEYS, key=str.encode)
    assert [o.key for o in oss2.ObjectIteratorV2(bucket, max_keys=4)] == sorted(ODD_KEYS, key=str.encode)
    assert set(bucket.batch_delete_objects(ODD_KEYS).deleted_keys) == set(ODD_KEYS)
    assert bucket.list_objects().object_list == []


def test_parameters_are_signed_with_their_value(bucket):
    bucket.put_object("a b+c", b"x")
    got = bucket.get_object("a b+c", params={"response-content-disposition": 'attachment; filename="ü +.csv"',
                                             "response-content-type": "text/csv"})
    assert got.headers["content-type"] == "text/csv" and "attachment" in got.headers["content-disposition"]


@pytest.mark.parametrize("version", AUTHS)
def test_wrong_secret_and_unknown_key(local, plain, version):
    make = AUTHS[version]
    with pytest.raises(SignatureDoesNotMatch) as caught:
        at(local, make(local.access_key_id, "wrong"), plain.bucket_name).put_object("k", b"x")
    assert caught.value.status == 403 and caught.value.details["StringToSign"]
    assert code_of(at(local, make("LTAIunknown", "x"), plain.bucket_name).get_object, "k") == "InvalidAccessKeyId"
    assert not plain.object_exists("k")


@pytest.mark.parametrize("version", AUTHS)
def test_signed_address(local, version):
    bucket = new_bucket(local, AUTHS[version](local.access_key_id, local.access_key_secret))
    bucket.put_object("ü b/c", b"content")
    url = bucket.sign_url("GET", "ü b/c", 60, slash_safe=True)
    assert requests.get(url, timeout=20).content == b"content"
    refused = requests.get(url.replace("c?", "d?"), timeout=20)
    assert refused.status_code == 403 and "<Code>SignatureDoesNotMatch</Code>" in refused.text
    upload = bucket.sign_url("PUT", "up", 60, headers={"Content-Type": "text/csv"})
    assert requests.put(upload, data=b"up", headers={"Content-Type": "text/csv"}, timeout=20).status_code == 200
    assert requests.put(upload, data=b"x", headers={"Content-Type": "text/xml"}, timeout=20).status_code == 403
    assert bucket.get_object("up").read() == b"up"
    ended = bucket.sign_url("GET", "up", -1 if version == "v1" else 1)
    if version == "v4":
        time.sleep(2.1)
    assert "expired" in requests.get(ended, timeout=20).text


def test_version_4_is_for_one_region(local, plain):
    other = oss2.Bucket(oss2.AuthV4(local.access_key_id, local.access_key_secret), local.endpoint, plain.bucket_name,
                        region="cn-shanghai")
    assert code_of(other.put_object, "k", b"") == "InvalidArgument"


def test_old_request_is_refused(local, plain, monkeypatch):
    monkeypatch.setattr("oss2.utils.http_date", lambda *_: "Tue, 01 Jan 2019 00:00:00 GMT")
    assert code_of(plain.put_object, "k", b"x") == "RequestTimeTooSkewed"


@pytest.mark.parametrize("version", ["v1", "v4"])
def test_temporary_credentials(local, plain, version):
    key = local.temporary("reader")

    def as_role(token):
        auth = oss2.StsAuth(key["AccessKeyId"], key["AccessKeySecret"], token, version)
        return at(local, auth, plain.bucket_name)

    role = as_role(key["SecurityToken"])
    role.put_object("k", b"mine")
    assert requests.get(role.sign_url("GET", "k", 60), timeout=20).content == b"mine"
    assert code_of(as_role("other").get_object, "k") == "InvalidSecurityToken"
    local.faults(role_denied={"reader": ["oss:Put*"]})
    assert code_of(role.put_object, "k", b"x") == "AccessDenied"
    assert role.get_object("k").read() == b"mine"
    local.faults(token_seconds=0.5)
    short = local.temporary("reader")
    time.sleep(0.6)
    auth = oss2.StsAuth(short["AccessKeyId"], short["AccessKeySecret"], short["SecurityToken"], version)
    assert code_of(at(local, auth, plain.bucket_name).get_object, "k") == "SecurityTokenExpired"


def test_without_signature_only_what_is_public(local, plain):
    anyone = at(local, oss2.AnonymousAuth(), plain.bucket_name)
    plain.put_object("k", b"x")
    plain.put_object("open", b"o", headers={"x-oss-object-acl": "public-read"})
    with pytest.raises(AccessDenied):
        anyone.get_object("k")
    assert anyone.get_object("open").read() == b"o"
    plain.put_bucket_acl(oss2.BUCKET_ACL_PUBLIC_READ)
    assert plain.get_bucket_acl().acl == "public-read" and anyone.get_object("k").read() == b"x"
    with pytest.raises(AccessDenied):
        anyone.put_object("k", b"y")
    with pytest.raises(AccessDenied):
        anyone.list_objects()
    plain.put_object_acl("k", oss2.OBJECT_ACL_PRIVATE)
    with pytest.raises(AccessDenied):
        anyone.get_object("k")


# buckets

def test_buckets(local, plain):
    service = oss2.Service(oss2.Auth(local.access_key_id, local.access_key_secret), local.endpoint)
    names = [b.name for b in oss2.BucketIterator(service, max_keys=2)]
    assert plain.bucket_name in names and names == sorted(names)
    plain.create_bucket()
    plain.put_object("k", b"four")
    assert (plain.get_bucket_stat().object_count, plain.get_bucket_stat().storage_size_in_bytes) == (1, 4)
    info = plain.get_bucket_info()
    assert (info.location, info.acl.grant, plain.get_bucket_location().location) == \
        ("oss-cn-hangzhou", "private", "oss-cn-hangzhou")
    with pytest.raises(BucketNotEmpty):
        plain.delete_bucket()
    plain.delete_object("k")
    plain.delete_bucket()
    with pytest.raises(NoSuchBucket):
        plain.put_object("k", b"x")
    with pytest.raises(NoSuchBucket):
        plain.get_object("k")


def test_bucket_names(local):
    auth = oss2.Auth(local.access_key_id, local.access_key_secret)
    answer = oss2.http.Session()
    for name in ("A-b", "ab", "-ab", "a_b"):
        request = oss2.http.Request("PUT", f"{local.endpoint}/{name}/")
        auth._sign_request(request, name, "")
        assert "InvalidBucketName" in answer.do_request(request, timeout=20).read().decode()


def test_what_is_not_implemented_is_refused(plain):
    assert code_of(plain.get_bucket_lifecycle) == "NotImplemented"
    assert code_of(plain.append_object, "k", 0, b"x") == "NotImplemented"
    assert code_of(plain.get_object, "k", process="image/resize,w_10") == "NotImplemented"


# objects

def test_object_and_its_checks(bucket):
    data = content(700_000)
    put = bucket.put_object("k", data)
    head = bucket.head_object("k")
    assert (head.content_length, head.etag, head.object_type) == (700_000, put.etag, "Normal")
    assert (bucket.get_object_meta("k").etag, head.server_crc) == (put.etag, put.crc)
    bucket.put_object("k", b"", headers={"Content-MD5": oss2.utils.content_md5(b"")})
    assert code_of(bucket.put_object, "k", b"x", headers={"Content-MD5": oss2.utils.content_md5(b"y")}) == "BadDigest"
    assert code_of(bucket.put_object, "k", b"x", headers={"Content-MD5": "short"}) == "InvalidDigest"
    assert code_of(bucket.put_object, "k", b"x", headers={"x-oss-forbid-overwrite": "true"}) == "FileAlreadyExists"
    assert bucket.get_object("k").read() == b""
    bucket.delete_object("k")
    bucket.delete_object("k")
    with pytest.raises(NoSuchKey):
        bucket.get_object("k")
    with pytest.raises(OssError) as caught:
        bucket.head_object("k")
    assert (caught.value.status, caught.value.code) == (404, "NoSuchKey")
    assert not bucket.object_exists("k")


def test_content_of_unknown_length(plain):
    pieces = [content(1000), content(300_000), content(1)]
    plain.put_object("k", iter(pieces))
    assert plain.get_object("k").read() == b"".join(pieces)


def test_conditions(plain):
    put = plain.put_object("k", b"x")
    past, future = (oss2.utils.http_date(time.time() + s) for s in (-3600, 3600))
    for headers in ({"If-Match": put.etag}, {"If-Modified-Since": past}, {"If-Unmodified-Since": future},
                    {"If-None-Match": "0" * 32}):
        assert plain.get_object("k", headers=headers).read() == b"x"
    for headers in ({"If-Match": "0" * 32}, {"If-Unmodified-Since": past}):
        with pytest.raises(PreconditionFailed):
            plain.get_object("k", headers=headers)
    for headers in ({"If-None-Match": put.etag}, {"If-Modified-Since": future}):
        with pytest.raises(NotModified):
            plain.get_object("k", headers=headers)


def test_ranges(plain):
    data = bytes(range(100))
    plain.put_object("k", data)
    for wanted, expected in {(10, 19): data[10:20], (None, 5): data[-5:], (95, None): data[95:], (0, 0): data[:1]}.items():
        got = plain.get_object("k", byte_range=wanted)
        assert (got.status, got.read()) == (206, expected)
    assert plain.get_object("k", byte_range=(10, 19)).headers["Content-Range"] == "bytes 10-19/100"
    standard = {"x-oss-range-behavior": "standard"}
    for wanted, expected in {(50, 200): data[50:], (None, 200): data}.items():
        assert plain.get_object("k", byte_range=wanted).status == 200
        got = plain.get_object("k", byte_range=wanted, headers=standard)
        assert (got.status, got.read()) == (206, expected)
    assert plain.get_object("k", byte_range=(100, 200)).read() == data
    assert code_of(plain.get_object, "k", byte_range=(100, 200), headers=standard) == "InvalidRange"


@pytest.mark.parametrize(("header", "expected"), [
    ("bytes=0-499,500-999", (0, 500)), ("byte=0-499", None), ("bytes=5-3", None), ("bytes=-", None), ("bytes=x-1", None),
    ("bytes=-0", None), ("bytes=0-999", (0, 1000)), ("bytes=1000-", None), ("bytes=-2000", None)])
def test_ranges_as_the_service_reads_them(header, expected):
    assert conditions.span(header, 1000, strict=False) == expected


def test_copy(local, plain):
    other = new_bucket(local, plain.auth)
    data = content(5000)
    plain.put_object("ü +/文", data, headers={"x-oss-meta-a": "1", "Content-Type": "text/csv"})
    copied = other.copy_object(plain.bucket_name, "ü +/文", "copy")
    got = other.get_object("copy")
    assert (got.read(), got.headers["x-oss-meta-a"], got.content_type) == (data, "1", "text/csv")
    assert copied.etag == got.etag
    replaced = {"x-oss-metadata-directive": "REPLACE", "x-oss-meta-b": "2"}
    other.copy_object(other.bucket_name, "copy", "copy", headers=replaced)
    got = other.get_object("copy")
    assert got.read() == data and got.headers["x-oss-meta-b"] == "2" and "x-oss-meta-a" not in got.headers
    plain.delete_object("ü +/文")
    assert other.get_object("copy").read() == data
    assert code_of(other.copy_object, other.bucket_name, "nothing", "k") == "NoSuchKey"
    assert code_of(other.copy_object, "no-such-bucket", "nothing", "k") == "NoSuchBucket"
    assert code_of(other.copy_object, other.bucket_name, "copy", "k",
                   headers={"x-oss-copy-source-if-match": "0" * 32}) == "PreconditionFailed"


def test_delete_several(plain):
    keys = [f"k{n:04}" for n in range(1000)]
    for key in keys[:5]:
        plain.put_object(key, b"")
    assert sorted(plain.batch_delete_objects(keys).deleted_keys) == keys
    with pytest.raises(MalformedXml):
        plain.batch_delete_objects([*keys, "more"])
    quiet = b"<Delete><Quiet>true</Quiet><Object><Key>k</Key></Object></Delete>"
    request = oss2.http.Request("POST", f"{plain.endpoint}/{plain.bucket_name}/", data=quiet, params={"delete": ""})
    plain.auth._sign_request(request, plain.bucket_name, "")
    answer = oss2.http.Session().do_request(request, 20)
    assert (answer.status, answer.read()) == (200, b"")


# lists

def test_folders_of_a_list(plain):
    for key in ("a", "b/1", "b/2", "b/c/3", "d/1", "e", "f/"):
        plain.put_object(key, b"")

    def listed(step, **options):
        return [o.key for o in oss2.ObjectIterator(plain, delimiter="/", max_keys=step, **options)]

    for step in (1, 2, 3, 100):
        assert listed(step) == ["a", "b/", "d/", "e", "f/"]
        assert listed(step, prefix="b/") == ["b/1", "b/2", "b/c/"]
        assert [o.key for o in oss2.ObjectIteratorV2(plain, delimiter="/", max_keys=step)] == listed(step)
    assert listed(10, prefix="f/") == ["f/"] and listed(10, prefix="nothing") == []
    assert [o.key for o in oss2.ObjectIteratorV2(plain, start_after="b/2")] == ["b/c/3", "d/1", "e", "f/"]
    assert plain.list_objects(delimiter="/", marker="b/").prefix_list == ["d/", "f/"]
    with pytest.raises(InvalidArgument):
        plain.list_objects(max_keys=1001)


# parts

def test_parts(bucket):
    data = [content(102_400), content(150_000), content(10)]
    upload = bucket.init_multipart_upload("ü/big", headers={"x-oss-meta-a": "1", "Content-Type": "text/csv"}).upload_id
    done = [PartInfo(n, bucket.upload_part("ü/big", upload, n, part).etag) for n, part in enumerate(data, 1)]
    assert [(p.part_number, p.size) for p in oss2.PartIterator(bucket, "ü/big", upload, max_parts=2)] == \
        [(1, 102_400), (2, 150_000), (3, 10)]
    assert [u.key for u in oss2.MultipartUploadIterator(bucket, max_uploads=1)] == ["ü/big"]
    assert not bucket.object_exists("ü/big")
    bucket.complete_multipart_upload("ü/big", upload, done)
    got = bucket.get_object("ü/big")
    assert (got.read(), got.headers["x-oss-meta-a"], got.content_type) == (b"".join(data), "1", "text/csv")
    assert got.etag.endswith("-3") and bucket.head_object("ü/big").object_type == "Multipart"
    with pytest.raises(NoSuchUpload):
        bucket.complete_multipart_upload("ü/big", upload, done)


def test_parts_that_do_not_fit(plain):
    upload = plain.init_multipart_upload("k").upload_id
    small, large = (plain.upload_part("k", upload, n, content(size)).etag for n, size in ((1, 10), (2, 102_400)))

    def complete(*parts):
        return code_of(plain.complete_multipart_upload, "k", upload, [PartInfo(*part) for part in parts])

    assert complete((1, small), (2, large)) == "EntityTooSmall"
    assert complete((1, small), (2, small)) == "InvalidPart"
    assert complete((1, small), (3, large)) == "InvalidPart"
    assert code_of(plain.upload_part, "k", upload, 10_001, b"x") == "InvalidArgument"
    assert code_of(plain.upload_part, "other", upload, 1, b"x") == "NoSuchUpload"
    body = f"<CompleteMultipartUpload><Part><PartNumber>2</PartNumber><ETag>{large}</ETag></Part><Part><PartNumber>1" \
           f"</PartNumber><ETag>{small}</ETag></Part></CompleteMultipartUpload>"
    request = oss2.http.Request("POST", f"{plain.endpoint}/{plain.bucket_name}/k", data=body, params={"uploadId": upload})
    plain.auth._sign_request(request, plain.bucket_name, "k")
    assert b"InvalidPartOrder" in oss2.http.Session().do_request(request, 20).read()
    plain.abort_multipart_upload("k", upload)
    assert code_of(plain.upload_part, "k", upload, 1, b"x") == "NoSuchUpload"
    plain.delete_bucket()


def test_parts_copied_from_an_object(plain):
    data = content(300_000)
    plain.put_object("a b", data)
    upload = plain.init_multipart_upload("copy").upload_id
    done = [PartInfo(n, plain.upload_part_copy(plain.bucket_name, "a b", span, "copy", upload, n).etag)
            for n, span in enumerate(((0, 149_999), (150_000, 299_999)), 1)]
    plain.complete_multipart_upload("copy", upload, done)
    assert plain.get_object("copy").read() == data


def test_large_files_in_both_directions(bucket, tmp_path):
    source, back = tmp_path / "source", tmp_path / "back"
    source.write_bytes(content(3 << 20))
    store = {"store": oss2.ResumableStore(root=str(tmp_path))}
    oss2.resumable_upload(bucket, "k", str(source), multipart_threshold=1 << 20, part_size=200 << 10, num_threads=4, **store)
    down = {"store": oss2.ResumableDownloadStore(root=str(tmp_path))}
    oss2.resumable_download(bucket, "k", str(back), multiget_threshold=1 << 20, part_size=300_000, num_threads=4, **down)
    assert back.read_bytes() == source.read_bytes()


def test_upload_goes_on_where_it_broke(local, plain, tmp_path):
    source = tmp_path / "source"
    source.write_bytes(content(2 << 20))
    store = oss2.ResumableStore(root=str(tmp_path))

    def upload(progress):
        oss2.resumable_upload(plain, "k", str(source), store=store, multipart_threshold=1 << 20, part_size=512 << 10,
                              num_threads=1, progress_callback=progress)

    def break_at(sent, _):
        if sent == 1 << 20:
            local.faults(errors=[{"action": "UploadPart", "code": "Disconnect", "bytes": 100_000, "times": 1}])

    with pytest.raises(RequestError):
        upload(break_at)
    seen = []
    upload(lambda sent, _: seen.append(sent))
    assert seen[0] == 1 << 20 and plain.get_object("k").read() == source.read_bytes()


# bad days

def test_faults(local, plain):
    plain.put_object("k", content(500_000))
    local.faults(throttle=1.0)
    with pytest.raises(ServerError) as caught:
        plain.get_object("k")
    assert (caught.value.status, caught.value.code) == (503, "TotalQpsLimitExceeded")
    assert caught.value.request_id
    local.faults(throttle=0.0, errors=[{"action": "HeadObject", "code": "InternalError", "times": 1}])
    with pytest.raises(OssError) as caught:
        plain.head_object("k")
    assert caught.value.status == 500
    local.faults(latency=0.3)
    began = time.monotonic()
    plain.head_object("k")
    assert time.monotonic() - began >= 0.3


def test_connection_that_breaks(local, plain):
    old, new = content(400_000), content(500_000)
    plain.put_object("k", old)

    def files():
        return sorted((local.cloud.state / "oss" / "files").glob("??/*"))

    before = files()
    local.faults(errors=[{"action": "PutObject", "code": "Disconnect", "bytes": 300_000, "times": 1},
                         {"action": "GetObject", "code": "Disconnect", "bytes": 300_000, "times": 1},
                         {"action": "GetObject", "code": "Disconnect", "times": 1}])
    with pytest.raises(RequestError):
        plain.put_object("k", new)
    with pytest.raises((RequestError, requests.RequestException, oss2.exceptions.InconsistentError)):
        plain.get_object("k").read()
    with pytest.raises(RequestError):
        plain.get_object("k")
    assert plain.get_object("k").read() == old
    assert files() == before


def test_half_an_upload_changes_nothing(local, plain):
    plain.put_object("k", b"old")
    request = oss2.http.Request("PUT", f"{local.endpoint}/{plain.bucket_name}/k", headers={"Content-Length": "1000"})
    plain.auth._sign_request(request, plain.bucket_name, "k")
    host, port = local.endpoint.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=20) as raw:
        lines = [f"{n}: {v}" for n, v in request.headers.items() if v is not None]
        raw.sendall(f"PUT /{plain.bucket_name}/k HTTP/1.1\r\nHost: x\r\n".encode() + "\r\n".join(lines).encode() + b"\r\n\r\n")
        raw.sendall(b"half")
    time.sleep(0.2)
    assert plain.get_object("k").read() == b"old"


def test_reader_keeps_what_it_began_to_read(local, plain):
    data = content(20 << 20)
    plain = at(local, plain.auth, plain.bucket_name, enable_crc=False)
    plain.put_object("k", data)
    reading = plain.get_object("k")
    first = reading.read(1000)
    plain.put_object("k", b"new")
    assert first + reading.read() == data
    plain.delete_object("k")


def test_all_is_there_after_a_restart(tmp_path):
    with api_only(tmp_path) as local:
        bucket = new_bucket(local, oss2.Auth(local.access_key_id, local.access_key_secret))
        bucket.put_object("k", b"kept", headers={"x-oss-meta-a": "1"})
        upload = bucket.init_multipart_upload("big").upload_id
        part = bucket.upload_part("big", upload, 1, b"part")
        name = bucket.bucket_name
    stray = tmp_path / "oss" / "files" / "00" / "00stray"
    stray.write_bytes(b"x")
    with api_only(tmp_path) as local:
        bucket = at(local, oss2.Auth(local.access_key_id, local.access_key_secret), name)
        got = bucket.get_object("k")
        assert got.read() == b"kept" and got.headers["x-oss-meta-a"] == "1"
        bucket.complete_multipart_upload("big", upload, [PartInfo(1, part.etag)])
        assert bucket.get_object("big").read() == b"part" and not stray.exists()


def test_large_object_takes_little_memory(tmp_path):
    """Client and server share a process that 64 MB go through, in and out."""
    script = f"""
import os, resource, oss2
from emrctl.local.testing import api_only
with api_only({str(tmp_path)!r}) as local:
    bucket = oss2.Bucket(oss2.Auth(local.access_key_id, local.access_key_secret), local.endpoint, "data", enable_crc=False)
    bucket.create_bucket()
    bucket.put_object("warm", b"x"); bucket.get_object("warm").read()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    piece = os.urandom(1 << 20)
    bucket.put_object("k", (piece for _ in range(64)))
    assert sum(len(p) for p in bucket.get_object("k")) == 64 << 20
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120, check=False)
    assert ran.returncode == 0, ran.stderr
    assert int(ran.stdout) < 25_000, "KiB more than before"


# the address

def test_bucket_in_the_host_name(local, plain, monkeypatch):
    port = local.endpoint.rpartition(":")[2]
    real = socket.getaddrinfo
    monkeypatch.setattr(socket, "getaddrinfo", lambda host, *rest, **more: real(
        "127.0.0.1" if str(host).endswith("oss.example") else host, *rest, **more))
    for auth in (plain.auth, oss2.AuthV4(local.access_key_id, local.access_key_secret)):
        bucket = oss2.Bucket(auth, f"http://oss.example:{port}", plain.bucket_name, region=local.region)
        for key in ("dist/x", "/lead", "latest/meta-data", "ü b"):
            bucket.put_object(key, key.encode())
            assert bucket.get_object(key).read() == key.encode() == plain.get_object(key).read()
        assert "dist/x" in [o.key for o in oss2.ObjectIterator(bucket)]
        assert plain.bucket_name in [b.name for b in oss2.BucketIterator(oss2.Service(
            auth, f"http://oss.example:{port}", region=local.region))]


def test_client_that_waits_before_it_sends(local, plain):
    url = plain.sign_url("PUT", "k", 60)
    host, port = local.endpoint.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=20) as raw:
        raw.sendall(f"PUT {url[len(local.endpoint):]} HTTP/1.1\r\nHost: {host}\r\nContent-Length: 4\r\n"
                    "Expect: 100-continue\r\n\r\n".encode())
        assert raw.recv(100).startswith(b"HTTP/1.1 100")
        raw.sendall(b"data")
        assert raw.recv(1000).startswith(b"HTTP/1.1 200")
    assert plain.get_object("k").read() == b"data"


def test_bucket_made_by_whoever_runs_the_server(local):
    made = requests.post(f"{local.endpoint}/_local/bucket", json={"name": "made-here"}, timeout=20)
    assert made.status_code == 200 and "made-here" in made.json()["buckets"]
    assert requests.post(f"{local.endpoint}/_local/bucket", json={"name": "NO"}, timeout=20).status_code == 400
    bucket = at(local, oss2.Auth(local.access_key_id, local.access_key_secret), "made-here")
    bucket.put_object("k", b"x")
