"""Content of objects and parts: files with names of their own, written once and then left alone."""
from __future__ import annotations

import base64
import binascii
import hashlib
import os
import secrets
from pathlib import Path

from fastcrc import crc64

from .errors import Cut, OssError
from .index import Stored

PIECE = 1 << 20


class Files:
    """Files of a folder, in 256 folders below it."""

    def __init__(self, folder: Path):
        self._folder = folder
        for number in range(256):
            (folder / f"{number:02x}").mkdir(parents=True, exist_ok=True)

    def path(self, name: str) -> Path:
        """Where the file of this name lies."""
        return self._folder / name[:2] / name

    def write(self, pieces, now: float, headers: dict | None = None, acl: str = "default", md5: str = "") -> Stored:
        """Keep content that comes in pieces. md5: what the sender says it is, in base64. Nothing stays of a failure."""
        name = secrets.token_hex(16)
        digest, crc, size = hashlib.md5(usedforsecurity=False), 0, 0
        try:
            with self.path(name).open("xb") as file:
                for piece in pieces:
                    file.write(piece)
                    digest.update(piece)
                    crc = crc64.xz(piece, crc) if size else crc64.xz(piece)
                    size += len(piece)
            _same_digest(digest, md5)
        except BaseException:
            self.remove(name)
            raise
        value = digest.hexdigest().upper()
        return Stored(name, size, value, crc, now, value, acl=acl, headers=headers or {})

    def link(self, source: Stored) -> str:
        """A further file with the content of another, which shares its place on the disk; returns its name."""
        name = secrets.token_hex(16)
        os.link(self.path(source.file), self.path(name))
        return name

    def read(self, stored: Stored, start: int = 0, length: int | None = None):
        """Pieces of the content."""
        left = stored.size - start if length is None else length
        with self.path(stored.file).open("rb") as file:
            file.seek(start)
            while left > 0:
                piece = file.read(min(left, PIECE))
                if not piece:
                    raise Cut
                left -= len(piece)
                yield piece

    def remove(self, *names: str) -> None:
        """Delete files; absent ones are ignored. Who reads one reads on."""
        for name in names:
            self.path(name).unlink(missing_ok=True)

    def sweep(self, known: set) -> int:
        """Delete what nothing refers to: leavings of a server that was killed. Returns how many."""
        strays = [path for path in self._folder.glob("??/*") if path.name not in known]
        for path in strays:
            path.unlink(missing_ok=True)
        return len(strays)


def _same_digest(found, told: str) -> None:
    """Raises OssError unless the MD5 is what the sender told, if it did."""
    if not told:
        return
    try:
        wanted = base64.b64decode(told, validate=True)
    except (binascii.Error, ValueError):
        wanted = b""
    if len(wanted) != 16:
        raise OssError("InvalidDigest")
    if wanted != found.digest():
        raise OssError("BadDigest")
