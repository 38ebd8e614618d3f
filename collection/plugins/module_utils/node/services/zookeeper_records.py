"""Records in ZooKeeper, written in its own words: a length, a header, and what is asked (zookeeper.jute of ZooKeeper 3.8)."""
from __future__ import annotations

import struct

from ..common import NodeError
from ..hadoop_http import connect, exactly

CREATE, EXISTS, SET, CLOSE = 1, 3, 5, -11
THERE, MISSING = -110, -101
# Everybody may do everything, as in the records that Hadoop's daemons make.
ANYONE = struct.pack(">ii", 1, 31)
LIMIT_S = 15.0
SESSION_MS = 15000


def _buffer(data):
    return struct.pack(">i", len(data)) + data


def _text(text):
    return _buffer(text.encode())


class Records:
    """A connection to a server, as a context. ``url``: where it answers. Raises NodeError for what it does not do."""

    def __init__(self, url):
        self.url, self.number = url, 0

    def __enter__(self):
        try:
            self.connection = connect(self.url, LIMIT_S)
            self._send(struct.pack(">iqiq", 0, 0, SESSION_MS, 0) + _buffer(bytes(16)) + b"\0")
            self._receive()
        except OSError as error:
            raise NodeError(f"no answer from ZooKeeper at {self.url}: {error}") from error
        return self

    def __exit__(self, *_error):
        try:
            self._send(struct.pack(">ii", 0, CLOSE))
        except OSError:
            pass
        self.connection.close()

    def there(self, path):
        """Whether there is such a record."""
        return self._ask(EXISTS, _text(path) + b"\0", path, (MISSING,)) != MISSING

    def put(self, path, data=b""):
        """Have this record hold the data; those above it are made as well. Without data one that is there stays as it is."""
        above = path.rpartition("/")[0]
        if above and not self.there(above):
            self.put(above)
        what = _text(path) + _buffer(data) + ANYONE + _text("world") + _text("anyone") + struct.pack(">i", 0)
        if self._ask(CREATE, what, path, (THERE,)) == THERE and data:
            self._ask(SET, _text(path) + _buffer(data) + struct.pack(">i", -1), path)

    def _ask(self, kind, body, path, known=()):
        self.number += 1
        try:
            self._send(struct.pack(">ii", self.number, kind) + body)
            _number, _change, code = struct.unpack(">iqi", self._receive()[:16])
        except (OSError, struct.error) as error:
            raise NodeError(f"ZooKeeper at {self.url} did not answer about {path}: {error}") from error
        if code and code not in known:
            raise NodeError(f"ZooKeeper at {self.url} refused {path}: error {code}")
        return code

    def _send(self, body):
        self.connection.sendall(_buffer(body))

    def _receive(self):
        return exactly(self.connection, struct.unpack(">i", exactly(self.connection, 4))[0])
