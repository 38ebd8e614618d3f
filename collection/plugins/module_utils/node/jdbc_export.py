"""Export: files in HDFS become rows of a table, all of them or none. Python 3.8 and newer; runs in Spark.

Rows are loaded in parallel into a staging table beside the target and counted there. Then one transaction brings them into the
target, together with a row in a second small table that tells a rerun that this has happened. Whatever breaks before leaves the
target as it was, and both tables are taken away by the next run.
"""
from __future__ import annotations

import hashlib
import json
import re

from .jdbc_database import TransferError
from .jdbc_import import RECORD, TEXT

# A load whose count is wrong (Spark may run a task twice when it loses a container) is done so often in all.
LOADS = 2


class Export:
    """One run."""

    def __init__(self, spark, request, database, files, say):
        self.spark, self.request, self.database, self.files, self.say = spark, request, database, files, say
        self.table = request["table"]
        schema, _dot, name = self.table.rpartition(".")
        mark = hashlib.sha256(name.encode()).hexdigest()[:10]
        self.stage, self.done = (f"{schema}.{word}" if schema else word for word in (f"emr_stage_{mark}", f"emr_done_{mark}"))

    def run(self):
        """Do it. Returns what is to be told. Raises TransferError."""
        self.database.lock(f"emr export {self.stage}")
        there = self.database.exists(self.table)
        if there:
            self._check_target()
        frame = self._frame(there)
        columns = self._columns(frame, there)
        digest = self._digest(frame)
        if there and self._committed(digest):
            self.say("an earlier run has done all of this but to say so")
            self._clean()
            return {"table": self.table, "rows": frame.count(), "mode": self.request["mode"], "again": True}
        self._clean()
        rows = frame.count()
        self._load(frame, columns, rows, there)
        if there:
            self._merge(columns, rows, digest)
        else:
            self._become(digest)
        self._clean()
        return {"table": self.table, "rows": rows, "mode": self.request["mode"] if there else "create"}

    def _q(self, name):
        return self.database.quote(name)

    def _check_target(self):
        engine = self.database.engine(self.table)
        if engine and engine.lower() != "innodb":
            raise TransferError(f"table {self.table} is of the engine {engine}, which has no transactions: a failed export would leave "
                                f"a part of its rows. Next: ALTER TABLE {self.table} ENGINE=InnoDB")
        if self.request["mode"] != "upsert":
            return
        key = [name.lower() for name in self.request["key"]]
        keys = self.database.unique_keys(self.table)
        if sorted(key) not in [sorted(name.lower() for name in columns) for columns in keys]:
            raise TransferError(f"table {self.table} has no primary key or unique index of exactly {', '.join(key)}. It has: "
                                f"{'; '.join(', '.join(columns) for columns in keys) or 'none'}")
        if self.database.system == "mysql" and len(keys) > 1:
            raise TransferError(f"table {self.table} has several unique indexes, and MySQL would update by any of them. Next: append, or "
                                "overwrite")

    def _frame(self, there):
        """The data. Texts have types from their import, else from the table."""
        path, kind = self.request["path"], self.request["format"] or self._found_format()
        reader = self.spark.read.format(kind).options(**TEXT[kind])
        if kind == "csv":
            reader = reader.option("multiLine", "true").option("enforceSchema", "false")
        if kind in ("csv", "json"):
            reader = reader.option("mode", "FAILFAST").schema(self._schema(kind, there))
        frame = reader.load(path)
        return frame.drop("emr_import") if any(name.startswith("emr_import=") for name in self.files.names(path)) else frame

    def _found_format(self):
        path = self.request["path"]
        names = self.files.names(path)
        if not self.files.exists(path):
            raise TransferError(f"there is no {path} in HDFS. Next: emrctl ls NAME {path.rpartition('/')[0] or '/'}")
        runs = sorted(name for name in names if name.startswith("emr_import="))
        names = self.files.names(f"{path}/{runs[-1]}") if runs else names
        names = [name for name in names if not name.startswith(("_", "."))]
        for kind in TEXT:
            if any(re.search(rf"\.{kind}(\.\w+)?$", name) for name in names or [path]):
                return kind
        raise TransferError(f"{path} does not tell its format by the names of its files. Next: --format {'|'.join(TEXT)}")

    def _schema(self, kind, there):
        """Schema of texts. Raises TransferError when nothing tells it."""
        from pyspark.sql.types import StructType

        path = self.request["path"]
        runs = sorted(name for name in self.files.names(path) if name.startswith("emr_import="))
        record = f"{path}/{runs[-1]}/{RECORD}" if runs else f"{path}/{RECORD}"
        if self.files.exists(record):
            return StructType.fromJson(json.loads(self.files.read(record))["schema"])
        if not there:
            raise TransferError(f"{kind} has no types, and there is no table {self.table} to take them from. Next: make the table, or "
                                "write the data as parquet")
        options = self.database.options()
        known = {field.name.lower(): field for field in self.spark.read.jdbc(
            options.pop("url"), self._q(self.table), properties=options).schema}
        if kind == "json":
            return StructType(list(known.values()))
        names = self.spark.read.format("csv").options(**TEXT["csv"]).option("multiLine", "true").load(path).columns
        strange = [name for name in names if name.lower() not in known]
        if strange:
            raise TransferError(f"table {self.table} has no column {', '.join(strange)}, which the first line of {path} names")
        return StructType([type(known[n.lower()])(n, known[n.lower()].dataType, True) for n in names])

    def _columns(self, frame, there):
        """Columns of the table for those of the data, in the data's order. Raises TransferError."""
        columns = frame.columns
        if there:
            known = {name.lower(): name for name in self.database.describe(self._q(self.table))}
            strange = [name for name in columns if name.lower() not in known]
            if strange:
                raise TransferError(f"table {self.table} has no column {', '.join(strange)}. Its columns: {', '.join(known.values())}")
            columns = [known[name.lower()] for name in columns]
        else:
            for name, kind in frame.dtypes:
                self.database.column_type(kind, name)
        missing = [name for name in self.request["key"] if name.lower() not in [column.lower() for column in columns]]
        if missing:
            raise TransferError(f"the data have no column {missing[0]}, which --key names")
        return columns

    def _digest(self, frame):
        """What identifies this export: the files as they are now, and what is done with them."""
        parts = [f"{row}" for row in sorted(self.files.below(self.request["path"]))]
        parts += [json.dumps([self.table, self.request["mode"], self.request["key"]]), frame.schema.json()]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()

    def _committed(self, digest):
        return self.database.exists(self.done) and self.database.value(
            f"SELECT digest FROM {self._q(self.done)} WHERE digest = ?", digest) is not None

    def _clean(self):
        for table in (self.stage, self.done):
            self.database.run(f"DROP TABLE IF EXISTS {self._q(table)}")

    def _load(self, frame, columns, rows, there):
        """Fill the staging table. Raises TransferError when it does not get the rows that there are."""
        self._make_stage(frame, there)
        self.database.run(f"CREATE TABLE {self._q(self.done)} (digest CHAR(64) PRIMARY KEY)" + (
            " ENGINE=InnoDB" if self.database.system == "mysql" else ""))
        renamed = frame.toDF(*columns)
        spread = renamed.rdd.getNumPartitions()
        renamed = renamed.coalesce(self.request["parallel"]) if spread > self.request["parallel"] else renamed
        options = self.database.options(batchsize="2000", isolationLevel="READ_COMMITTED")
        url = options.pop("url")
        found = None
        for load in range(LOADS):
            if load:
                self.say(f"the staging table has {found} rows in place of {rows}: loading again")
                self.database.run(f"DELETE FROM {self._q(self.stage)}")
            self.say(f"loading {rows} rows into the staging table, {min(spread, self.request['parallel'])} connections at once")
            renamed.write.jdbc(url, self._q(self.stage), mode="append", properties=options)
            found = int(self.database.value(f"SELECT count(*) FROM {self._q(self.stage)}"))
            if found == rows:
                return
        raise TransferError(f"the staging table got {found} rows in place of {rows}; {self.table} is as it was. Next: run again")

    def _make_stage(self, frame, there):
        stage = self._q(self.stage)
        if there and self.database.system == "mysql":
            self.database.run(f"CREATE TABLE {stage} LIKE {self._q(self.table)}")
        elif there:
            self.database.run(f"CREATE TABLE {stage} (LIKE {self._q(self.table)} INCLUDING DEFAULTS INCLUDING GENERATED INCLUDING IDENTITY)")
        else:
            given = {name.lower(): kind for name, kind in self.request["types"].items()}
            rows = [f"{self._q(name)} {given.get(name.lower()) or self.database.column_type(kind, name)}" for name, kind in frame.dtypes]
            self.database.run(f"CREATE TABLE {stage} ({', '.join(rows)})" + (
                " ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4" if self.database.system == "mysql" else ""))

    def _merge(self, columns, rows, digest):
        """Bring the staged rows into the target, in one transaction."""
        names = ", ".join(map(self._q, columns))
        insert = f"INSERT INTO {self._q(self.table)} ({names}) SELECT {names} FROM {self._q(self.stage)}"

        def steps():
            if self.request["mode"] == "overwrite":
                self.database.run(f"DELETE FROM {self._q(self.table)}")
            changed = self.database.run(insert + self._on_conflict(columns))
            if self.request["mode"] != "upsert" and changed != rows:
                raise TransferError(f"{changed} rows of {rows} came from the staging table; {self.table} is as it was. Next: run again")
            self._mark(digest)

        self.database.transaction(steps)

    def _become(self, digest):
        """The staging table becomes the target, in one step. The mark says nothing as long as there is no target."""
        self._mark(digest)
        if self.database.system == "mysql":
            self.database.run(f"RENAME TABLE {self._q(self.stage)} TO {self._q(self.table)}")
        else:
            self.database.run(f"ALTER TABLE {self._q(self.stage)} RENAME TO {self._q(self.table.rpartition('.')[2])}")

    def _mark(self, digest):
        self.database.run(f"INSERT INTO {self._q(self.done)} (digest) VALUES (?)", digest)

    def _on_conflict(self, columns):
        if self.request["mode"] != "upsert":
            return ""
        key = [name.lower() for name in self.request["key"]]
        rest = [self._q(name) for name in columns if name.lower() not in key]
        if self.database.system == "mysql":
            # Where there is nothing but the key, a column is set to itself: the row stays as it is.
            sets = ", ".join(f"{name} = VALUES({name})" for name in rest) or f"{self._q(columns[0])} = {self._q(columns[0])}"
            return f" ON DUPLICATE KEY UPDATE {sets}"
        sets = "UPDATE SET " + ", ".join(f"{name} = EXCLUDED.{name}" for name in rest) if rest else "NOTHING"
        return f" ON CONFLICT ({', '.join(self._q(c) for c in columns if c.lower() in key)}) DO {sets}"
