"""Log files of daemons, as log4j writes and rotates them: NAME.log is the newest, NAME.log.1 the one before."""
from __future__ import annotations

import glob
import os
import time

from ...domain.logs.lines import head, joined

LINE_BYTES = 64 << 10
# Bytes within which a search by time ends, and that it looks at for a line with a time.
NEAR, LOOK = 64 << 10, 1 << 20
# Seconds after which a record of a file that is being written has come to its end.
QUIET_S = 1.0


class LogFiles:
    """The files of one daemon, from a moment on. Only the one that is read is open."""

    def __init__(self, component, path, since):
        self.component, self.path, self.since = component, path, since
        self.handle, self.record, self.seen, self.rest = None, None, 0.0, b""

    def close(self):
        """Read no further."""
        if self.handle:
            self.handle.close()
        self.handle = None

    def whole(self):
        """All records that are there; the last one may go on."""
        for path in self._old():
            if self._open(path):
                yield from self._lines()
                yield from self.flush()
        if self._open(self.path):
            yield from self._lines()

    def more(self):
        """Records that have come since, those that are complete. To be called again and again."""
        if not self.handle and not self._open(self.path):
            return
        yield from self._lines()
        if self._replaced():
            yield from self._lines()
            yield from self.flush()
            if self._open(self.path):
                yield from self._lines()
        if self.record and time.monotonic() - self.seen > QUIET_S:
            yield from self.flush()

    def flush(self):
        """The record that might have gone on."""
        if self.rest:
            yield from self._take(self.rest.decode(errors="replace"))
            self.rest = b""
        if self.record:
            yield self.record
            self.record = None

    def _old(self):
        """Rotated files that may have what is wanted, the oldest first."""
        numbered = {}
        for path in glob.glob(f"{glob.escape(self.path)}.*"):
            number = path[len(self.path) + 1:]
            if number.isdigit():
                numbered[int(number)] = path
        return [path for _number, path in sorted(numbered.items(), reverse=True) if _written(path) >= self.since]

    def _open(self, path):
        self.close()
        try:
            self.handle = open(path, "rb")  # noqa: SIM115
        except OSError:
            return False
        self.handle.seek(_begin(self.handle, self.since))
        return True

    def _replaced(self):
        """Whether log4j has begun a new file under this name, or somebody has emptied this one."""
        try:
            found, mine = os.stat(self.path), os.fstat(self.handle.fileno())
        except OSError:
            return False
        return found.st_ino != mine.st_ino or found.st_size < self.handle.tell()

    def _lines(self):
        while True:
            block = self.handle.readline(LINE_BYTES)
            if not block:
                return
            self.rest += block
            if block.endswith(b"\n") or len(self.rest) >= LINE_BYTES:
                line, self.rest = self.rest.decode(errors="replace").rstrip("\n"), b""
                yield from self._take(line)

    def _take(self, line):
        found = head(line)
        self.seen = time.monotonic()
        if found is None:
            if self.record:
                joined(self.record, line)
            return
        if self.record:
            yield self.record
        self.record = [found[0], self.component, found[1] or "INFO", found[2]] if found[0] >= self.since else None


def _written(path):
    try:
        return os.stat(path).st_mtime
    except OSError:
        return 0.0


def _begin(handle, since):
    """Where in an open file the reading has to begin, found by halves: lines are in order of time."""
    low, high = 0, os.fstat(handle.fileno()).st_size
    while high - low > NEAR:
        middle = (low + high) // 2
        found = _time_after(handle, middle)
        if found is not None and found < since:
            low = middle
        else:
            high = middle
    if low:
        handle.seek(low)
        handle.readline(LOOK)
        return handle.tell()
    return 0


def _time_after(handle, place):
    """The time of the first line behind a place that has one, or None."""
    handle.seek(place)
    handle.readline(LINE_BYTES)
    while handle.tell() - place < LOOK:
        line = handle.readline(LINE_BYTES)
        if not line:
            return None
        found = head(line.decode(errors="replace"))
        if found:
            return found[0]
    return None
