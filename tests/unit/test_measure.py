"""Sizes as people write them, folders, and listings of other stores."""
from __future__ import annotations

import os

import pytest

from ansible_collections.emr.cluster.plugins.module_utils.cloud.sizing.measure import (
    gib,
    measure_folder,
    measure_listing,
    measure_summary,
)
from ansible_collections.emr.cluster.plugins.module_utils.domain.errors import Refused

OSS = """\
LastModifiedTime                   Size(B)  StorageClass   ETAG                                  ObjectName
2024-05-06 10:11:12 +0800 CST         1024      Standard   7E5F438A7FC7A2B6C9D1E2F3A4B5C6D7      oss://data/a b.csv
2024-05-06 10:11:12 +0800 CST            0      Standard   D41D8CD98F00B204E9800998ECF8427E      oss://data/dir/
2024-05-06 10:11:13 +0800 CST         4096            IA   AE5F438A7FC7A2B6C9D1E2F3A4B5C6D7      oss://data/dir/b.csv
Object Number is: 3
"""
LS = """\
.:
total 8
drwxr-xr-x 2 root root 4096 May  6 10:11 sub
-rw-r--r-- 1 root root  100 May  6 10:11 a.csv

./sub:
-rw-r--r--. 1 root root  200 Jan 12  2023 b 1.csv
lrwxrwxrwx 1 root root    5 May  6 10:11 link -> a.csv
"""
HDFS = """\
drwxr-xr-x   - hdfs hadoop          0 2024-05-06 10:11 /data
-rw-r--r--   3 hdfs hadoop       1000 2024-05-06 10:11 /data/a
-rw-r--r--   3 hdfs hadoop       2000 2024-05-06 10:12 /data/b
"""


@pytest.mark.parametrize("text, expected", [("1TiB", 1024), ("500GB", 500e9 / 2**30), (" 1.5 tb ", 1.5e12 / 2**30), ("7", 7),
                                            (2, 2), ("0", 0), ("1024M", 1024e6 / 2**30)])
def test_sizes(text, expected):
    assert gib(text) == pytest.approx(expected)


@pytest.mark.parametrize("text", ["", "many", "-1GB", "5 parsecs", "1,5GB", "1e3"])
def test_what_is_no_size(text):
    with pytest.raises(Refused, match="is not a volume"):
        gib(text)


@pytest.mark.parametrize("text, size, files", [(OSS, 5120, 2), (LS, 300, 2), (HDFS, 3000, 2)])
def test_listings(text, size, files):
    found = measure_listing(text.splitlines(), "x")
    assert (found.size, found.files) == (size, files)


def test_what_is_no_listing():
    with pytest.raises(Refused, match="no line of it"):
        measure_listing(["id,value", "1,2"], "x.csv")


def test_folder(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "one").write_bytes(b"x" * 10)
    (tmp_path / "two").write_bytes(b"x" * 20)
    os.link(tmp_path / "two", tmp_path / "again")
    (tmp_path / "link").symlink_to("/")
    found = measure_folder(str(tmp_path))
    assert (found.size, found.files) == (30, 2)
    assert measure_folder(str(tmp_path / "two")).size == 20
    with pytest.raises(Refused, match="no such"):
        measure_folder(str(tmp_path / "none"))


def test_webhdfs():
    found = measure_summary('{"ContentSummary":{"directoryCount":1,"fileCount":7,"length":99,"spaceConsumed":198}}', "x")
    assert (found.size, found.files) == (99, 7)
    with pytest.raises(Refused, match="did not report"):
        measure_summary("HTTP 404", "x")
