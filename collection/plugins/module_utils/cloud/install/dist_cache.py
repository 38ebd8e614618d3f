"""The finished tarballs in this machine's cache: where they are, and whether they are what a release wants. No Ansible import."""
from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path


def cache_root() -> Path:
    """The cache of this user: ``EMR_CACHE``, else ``~/.cache/emr``."""
    return Path(os.environ.get("EMR_CACHE") or Path.home() / ".cache" / "emr")


def dist_dir() -> Path:
    """Folder of the finished tarballs: ``emrctl dist build`` fills it, the local ECS serves it, a new cluster is given files of it."""
    return cache_root() / "dist"


def cached(file: str, digest: str) -> Path | None:
    """Path of a tarball of this name with this SHA-512, or None. Only one whose stamp does not tell is read."""
    path = dist_dir() / file
    try:
        return path if stamped(path) == digest or sha512_of(path) == digest else None
    except OSError:
        return None


def stamped(path: Path) -> str:
    """SHA-512 that was taken of this file when it had the size and time that it has now; '' when none was."""
    try:
        known, stat = json.loads(stamp_of(path).read_text()), path.stat()
        return known["sha512"] if (known["size"], known["mtime_ns"]) == (stat.st_size, stat.st_mtime_ns) else ""
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def stamp(path: Path, digest: str) -> None:
    """Remember that a file, as it is now, has this SHA-512."""
    stat = path.stat()
    stamp_of(path).write_text(json.dumps({"sha512": digest, "size": stat.st_size, "mtime_ns": stat.st_mtime_ns}))


def stamp_of(path: Path) -> Path:
    """The file in which the SHA-512 of a tarball is remembered."""
    return path.with_name(path.name + ".json")


def sha512_of(path: Path) -> str:
    """SHA-512 of a file in hex. Raises OSError."""
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, "sha512").hexdigest()
