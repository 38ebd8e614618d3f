"""The two ends of a copy, OSS and HDFS: what files they have, and how these are told apart.

Both ends know ``address`` (as Hadoop writes it), ``root`` (path of the folder, without its file system), ``single`` (the name of the
file when the end is one file, else ''), ``files()``, ``crc64s(names)`` and ``delete(names)``. Names are relative to the folder.
"""
from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor

from ..common import NodeError
from ..hdfs.client import NAME_MAX, WebHdfs
from ..oss.client import split
from ..oss.files import KEY_MAX, clashes

THREADS = 16
LEFT_BEHIND = ".distcp.tmp."
# What a name in OSS may have and one in HDFS may not.
HDFS_FORBIDS = ("", ".", "..")


class OssSide:
    """A folder or an object of a bucket."""

    def __init__(self, client, address):
        self.client, self.address = client, address.rstrip("/")
        self.bucket, key = split(self.address)
        self.key, self.root, self.single = key, f"/{key}", ""
        self.markers: list = []  # objects that stand for folders, as files() found them

    def look(self, source):
        """Find out whether it is one object. A source must exist."""
        folder = self.key + "/" if self.key else ""
        below = next(iter(self.client.list(self.bucket, folder, most=1)), None)
        if self.key and self.client.head(self.bucket, self.key):
            if below:
                raise NodeError(both(self.address, f"oss://{self.bucket}/{below['key']}"))
            self.single = os.path.basename(self.key)
        elif source and not below:
            raise NodeError(f"there is nothing at {self.address}. Next: emrctl ls NAME oss://{self.bucket}")

    def files(self):
        """{name: bytes} of all below; objects that stand for folders are none."""
        if self.single:
            return {self.single: self.client.head(self.bucket, self.key)["size"]}
        prefix = self.key + "/" if self.key else ""
        rows = {row["key"][len(prefix):]: row["size"] for row in self.client.list(self.bucket, prefix)}
        self.markers = [name for name, size in rows.items() if name.endswith("/") and not size]
        return {name: size for name, size in rows.items() if name and not (name.endswith("/") and not size)}

    def crc64s(self, names):
        """{name: CRC-64 as OSS has computed it} of these files; None for an object without one or gone."""
        with ThreadPoolExecutor(THREADS) as pool:
            heads = pool.map(lambda name: self.client.head(self.bucket, self.object_of(name)), names)
            return {name: head["crc64"] if head else None for name, head in zip(names, heads)}

    def delete(self, names):
        self.client.delete(self.bucket, [self.object_of(name) for name in names])

    def tidy(self, names, _before):
        """Abort uploads of these files that a kill left behind: they cost money and nobody sees them."""
        keys = {self.object_of(name) for name in names}
        found = [(key, upload) for key, upload in self.client.uploads(self.bucket, self.key) if key in keys]
        for key, upload in found:
            self.client.abort(self.bucket, key, upload)
        return len(found)

    def object_of(self, name):
        """Key of the object of a file."""
        return self.key if self.single else f"{self.key}/{name}".lstrip("/")


class HdfsSide:
    """A folder or a file of HDFS, seen as a user. ``checksums``: a function of (side, {name: bytes}) that gives {name: CRC-64}."""

    def __init__(self, namenode, user, path, checksums):
        self.client, self.namenode, self.user = WebHdfs(namenode, user), namenode, user
        self.folder = path.endswith("/")
        self.root = "/" + path.strip("/")
        self.address, self.single, self.checksums = f"hdfs://{self.root}", "", checksums

    def look(self, source):
        """Find out whether it is one file. A source must exist."""
        found = self.client.status(self.root)
        if found and found["type"] == "FILE":
            self.single = os.path.basename(self.root)
        elif source and not found:
            raise NodeError(f"there is no {self.root} in HDFS")
        return found

    def files(self):
        """{name: bytes} of all below, but for what DistCp left behind."""
        found = self.client.status(self.root)
        if not found:
            return {}
        if found["type"] == "FILE":
            return {os.path.basename(self.root): found["length"]}
        return {name: row["length"] for name, row in self._walk() if not os.path.basename(name).startswith(LEFT_BEHIND)}

    def _walk(self):
        """(name, status) of each file below."""
        folders = [""]
        while folders:
            folder = folders.pop()
            for row in self.client.listing_up_to(f"{self.root}/{folder}".rstrip("/") or "/", 1 << 30)[0]:
                name = f"{folder}{row['pathSuffix']}"
                if row["type"] == "DIRECTORY":
                    folders.append(name + "/")
                else:
                    yield name, row

    def path(self, name):
        """Path in HDFS of a file."""
        return self.root if self.single else f"{self.root.rstrip('/')}/{name}"

    def make(self, single):
        """Make the folder that gets the files, so that a refusal comes before any work."""
        self.client.make((os.path.dirname(self.root) or "/") if single else self.root, "755")

    def crc64s(self, names):
        """{name: CRC-64} of these files, computed from what HDFS gives."""
        sizes = self.files()
        return self.checksums(self, {name: sizes[name] for name in names if name in sizes})

    def delete(self, names):
        for name in names:
            self.client.delete(self.path(name))

    def tidy(self, _names, before):
        """Delete the unfinished files that a killed DistCp left behind, made before then (seconds). Returns their number."""
        if not self.client.status(self.root) or self.single:
            return 0
        found = [name for name, row in self._walk() if os.path.basename(name).startswith(LEFT_BEHIND)
                 and row["modificationTime"] / 1000 < before]
        self.delete(found)
        return len(found)


def both(first, second):
    """The words for two objects of which one is the other's folder."""
    return (f"{first} and {second} are both objects, but a file system cannot have a file and a folder with the same name. "
            "Next: rename one of them")


def unfit_for_hdfs(side, names, selected):
    """What is wrong with the names of these objects as files of HDFS, '' when nothing is. ``names``: all below; ``selected``: a function."""
    strange = sorted(name for name in names if selected(name)
                     and any(part in HDFS_FORBIDS or ":" in part or len(part.encode()) > NAME_MAX for part in name.split("/")))
    if strange:
        return (f"{len(strange)} objects have names that no file of HDFS can have (a part is empty, `.`, `..`, longer than {NAME_MAX} bytes or "
                f"has a colon), such as {strange[0]!r}. Next: leave them out with --exclude, or rename them")
    # Hadoop lists both whatever the patterns say of one of them.
    found = [(first, second) for first, second in clashes([*names, *side.markers]) if selected(first) or selected(second)]
    return both(*(f"{side.address}/{name}" for name in found[0])) if found else ""


def unfit_for_oss(side, names):
    """What is wrong with the names of these files as objects, '' when nothing is."""
    long = sorted(name for name in names if len(side.object_of(name).encode()) > KEY_MAX)
    return (f"{len(long)} files would have longer names than OSS takes ({KEY_MAX} bytes), such as {long[0]!r}. Next: leave them out with "
            "--exclude, or choose a shorter target") if long else ""
