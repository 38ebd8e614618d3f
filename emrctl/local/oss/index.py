"""What is in the buckets: one SQLite file. The content itself lies in files that are never changed, only replaced.

Keys are kept as bytes, so they sort as OSS sorts them. All methods are safe to call from several threads.
"""
from __future__ import annotations

import json
import sqlite3
import threading
from dataclasses import dataclass, field
from pathlib import Path

_TABLES = """
CREATE TABLE IF NOT EXISTS buckets (name TEXT PRIMARY KEY, created REAL, acl TEXT);
CREATE TABLE IF NOT EXISTS objects (bucket TEXT, key BLOB, body TEXT, PRIMARY KEY (bucket, key)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS uploads (id TEXT PRIMARY KEY, bucket TEXT, key BLOB, body TEXT);
CREATE TABLE IF NOT EXISTS parts (upload TEXT, number INTEGER, body TEXT, PRIMARY KEY (upload, number)) WITHOUT ROWID;
"""


@dataclass(frozen=True)
class Stored:
    """An object or a part. ``modified`` is a time in seconds, ``crc`` CRC-64 of the content, ``md5`` its MD5 in hex and
    empty where only the parts' are known, ``headers`` what is sent along with it."""

    file: str
    size: int
    etag: str
    crc: int
    modified: float
    md5: str = ""
    kind: str = "Normal"
    acl: str = "default"
    headers: dict = field(default_factory=dict)


def _dump(stored: Stored) -> str:
    return json.dumps(vars(stored))


def _load(body: str) -> Stored:
    return Stored(**json.loads(body))


class Index:
    """The buckets of one state folder. ``lock`` may be held around several calls."""

    def __init__(self, path: Path):
        self.lock = threading.RLock()
        self._db = sqlite3.connect(str(path), check_same_thread=False, isolation_level=None)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=NORMAL")
        self._db.executescript(_TABLES)

    def close(self) -> None:
        """Close the file."""
        with self.lock:
            self._db.close()

    def _rows(self, sql: str, *values) -> list:
        with self.lock:
            return self._db.execute(sql, values).fetchall()

    # buckets

    def bucket(self, name: str) -> tuple | None:
        """(name, created, acl), or None."""
        rows = self._rows("SELECT name, created, acl FROM buckets WHERE name=?", name)
        return rows[0] if rows else None

    def buckets(self) -> list:
        """All (name, created, acl), by name."""
        return self._rows("SELECT name, created, acl FROM buckets ORDER BY name")

    def put_bucket(self, name: str, created: float, acl: str) -> None:
        """Add a bucket, or set the ACL of the one that is there."""
        self._rows("INSERT INTO buckets VALUES (?,?,?) ON CONFLICT (name) DO UPDATE SET acl=excluded.acl",
                   name, created, acl)

    def delete_bucket(self, name: str) -> bool:
        """Remove an empty bucket; False when it holds objects or unfinished uploads."""
        with self.lock:
            if self._rows("SELECT 1 FROM objects WHERE bucket=? LIMIT 1", name) or \
                    self._rows("SELECT 1 FROM uploads WHERE bucket=? LIMIT 1", name):
                return False
            self._rows("DELETE FROM buckets WHERE name=?", name)
            return True

    def totals(self, bucket: str) -> tuple:
        """(objects, bytes, unfinished uploads)."""
        objects, size = self._rows("SELECT count(*), coalesce(sum(json_extract(body, '$.size')), 0) FROM objects "
                                   "WHERE bucket=?", bucket)[0]
        return objects, size, self._rows("SELECT count(*) FROM uploads WHERE bucket=?", bucket)[0][0]

    # objects

    def get(self, bucket: str, key: bytes) -> Stored | None:
        """The object, or None."""
        rows = self._rows("SELECT body FROM objects WHERE bucket=? AND key=?", bucket, key)
        return _load(rows[0][0]) if rows else None

    def put(self, bucket: str, key: bytes, stored: Stored) -> Stored | None:
        """Add or replace; returns what was there before."""
        with self.lock:
            old = self.get(bucket, key)
            self._rows("INSERT OR REPLACE INTO objects VALUES (?,?,?)", bucket, key, _dump(stored))
            return old

    def delete(self, bucket: str, key: bytes) -> Stored | None:
        """Remove; returns what was there."""
        with self.lock:
            old = self.get(bucket, key)
            self._rows("DELETE FROM objects WHERE bucket=? AND key=?", bucket, key)
            return old

    def after(self, bucket: str, first: bytes, past: bytes | None, limit: int) -> list:
        """So many (key, Stored) from ``first`` on, before ``past``, in order."""
        bound, values = (" AND key<?", (past,)) if past is not None else ("", ())
        rows = self._rows(f"SELECT key, body FROM objects WHERE bucket=? AND key>=?{bound} ORDER BY key LIMIT ?",
                          bucket, first, *values, limit)
        return [(bytes(key), _load(body)) for key, body in rows]

    # unfinished uploads

    def put_upload(self, upload: str, bucket: str, key: bytes, initiated: float, headers: dict, acl: str) -> None:
        """Begin an upload."""
        body = json.dumps({"initiated": initiated, "headers": headers, "acl": acl})
        self._rows("INSERT INTO uploads VALUES (?,?,?,?)", upload, bucket, key, body)

    def upload(self, upload: str, bucket: str, key: bytes) -> dict | None:
        """initiated, headers and acl of an upload, or None."""
        rows = self._rows("SELECT body FROM uploads WHERE id=? AND bucket=? AND key=?", upload, bucket, key)
        return json.loads(rows[0][0]) if rows else None

    def uploads(self, bucket: str) -> list:
        """All (key, id, initiated) of a bucket, in order."""
        rows = self._rows("SELECT key, id, body FROM uploads WHERE bucket=? ORDER BY key, id", bucket)
        return [(bytes(key), upload, json.loads(body)["initiated"]) for key, upload, body in rows]

    def put_part(self, upload: str, number: int, part: Stored) -> Stored | None:
        """Add or replace a part; returns the one before."""
        with self.lock:
            old = self.parts(upload).get(number)
            self._rows("INSERT OR REPLACE INTO parts VALUES (?,?,?)", upload, number, _dump(part))
            return old

    def parts(self, upload: str) -> dict:
        """Parts by number, in order."""
        rows = self._rows("SELECT number, body FROM parts WHERE upload=? ORDER BY number", upload)
        return {number: _load(body) for number, body in rows}

    def end_upload(self, upload: str, bucket: str, key: bytes, finished: Stored | None) -> list:
        """Forget an upload, its object (None: aborted) taking its place; returns what is needed no longer."""
        with self.lock:
            gone = list(self.parts(upload).values())
            self._rows("BEGIN IMMEDIATE")
            try:
                old = self.put(bucket, key, finished) if finished else None
                self._rows("DELETE FROM parts WHERE upload=?", upload)
                self._rows("DELETE FROM uploads WHERE id=?", upload)
                self._rows("COMMIT")
            except BaseException:
                self._rows("ROLLBACK")
                raise
            return [*gone, *([old] if old else [])]

    def files(self) -> set:
        """Names of all files that something refers to."""
        return {row[0] for table in ("objects", "parts")
                for row in self._rows(f"SELECT json_extract(body, '$.file') FROM {table}")}
