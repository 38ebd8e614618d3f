"""Hadoop's own client (hadoop-aliyun, from the release's tarball) works against the OSS of the local ECS.

The key lies in a credential provider file that `hadoop credential` makes at a terminal, so no secret is on a command
line or in a configuration file.
"""
from __future__ import annotations

import os
import shutil
import subprocess
import tarfile
from pathlib import Path

import oss2
import pexpect
import pytest

from ansible_collections.emr.cluster.plugins.module_utils.domain.config.settings import CLIENT_FLAGS
from ansible_collections.emr.cluster.plugins.module_utils.node.config import secret as node_secret
from emrctl.local.testing import api_only
from tests.lab import tarball

TARBALL = tarball("hadoop")
SITE = {"fs.defaultFS": "file:///", "fs.oss.impl": "org.apache.hadoop.fs.aliyun.oss.AliyunOSSFileSystem",
        "fs.oss.multipart.upload.size": "1048576", "fs.oss.multipart.upload.threshold": "2097152",
        "fs.oss.paging.maximum": "50", "mapreduce.framework.name": "local"}


class Hadoop:
    """The programs of an unpacked Hadoop, configured for one local ECS."""

    def __init__(self, home: Path, work: Path, local):
        self.home, self.work = home, work
        self.conf = work / "conf"
        self.conf.mkdir(parents=True)
        site = {**SITE, "fs.oss.endpoint": local.endpoint, "hadoop.tmp.dir": str(work / "tmp"),
                "hadoop.security.credential.provider.path": node_secret.provider_of(work / "oss.jceks")}
        lines = "".join(f"<property><name>{k}</name><value>{v}</value></property>" for k, v in site.items())
        (self.conf / "core-site.xml").write_text(f"<configuration>{lines}</configuration>")
        shutil.copy(home / "etc/hadoop/log4j.properties", self.conf)
        self.env = {**os.environ, "HADOOP_CLIENT_OPTS": CLIENT_FLAGS, "HADOOP_CONF_DIR": str(self.conf), "HADOOP_ROOT_LOGGER": "WARN,console",
                    "HADOOP_LOG_DIR": str(work / "logs")}

    def run(self, *args: str, ok: bool = True) -> subprocess.CompletedProcess:
        """`hadoop ARGS`, which must succeed unless ok is False."""
        done = subprocess.run([str(self.home / "bin/hadoop"), *args], env=self.env, cwd=self.work, text=True,
                              errors="replace", capture_output=True, timeout=600, check=False)
        assert done.returncode == 0 or not ok, f"hadoop {' '.join(args)}: {done.stdout}\n{done.stderr}"
        return done

    def fs(self, *args: str) -> str:
        """Output of `hadoop fs ARGS`."""
        return self.run("fs", *args).stdout

    def names(self, path: str) -> list:
        """Paths below, without the bucket."""
        return sorted(line.split("/data/", 1)[-1] for line in self.fs("-ls", "-C", "-R", path).splitlines())

    def keep(self, secrets: dict, path: Path | None = None) -> None:
        """Put secrets into a credential provider, by default the configured one, typed at a terminal."""
        for alias, secret in secrets.items():
            child = pexpect.spawn(str(self.home / "bin/hadoop"), ["credential", "create", alias, "-provider",
                                                                  node_secret.provider_of(path or self.work / "oss.jceks")], env=self.env, timeout=300)
            for _ in ("once", "again"):
                child.expect("assword[^\\n]*: ?$")
                child.sendline(secret)
            child.expect(pexpect.EOF)
            child.close()
            assert child.exitstatus == 0, child.before


@pytest.fixture(scope="module")
def local(tmp_path_factory):
    with api_only(tmp_path_factory.mktemp("oss")) as server:
        yield server


@pytest.fixture(scope="module")
def hadoop(local, tmp_path_factory):
    if not TARBALL.exists():
        pytest.skip(f"{TARBALL} is missing: emrctl dist build")
    work = tmp_path_factory.mktemp("hadoop")
    with tarfile.open(TARBALL) as archive:
        archive.extractall(work, filter="tar")
    made = Hadoop(next(work.glob("hadoop-*")), work / "run", local)
    made.keep({"fs.oss.accessKeyId": local.access_key_id, "fs.oss.accessKeySecret": local.access_key_secret})
    assert (work / "run/oss.jceks").stat().st_mode & 0o777 == 0o600
    assert local.access_key_secret.encode() not in (work / "run/oss.jceks").read_bytes()
    return made


@pytest.fixture(scope="module")
def bucket(local):
    found = oss2.Bucket(oss2.Auth(local.access_key_id, local.access_key_secret), local.endpoint, "data")
    found.create_bucket()
    return found


def test_files_in_and_out(hadoop, bucket, tmp_path):
    small = tmp_path / "small ü+%.txt"
    small.write_text("Grüße\n")
    hadoop.fs("-mkdir", "-p", "oss://data/in")
    hadoop.fs("-put", str(small), "oss://data/in/")
    assert hadoop.fs("-cat", "oss://data/in/small ü+%.txt") == "Grüße\n"
    assert bucket.get_object("in/small ü+%.txt").read().decode() == "Grüße\n"
    refused = hadoop.run("fs", "-put", str(small), "oss://data/in/", ok=False)
    assert refused.returncode == 1 and "File exists" in refused.stderr
    small.write_text("new\n")
    hadoop.fs("-put", "-f", str(small), "oss://data/in/")
    hadoop.fs("-get", "oss://data/in/small ü+%.txt", str(tmp_path / "back"))
    assert (tmp_path / "back").read_text() == "new\n"
    assert hadoop.run("fs", "-cat", "oss://data/in/nothing", ok=False).returncode == 1


def test_large_file_goes_in_parts(hadoop, bucket, tmp_path):
    big = tmp_path / "big"
    big.write_bytes(os.urandom(24 << 20) + b"end")
    hadoop.fs("-put", str(big), "oss://data/big")
    assert bucket.head_object("big").object_type == "Multipart"
    hadoop.fs("-cp", "oss://data/big", "oss://data/copy")
    hadoop.fs("-mv", "oss://data/copy", "oss://data/moved")
    hadoop.fs("-get", "oss://data/moved", str(tmp_path / "back"))
    assert (tmp_path / "back").read_bytes() == big.read_bytes()
    assert hadoop.fs("-tail", "oss://data/big").endswith("end")
    assert not list(oss2.MultipartUploadIterator(bucket)) and not bucket.object_exists("copy")


def test_folder_of_many_files(hadoop, bucket, tmp_path):
    many = tmp_path / "many"
    many.mkdir()
    for number in range(120):
        (many / f"part {number:03}").write_text(str(number))
    hadoop.fs("-put", str(many), "oss://data/")
    assert len(hadoop.names("oss://data/many")) == 120
    hadoop.fs("-mv", "oss://data/many", "oss://data/renamed")
    assert len(hadoop.names("oss://data/renamed")) == 120
    assert hadoop.fs("-cat", "oss://data/renamed/part 077") == "77"
    assert not [o.key for o in oss2.ObjectIterator(bucket, prefix="many")]
    hadoop.fs("-rm", "-r", "-skipTrash", "oss://data/renamed")
    assert not [o.key for o in oss2.ObjectIterator(bucket, prefix="renamed")]


def test_distcp(hadoop, bucket, tmp_path):
    source = tmp_path / "source"
    (source / "below").mkdir(parents=True)
    for number in range(5):
        (source / "below" / f"f{number}").write_bytes(os.urandom(100_000))
    (source / "big").write_bytes(os.urandom(5 << 20))
    hadoop.run("distcp", f"file://{source}", "oss://data/copied")
    hadoop.run("distcp", "oss://data/copied", f"file://{tmp_path}/back")
    for path in source.rglob("*"):
        if path.is_file():
            assert (tmp_path / "back" / path.relative_to(source)).read_bytes() == path.read_bytes()
    bucket.delete_object("copied/below/f3")
    hadoop.run("distcp", "-update", "-delete", f"file://{source}", "oss://data/copied")
    assert bucket.object_exists("copied/below/f3")


@pytest.mark.usefixtures("bucket")
def test_bad_day(local, hadoop, tmp_path):
    """A connection that breaks and a throttled service are survived by the client's own retries."""
    data = tmp_path / "data"
    data.write_bytes(os.urandom(6 << 20))
    local.faults(throttle=0.2, seed=7, errors=[{"action": "UploadPart", "code": "Disconnect", "bytes": 300_000, "times": 1},
                                               {"action": "GetObject", "code": "Disconnect", "bytes": 100_000, "times": 1}])
    hadoop.fs("-put", str(data), "oss://data/bad")
    hadoop.fs("-get", "oss://data/bad", str(tmp_path / "back"))
    local.cloud.faults.clear()
    assert (tmp_path / "back").read_bytes() == data.read_bytes()


@pytest.mark.usefixtures("bucket")
def test_wrong_key_is_told(local, hadoop, tmp_path):
    wrong = tmp_path / "wrong.jceks"
    hadoop.keep({"fs.oss.accessKeyId": local.access_key_id, "fs.oss.accessKeySecret": "wrong"}, wrong)
    done = hadoop.run("fs", "-D", f"hadoop.security.credential.provider.path={node_secret.provider_of(wrong)}",
                      "-ls", "oss://data/", ok=False)
    assert done.returncode != 0 and "SignatureDoesNotMatch" in done.stderr, done.stderr
