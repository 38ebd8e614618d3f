"""Reproducible tarballs: the same bytes from the same members, readable by the ordinary tools."""
import gzip
import hashlib
import io
import os
import subprocess
import tarfile
import zipfile

import pytest

from emrctl.dist.pack import MTIME, Entry, StoredGzip, rezip, write_tarball


def entries(tmp_path, salt=b""):
    source = tmp_path / "lib.jar"
    source.write_bytes(b"jar" * 50_000 + salt)
    return [Entry("share/lib.jar", source=source), Entry("bin/hadoop", data=b"#!/bin/sh\n", executable=True),
            Entry("bin/hdfs", link="hadoop")]


def test_same_members_give_same_bytes_whatever_their_order_and_times(tmp_path):
    members = entries(tmp_path)
    first = write_tarball(tmp_path / "a.tar.gz", "top", members)
    os.utime(tmp_path / "lib.jar", (1, 1))
    os.chmod(tmp_path / "lib.jar", 0o600)
    second = write_tarball(tmp_path / "b.tar.gz", "top", reversed(members))
    assert first == second
    assert (tmp_path / "a.tar.gz").read_bytes() == (tmp_path / "b.tar.gz").read_bytes()
    assert hashlib.sha512((tmp_path / "a.tar.gz").read_bytes()).hexdigest() == first


def test_a_changed_byte_changes_the_digest(tmp_path):
    first = write_tarball(tmp_path / "a.tar.gz", "top", entries(tmp_path))
    assert write_tarball(tmp_path / "a.tar.gz", "top", entries(tmp_path, b"x")) != first


def test_members_have_fixed_times_owners_and_modes(tmp_path):
    write_tarball(tmp_path / "a.tar.gz", "top", entries(tmp_path))
    with tarfile.open(tmp_path / "a.tar.gz") as tar:
        members = {m.name: m for m in tar.getmembers()}
    assert sorted(members) == ["top", "top/bin", "top/bin/hadoop", "top/bin/hdfs", "top/share", "top/share/lib.jar"]
    assert {m.mtime for m in members.values()} == {MTIME}
    assert {(m.uid, m.gid) for m in members.values()} == {(0, 0)}
    assert members["top/bin/hadoop"].mode == 0o755
    assert members["top/share/lib.jar"].mode == 0o644
    assert members["top/bin/hdfs"].linkname == "hadoop"


def test_tar_and_gzip_read_it(tmp_path):
    write_tarball(tmp_path / "a.tar.gz", "top", entries(tmp_path))
    subprocess.run(["gzip", "-t", tmp_path / "a.tar.gz"], check=True)
    subprocess.run(["tar", "xzf", tmp_path / "a.tar.gz", "-C", tmp_path], check=True)
    assert (tmp_path / "top/share/lib.jar").read_bytes() == (tmp_path / "lib.jar").read_bytes()
    assert (tmp_path / "top/bin/hdfs").read_bytes() == b"#!/bin/sh\n"


@pytest.mark.parametrize("size", [0, 1, 65535, 65536, 200_001])
def test_stored_gzip_round_trip(size):
    data = bytes(range(256)) * (size // 256 + 1)
    data = data[:size]
    out = io.BytesIO()
    stream = StoredGzip(out)
    for start in range(0, size, 7919):
        stream.write(data[start:start + 7919])
    digest = stream.finish()
    assert gzip.decompress(out.getvalue()) == data
    assert digest == hashlib.sha512(out.getvalue()).hexdigest()
    assert stream.size == len(out.getvalue())


def test_a_path_given_twice_is_refused(tmp_path):
    with pytest.raises(ValueError, match="bin/x"):
        write_tarball(tmp_path / "a.tar.gz", "top", [Entry("bin/x", data=b"1"), Entry("bin/x", data=b"2")])
    assert not list(tmp_path.iterdir())


def test_a_failure_leaves_no_half_written_file(tmp_path):
    with pytest.raises(FileNotFoundError):
        write_tarball(tmp_path / "a.tar.gz", "top", [Entry("x", source=tmp_path / "absent")])
    assert not list(tmp_path.iterdir())


def test_rezip_keeps_only_the_prefix_and_is_reproducible(tmp_path):
    jar = tmp_path / "tests.jar"
    with zipfile.ZipFile(jar, "w") as z:
        z.writestr("webapps/hdfs/index.html", "<html/>")
        z.writestr("org/Test.class", "x")
        z.writestr("webapps/static/a.css", "a")
    data = rezip(jar, "webapps/")
    assert data == rezip(jar, "webapps/")
    with zipfile.ZipFile(io.BytesIO(data)) as z:
        assert z.namelist() == ["webapps/", "webapps/hdfs/", "webapps/hdfs/index.html", "webapps/static/",
                                "webapps/static/a.css"]
        assert z.read("webapps/static/a.css") == b"a"
    with pytest.raises(ValueError, match="nothing/"):
        rezip(jar, "nothing/")
