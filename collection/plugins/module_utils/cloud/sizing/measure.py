"""Volume and number of files of data that exists: a local directory, HDFS, or a listing of an OSS bucket.

Sizes are bytes, one copy: replicas do not count.
"""
from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass

from ...domain.errors import Refused

_UNITS = {"": 1, "b": 1, "k": 10**3, "kb": 10**3, "m": 10**6, "mb": 10**6, "g": 10**9, "gb": 10**9, "t": 10**12,
          "tb": 10**12, "p": 10**15, "pb": 10**15, "kib": 2**10, "mib": 2**20, "gib": 2**30, "tib": 2**40, "pib": 2**50}
# A line of `ossutil ls`: time, size, class, etag, name. `ls` of version 1 writes the zone as +0800 CST.
_OSS = re.compile(r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\s+\S+(?:\s+[A-Z]{2,5})?\s+(\d+)\s+[A-Za-z]+\s+\S+\s+(oss://\S.*)$")
# A line of `ls -lR`: rights, links, user, group, size, month, day, time, name. HDFS -ls -R differs only in its date.
_LS = re.compile(r"^-[rwxstST-]{9}[.+@]?\s+\S+\s+\S+\s+\S+\s+(\d+)\s+(?:\w{3}\s+\d+\s+[\d:]+|\d{4}-\d\d-\d\d\s+[\d:.]+"
                 r"(?:\s[+-]\d{4})?)\s+\S.*$")


@dataclass(frozen=True)
class Measured:
    """``size`` in bytes, one copy."""

    size: int
    files: int
    source: str

    @property
    def gib(self) -> float:
        return self.size / 2**30


def gib(text: str) -> float:
    """GiB of a size as people write it: 500GB, 1.5 TiB; a bare number is GiB. Raises Refused."""
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([A-Za-z]*)\s*", str(text))
    unit = (match[2].lower() or "gib") if match else ""
    if not match or unit not in _UNITS:
        raise Refused(f"'{text}' is not a volume", "Write for example 500GB, 1.5TiB or 200 (GiB)")
    return float(match[1]) * _UNITS[unit] / 2**30


def measure_folder(path: str) -> Measured:
    """Regular files below a folder (or one file), links not followed, each hard link once. Raises Refused."""
    if os.path.isfile(path):
        return Measured(os.path.getsize(path), 1, path)
    if not os.path.isdir(path):
        raise Refused(f"{path}: no such file or folder", "Correct --measure")
    size = files = 0
    seen: set = set()
    unreadable: list = []
    for folder, _folders, names in os.walk(path, onerror=unreadable.append):
        for name in names:
            try:
                info = os.lstat(os.path.join(folder, name))
            except OSError as error:
                unreadable.append(error)
                continue
            if (info.st_mode & 0o170000) != 0o100000 or (info.st_nlink > 1 and (info.st_dev, info.st_ino) in seen):
                continue
            if info.st_nlink > 1:
                seen.add((info.st_dev, info.st_ino))
            size, files = size + info.st_size, files + 1
    if unreadable:
        raise Refused(f"{len(unreadable)} files or folders below {path} cannot be read, the first: {unreadable[0]}",
                      "Measure as a user who may read them, or give --data")
    return Measured(size, files, path)


def measure_listing(lines, source: str) -> Measured:
    """The files of a listing: `ossutil ls oss://…`, `ls -lR`, or `hdfs dfs -ls -R`. Raises Refused when it is none."""
    size = files = 0
    for line in lines:
        match = _OSS.match(line.rstrip()) or _LS.match(line.rstrip())
        if match and not (match.lastindex == 2 and match[2].endswith("/")):
            size, files = size + int(match[1]), files + 1
    if not files:
        raise Refused(f"{source}: no line of it looks like a file of a listing", "Save the output of `ossutil ls oss://BUCKET/`, "
                      "`ls -lR` or `hdfs dfs -ls -R` there")
    return Measured(size, files, source)


def measure_summary(text: str, source: str) -> Measured:
    """WebHDFS's answer to GETCONTENTSUMMARY: length without copies, and files. Raises Refused when it is none."""
    try:
        summary = json.loads(text)["ContentSummary"]
        return Measured(int(summary["length"]), int(summary["fileCount"]), source)
    except (ValueError, KeyError, TypeError):
        raise Refused(f"{source}: HDFS did not report its size: {text.strip()[-300:]}",
                      "Check the path with: hdfs dfs -ls, and the cluster with: emrctl status") from None
