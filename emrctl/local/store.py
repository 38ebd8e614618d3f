"""State of the local ECS: plain dictionaries by kind and id, in one SQLite file of the state folder.

Everything is held in memory too, so reads cost nothing. A transaction reaches the file before it becomes visible:
a process killed at any moment leaves either the whole change or none of it.
"""
from __future__ import annotations

import copy
import json
import sqlite3
import threading
from contextlib import contextmanager
from pathlib import Path

_GONE = object()


class Store:
    """Objects by (kind, id). Values returned by ``get`` and ``all`` are shared: read them, never change them."""

    def __init__(self, path: Path | str):
        self.lock = threading.RLock()
        self._db = sqlite3.connect(str(path), check_same_thread=False, isolation_level=None)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=NORMAL")
        self._db.execute("CREATE TABLE IF NOT EXISTS objects (kind TEXT, id TEXT, body TEXT, PRIMARY KEY (kind, id))")
        self._data: dict = {}
        self._open: Transaction | None = None
        self._watchers: dict = {}
        self._load()

    def _load(self) -> None:
        rows = self._db.execute("SELECT kind, id, body FROM objects")
        while some := rows.fetchmany(2000):
            # read as one text: objects that are parsed together share their keys, which halves the memory they take
            values = json.loads(f"[{','.join(body for _, _, body in some)}]")
            for (kind, key, _), value in zip(some, values, strict=True):
                self._data.setdefault(kind, {})[key] = value

    def watch(self, kind: str, changed) -> None:
        """Call ``changed(old, new)`` for every committed change of an object of this kind; None: absent."""
        self._watchers.setdefault(kind, []).append(changed)

    def get(self, kind: str, key: str):
        """The object, or None."""
        with self.lock:
            return self._data.get(kind, {}).get(key)

    def all(self, kind: str) -> list:
        """All objects of a kind."""
        with self.lock:
            return list(self._data.get(kind, {}).values())

    def table(self, kind: str) -> dict:
        """Objects of a kind by id, read-only."""
        return self._data.get(kind, {})

    @contextmanager
    def transaction(self):
        """Changes that are kept together when the block ends well, and dropped when it raises. Not nestable."""
        with self.lock:
            if self._open is not None:
                raise RuntimeError("a transaction is open already")
            self._open = tx = Transaction(self)
            try:
                yield tx
                self._commit(tx.changes)
            finally:
                self._open = None

    def _commit(self, changes: dict) -> None:
        if not changes:
            return
        self._db.execute("BEGIN IMMEDIATE")
        try:
            self._db.executemany("DELETE FROM objects WHERE kind=? AND id=?",
                                 (place for place, value in changes.items() if value is _GONE))
            self._db.executemany("INSERT OR REPLACE INTO objects VALUES (?,?,?)",
                                 ((*place, json.dumps(value)) for place, value in changes.items() if value is not _GONE))
            self._db.execute("COMMIT")
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        for (kind, key), value in changes.items():
            table = self._data.setdefault(kind, {})
            old = table.get(key)
            if value is _GONE:
                table.pop(key, None)
            else:
                table[key] = value
            for changed in self._watchers.get(kind, ()):
                changed(old, None if value is _GONE else value)

    def close(self) -> None:
        """Close the file."""
        with self.lock:
            self._db.close()


class Transaction:
    """Changes not yet kept; its reads see them."""

    def __init__(self, store: Store):
        self._store = store
        self.changes: dict = {}

    def get(self, kind: str, key: str):
        """The object as this transaction sees it, or None. Read-only, see ``edit``."""
        value = self.changes.get((kind, key))
        if value is _GONE:
            return None
        return value if value is not None else self._store.get(kind, key)

    def all(self, kind: str) -> list:
        """All objects of a kind as this transaction sees them."""
        changed = {key: value for (k, key), value in self.changes.items() if k == kind}
        if not changed:
            return self._store.all(kind)
        merged = {**self._store.table(kind), **changed}
        return [value for value in merged.values() if value is not _GONE]

    def edit(self, kind: str, key: str):
        """A copy that may be changed in place and is kept at the end; None when there is no such object."""
        value = self.changes.get((kind, key))
        if value is None:
            stored = self._store.get(kind, key)
            if stored is None:
                return None
            value = self.changes[(kind, key)] = copy.deepcopy(stored)
        return None if value is _GONE else value

    def put(self, kind: str, key: str, value: dict) -> None:
        """Add or replace."""
        self.changes[(kind, key)] = value

    def delete(self, kind: str, key: str) -> None:
        """Remove; absent objects are ignored."""
        self.changes[(kind, key)] = _GONE

    def next_number(self, name: str) -> int:
        """Next value of a counter that never repeats, from 1."""
        return self.reserve_numbers(name, 1)

    def reserve_numbers(self, name: str, amount: int) -> int:
        """The first of so many values in a row of a counter that never repeats."""
        counter = self.edit("counter", name) or {"value": 0}
        counter["value"] += amount
        self.put("counter", name, counter)
        return counter["value"] - amount + 1
