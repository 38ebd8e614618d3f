"""Imports into, and exports from, tables of Iceberg and Delta. Runs in Spark.

A table appears, or gets its new rows, by one commit of its format; an export reads one state of it, whatever others write meanwhile.
"""
from __future__ import annotations

from .jdbc_database import TransferError
from .jdbc_export import Export
from .jdbc_import import Import


class TableImport(Import):
    """An import whose target is a table."""

    def _settle(self):
        self.there = self.spark.catalog.tableExists(self.target)
        if self.there and not self.request["overwrite"]:
            raise TransferError(f"the table {self.target} is there already. Next: choose another name, or give --overwrite, which keeps the old state in "
                                "the table's history")
        database = self.target.rpartition(".")[0]
        if not self.spark.catalog.databaseExists(database):
            raise TransferError(f"there is no database {database}. Next: make it with CREATE DATABASE {database}, or name another one")
        return []

    def _write(self, frame):
        """Make the table, or replace what it has. An interrupted one may have left a log without a name, which replacing takes over."""
        frame.writeTo(self.target).using(self.format).createOrReplace()
        return self.spark.table(self.target).count()

    def _arrive(self, _runs, _record):
        return self.target


class TableExport(Export):
    """An export whose source is a table."""

    def _data(self, _there):
        name = self.request["path"]
        if not self.spark.catalog.tableExists(name):
            raise TransferError(f"there is no table {name}. Next: SHOW TABLES IN {name.rpartition('.')[0]} in emrctl shell NAME spark-sql")
        self.version = self._newest(name)
        return self.spark.table(name) if self.version is None else self.spark.sql(f"SELECT * FROM {name} VERSION AS OF {self.version}")

    def _newest(self, name):
        """Number of the state that is read; None for a table that has none yet."""
        if self.request["format"] == "delta":
            return self.spark.sql(f"DESCRIBE HISTORY {name} LIMIT 1").first()["version"]
        row = self.spark.sql(f"SELECT snapshot_id FROM {name}.refs WHERE name = 'main'").first()
        return row["snapshot_id"] if row else None

    def _state(self):
        return [f"{self.request['path']} {self.version}"]
