"""Files between the master's disk and HDFS. Runs on Python 3.8 and newer."""
from __future__ import annotations

import os
import tarfile

from .node_common import NodeError
from .node_hdfs import WebHdfs, upload


def perform(params, check):
    """Copy in the direction that ``op`` says, seen from the controller."""
    if check:
        return {"changed": params["op"] == "put"}
    return put(params) if params["op"] == "put" else get(params)


def put(params):
    """Copy local files into HDFS. Several files, or a target that is a folder: below it under their names."""
    client = WebHdfs(params["namenode"], params["user"])
    found = client.status(params["path"])
    folder = len(params["files"]) > 1 or params["path"].endswith("/") or bool(found and found["type"] == "DIRECTORY")
    done = []
    for local in params["files"]:
        target = f"{params['path'].rstrip('/')}/{os.path.basename(local)}" if folder else params["path"]
        client.make(os.path.dirname(target) or "/", "755")
        upload(client, local, target)
        done.append({"path": target, "bytes": os.path.getsize(local)})
    return {"changed": True, "put": done}


def get(params):
    """Copy a file or folder of HDFS into one tar file on this node, for the controller to fetch."""
    client = WebHdfs(params["namenode"], params["user"])
    path = params["path"].rstrip("/") or "/"
    found = client.status(path)
    if not found:
        raise NodeError(f"there is no {path} in HDFS")
    done = []
    with tarfile.open(params["archive"], "w") as archive:
        if found["type"] == "FILE":
            _add(client, archive, path, os.path.basename(path), done)
        else:
            _walk(client, archive, path, "", done)
    return {"changed": False, "directory": found["type"] == "DIRECTORY", "got": done}


def _walk(client, archive, path, prefix, done):
    """Add everything below a folder."""
    for row in sorted(client.listing(path), key=lambda r: r["pathSuffix"]):
        child, name = f"{path.rstrip('/')}/{row['pathSuffix']}", f"{prefix}{row['pathSuffix']}"
        if row["type"] == "DIRECTORY":
            entry = tarfile.TarInfo(name)
            entry.type, entry.mode = tarfile.DIRTYPE, 0o755
            archive.addfile(entry)
            _walk(client, archive, child, name + "/", done)
        else:
            _add(client, archive, child, name, done)


def _add(client, archive, path, name, done):
    """Add one file; it goes through a temporary file, since a tar entry begins with its size."""
    temporary = archive.name + ".part"
    with open(temporary, "wb") as out:
        size = client.read_to(path, out)
    with open(temporary, "rb") as source:
        entry = tarfile.TarInfo(name)
        entry.size, entry.mode = size, 0o644
        archive.addfile(entry, source)
    os.unlink(temporary)
    done.append({"path": path, "bytes": size})
