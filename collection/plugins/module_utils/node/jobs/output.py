"""What a job's program prints, kept in files of a bounded size: their beginning and their end.

A process of its own takes both outputs through pipes, so that a program may print without end and a reader always finds a file in order.
When a file is full its middle is left out: a line says how much. It is replaced by one rename, so whoever reads the old one reads on.
"""
from __future__ import annotations

import contextlib
import os
import select
import signal
import tempfile
import time

from ...domain.text.ends import joined, marker

NAMES = ("stdout", "stderr")
BLOCK = 1 << 16
# Seconds for what is on its way through the pipes when the program has ended. Programs that it has left behind may go on.
SETTLE_S = 2.0
# MiB of an output that are kept when the cluster does not say.
DEFAULT_MIB = 64


class Kept:
    """The file of one output; ``limit``: the bytes that it has at most. An eighth of them is for the beginning."""

    def __init__(self, path, limit):
        self.path, self.head, self.tail = path, limit // 8, limit * 7 // 16
        self.handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o640)
        self.size = os.fstat(self.handle).st_size
        # The beginning that is there for good, the length of the line below it, and the bytes that this stands for.
        self.first, self.mark, self.left_out = b"", 0, 0

    def add(self, block):
        """Append; what a full disk does not take counts as left out."""
        view = memoryview(block)
        while view:
            part = view[:self.tail // 4]
            if self.size + len(part) > self.head + 2 * self.tail:
                with contextlib.suppress(OSError):
                    self._shorten()
            try:
                done = os.write(self.handle, part)
            except OSError:
                self.left_out += len(view)
                return
            self.size, view = self.size + done, view[done:]

    def _shorten(self):
        start = len(self.first) + self.mark
        first = self.first or os.pread(self.handle, self.head, 0)
        last = os.pread(self.handle, self.tail, self.size - self.tail)
        gone = self.size - self.tail - (start or len(first)) + self.left_out
        text = joined(first, last, gone)
        found = os.fstat(self.handle)
        handle, name = tempfile.mkstemp(dir=os.path.dirname(self.path), prefix=".output-")
        try:
            os.fchmod(handle, found.st_mode & 0o7777)
            os.fchown(handle, found.st_uid, found.st_gid)
            with os.fdopen(handle, "wb") as out:
                out.write(text)
            os.rename(name, self.path)
        except BaseException:
            os.unlink(name)
            raise
        os.close(self.handle)
        self.handle = os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CLOEXEC)
        self.first = first[:first.rfind(b"\n") + 1] or first
        # What the line says: all that stands neither before nor behind it.
        self.left_out = gone + len(first) - len(self.first) + len(last) - len(last[last.find(b"\n") + 1:] or last)
        self.mark = len(marker(self.left_out)) + (0 if self.first.endswith(b"\n") else 1)
        self.size = len(text)


class Output:
    """The outputs of one attempt. ``ends``: {name: where the program writes}, to be closed by ``started``."""

    def __init__(self, folder, limit, owner):
        pipes = {name: os.pipe() for name in NAMES}
        self.ends = {name: pipe[1] for name, pipe in pipes.items()}
        for end in self.ends.values():
            # For programs that open /dev/stderr anew.
            os.fchown(end, *owner)
        self.pid = os.fork()
        if not self.pid:
            try:
                _close_all_but({0, 1, 2, *(pipe[0] for pipe in pipes.values())})
                _keep({pipe[0]: Kept(f"{folder}/{name}.log", limit) for name, pipe in pipes.items()})
            finally:
                os._exit(0)
        for pipe in pipes.values():
            os.close(pipe[0])

    def started(self):
        """The program has the ends of its own now, or did not start."""
        for end in self.ends.values():
            os.close(end)
        self.ends = {}

    def settle(self):
        """Wait until what the program has printed is in the files."""
        deadline = time.monotonic() + SETTLE_S
        while not self._gone() and time.monotonic() < deadline:
            time.sleep(0.01)

    def close(self):
        """Take nothing more, from whatever the program has left behind."""
        if not self._gone():
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
            self.pid = 0

    def _gone(self):
        if self.pid and os.waitpid(self.pid, os.WNOHANG)[0]:
            self.pid = 0
        return not self.pid


def _close_all_but(kept):
    """What a fork inherits is not all its own: a lock that it holds open would seem to be held by its parent."""
    for name in os.listdir("/proc/self/fd"):
        if int(name) not in kept:
            with contextlib.suppress(OSError):
                os.close(int(name))


def _keep(kept):
    """Copy from pipes to files until nobody can write into the pipes any more. ``kept``: {end of a pipe: Kept}."""
    # The unit's end is no reason to stop: the program may still say why it ends.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT})
    waiting = select.poll()
    for end in kept:
        waiting.register(end, select.POLLIN)
    while kept:
        for end, _event in waiting.poll():
            block = os.read(end, BLOCK)
            if block:
                kept[end].add(block)
            else:
                waiting.unregister(end)
                os.close(end)
                del kept[end]
