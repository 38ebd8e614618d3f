"""Many files into HDFS: the node's part of `put`, see files_program.

A file is written under another name and renamed, so that readers see whole files alone. A folder that was not there is filled under
another name too, the same in each run, and appears when it is complete: what is cut off leaves whole files in there, and the next run
finds them. What HDFS has in the same size is compared by CRC-64 and not sent again.
"""
from __future__ import annotations

import contextlib
import hashlib
import io
import os
import queue
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from ..common import NodeError
from ..hdfs.client import UNFINISHED, forget, unfinished
from ..oss.crc64 import crc64
from .frames import failure, in_rows, receive, send

THREADS = 16
# Files in memory at most, each of one message; messages of a larger file that wait.
WAITING, PIECES = 32, 4
ATTEMPTS = 3
# Seconds after which an unfinished file is left over from a run that was killed; its time is that of its beginning.
LEFT_OVER_S = 7 * 86400


class Put:
    """One run. ``request``: target (a path), into (whether that is a folder, also when it is not there), user."""

    def __init__(self, client, source, out, request):
        self.client, self.source, self.out, self.request = client, source, out, request
        self.files, self.folders, self.work, self.final, self.tops = [], [], {}, {}, {}
        self.there: dict = {}  # {folder: {name: status}} of folders that are in HDFS
        self.lock, self.slots, self.streams = threading.Lock(), threading.BoundedSemaphore(WAITING), {}
        self.trouble: BaseException | None = None

    def perform(self):
        """Take everything. Raises NodeError, OSError."""
        self._hear()
        self._choose()
        with ThreadPoolExecutor(THREADS) as pool:
            try:
                self._look()
                list(pool.map(lambda folder: self.client.make(self._path(folder), "755"), [f for f in self.folders if f not in self.there]))
                self._compare(pool)
                self._take(pool)
            except BaseException as error:
                self.trouble = self.trouble or error
                for stream in self.streams.values():
                    stream.put(_Gone)
                raise
        if self.trouble:
            raise self.trouble
        for top, work in self.work.items():
            if work != self.final[top]:
                self.client.rename(work, self.final[top])
        send(self.out, {"done": True})

    # -- what is where

    def _hear(self):
        """The rows of files and folders; the first part of a name is the file or folder that was named."""
        while True:
            message = receive(self.source)[0]
            if message is None:
                raise ConnectionError("the controller went away")
            if "listed" in message:
                return
            self.files += message.get("files", [])
            self.folders += message.get("folders", [])

    def _choose(self):
        """Where each file or folder goes, and its path until it is complete. Tells the controller."""
        target = self.request["target"].rstrip("/") or "/"
        found = self.client.status(target)
        into = self.request["into"] or bool(found and found["type"] == "DIRECTORY")
        if into and found and found["type"] == "FILE":
            raise NodeError(f"{target} is a file in HDFS, and a folder is needed. Next: name a folder")
        rows = self._listing(target) if into and found else {}
        tops = {name.partition("/")[0]: "FILE" for name, _size in self.files}
        tops.update(dict.fromkeys((name.partition("/")[0] for name in self.folders), "DIRECTORY"))
        for top, kind in tops.items():
            final = f"{target.rstrip('/')}/{top}" if into else target
            there = rows.get(top) if into else found
            if there and there["type"] != kind:
                names = {"FILE": "a file", "DIRECTORY": "a folder"}
                raise NodeError(f"{final} is {names[there['type']]} in HDFS, and {top} is {names[kind]} here. Next: name another target")
            self.tops[top] = there
            self.final[top], self.work[top] = final, final if there or kind == "FILE" else self._until_complete(final)
        self._send({"roots": self.final})

    def _until_complete(self, final):
        """Path of a folder that does not exist yet while it is filled; the next run finds the same."""
        known = hashlib.sha256(f"{self.request['user']}\n{final}".encode()).hexdigest()[:20]
        return f"{os.path.dirname(final).rstrip('/')}/{UNFINISHED}{known}"

    def _path(self, name):
        top, _slash, rest = name.partition("/")
        return f"{self.work[top]}/{rest}" if rest else self.work[top]

    def _listing(self, path):
        """{name: status} of a folder, or None; what killed runs left in it is deleted."""
        try:
            rows = self.client.listing_up_to(path, 1 << 30)[0]
        except NodeError as error:
            if error.extra.get("status") == 404:
                return None
            raise
        for row in rows:
            if row["pathSuffix"].startswith(UNFINISHED) and time.time() - row["modificationTime"] / 1000 > LEFT_OVER_S:
                forget(self.client, f"{path.rstrip('/')}/{row['pathSuffix']}")
        return {row["pathSuffix"]: row for row in rows}

    def _look(self):
        """What HDFS has of these folders and files."""
        for folder in sorted(self.folders):
            parent, _slash, name = folder.rpartition("/")
            known = self.there.get(parent, {}).get(name) if parent else {"type": "DIRECTORY"}
            if known and known["type"] != "DIRECTORY":
                raise NodeError(f"{self._path(folder)} is a file in HDFS, and {folder} is a folder here. Next: name another target")
            found = self._listing(self._path(folder)) if known else None
            if found is not None:
                self.there[folder] = found

    def _size(self, name):
        """Bytes of a file in HDFS, None when it is not there."""
        parent, _slash, last = name.rpartition("/")
        row = self.there.get(parent, {}).get(last) if parent else self.tops[name]
        if row and row["type"] != "FILE":
            raise NodeError(f"{self._path(name)} is a folder in HDFS, and {name} is a file here. Next: name another target")
        return row["length"] if row else None

    def _compare(self, pool):
        """Tell for each file whether it is needed, or the CRC-64 of what HDFS has in its size."""
        same = [i for i, (name, size) in enumerate(self.files) if self._size(name) == size]
        for rows in in_rows(sorted(set(range(len(self.files))) - set(same))):
            self._send({"need": rows})
        for i in same:
            self._later(pool, self._have, i)

    def _have(self, i):
        value = 0

        def take(block):
            nonlocal value
            value = crc64(block, value)

        if self.files[i][1]:
            self.client.read(self._path(self.files[i][0]), take)
        self._send({"have": i, "crc": value})

    # -- content

    def _take(self, pool):
        """Store what comes until the end is said."""
        while True:
            message, content = receive(self.source)
            if self.trouble:
                raise self.trouble
            if message is None:
                raise ConnectionError("the controller went away")
            if "end" in message:
                return
            self._piece(pool, message["i"], content, message)

    def _piece(self, pool, i, content, message):
        stream = self.streams.get(i)
        if message.get("drop"):
            self.streams.pop(i).put(_Gone)
        elif stream is None and message.get("last"):
            self.slots.acquire()
            self._later(pool, self._store_small, i, content)
        else:
            if stream is None:
                stream = self.streams[i] = _Stream()
                self._later(pool, self._store_large, i, stream)
            stream.put(content)
            if message.get("last"):
                self.streams.pop(i).put(b"")

    def _store_small(self, i, content):
        try:
            for attempt in range(1, ATTEMPTS + 1):
                try:
                    return self._store(i, io.BytesIO(content))
                except NodeError as error:
                    if attempt == ATTEMPTS or not error.extra.get("again"):
                        raise
                    time.sleep(attempt)
        finally:
            self.slots.release()

    def _store_large(self, i, stream):
        try:
            self._store(i, stream)
        except _Dropped:
            pass  # it changed while it was sent; the controller knows
        finally:
            stream.drain()

    def _store(self, i, source):
        name, size = self.files[i]
        path = self._path(name)
        temporary = unfinished(path)
        try:
            self.client.write(temporary, source, size)
            self.client.replace(temporary, path)
        except BaseException:
            forget(self.client, temporary)
            raise
        self._send({"stored": i})

    # -- around it

    def _later(self, pool, step, *args):
        """Do a step in the pool; the first trouble ends the run."""
        def done(future):
            if future.exception() and not self.trouble:
                self.trouble = future.exception()
                with contextlib.suppress(OSError):
                    self._send(failure(self.trouble))
        pool.submit(step, *args).add_done_callback(done)

    def _send(self, message):
        with self.lock:
            send(self.out, message)


class _Dropped(Exception):
    """Content ends before all of it came."""


_Gone = object()


class _Stream:
    """Content of one file as it comes, for one reader in another thread."""

    def __init__(self):
        self.pieces, self.rest, self.ended = queue.Queue(PIECES), b"", False
        self.put = self.pieces.put

    def read(self, count):
        """Some bytes, b"" at the end. Raises _Dropped when no more will come."""
        if not self.rest and not self.ended:
            piece = self.pieces.get()
            self.ended = piece is _Gone or not piece
            if piece is _Gone:
                raise _Dropped()
            self.rest = piece
        found, self.rest = self.rest[:count], self.rest[count:]
        return found

    def drain(self):
        """Take what comes after the reader has failed, so that nobody waits for it."""
        while not self.ended:
            piece = self.pieces.get()
            self.ended = piece is _Gone or not piece
