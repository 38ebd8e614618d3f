"""HDFS over WebHDFS, without starting a JVM.

A path is a path: none of its characters means anything to this module or to the daemons. Node names in ``Location`` answers are
resolved by the hosts block of every node.
"""
from __future__ import annotations

import contextlib
import json
import os
import re
import socket
import tempfile
import time
import urllib.parse
import uuid
import zipfile

from ...domain import paths
from ..common import NodeError
from ..hadoop_http import Daemon, HttpError, NameNode, Unreached, base_of

# HDFS's own account: its rights are not asked for.
SUPERUSER = "hdfs"
BLOCK = 1 << 20
# Seconds: of an answer of the NameNode, and of a DataNode.
ASK_S, CONTENT_S = 30, 120
# How often the NameNode is asked for a DataNode before it is believed that it has no other.
ASKED = 20
# Unfinished files are called so, whatever their name will be: HDFS takes names of up to 255 bytes (dfs.namenode.fs-limits.max-component-length).
UNFINISHED = ".emr-unfinished-"
NAME_MAX = 255


class WebHdfs:
    """A small client. ``base``: one or several of http://host:port of the NameNode; ``user``: whom to act as.

    Each thread that uses it keeps a connection of its own to the NameNode. Raises NodeError: with ``status`` for what HDFS refuses,
    with ``again`` when nobody answers.
    """

    def __init__(self, base, user):
        self.base, self.user, self.namenode = base, user, NameNode(base, user, keep=True)

    def _json(self, method, path, operation, **options):
        return json.loads(self._ask(method, path, operation, **options) or b"{}")

    def _ask(self, method, path, operation, **options):
        """Body of the NameNode's answer."""
        try:
            return self.namenode.ask(f"/webhdfs/v1{urllib.parse.quote(path)}", method, {"op": operation, **options}, limit_s=ASK_S)
        except HttpError as error:
            if error.status is None:
                raise
            raise NodeError(refusal(error.status, error.body), status=error.status)

    def status(self, path):
        """FileStatus of a path, or None when there is none."""
        try:
            return self._json("GET", path, "GETFILESTATUS")["FileStatus"]
        except NodeError as error:
            if error.extra.get("status") == 404:
                return None
            raise

    def listing(self, path):
        """FileStatus of everything in a folder (of the file itself for a file)."""
        return self._json("GET", path, "LISTSTATUS")["FileStatuses"]["FileStatus"]

    def listing_up_to(self, path, most):
        """(FileStatus rows of a folder in the order of names, whether there are more than ``most``)."""
        rows, after = [], ""
        while True:
            found = self._json("GET", path, "LISTSTATUS_BATCH", **({"startAfter": after} if after else {}))["DirectoryListing"]
            page = found["partialListing"]["FileStatuses"]["FileStatus"]
            rows += page
            if not found["remainingEntries"] or len(rows) > most:
                return rows[:most], len(rows) > most
            after = page[-1]["pathSuffix"]

    def summary(self, path):
        """ContentSummary of a path: length and spaceConsumed in bytes (one copy, all copies), fileCount, directoryCount."""
        return self._json("GET", path, "GETCONTENTSUMMARY")["ContentSummary"]

    def make(self, path, mode):
        """Make a folder with its parents."""
        self._json("PUT", path, "MKDIRS", permission=mode)

    def allows(self, path, action):
        """Whether the user may do this (rwx, with - for what is not asked) with a path that is there."""
        try:
            self._json("GET", path, "CHECKACCESS", fsaction=action)
            return True
        except NodeError as error:
            if error.extra.get("status") == 403:
                return False
            raise

    def set_owner(self, path, owner, group):
        """Change owner and group (superuser only)."""
        self._ask("PUT", path, "SETOWNER", owner=owner, group=group)

    def set_mode(self, path, mode):
        """Change the permission bits."""
        self._ask("PUT", path, "SETPERMISSION", permission=mode)

    def quota(self, path):
        """What a folder uses and may use: {spaceConsumed, spaceQuota, fileAndDirectoryCount, quota}; bytes of all copies, -1
        without a limit."""
        return self._json("GET", path, "GETQUOTAUSAGE")["QuotaUsage"]

    def set_quota(self, path, space):
        """Limit the bytes, of all copies, below a folder; -1 takes the limit away (superuser only)."""
        self._ask("PUT", path, "SETQUOTA", storagespacequota=space)

    def delete(self, path, recursive=False):
        """Delete; True when something was deleted."""
        return self._json("DELETE", path, "DELETE", recursive=str(recursive).lower()).get("boolean", False)

    def rename(self, path, target):
        """Rename; raises NodeError when HDFS refuses, as it does when the target exists."""
        # With options: the call without them moves into a folder that exists.
        self._ask("PUT", path, "RENAME", destination=target, renameoptions="NONE")

    def replace(self, path, target):
        """Rename a file in one step, in place of a file that may be there."""
        self._ask("PUT", path, "RENAME", destination=target, renameoptions="OVERWRITE")

    def write(self, path, source, size, overwrite=True, replication=None, mode=None):
        """Write ``size`` bytes of the binary file object ``source`` to a file, made with the permission bits ``mode``.

        Raises NodeError, with ``again`` where a connection broke.
        """
        options = {"overwrite": str(overwrite).lower()}
        if replication:
            options["replication"] = replication
        if mode:
            options["permission"] = mode
        headers = {"Content-Length": str(size), "Content-Type": "application/octet-stream"}
        with self._content("PUT", path, "CREATE", options, source, headers):
            pass

    def read(self, path, take, offset=0, length=None):
        """Hand content to ``take(bytes)``; returns the number of bytes. Raises NodeError, with ``again`` where the connection breaks."""
        options = {"offset": offset}
        if length is not None:
            options["length"] = length
        total = 0
        with self._content("GET", path, "OPEN", options) as answer:
            for block in iter(lambda: answer.read(BLOCK), b""):
                take(block)
                total += len(block)
        return total

    def read_to(self, path, out, limit_bytes=None, at=0):
        """Copy a file's content, from there on, to the binary file object ``out``; returns the number of bytes."""
        return self.read(path, out.write, at, limit_bytes)

    @contextlib.contextmanager
    def _content(self, method, path, operation, options, source=None, headers=None):
        """The answer of a DataNode for the content of one file. Raises NodeError as all do.

        To who runs no DataNode the NameNode names any one for a new file, until it counts as dead also one that left: who cannot be
        connected to is passed over.
        """
        gone, numbers = {}, []
        for _asked in range(ASKED):
            excluded = {"excludedatanodes": ",".join(numbers)} if numbers else {}
            location = self._json(method, path, operation, noredirect="true", **options, **excluded)["Location"]
            address = base_of(location)[0]
            if address in gone:
                continue
            daemon = Daemon(address, name="DataNode")
            try:
                with daemon.stream(target_of(location, path), method, data=source, headers=headers, limit_s=CONTENT_S) as answer:
                    yield answer
                return
            except Unreached as error:
                gone[address] = error
                numbers += _numbers(address)
            except HttpError as error:
                if error.status is None:
                    raise NodeError(f"{path} in HDFS: {error}", again=True)
                raise NodeError(refusal(error.status, error.body), status=error.status)
        raise NodeError(f"{path} in HDFS: {'; '.join(str(error) for error in gone.values())}", again=True)


def _numbers(address):
    """The IP address of a DataNode, by which a NameNode knows it; none when its name is of nobody any more."""
    try:
        return [socket.gethostbyname(urllib.parse.urlsplit(address).hostname)]
    except OSError:
        return []


def target_of(location, path):
    """Path and query of a ``Location``. HDFS leaves other characters of the path in it as they are, `#` too; what it is, we know."""
    return f"/webhdfs/v1{urllib.parse.quote(path)}?" + urllib.parse.quote(location.rpartition("?")[2], safe="%=&+:/,~")


_DENIED = re.compile(r'Permission denied: user=(\S+), access=(\w+), inode="(.*)":([^:\s]+):([^:\s]+):([dlrwxtST+-]+)$', re.DOTALL)
_DOING = {"WRITE": "change", "READ": "read", "EXECUTE": "enter", "READ_EXECUTE": "list"}


def refusal(status, body):
    """What HDFS says in an answer that is an error: one sentence, with a remedy where permissions forbid something."""
    try:
        words = json.loads(body)["RemoteException"]["message"].strip().splitlines()[0]
    except (ValueError, KeyError, TypeError, AttributeError, IndexError):
        return f"HDFS answered {status}: {body[:300].decode(errors='replace')}"
    found = _DENIED.match(words)
    if not found:
        return f"HDFS: {words}"
    user, access, path, owner, group, mode = found.groups()
    return (f"the user {user} may not {_DOING.get(access, 'use')} {path} in HDFS, which belongs to {owner} (group {group}, {mode}). "
            f"Next: act as its owner with --user {owner}, or name a place below /user/{user}")


def unfinished(path):
    """A path beside this one for a file that is not complete yet, another one each time."""
    return f"{os.path.dirname(path).rstrip('/')}/{UNFINISHED}{uuid.uuid4().hex}"


def upload(client, local, path, overwrite=True, mode=None):
    """Copy a local file into HDFS under a temporary name, then rename it: readers never see half a file."""
    temporary = unfinished(path)
    try:
        with open(local, "rb") as source:
            client.write(temporary, source, os.path.getsize(local), mode=mode)
        (client.replace if overwrite else client.rename)(temporary, path)
    except BaseException:
        forget(client, temporary)
        raise


def forget(client, path):
    """Delete a file or folder that is of no use, if HDFS lets it go."""
    with contextlib.suppress(NodeError):
        client.delete(path, recursive=True)


def ensure_archive(client, row):
    """Put the files of a local folder into HDFS as one zip, unless it is there; True when it was put.

    ``row``: {source, path, owner}. Not compressed: jars are deflated already, and every container unpacks it.
    """
    if client.status(row["path"]):
        return False
    with tempfile.NamedTemporaryFile(dir=paths.CACHE, suffix=".zip") as out:
        with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
            for name in sorted(os.listdir(row["source"])):
                archive.write(os.path.join(row["source"], name), name)
        out.flush()
        upload(client, out.name, row["path"])
    return True


def ensure_directories(client, rows, check, limit_s):
    """Make the folders that services need; returns the paths made or corrected. Waits for HDFS until the limit."""
    deadline = time.monotonic() + limit_s
    changed = []
    for row in rows:
        while True:
            try:
                if _ensure(client, row, check):
                    changed.append(row["path"])
                break
            except NodeError as error:
                if time.monotonic() > deadline:
                    raise NodeError(f"HDFS folder {row['path']} could not be made: {error}")
                time.sleep(0.3)
    return changed


def _ensure(client, row, check):
    found = client.status(row["path"])
    wanted = row["mode"].lstrip("0")
    if found and (found["owner"], found["group"], found["permission"]) == (row["owner"], row["group"], wanted):
        return False
    if not check:
        if not found:
            client.make(row["path"], wanted)
        client.set_owner(row["path"], row["owner"], row["group"])
        client.set_mode(row["path"], wanted)
    return True
