"""put, get, ls, du and head for oss:// paths: from this machine straight to OSS, with keys that stay here."""
from __future__ import annotations

import calendar
import os
import time

from ..module_utils.domain.errors import EmrError, Refused
from ..module_utils.node.oss import Oss, OssError, endpoint_of, split
from ..module_utils.node.oss_files import check, put_file
from .streams import Progress, Reader, parquet_rows, receive

KEY = {"access_key_id": "OSS_ACCESS_KEY_ID", "access_key_secret": "OSS_ACCESS_KEY_SECRET", "security_token": "OSS_SESSION_TOKEN"}


def client(environ, region: str, find) -> Oss:
    """OSS as this machine reaches it. ``find()``: the chain of cloud credentials, when the environment has none for OSS."""
    key = {name: environ[variable] for name, variable in KEY.items() if environ.get(variable)}
    if not key:
        found = find().current()
        key = {"access_key_id": found.access_key_id, "access_key_secret": found.access_key_secret, "security_token": found.security_token}
    if not key.get("access_key_id") or not key.get("access_key_secret"):
        raise Refused("half of a key for OSS is set", "Set both OSS_ACCESS_KEY_ID and OSS_ACCESS_KEY_SECRET, or none")
    return Oss(endpoint_of(environ.get("ALIBABA_CLOUD_OSS_ENDPOINT"), region, inside=False), region, key)


class OssData:
    """The operations; ``tell(text)`` gets progress."""

    def __init__(self, oss: Oss, tell):
        self.oss, self.tell = oss, tell

    def perform(self, op: str, args: dict) -> dict:
        """Result of an operation. Raises EmrError."""
        try:
            return getattr(self, op)(args)
        except OssError as error:
            raise EmrError(str(error), "Check the bucket, the key and ALIBABA_CLOUD_OSS_ENDPOINT") from error

    def put(self, args: dict) -> dict:
        """Files to objects, each of which appears at once."""
        bucket, key = split(args["path"])
        files = [os.path.expanduser(str(path)) for path in args["files"]]
        folder = len(files) > 1 or not key or key.endswith("/")
        progress = Progress(sum(os.path.getsize(path) for path in files), self.tell)
        done = []
        for path in files:
            name = f"{key.rstrip('/')}/{os.path.basename(path)}".lstrip("/") if folder else key
            put_file(self.oss, bucket, name, path, progress.add)
            done.append({"path": f"oss://{bucket}/{name}", "bytes": os.path.getsize(path)})
        return {"changed": True, "put": done}

    def get(self, args: dict) -> dict:
        """An object, or all below a folder, to files here."""
        bucket, key = split(args["path"])
        target = os.path.abspath(os.path.expanduser(args["target"] or "."))
        head = self.oss.head(bucket, key) if key and not key.endswith("/") else None
        if head:
            final = os.path.join(target, os.path.basename(key)) if os.path.isdir(target) else target
            rows = [(key, final, head["size"])]
        else:
            prefix = key.rstrip("/") + "/" if key else ""
            found = [row for row in self.oss.list(bucket, prefix) if not row["key"].endswith("/")]
            rows = [(row["key"], _below(target, row["key"][len(prefix):]), row["size"]) for row in found]
            if not rows:
                raise EmrError(f"there is nothing at {args['path']}")
            if os.path.exists(target) and not os.path.isdir(target):
                raise EmrError(f"{target} is a file, but a folder was asked for", "Name a folder")
        progress = Progress(sum(row[2] for row in rows), self.tell)
        for name, final, _size in rows:
            self._get(bucket, name, final, progress)
        return {"changed": False, "got": [{"path": f"oss://{bucket}/{row[0]}", "bytes": row[2]} for row in rows],
                "files": sorted(row[1] for row in rows)}

    def _get(self, bucket: str, key: str, final: str, progress: Progress) -> None:
        head = self.oss.head(bucket, key)
        if head is None:
            raise EmrError(f"oss://{bucket}/{key} went away meanwhile")

        receive(final, head["size"], head["etag"][:16], lambda take, at: self.oss.get(bucket, key, take, at, head["size"], head["etag"]),
                progress, lambda path: check(path, bucket, key, head["crc64"]))

    def ls(self, args: dict) -> dict:
        """What is below, in the form of HDFS's listing."""
        bucket, key = split(args["path"])
        most, rows = args["most"], []
        if key and not key.endswith("/") and (head := self.oss.head(bucket, key)):
            return {"files": [_row(bucket, {"key": key, "size": head["size"], "modified": head["modified"]})], "truncated": False}
        prefix = key.rstrip("/") + "/" if key else ""
        for row in self.oss.list(bucket, prefix, "" if args["recursive"] else "/", most=min(most + 1, 1000)):
            if row.get("key") == prefix:
                continue
            if len(rows) == most:
                return {"files": rows, "truncated": True}
            rows.append(_row(bucket, row))
        if not rows and prefix and self.oss.head(bucket, prefix) is None:
            raise EmrError(f"there is nothing at {args['path']}")
        return {"files": rows, "truncated": False}

    def du(self, args: dict) -> dict:
        """Bytes of a path and of each of its children."""
        bucket, key = split(args["path"])
        prefix = key.rstrip("/") + "/" if key else ""
        sums: dict = {}
        for row in self.oss.list(bucket, prefix):
            first, more, _rest = row["key"][len(prefix):].partition("/")
            if first:
                found = sums.setdefault(first + ("/" if more else ""), [0, 0])
                found[0] += row["size"]
                found[1] += 0 if row["key"].endswith("/") else 1
        if not sums and key and (head := self.oss.head(bucket, key)):
            return {"total": _used(args["path"], head["size"], 1), "used": [], "truncated": False}
        if not sums and prefix and self.oss.head(bucket, prefix) is None:
            raise EmrError(f"there is nothing at {args['path']}")
        rows = [_used(f"oss://{bucket}/{prefix}{name}", *found) for name, found in sorted(sums.items())]
        total = _used(args["path"], sum(row["bytes"] for row in rows), sum(row["files"] for row in rows))
        return {"total": total, "used": rows[:args["most"]], "truncated": len(rows) > args["most"]}

    def head(self, args: dict) -> dict:
        """The first bytes of an object, or of the first with content in a folder."""
        bucket, key = split(args["path"])
        found = self.oss.head(bucket, key) if key and not key.endswith("/") else None
        if not found:
            prefix = key.rstrip("/") + "/" if key else ""
            rows = (row for row in self.oss.list(bucket, prefix, "/") if row.get("size")
                    and not row["key"][len(prefix):].startswith((".", "_")))
            row = next(rows, None)
            if row is None:
                raise EmrError(f"there is no object with content at {args['path']}")
            key, found = row["key"], {"size": row["size"]}
        parts: list = []
        if found["size"]:
            self.oss.get(bucket, key, parts.append, 0, min(found["size"], args["limit_bytes"]))
        raw, path = b"".join(parts), f"oss://{bucket}/{key}"
        result = {"path": path, "bytes": found["size"], "raw": raw}
        if raw.startswith(b"PAR1"):
            source = Reader(found["size"], lambda take, at, count: self.oss.get(bucket, key, take, at, at + count))
            result["rows"] = parquet_rows(source, args["rows"], path)
        return result


def _below(target: str, name: str) -> str:
    """Path of a file below a folder here. Raises EmrError for a name that would leave it."""
    if any(part in ("", ".", "..") for part in name.split("/")):
        raise EmrError(f"an object is called {name!r}, which is no file name here")
    return os.path.join(target, *name.split("/"))


def _row(bucket: str, row: dict) -> dict:
    folder = "folder" in row or row["key"].endswith("/")
    return {"type": "folder" if folder else "file", "mode": None, "owner": None, "group": None, "copies": None,
            "bytes": None if folder else row["size"], "modified": None if folder else _seconds(row["modified"]),
            "path": f"oss://{bucket}/{row.get('folder') or row['key']}".rstrip("/")}


def _seconds(text: str) -> int:
    for form in ("%Y-%m-%dT%H:%M:%S.000Z", "%a, %d %b %Y %H:%M:%S GMT"):
        try:
            return calendar.timegm(time.strptime(text, form))
        except ValueError:
            continue
    return 0


def _used(path: str, count: int, files: int) -> dict:
    return {"path": path, "bytes": count, "bytes_of_copies": count, "files": files}
