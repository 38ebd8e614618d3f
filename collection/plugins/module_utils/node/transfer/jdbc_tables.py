"""Imports into, and exports from, tables of Iceberg and Delta. Runs in Spark.

A table appears, or gets its new rows, by one commit of its format; an export reads one state of it, whatever others write meanwhile.
"""
from __future__ import annotations

from ...domain.tables import names
from .jdbc_database import TransferError
from .jdbc_export import Export
from .jdbc_import import Import


class TableImport(Import):
    """An import whose target is a table."""

    def _settle(self):
        if self.spark.catalog.tableExists(names.quoted(self.target)) and not self.request["overwrite"]:
            raise TransferError(f"the table {self.target} is there already. Next: choose another name, or give --overwrite, which keeps the old state in "
                                "the table's history")
        database = self.target.rpartition(".")[0]
        if not self.spark.catalog.databaseExists(names.quoted(database)):
            raise TransferError(f"there is no database {database}. Next: make it with CREATE DATABASE {database}, or name another one")
        return []

    def _write(self, frame):
        """Make the table, or replace what it has. An interrupted one may have left a log without a name, which replacing takes over."""
        name = names.quoted(self.target)
        frame.writeTo(name).using(self.format).createOrReplace()
        # Both formats keep the number beside their files: no row is read for it.
        return self.spark.table(name).count()

    def _arrive(self, _runs, _record):
        return self.target


class TableExport(Export):
    """An export whose source is a table."""

    def _data(self, _there):
        path = self.request["path"]
        name = names.quoted(path)
        if not self.spark.catalog.tableExists(name):
            raise TransferError(f"there is no table {path}. Next: SHOW TABLES IN {path.rpartition('.')[0]} in emrctl shell NAME spark-sql")
        self.version = self._newest(name)
        return self.spark.table(name) if self.version is None else self.spark.sql(f"SELECT * FROM {name} VERSION AS OF {self.version}")

    def _newest(self, name):
        """Number of the state that is read; None for a table that has none yet."""
        if self.request["format"] == names.DELTA:
            return self.spark.sql(f"DESCRIBE HISTORY {name} LIMIT 1").first()["version"]
        row = self.spark.sql(f"SELECT snapshot_id FROM {name}.refs WHERE name = 'main'").first()
        return row["snapshot_id"] if row else None

    def _state(self):
        return [f"{self.request['path']} {self.version}"]
