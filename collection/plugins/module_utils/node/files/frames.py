"""Messages between a program on a node and the controller, over one pipe.

A message is one line of JSON. With the key ``bytes`` so many bytes of content follow the line.
"""
from __future__ import annotations

import json

from ..common import NodeError

# Bytes of content in one message at most, and files or names in one.
BLOCK, ROWS = 1 << 20, 1000
# The first message of a program: what came before is of a login shell that talks.
HELLO = {"emr": "files"}


def send(stream, message, content=b""):
    """Write a message and flush. Raises OSError when nobody reads any more."""
    if content:
        message = dict(message, bytes=len(content))
    stream.write(json.dumps(message).encode() + b"\n" + content)
    stream.flush()


def receive(stream):
    """(message, content); (None, b'') at the end. Raises ConnectionError for what was cut off, ValueError for what is not a message."""
    line = stream.readline()
    if not line:
        return None, b""
    if not line.endswith(b"\n"):
        raise ConnectionError("a message was cut off")
    message = json.loads(line)
    content = stream.read(message["bytes"]) if message.get("bytes") else b""
    if len(content) != message.get("bytes", 0):
        raise ConnectionError(f"{len(content)} of {message['bytes']} bytes came")
    return message, content


def in_rows(rows):
    """Pieces of a list that fit into one message."""
    return [rows[at:at + ROWS] for at in range(0, len(rows), ROWS)]


def failure(error):
    """The message that ends a run. What broke on its way may go well the next time, anything else is final."""
    again = isinstance(error, OSError) or (isinstance(error, NodeError) and error.extra.get("again"))
    return {"failed": str(error) or type(error).__name__, "final": not again}
