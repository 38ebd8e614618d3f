"""Copies of files between this machine and a store (HDFS, OSS): progress, appearing at once, going on after a break."""
from __future__ import annotations

import os
import time
from collections.abc import Callable

from ..module_utils.domain.errors import EmrError

TELL_S, SMALL = 2.0, 8 << 20
ATTEMPTS = 6


class Progress:
    """Tells every two seconds how far a copy is; copies of less than 8 MiB are not talked about."""

    def __init__(self, total: int, tell: Callable, clock=time.monotonic):
        self.total, self.tell, self.clock = total, tell, clock
        self.done = self.skipped = 0
        self.begun = self.last = clock()

    def add(self, count: int, skipped: bool = False) -> None:
        """So many bytes more; ``skipped`` ones were there already and say nothing of the rate."""
        self.done += count
        self.skipped += count if skipped else 0
        now = self.clock()
        if self.total >= SMALL and now - self.last >= TELL_S:
            self.last = now
            rate = (self.done - self.skipped) / max(now - self.begun, 0.001)
            left = (self.total - self.done) / rate if rate else 0
            self.tell(f"{_mb(self.done)} of {_mb(self.total)} MB ({100 * self.done // max(self.total, 1)}%), {_mb(rate)} MB/s, {left:.0f} s left")


def _mb(count: float) -> str:
    return f"{count / 1e6:,.1f}"


def receive(final: str, size: int, stamp: str, read: Callable, progress: Progress, checked: Callable | None = None) -> None:
    """Write a file that appears at once, when it is complete.

    ``read(take, offset)`` hands over content from there on; ``stamp`` names this version of the source: what an interrupted run got of
    the same version is kept. ``checked(path)`` raises for content that is not right. Raises EmrError.
    """
    part = os.path.join(os.path.dirname(final), f".{os.path.basename(final)}.{stamp}.emr-part")
    os.makedirs(os.path.dirname(final), exist_ok=True)
    have = os.path.getsize(part) if os.path.exists(part) else 0
    if have > size:
        os.unlink(part)
        have = 0
    progress.add(have, skipped=True)
    with open(part, "ab") as out:
        def take(block):
            out.write(block)
            progress.add(len(block))
        _persist(lambda: read(take, out.tell()), lambda: out.tell() >= size, final)
        if out.tell() != size:
            raise EmrError(f"{final}: {out.tell()} bytes arrived, expected {size}", "It changed meanwhile; run the same command again")
    if checked:
        try:
            checked(part)
        except Exception:
            os.unlink(part)
            raise
    os.replace(part, final)


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
