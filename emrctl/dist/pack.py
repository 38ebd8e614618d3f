"""Tarballs with the same bytes on every machine and at every time.

Names are sorted, times fixed, owners root. The gzip layer holds stored blocks only: jars are deflated already, so
compressing again wins 5 % of size and costs every node seconds, and the bytes depend on no zlib version.
"""
from __future__ import annotations

import hashlib
import io
import os
import struct
import tarfile
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path

MTIME = 1577836800  # 2020-01-01T00:00:00Z; class-data archives record the jars' times
_BLOCK = 0xFFFF


@dataclass(frozen=True)
class Entry:
    """One member: ``path`` below the top folder and either ``data`` (bytes), ``source`` (a file) or ``link`` (target)."""

    path: str
    data: bytes | None = None
    source: Path | None = None
    link: str | None = None
    executable: bool = False


class StoredGzip(io.RawIOBase):
    """A write-only gzip file of stored blocks, which computes the SHA-512 and the size of what it writes."""

    def __init__(self, out):
        self._out, self._sha, self.size = out, hashlib.sha512(), 0
        self._crc, self._length, self._rest = 0, 0, b""
        self._emit(b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff")

    def _emit(self, data: bytes) -> None:
        self._out.write(data)
        self._sha.update(data)
        self.size += len(data)

    def writable(self) -> bool:
        return True

    def write(self, data) -> int:
        data = bytes(data)
        self._crc = zlib.crc32(data, self._crc)
        self._length += len(data)
        buffer = self._rest + data
        whole = len(buffer) - len(buffer) % _BLOCK
        for start in range(0, whole, _BLOCK):
            self._block(buffer[start:start + _BLOCK], last=False)
        self._rest = buffer[whole:]
        return len(data)

    def _block(self, data: bytes, last: bool) -> None:
        self._emit(struct.pack("<BHH", int(last), len(data), len(data) ^ 0xFFFF) + data)

    def finish(self) -> str:
        """Write the end of the file. Returns the SHA-512 of the whole file in hex."""
        self._block(self._rest, last=True)
        self._emit(struct.pack("<II", self._crc, self._length & 0xFFFFFFFF))
        return self._sha.hexdigest()


def write_tarball(target: Path, top: str, entries) -> str:
    """Write ``target`` (gzip, one top folder) from the entries, atomically. Returns its SHA-512.

    Raises ValueError if a path appears twice.
    """
    entries = sorted(entries, key=lambda e: e.path)
    names = [e.path for e in entries]
    doubles = {n for n in names if names.count(n) > 1} if len(set(names)) != len(names) else set()
    if doubles:
        raise ValueError(f"twice in {target.name}: {', '.join(sorted(doubles))}")
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        with open(partial, "wb") as out:
            gzip = StoredGzip(out)
            with tarfile.open(fileobj=gzip, mode="w|", format=tarfile.GNU_FORMAT, bufsize=1 << 20) as tar:
                for folder in _folders(top, names):
                    tar.addfile(_header(folder, tarfile.DIRTYPE, 0o755))
                for entry in entries:
                    _add(tar, top, entry)
            digest = gzip.finish()
        os.replace(partial, target)
    finally:
        partial.unlink(missing_ok=True)
    return digest


def _folders(top: str, names) -> list[str]:
    found = {top}
    for name in names:
        parts = name.split("/")[:-1]
        found.update("/".join([top, *parts[:i]]) for i in range(1, len(parts) + 1))
    return sorted(found)


def _header(name: str, kind: bytes, mode: int) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.mode, info.mtime = kind, mode, MTIME
    return info


def _add(tar: tarfile.TarFile, top: str, entry: Entry) -> None:
    name = f"{top}/{entry.path}"
    if entry.link is not None:
        info = _header(name, tarfile.SYMTYPE, 0o777)
        info.linkname = entry.link
        tar.addfile(info)
        return
    info = _header(name, tarfile.REGTYPE, 0o755 if entry.executable else 0o644)
    if entry.data is not None:
        info.size = len(entry.data)
        tar.addfile(info, io.BytesIO(entry.data))
        return
    with open(entry.source, "rb") as stream:
        info.size = os.fstat(stream.fileno()).st_size
        tar.addfile(info, stream)


def rezip(source: Path, prefix: str, without: tuple = ()) -> bytes:
    """A jar with only those members of ``source`` whose names begin with ``prefix``, and not with one of ``without``; stored, sorted, fixed times.

    Raises ValueError if there are none.
    """
    out = io.BytesIO()
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as new:
        names = sorted(n for n in old.namelist() if n.startswith(prefix) and not n.startswith(without) and not n.endswith("/"))
        if not names:
            raise ValueError(f"{source.name} has no {prefix}")
        # Jetty asks for folders as resources, so they must be members too.
        folders = {n[:i + 1] for n in names for i, c in enumerate(n) if c == "/"}
        for name in sorted(folders | set(names)):
            info = zipfile.ZipInfo(name, (2020, 1, 1, 0, 0, 0))
            info.create_system = 3
            info.external_attr = (0o40755 if name.endswith("/") else 0o100644) << 16
            new.writestr(info, b"" if name.endswith("/") else old.read(name))
    return out.getvalue()
