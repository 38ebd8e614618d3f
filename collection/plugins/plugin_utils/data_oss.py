"""put, get, ls, du and head for oss:// paths: from this machine straight to OSS, with keys that stay here."""
from __future__ import annotations

import calendar
import os
import time
from concurrent.futures import ThreadPoolExecutor

from ..module_utils.domain.errors import EmrError, Refused
from ..module_utils.node.hdfs.data import first_lines
from ..module_utils.node.oss.client import Oss, OssError, split
from ..module_utils.node.oss.files import KEY_MAX, check, clashes, crc64_of, put_file
from .local_tree import Tree, appear, place_for
from .streams import NAME_MAX, NAMED, Progress, Reader, parquet_rows, receive

# Objects on their way at once.
THREADS = 8

# The way out for one whose name this machine cannot have.
OTHERS = "Rename it in OSS, or get the others by their folders and names"


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
        """Files and folders to objects, each of which appears at once. What OSS has already is not sent again."""
        bucket, key = split(args["path"])
        tree = Tree(args["files"])
        tops = {row[0].partition("/")[0] for row in tree.files} | {name.partition("/")[0] for name in tree.folders}
        into = len(tops) > 1 or not key or key.endswith("/")
        rows = []
        for name, path, size in tree.files:
            rest = name if into else name.partition("/")[2]
            rows.append(("/".join(filter(None, (key.rstrip("/"), rest))), path, size))
        long = [name for name, _path, _size in rows if len(name.encode()) > KEY_MAX]
        if long:
            raise Refused(f"oss://{bucket}/{long[0]}: OSS takes names of up to {KEY_MAX} bytes", "Choose a shorter path")
        there = {}
        if tree.folders:
            prefixes = {f"{key.rstrip('/')}/{top}/".lstrip("/") if into else f"{key.rstrip('/')}/" for top in {f.partition("/")[0] for f in tree.folders}}
            there = {row["key"]: row["size"] for prefix in prefixes for row in self.oss.list(bucket, prefix)}
        progress = Progress(tree.size, self.tell, files=len(rows))

        def one(row: tuple) -> int:
            name, path, size = row
            head = self.oss.head(bucket, name) if there.get(name) == size else None
            equal = bool(head and head["crc64"] is not None and head["crc64"] == crc64_of(path))
            if equal:
                progress.add(size, skipped=True)
            else:
                put_file(self.oss, bucket, name, path, progress.add)
            progress.file()
            return equal

        equal = sum(_each(one, rows))
        return {"changed": equal < len(rows), "put": [{"path": f"oss://{bucket}/{name}", "bytes": size} for name, _path, size in rows[:NAMED]],
                "files_count": len(rows), "bytes": tree.size, "equal_files": equal}

    def get(self, args: dict) -> dict:
        """An object, or all below a folder, to files here."""
        bucket, key = split(args["path"])
        target = os.path.abspath(os.path.expanduser(args["target"] or "."))
        head = self.oss.head(bucket, key) if key and not key.endswith("/") else None
        if head:
            into = args["target"].endswith("/") or os.path.isdir(target)
            final = work = os.path.join(target, os.path.basename(key)) if into else target
            rows = [(key, final, head["size"])]
        else:
            prefix = key.rstrip("/") + "/" if key else ""
            found = [row for row in self.oss.list(bucket, prefix) if not row["key"].endswith("/")]
            if not found:
                raise EmrError(f"nothing exists at {args['path']}")
            _fit({row["key"][len(prefix):] for row in found}, args["path"])
            final, work = place_for(os.path.basename(key.rstrip("/")), args["target"], bool(args.get("merge")))
            rows = [(row["key"], os.path.join(work, *row["key"][len(prefix):].split("/")), row["size"]) for row in found]
        progress = Progress(sum(row[2] for row in rows), self.tell, files=len(rows))
        equal = sum(_each(lambda row: self._get(bucket, row[0], row[1], progress), rows))
        appear(final, work)
        return {"changed": False, "got": [{"path": f"oss://{bucket}/{row[0]}", "bytes": row[2]} for row in rows[:NAMED]], "files_count": len(rows),
                "bytes": progress.total, "equal_files": equal, "files": sorted(final + row[1][len(work):] for row in rows[:NAMED])}

    def _get(self, bucket: str, key: str, final: str, progress: Progress) -> bool:
        """Whether it was here already."""
        head = self.oss.head(bucket, key)
        if head is None:
            raise EmrError(f"oss://{bucket}/{key} was deleted meanwhile")
        if os.path.isfile(final) and os.path.getsize(final) == head["size"] and head["crc64"] is not None and crc64_of(final) == head["crc64"]:
            progress.add(head["size"], skipped=True)
            progress.file()
            return True
        receive(final, head["size"], head["etag"][:16], lambda take, at: self.oss.get(bucket, key, take, at, head["size"], head["etag"]),
                progress, lambda path: check(path, bucket, key, head["crc64"]))
        return False

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
            raise EmrError(f"nothing exists at {args['path']}")
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
            raise EmrError(f"nothing exists at {args['path']}")
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
        raw = first_lines(lambda out, at, count: self.oss.get(bucket, key, out.write, at, at + count), found["size"], args["rows"],
                          args["limit_bytes"])
        path = f"oss://{bucket}/{key}"
        result = {"path": path, "bytes": found["size"], "raw": raw}
        if raw.startswith(b"PAR1"):
            source = Reader(found["size"], lambda take, at, count: self.oss.get(bucket, key, take, at, at + count))
            result["rows"] = parquet_rows(source, args["rows"], path)
        return result


def _each(step, rows: list) -> list:
    """Results of a step for each row, several at once; after the first error no more are begun."""
    with ThreadPoolExecutor(THREADS) as pool:
        try:
            return list(pool.map(step, rows))
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _fit(names: set, address: str) -> None:
    """Raises Refused for names of objects that files of one folder cannot have, before any is fetched."""
    for name in sorted(names):
        if any(part in ("", ".", "..") or "\0" in part for part in name.split("/")):
            raise Refused(f"an object is called {name!r}, which is not a file name here", OTHERS)
        if any(len(part.encode()) > NAME_MAX for part in name.split("/")):
            raise Refused(f"an object is called {name!r}, which is longer than a file name may be ({NAME_MAX} bytes)", OTHERS)
    for first, second in clashes(names):
        where = address.rstrip("/")
        raise Refused(f"{where}/{first} and {where}/{second} are both objects, but {first} cannot be a file and a folder here",
                      f"Get {where}/{first} alone, under another name, and {where}/{first}/ for those below it")


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
