"""What keeps tables of Iceberg and Delta small and fast: many small files become few, old states go, and files that no state names.

Each statement is one transaction of the table's format, so readers and writers go on, and an interrupted run is simply run again.
"""
from __future__ import annotations

import time
from typing import NamedTuple

from ..text import durations
from .names import CATALOGUE, DELTA, ICEBERG, parts_of, quoted

# Old states are kept for a week, and so are files that no state names: a job that writes for longer than that would lose its own.
HISTORY, ORPHANS = "7d", "7d"
# Least seconds. Younger files without a state may be those of a job that still writes.
LEAST_HISTORY_S, LEAST_ORPHANS_S = 3600, 86400
# Delta asks for a consent below this; who gives a shorter time has given it.
DELTA_ASKS_S = 7 * 86400


class Table(NamedTuple):
    """A table of the metastore: ``format`` is one of names.FORMATS."""

    database: str
    name: str
    format: str
    owner: str

    @property
    def full(self) -> str:
        """What sessions of Spark call it."""
        return f"{CATALOGUE}.{self.short}" if self.format == ICEBERG else self.short

    @property
    def short(self) -> str:
        return f"{self.database}.{self.name}"

    @property
    def quoted(self) -> str:
        """The same for SQL."""
        return quoted(self.short)


class Step(NamedTuple):
    """One statement: what it does, in words, and its SQL."""

    what: str
    sql: str


def kept(option: str, text: str, least_s: int) -> int:
    """Seconds of a duration that an option gives. Raises ValueError."""
    try:
        found = durations.seconds(text)
    except ValueError as error:
        raise ValueError(f"{option}: {error}") from None
    if found < least_s:
        raise ValueError(f"{option} {text}: expected at least {durations.words(least_s)}")
    return found


def wanted(names) -> list:
    """(database, table) of what people call tables: TABLE, DATABASE.TABLE, each also with `iceberg.` before it. Raises ValueError."""
    return [(database.lower(), name.lower()) for database, name in map(parts_of, map(str, names))]


def steps(table: Table, history_s: int, orphans_s: int, now: float) -> list:
    """The statements for one table, in order. ``now``: seconds since 1970."""
    if table.format == DELTA:
        hours = -(-max(history_s, orphans_s) // 3600)
        return [Step("compact", f"OPTIMIZE {table.quoted}"), Step("expire", f"VACUUM {table.quoted} RETAIN {hours} HOURS")]
    call, name = f"CALL {CATALOGUE}.system", f"table => '{table.quoted}'"
    return [
        # What is done in parts stays done when a later part fails.
        Step("compact", f"{call}.rewrite_data_files({name}, options => map('partial-progress.enabled', 'true'))"),
        Step("compact lists", f"{call}.rewrite_manifests({name})"),
        Step("expire", f"{call}.expire_snapshots({name}, older_than => TIMESTAMP '{_moment(now - history_s)}')"),
        Step("remove orphans", f"{call}.remove_orphan_files({name}, older_than => TIMESTAMP '{_moment(now - orphans_s)}')")]


def files_of(table: Table) -> str:
    """A query for the number of data files of the table as it is now."""
    if table.format == DELTA:
        return f"DESCRIBE DETAIL {table.quoted}"
    return f"SELECT count(*) AS numFiles FROM {CATALOGUE}.{table.quoted}.files"


def _moment(seconds: float) -> str:
    """A moment for SQL, in UTC whatever the session's zone is."""
    return time.strftime("%Y-%m-%d %H:%M:%S+00:00", time.gmtime(seconds))


__all__ = ["DELTA_ASKS_S", "HISTORY", "LEAST_HISTORY_S", "LEAST_ORPHANS_S", "ORPHANS", "Step", "Table", "files_of", "kept", "steps", "wanted"]
