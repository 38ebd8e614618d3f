"""Many files out of HDFS: the node's part of `get`, and of looking into one file, see files_program."""
from __future__ import annotations

import contextlib
import os
import threading
from concurrent.futures import ThreadPoolExecutor

from ..common import NodeError
from ..hdfs.client import UNFINISHED
from ..oss.crc64 import crc64
from .frames import failure, in_rows, receive, send

THREADS = 16


class Get:
    """One run. ``request``: path."""

    def __init__(self, client, source, out, request):
        self.client, self.source, self.out, self.path = client, source, out, request["path"].rstrip("/") or "/"
        self.files, self.lock, self.trouble = [], threading.Lock(), None

    def perform(self):
        """Tell what there is and send what is wanted of it. Raises NodeError, OSError."""
        self._tell()
        with ThreadPoolExecutor(THREADS) as pool:
            while not self.trouble:
                message = receive(self.source)[0]
                if message is None:
                    self.trouble = ConnectionError("the controller went away")
                elif "end" in message:
                    break
                else:
                    for row in message["want"]:
                        pool.submit(self._one, *row)
        if self.trouble:
            raise self.trouble
        send(self.out, {"done": True})

    def _tell(self):
        """Rows of [name, bytes, version] and of folders; names are relative to the path."""
        found = self.client.status(self.path)
        if not found:
            raise NodeError(f"there is no {self.path} in HDFS")
        if found["type"] == "FILE":
            self.files = [(self.path, found["length"])]
            send(self.out, {"files": [[os.path.basename(self.path), found["length"], _version(found)]]})
        folders = [""] if found["type"] == "DIRECTORY" else []
        while folders:
            folder = folders.pop()
            rows = self.client.listing_up_to(f"{self.path.rstrip('/')}/{folder}".rstrip("/") or "/", 1 << 30)[0]
            below = [f"{folder}{row['pathSuffix']}/" for row in rows if row["type"] == "DIRECTORY"]
            files = [row for row in rows if row["type"] == "FILE" and not row["pathSuffix"].startswith(UNFINISHED)]
            self.files += [(f"{self.path.rstrip('/')}/{folder}{row['pathSuffix']}", row["length"]) for row in files]
            for part in in_rows(files):
                send(self.out, {"files": [[f"{folder}{row['pathSuffix']}", row["length"], _version(row)] for row in part]})
            for part in in_rows(below):
                send(self.out, {"folders": [name.rstrip("/") for name in part]})
            folders += below
        send(self.out, {"listed": True, "folder": found["type"] == "DIRECTORY"})

    def _one(self, i, at, crc):
        """A file from ``at`` on; ``crc``: of what the controller has in the same size."""
        path, size = self.files[i]
        try:
            if self.trouble:
                return
            if crc is not None and self._crc(path, size) == crc:
                self._send({"i": i, "same": True})
                return
            total = self.client.read(path, lambda block: self._send({"i": i}, block), at, size - at) if size > at else 0
            if total != size - at:
                raise ConnectionError(f"reading {path}: {total} of {size - at} bytes came")
            self._send({"i": i, "last": True})
        except (NodeError, OSError) as error:
            if not self.trouble:
                self.trouble = error
                with contextlib.suppress(OSError):
                    self._send(failure(error))

    def _crc(self, path, size):
        value = 0

        def take(block):
            nonlocal value
            value = crc64(block, value)

        if size:
            self.client.read(path, take)
        return value

    def _send(self, message, content=b""):
        with self.lock:
            send(self.out, message, content)


def _version(row):
    return f"{row['fileId']}-{row['modificationTime']}"


def read(client, source, out, path):
    """Ranges {offset, length} of one file, until the controller ends."""
    while True:
        message = receive(source)[0]
        if message is None:
            return
        parts: list = []
        client.read(path, parts.append, message["offset"], message["length"])
        send(out, {"offset": message["offset"]}, b"".join(parts))
