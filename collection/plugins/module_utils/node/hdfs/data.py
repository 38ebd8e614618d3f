"""A look at what is in HDFS."""
from __future__ import annotations

import base64
import io

from ..common import NodeError
from .client import WebHdfs

HEAD_BLOCK = 1 << 20


def perform(params, check):
    """What ``op`` names."""
    return {"ls": ls, "du": du, "head": head}[params["op"]](params)


def ls(params):
    """What is in a folder, or the file itself; with ``recursive`` all below it. At most ``most`` rows."""
    client = WebHdfs(params["namenode"], params["user"])
    path = params["path"].rstrip("/") or "/"
    found = _there(client, path)
    if found["type"] != "DIRECTORY":
        return {"changed": False, "files": [_row(path, found)], "truncated": False}
    rows, folders, most = [], [path], params["most"]
    while folders and len(rows) < most:
        folder = folders.pop(0)
        page, more = client.listing_up_to(folder, most - len(rows))
        below = [_row(f"{folder.rstrip('/')}/{each['pathSuffix']}", each) for each in page]
        rows += below
        if more:
            return {"changed": False, "files": rows, "truncated": True}
        if params["recursive"]:
            folders[:0] = [row["path"] for row in below if row["type"] == "folder"]
    return {"changed": False, "files": rows, "truncated": bool(folders)}


def _there(client, path):
    found = client.status(path)
    if not found:
        raise NodeError(f"there is no {path} in HDFS")
    return found


def _row(path, status):
    """One line of a listing; ``modified`` in seconds."""
    folder = status["type"] == "DIRECTORY"
    return {"type": "folder" if folder else "file", "mode": status["permission"].rjust(3, "0"), "owner": status["owner"],
            "group": status["group"], "copies": None if folder else status["replication"],
            "bytes": None if folder else status["length"], "modified": status["modificationTime"] // 1000, "path": path}


def du(params):
    """Bytes of a path and of each of its children: of one copy and of all."""
    client = WebHdfs(params["namenode"], params["user"])
    path = params["path"].rstrip("/") or "/"
    found = _there(client, path)
    names, more = ([], False)
    if found["type"] == "DIRECTORY":
        page, more = client.listing_up_to(path, params["most"])
        names = [f"{path.rstrip('/')}/{each['pathSuffix']}" for each in page]
    return {"changed": False, "total": _used(client, path), "used": [_used(client, name) for name in names],
            "truncated": more}


def _used(client, path):
    summary = client.summary(path)
    return {"bytes": summary["length"], "bytes_of_copies": summary["spaceConsumed"], "files": summary["fileCount"],
            "path": path}


def head(params):
    """The first ``rows`` lines of a file, in base64; of a folder, of the first file in it that holds anything. At most ``limit_bytes``, and
    a last line that is not whole may follow."""
    client = WebHdfs(params["namenode"], params["user"])
    path = params["path"].rstrip("/") or "/"
    found = _there(client, path)
    if found["type"] == "DIRECTORY":
        rows = [row for row in sorted(client.listing(path), key=lambda row: row["pathSuffix"])
                if row["type"] == "FILE" and row["length"] and not row["pathSuffix"].startswith((".", "_"))]
        if not rows:
            raise NodeError(f"there is no file with content in the folder {path}")
        found, path = rows[0], f"{path.rstrip('/')}/{rows[0]['pathSuffix']}"
    data = first_lines(lambda out, at, count: client.read_to(path, out, count, at), found["length"], params.get("rows") or 20, params["limit_bytes"])
    return {"changed": False, "path": path, "bytes": found["length"], "head": base64.b64encode(data).decode()}


def first_lines(read, size, lines, limit_bytes):
    """Bytes of a file of ``size``, read in blocks until ``lines`` lines are there, or ``limit_bytes``; of a Parquet file the first block.

    ``read(out, at, count)`` writes so many bytes from there on to ``out``.
    """
    data, found = bytearray(), 0
    limit = min(size, limit_bytes)
    # One line more, for names of columns, and since of some formats a row may go over several.
    while len(data) < limit and found <= lines and not data.startswith(b"PAR1"):
        out = io.BytesIO()
        read(out, len(data), min(HEAD_BLOCK, limit - len(data)))
        found += out.getvalue().count(b"\n")
        if not out.tell():
            break
        data += out.getvalue()
    return bytes(data)
