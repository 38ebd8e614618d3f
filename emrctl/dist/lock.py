"""Lock files: every input of a distribution with its place, size and SHA-512.

One input a line, in class-path order: ``kind coordinates sha512 size place``. ``#`` begins a comment.
Kinds: ``jar`` (Maven coordinates ``group:artifact:version[:classifier]``; the place is a folder), ``webapps`` (a Maven
jar of which only ``webapps/`` is kept; the place is the file to make), ``native`` (a Maven jar of which only Hadoop's native library is
kept; the place is the folder for it), ``tar`` (a Maven tar.gz of which the place, a folder below
its top one, is kept), ``sdist`` (``project:version`` of PyPI; the
place is ``-``, because its whole tree is rearranged), ``wheel`` (``project:version:tag`` of PyPI; the place is the folder for its programs) and
``deb`` (``package:version`` of Debian 12; the place is a folder).
"""
from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from ansible_collections.emr.cluster.plugins.module_utils.cloud.install.dist_cache import sha512_of
from ansible_collections.emr.cluster.plugins.module_utils.domain.errors import Refused

KINDS = {"jar": (3, 4), "webapps": (3, 4), "native": (3, 4), "tar": (4, 4), "sdist": (2, 2), "wheel": (3, 3), "deb": (2, 2)}
DEB_ARCHITECTURE = "amd64"
_SHA512 = re.compile(r"[0-9a-f]{128}")


@dataclass(frozen=True)
class Locked:
    """One pinned input. ``size`` is in bytes."""

    kind: str
    coordinates: str
    sha512: str
    size: int
    place: str

    @property
    def file(self) -> str:
        """File name of the input."""
        parts = self.coordinates.split(":")
        if self.kind == "sdist":
            return f"{parts[0]}-{parts[1]}.tar.gz"
        if self.kind == "wheel":
            return f"{parts[0].replace('-', '_')}-{parts[1]}-{parts[2]}.whl"
        if self.kind == "deb":
            return f"{parts[0]}_{parts[1]}_{DEB_ARCHITECTURE}.deb"
        return "-".join(parts[1:]) + (".tar.gz" if self.kind == "tar" else ".jar")

    @property
    def cached(self) -> str:
        """Path of the input below the downloads folder."""
        if self.kind in ("sdist", "wheel"):
            return f"pypi/{self.file}"
        if self.kind == "deb":
            return f"debian/{self.file}"
        group, artifact, version = self.coordinates.split(":")[:3]
        return f"maven/{group.replace('.', '/')}/{artifact}/{version}/{self.file}"

    def line(self) -> str:
        return f"{self.kind} {self.coordinates} {self.sha512} {self.size} {self.place}"


def parse_lock(text: str, source: str = "<lock>") -> list[Locked]:
    """The inputs of a lock file in order. Raises Refused with file and line when a line is malformed or repeated."""
    found: list[Locked] = []
    seen: set[str] = set()
    for number, line in enumerate(text.splitlines(), 1):
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        problem = _problem(words, seen)
        if problem:
            raise Refused(f"{source}:{number}: {problem}", "Write the lock file again: emrctl dist lock NAME")
        seen.add(words[1])
        found.append(Locked(words[0], words[1], words[2], int(words[3]), words[4]))
    if not found:
        raise Refused(f"{source}: no inputs", "Write the lock file again: emrctl dist lock NAME")
    return found


def _problem(words: list[str], seen: set) -> str:
    if len(words) != 5:
        return f"expected 5 words (kind coordinates sha512 size place), found {len(words)}"
    kind, coordinates, sha512, size, place = words
    if kind not in KINDS:
        return f"unknown kind {kind!r}, expected one of {', '.join(sorted(KINDS))}"
    least, most = KINDS[kind]
    if not least <= len(coordinates.split(":")) <= most or ".." in coordinates or "/" in coordinates:
        return f"{coordinates!r} are not coordinates of a {kind}"
    if not _SHA512.fullmatch(sha512):
        return "the SHA-512 is not 128 lower-case hex digits"
    if not size.isdigit():
        return f"the size {size!r} is not a number of bytes"
    if place.startswith("/") or ".." in place.split("/"):
        return f"the place {place!r} leaves the distribution"
    return f"{coordinates} is there twice" if coordinates in seen else ""


def format_lock(title: str, inputs) -> str:
    """Text of a lock file, readable by ``parse_lock``."""
    head = f"# Inputs of {title}, in class-path order: kind coordinates sha512 size place.\n"
    return head + "".join(item.line() + "\n" for item in inputs)


def check(path: Path, item: Locked) -> None:
    """Raises Refused unless the file has the pinned size and SHA-512."""
    size = path.stat().st_size
    if size != item.size:
        raise Refused(f"{path} has {size} bytes, the lock file says {item.size}", f"Delete it and try again: rm {path}")
    found = sha512_of(path)
    if found != item.sha512:
        raise Refused(f"{path} has SHA-512 {found[:16]}…, the lock file says {item.sha512[:16]}…",
                      f"It is not the pinned file. Delete it and try again: rm {path}")
