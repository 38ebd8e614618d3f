"""HDFS over WebHDFS, without starting a JVM. Runs on Python 3.8 and newer.

Names in ``Location`` answers are node names, which the hosts block of every node resolves.
"""
from __future__ import annotations

import http.client
import json
import os
import tempfile
import time
import urllib.parse
import zipfile

from .common import NodeError
from .http import http as http_call


class WebHdfs:
    """A small client. ``base``: http://host:port of the NameNode; ``user``: whom to act as (no Kerberos yet)."""

    def __init__(self, base, user):
        self.base, self.user = base, user

    def _url(self, path, operation, **options):
        query = urllib.parse.urlencode(dict({"op": operation, "user.name": self.user}, **options))
        return f"{self.base}/webhdfs/v1{urllib.parse.quote(path)}?{query}"

    def link(self, host, port):
        """A connection to a DataNode, or to the NameNode."""
        return http.client.HTTPConnection(host, port, timeout=120)

    def _json(self, method, path, operation, **options):
        return json.loads(http_call(self._url(path, operation, **options), method, limit_s=30) or b"{}")

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

    def set_owner(self, path, owner, group):
        """Change owner and group (superuser only)."""
        http_call(self._url(path, "SETOWNER", owner=owner, group=group), "PUT", limit_s=30)

    def set_mode(self, path, mode):
        """Change the permission bits."""
        http_call(self._url(path, "SETPERMISSION", permission=mode), "PUT", limit_s=30)

    def quota(self, path):
        """What a folder uses and may use: {spaceConsumed, spaceQuota, fileAndDirectoryCount, quota}; bytes of all copies, -1
        without a limit."""
        return self._json("GET", path, "GETQUOTAUSAGE")["QuotaUsage"]

    def set_quota(self, path, space):
        """Limit the bytes, of all copies, below a folder; -1 takes the limit away (superuser only)."""
        http_call(self._url(path, "SETQUOTA", storagespacequota=space), "PUT", limit_s=30)

    def delete(self, path, recursive=False):
        """Delete; True when something was deleted."""
        return self._json("DELETE", path, "DELETE", recursive=str(recursive).lower()).get("boolean", False)

    def rename(self, path, target):
        """Rename; raises NodeError when HDFS refuses."""
        if not self._json("PUT", path, "RENAME", destination=target).get("boolean"):
            raise NodeError(f"HDFS would not rename {path} to {target}")

    def write(self, path, source, size, overwrite=True, replication=None, mode=None):
        """Write ``size`` bytes of the binary file object ``source`` to a file, made with the permission bits ``mode``."""
        options = {"overwrite": str(overwrite).lower(), "noredirect": "true"}
        if replication:
            options["replication"] = replication
        if mode:
            options["permission"] = mode
        place = urllib.parse.urlsplit(self._json("PUT", path, "CREATE", **options)["Location"])
        link = self.link(place.hostname, place.port)
        try:
            link.request("PUT", target_of(place), body=source,
                         headers={"Content-Length": str(size), "Content-Type": "application/octet-stream"})
            answer = link.getresponse()
            text = answer.read(2000).decode(errors="replace")
            if answer.status != 201:
                raise NodeError(f"writing {path} to HDFS: {answer.status} {text}")
        except (OSError, http.client.HTTPException) as error:
            raise NodeError(f"writing {path} to HDFS through {place.netloc}: {error}")
        finally:
            link.close()

    def read_to(self, path, out, limit_bytes=None):
        """Copy a file's content to the binary file object ``out``; returns the number of bytes."""
        options = {"noredirect": "true"}
        if limit_bytes is not None:
            options["length"] = limit_bytes
        place = urllib.parse.urlsplit(self._json("GET", path, "OPEN", **options)["Location"])
        link = self.link(place.hostname, place.port)
        total = 0
        try:
            link.request("GET", target_of(place))
            answer = link.getresponse()
            if answer.status != 200:
                raise NodeError(f"reading {path}: {answer.status} {answer.read(500).decode(errors='replace')}")
            for block in iter(lambda: answer.read(1 << 20), b""):
                out.write(block)
                total += len(block)
        except (OSError, http.client.HTTPException) as error:
            raise NodeError(f"reading {path} from HDFS through {place.netloc}: {error}")
        finally:
            link.close()
        return total


def target_of(place):
    """Path and query of a ``Location``, in which HDFS leaves other characters than ASCII as they are."""
    return urllib.parse.quote(f"{place.path}?{place.query}", safe="%/:=&?~#+!$,;'@()*[]")


def upload(client, local, path, overwrite=True, mode=None):
    """Copy a local file into HDFS under a temporary name, then rename it: readers never see half a file."""
    temporary = os.path.join(os.path.dirname(path), "." + os.path.basename(path) + ".uploading")
    with open(local, "rb") as source:
        client.write(temporary, source, os.path.getsize(local), mode=mode)
    if overwrite and client.status(path):
        client.delete(path)
    client.rename(temporary, path)


def ensure_archive(client, row):
    """Put the files of a local folder into HDFS as one zip, unless it is there; True when it was put.

    ``row``: {source, path, owner}. Not compressed: jars are deflated already, and every container unpacks it.
    """
    if client.status(row["path"]):
        return False
    with tempfile.NamedTemporaryFile(dir="/var/cache/emr", suffix=".zip") as out:
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
            except (OSError, NodeError) as error:
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
