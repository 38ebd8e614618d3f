"""Export: files in HDFS become rows of a table, all of them or none. Runs in Spark.

Rows are loaded in parallel into a staging table beside the target and counted there. Then one transaction brings them into the
target, together with a row in a second small table that tells a rerun that this has happened. Whatever breaks before leaves the
target as it was, and both tables are taken away by the next run.
"""
from __future__ import annotations

import hashlib
import json
import re
from contextlib import suppress

from ...domain.transfer.jdbc_types import reading
from .jdbc_database import TransferError, shown, spelt
from .jdbc_import import RECORD, TEXT
from .jdbc_values import losses, written

# A load whose count is wrong (Spark may run a task twice when it loses a container) is done so often in all.
LOADS = 2


class Export:
    """One run."""

    def __init__(self, spark, request, database, files, say):
        self.spark, self.request, self.database, self.files, self.say = spark, request, database, files, say
        self.table, self.place = request["table"], request["place"]
        schema, name = self.place
        mark = hashlib.sha256(name.encode()).hexdigest()[:10]
        self.stage, self.done = [schema, f"emr_stage_{mark}"], [schema, f"emr_done_{mark}"]
        self.numbered: set = set()
        self.key: list = []
        # Whether what a failure leaves is this run's own and of no use to anybody: the mark of an earlier one has to stay.
        self.before = False

    def run(self):
        """Do it. Returns what is to be told. Raises TransferError."""
        self.database.lock(self.place)
        try:
            return self._run()
        except BaseException:
            if self.before:
                self._tidy()
            raise

    def _run(self):
        there = self.database.exists(self.place)
        if there:
            self._check_target()
        frame = self._frame(there)
        columns, targets = self._columns(frame, there)
        digest = self._digest(frame)
        if there and self._committed(digest):
            self.say("an earlier run has done all of this and was interrupted before its report")
            self._clean()
            return {"table": self.table, "rows": frame.count(), "mode": self.request["mode"], "again": True}
        self.before = True
        self._clean()
        rows = self._count(frame, targets)
        self._load(frame, columns, rows, there)
        self.before = False
        if there:
            self._merge(columns, rows, digest)
        else:
            self._become(digest)
        self._clean()
        return {"table": self.table, "rows": rows, "mode": self.request["mode"] if there else "create"}

    def _tidy(self):
        """Take away what this run has made, with the lock held. What cannot be had, the next run takes away."""
        from py4j.protocol import Py4JError

        with suppress(Py4JError, TransferError):
            if not self.database.lives():
                self.database.anew()
                self.database.lock(self.place)
            self._clean()

    def _q(self, name):
        return self.database.quote(name)

    def _t(self, place):
        return self.database.quoted(place)

    def _check_target(self):
        kind = self.database.find(self.place)[2]
        if "view" in kind:
            raise TransferError(f"{self.table} is a {kind}, and rows go into tables. Next: name the table that it shows")
        engine = self.database.engine(self.place)
        if engine and engine.lower() != "innodb":
            raise TransferError(f"table {self.table} is of the engine {engine}, which has no transactions: a failed export would leave "
                                f"a part of its rows. Next: ALTER TABLE {self.table} ENGINE=InnoDB")
        if self.request["mode"] != "upsert":
            return
        key = [name.lower() for name in self.request["key"]]
        keys = self.database.unique_keys(self.place)
        if sorted(key) not in [sorted(name.lower() for name in columns) for columns in keys]:
            raise TransferError(f"table {self.table} has no primary key or unique index of exactly {', '.join(key)}. It has: "
                                f"{'; '.join(', '.join(columns) for columns in keys) or 'none'}")
        if self.database.system == "mysql" and len(keys) > 1:
            raise TransferError(f"table {self.table} has several unique indexes, and MySQL would update by any of them. Next: append, or "
                                "overwrite")

    def _frame(self, there):
        """The columns of the data that are wanted."""
        frame = self._data(there)
        known = frame.columns
        out = [spelt(name, known) for name in self.request["except"]]
        chosen = [spelt(name, known) for name in self.request["columns"]] or known
        return frame.select(*("`" + name.replace("`", "``") + "`" for name in chosen if name not in out))

    def _data(self, there):
        """The data. Texts have types from their import, else from the table."""
        path, kind = self.request["path"], self.request["format"] or self._found_format()
        reader = self._reader(kind)
        if kind == "csv":
            reader = reader.option("enforceSchema", "false")
        if kind in ("csv", "json"):
            reader = reader.option("mode", "FAILFAST").schema(self._schema(kind, there))
        frame = reader.load(path)
        if any(name.startswith("emr_import=") for name in self.files.names(path)):
            frame = frame.drop("emr_import")
        return frame

    def _reader(self, kind):
        """Spark's reader of this format, which takes a path for a name: by itself it would read run1 in the place of run[1]."""
        reader = self.spark.read.format(kind).options(**TEXT[kind]).option("__globPaths__", "false")
        return reader.option("multiLine", "true") if kind == "csv" else reader

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
        raise TransferError(f"{path} has files whose names do not show their format. Next: --format {'|'.join(TEXT)}")

    def _schema(self, kind, there):
        """Schema of texts. Raises TransferError when nothing tells it."""
        from pyspark.sql.types import StructField, StructType, _parse_datatype_string

        path = self.request["path"]
        runs = sorted(name for name in self.files.names(path) if name.startswith("emr_import="))
        record = f"{path}/{runs[-1]}/{RECORD}" if runs else f"{path}/{RECORD}"
        if self.files.exists(record):
            return StructType.fromJson(json.loads(self.files.read(record))["schema"])
        if not there:
            raise TransferError(f"{kind} has no types, and there is no table {self.table} to take them from. Next: make the table, or "
                                "write the data as parquet")
        known = {name.lower(): self._usual(column) for name, column in self.database.describe(self._t(self.place)).items()}
        names = [name for name in self._reader(kind).load(path).columns if name != "emr_import"]
        strange = [name for name in names if name.lower() not in known and name not in self.request["except"]]
        if strange:
            raise TransferError(f"table {self.table} has no column {', '.join(strange)}, which {path} names. Next: --except "
                                f"{shown(strange)} leaves it out")
        fields = [StructField(name, _parse_datatype_string(known.get(name.lower(), "string"))) for name in names]
        return StructType(fields)

    def _usual(self, column):
        """Spark's type of the texts that go into this column."""
        found = reading(self.database.system, column, nested=False)
        return found.type if found else "string"

    def _columns(self, frame, there):
        """(names in the table of the data's columns, in their order; what they are there). Raises TransferError."""
        columns, targets = frame.columns, []
        if there:
            known = self.database.describe(self._t(self.place))
            folded = {name.lower(): name for name in known}
            strange = [name for name in columns if name not in known and name.lower() not in folded]
            if strange:
                raise TransferError(f"table {self.table} has no column {', '.join(strange)}. Its columns: {', '.join(known)}. Next: --except "
                                    f"{shown(strange)} leaves it out")
            columns = [name if name in known else folded[name.lower()] for name in columns]
            targets = [known[name] for name in columns]
            computed, self.numbered = self.database.makes_itself(self.place)
            if computed & set(columns):
                names = [name for name in columns if name in computed]
                raise TransferError(f"the database computes {', '.join(names)} of table {self.table} itself. Next: --except {shown(names)}")
        else:
            for name, kind in frame.dtypes:
                self.database.column_type(kind, name)
            if self.database.demands_keys() and not self.request["key"]:
                raise TransferError("this server makes no table without a primary key. Next: --mode upsert --key COLUMN makes the table with "
                                    "one, or make the table yourself")
        missing = [name for name in self.request["key"] if name.lower() not in [column.lower() for column in columns]]
        if missing:
            raise TransferError(f"the data have no column {missing[0]}, which --key names")
        wanted = [name.lower() for name in self.request["key"]]
        self.key = sorted((name for name in columns if name.lower() in wanted), key=lambda name: wanted.index(name.lower()))
        return columns, targets

    def _count(self, frame, targets):
        """How many rows there are. Raises TransferError when columns of the table would change values."""
        from pyspark.sql import functions as F

        checks = losses(frame, targets, self.database.system)
        found = frame.agg(F.count(F.lit(1)), *(check for _name, _why, check in checks)).collect()[0]
        wrong = [f"{count} values of column {name} ({why})" for (name, why, _check), count in zip(checks, found[1:]) if count]
        if wrong:
            raise TransferError(f"table {self.table} would change {'; '.join(wrong)}. Next: make them fit in Spark, such as with round() or "
                                "date_trunc(), or change the table's column")
        return int(found[0])

    def _digest(self, frame):
        """What identifies this export: the files as they are now, and what is done with them."""
        parts = self._state()
        parts += [json.dumps([self.table, self.request["mode"], self.request["key"]]), frame.schema.json()]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()

    def _state(self):
        """What is different when the data are."""
        return [f"{row}" for row in sorted(self.files.below(self.request["path"]))]

    def _committed(self, digest):
        return self.database.exists(self.done) and self.database.value(
            f"SELECT digest FROM {self._t(self.done)} WHERE digest = ?", digest) is not None

    def _clean(self):
        for table in (self.stage, self.done):
            self.database.run(f"DROP TABLE IF EXISTS {self._t(table)}")

    def _load(self, frame, columns, rows, there):
        """Fill the staging table. Raises TransferError when it does not get the rows that there are."""
        self._make_stage(frame, columns, there)
        self.database.run(f"CREATE TABLE {self._t(self.done)} (digest CHAR(64) PRIMARY KEY)" + (
            " ENGINE=InnoDB" if self.database.system == "mysql" else ""))
        renamed = written(frame, self.database.system).toDF(*columns)
        spread = renamed.rdd.getNumPartitions()
        renamed = renamed.coalesce(self.request["parallel"]) if spread > self.request["parallel"] else renamed
        options = self.database.options(batchsize="2000", isolationLevel="READ_COMMITTED")
        url = options.pop("url")
        found = None
        for load in range(LOADS):
            if load:
                self.say(f"the staging table has {found} rows in place of {rows}: loading again")
                self.database.run(f"DELETE FROM {self._t(self.stage)}")
            self.say(f"loading {rows} rows into the staging table, {min(spread, self.request['parallel'])} connections at once")
            renamed.write.jdbc(url, self._t(self.stage), mode="append", properties=options)
            found = int(self.database.value(f"SELECT count(*) FROM {self._t(self.stage)}"))
            if found == rows:
                return
        raise TransferError(f"the staging table got {found} rows in place of {rows}; {self.table} is as it was. Next: run again")

    def _make_stage(self, frame, columns, there):
        if there:
            self.database.make_alike(self.stage, self.place, columns)
            return
        given = {name.lower(): kind for name, kind in self.request["types"].items()}
        key = [name.lower() for name in self.request["key"]]
        rows = []
        for name, kind in frame.dtypes:
            usual = self.database.column_type("varchar(255)" if kind == "string" and name.lower() in key else kind, name)
            rows.append(f"{self._q(name)} {given.get(name.lower()) or usual}" + (" NOT NULL" if name.lower() in key else ""))
        if key:
            rows.append(f"PRIMARY KEY ({', '.join(map(self._q, self.key))})")
        self.database.run(f"CREATE TABLE {self._t(self.stage)} ({', '.join(rows)})" + (
            " ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4" if self.database.system == "mysql" else ""))

    def _merge(self, columns, rows, digest):
        """Bring the staged rows into the target, in one transaction."""
        names = ", ".join(map(self._q, columns))
        insert = f"INSERT INTO {self._t(self.place)} ({names}) {self._as_numbered(columns)}SELECT {names} FROM {self._t(self.stage)}"
        if self.request["mode"] == "upsert":
            self._check_keys()

        def steps():
            if self.request["mode"] == "overwrite":
                self.database.run(f"DELETE FROM {self._t(self.place)}")
            changed = self.database.run(insert + self._on_conflict(columns))
            if self.request["mode"] != "upsert" and changed != rows:
                raise TransferError(f"{changed} rows of {rows} came from the staging table; {self.table} is as it was. Next: run again")
            self._mark(digest)

        try:
            self.database.transaction(steps)
        except BaseException:
            # Where it is not sure, the mark has to stay.
            self.before = self.database.undone
            raise

    def _become(self, digest):
        """The staging table becomes the target, in one step. The mark says nothing as long as there is no target."""
        self._mark(digest)
        if self.database.system == "mysql":
            self.database.run(f"RENAME TABLE {self._t(self.stage)} TO {self._t(self.place)}")
        else:
            self.database.run(f"ALTER TABLE {self._t(self.stage)} RENAME TO {self._q(self.place[1])}")

    def _mark(self, digest):
        self.database.run(f"INSERT INTO {self._t(self.done)} (digest) VALUES (?)", digest)

    def _as_numbered(self, columns):
        """The numbers are the data's, also where the database would give its own."""
        return "OVERRIDING SYSTEM VALUE " if self.numbered & set(columns) else ""

    def _check_keys(self):
        """Raise TransferError when several rows have one key: which of them would stay is chance."""
        key = ", ".join(map(self._q, self.key))
        twice = self.database.rows(f"SELECT {key} FROM {self._t(self.stage)} GROUP BY {key} HAVING count(*) > 1 LIMIT 1")
        if twice:
            self.before = True
            raise TransferError(f"several rows of the data have the key {', '.join(map(str, twice[0]))}; {self.table} is as it was. Next: keep one "
                                "of them, in Spark")

    def _on_conflict(self, columns):
        if self.request["mode"] != "upsert":
            return ""
        key = [name.lower() for name in self.request["key"]]
        rest = [self._q(name) for name in columns if name.lower() not in key and name not in self.numbered]
        if self.database.system == "mysql":
            # Where there is nothing but the key, a column is set to itself: the row stays as it is.
            sets = ", ".join(f"{name} = VALUES({name})" for name in rest) or f"{self._q(columns[0])} = {self._q(columns[0])}"
            return f" ON DUPLICATE KEY UPDATE {sets}"
        sets = "UPDATE SET " + ", ".join(f"{name} = EXCLUDED.{name}" for name in rest) if rest else "NOTHING"
        return f" ON CONFLICT ({', '.join(self._q(c) for c in columns if c.lower() in key)}) DO {sets}"
