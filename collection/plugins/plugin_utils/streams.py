"""Copies of files between this machine and a store (HDFS, OSS): progress, appearing at once, going on after a break."""
from __future__ import annotations

import hashlib
import os
import threading
import time
from collections.abc import Callable

from ..module_utils.domain.errors import EmrError

TELL_S, SMALL, MANY = 2.0, 8 << 20, 500
ATTEMPTS = 6
# Bytes of a name in a folder of this machine at most.
NAME_MAX = 255
# Rows of a result that names files; their number is told beside.
NAMED = 1000


class Progress:
    """Tells every two seconds how far a copy is; copies of less than 8 MiB and 500 files are not talked about. Used by several threads."""

    def __init__(self, total: int, tell: Callable, clock=time.monotonic, files: int = 1):
        self.total, self.tell, self.clock, self.files = total, tell, clock, files
        self.done = self.skipped = self.complete = 0
        self.begun = self.last = clock()
        self._lock = threading.Lock()

    def add(self, count: int, skipped: bool = False) -> None:
        """So many bytes more; ``skipped`` ones were there already and say nothing of the rate."""
        with self._lock:
            self.done += count
            self.skipped += count if skipped else 0
            self._say()

    def file(self) -> None:
        """One file more is complete."""
        with self._lock:
            self.complete += 1
            self._say()

    def _say(self) -> None:
        now = self.clock()
        if (self.total >= SMALL or self.files >= MANY) and now - self.last >= TELL_S:
            self.last = now
            spent = max(now - self.begun, 0.001)
            rate = (self.done - self.skipped) / spent
            left = (self.total - self.done) / rate if rate else 0
            if self.complete:  # many small files take their time whatever their bytes are
                left = max(left, (self.files - self.complete) * spent / self.complete)
            files = f"{self.complete:,} of {self.files:,} files, " if self.files > 1 else ""
            self.tell(f"{files}{_mb(self.done)} of {_mb(self.total)} MB ({100 * self.done // max(self.total, 1)}%), {_mb(rate)} MB/s, "
                      f"{left:.0f} s left")


def _mb(count: float) -> str:
    return f"{count / 1e6:,.1f}"


def part_path(final: str, stamp: str = "") -> str:
    """Path of a file or folder until it is complete, beside its place; ``stamp`` names the version of its source."""
    folder, name = os.path.split(final)
    last = f".{name}.{stamp}.emr-part" if stamp else f".{name}.emr-part"
    if len(os.fsencode(last)) > NAME_MAX:
        last = f".{hashlib.sha256(os.fsencode(last)).hexdigest()[:32]}.emr-part"
    return os.path.join(folder, last)


class Part:
    """A file that appears at once, when it is complete. What an interrupted run got of the same version (``stamp``) is kept."""

    def __init__(self, final: str, size: int, stamp: str, progress: Progress):
        self.final, self.size, self.progress, self.path = final, size, progress, part_path(final, stamp)
        os.makedirs(os.path.dirname(final), exist_ok=True)
        self.have = os.path.getsize(self.path) if os.path.exists(self.path) else 0
        if self.have > size:
            os.unlink(self.path)
            self.have = 0
        progress.add(self.have, skipped=True)
        self._out = None

    def take(self, block: bytes) -> None:
        """More content."""
        self._out = self._out or open(self.path, "ab")  # noqa: SIM115
        self._out.write(block)
        self.have += len(block)
        self.progress.add(len(block))

    def close(self) -> None:
        """Keep what has come."""
        if self._out:
            self._out.close()
        self._out = None

    def finish(self, checked: Callable | None = None) -> None:
        """All has come. ``checked(path)`` raises for content that is not right. Raises EmrError."""
        self.take(b"")
        self.close()
        if self.have != self.size:
            raise EmrError(f"{self.final}: {self.have} bytes arrived, expected {self.size}", "It changed meanwhile; run the same command again")
        if checked:
            try:
                checked(self.path)
            except Exception:
                os.unlink(self.path)
                raise
        os.replace(self.path, self.final)
        self.progress.file()


def receive(final: str, size: int, stamp: str, read: Callable, progress: Progress, checked: Callable | None = None) -> None:
    """Write a file that appears at once, when it is complete.

    ``read(take, offset)`` hands over content from there on; ``stamp`` names this version of the source: what an interrupted run got of
    the same version is kept. ``checked(path)`` raises for content that is not right. Raises EmrError.
    """
    part = Part(final, size, stamp, progress)
    try:
        _persist(lambda: read(part.take, part.have), lambda: part.have >= size, final)
        part.finish(checked)
    finally:
        part.close()


def _persist(step: Callable, complete: Callable, what: str) -> None:
    """Repeat a step that goes on where it broke."""
    for attempt in range(1, ATTEMPTS + 1):
        if complete():
            return
        try:
            step()
            return
        except OSError as error:
            if attempt == ATTEMPTS:
                raise EmrError(f"{what}: the connection broke {attempt} times: {error}", "Run the same command again; it goes on from here") from error
            time.sleep(0.5 * attempt)


class Reader:
    """A file object with seek over ``read(take, offset, length)``, as Parquet's readers want it."""

    def __init__(self, size: int, read: Callable):
        self.size, self._read, self.at, self.closed = size, read, 0, False

    def read(self, count: int = -1) -> bytes:
        count = self.size - self.at if count is None or count < 0 else min(count, self.size - self.at)
        if count <= 0:
            return b""
        parts: list = []
        self._read(parts.append, self.at, count)
        found = b"".join(parts)
        self.at += len(found)
        return found

    def seek(self, offset: int, whence: int = 0) -> int:
        self.at = offset + (0, self.at, self.size)[whence]
        return self.at

    def tell(self) -> int:
        return self.at

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def writable(self) -> bool:
        return False

    def flush(self) -> None:
        """Nothing is written."""

    def close(self) -> None:
        self.closed = True


def parquet_rows(source: Reader, most: int, path: str) -> list:
    """The first rows of a Parquet file as records of plain values. Raises EmrError."""
    try:
        from pyarrow import ArrowException, parquet
    except ImportError:
        raise EmrError(f"{path} is Parquet, and pyarrow is not installed here", "pip install 'emrctl[parquet]', or read it with Spark") from None
    try:
        rows: list = []
        for batch in parquet.ParquetFile(source).iter_batches(batch_size=min(most, 1000)):
            rows += batch.to_pylist()
            if len(rows) >= most:
                break
    except (ArrowException, OSError) as error:
        raise EmrError(f"{path}: no readable Parquet: {error}") from None
    return [{str(key): _plain(value) for key, value in row.items()} for row in rows[:most]]


def _plain(value):
    """A value that JSON can carry: decimals and times as text, as Spark prints them."""
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return str(value)
