"""Import: a table or query of a database becomes files in HDFS, all of them or none. Python 3.8 and newer; runs in Spark.

A whole import is written beside its target and renamed when it is complete. An incremental one keeps each run in a folder of
its own, ``emr_import=NNNNNN``, that appears by one rename with its watermark inside: the newest folder is all that is remembered.
"""
from __future__ import annotations

import json
import posixpath
import re

from ..domain.splits import predicates, since
from .jdbc_database import TransferError, kind_of

RECORD = "_emr_import.json"
RUN = re.compile(r"emr_import=(\d{6,})")
# How values are written as texts, so that they come back as they were: NULL is no empty text, microseconds stay.
MOMENTS = {"timestampFormat": "yyyy-MM-dd'T'HH:mm:ss.SSSSSSXXX", "timestampNTZFormat": "yyyy-MM-dd'T'HH:mm:ss.SSSSSS"}
TEXT = {"csv": {"header": "true", "nullValue": "\\N", "escape": '"', "ignoreLeadingWhiteSpace": "false",
                "ignoreTrailingWhiteSpace": "false", **MOMENTS},
        "json": {"ignoreNullFields": "false", **MOMENTS}, "parquet": {}, "orc": {}}


class Import:
    """One run."""

    def __init__(self, spark, request, database, files, say):
        self.spark, self.request, self.database, self.files, self.say = spark, request, database, files, say
        self.target, self.format = request["path"].rstrip("/"), request["format"] or "parquet"
        parent, name = posixpath.split(self.target)
        # Fixed, so that what an interrupted run left is found; hidden from readers of the parent.
        self.fresh, self.old = f"{parent}/.emr-import-{name}", f"{parent}/.emr-replaced-{name}"

    def run(self):
        """Do it. Returns what is to be told. Raises TransferError."""
        runs = self._settle()
        before = self._last(runs)
        relation = self._relation()
        columns = self.database.describe(relation)
        chosen = self._chosen(columns)
        types = {**before.get("types", {}), **self.request["types"]}
        self._check_types(columns, chosen, types)
        condition, watermark = self._window(relation, columns, before.get("watermark"))
        if condition is None:
            return {"rows": 0, "path": self.target, "watermark": watermark, "parts": 0}
        where = " AND ".join(f"({text})" for text in (self.request["where"], condition) if text)
        source = f"(SELECT {', '.join(map(self.database.quote, chosen))} FROM {relation} emr_table" + (
            f" WHERE {where}" if where else "") + ") emr_rows"
        parts = self._parts(source, relation, columns, chosen)
        self.say(f"reading {self.request['table'] or 'the query'} in {len(parts)} parts")
        frame, rows = self._write(source, parts, types)
        record = {"rows": rows, "watermark": watermark, "incremental": self.request["incremental"], "format": self.format,
                  "types": self.request["types"] if not before else before["types"], "schema": json.loads(frame.schema.json()),
                  "table": self.request["table"], "url": self.request["url"].split("?")[0]}
        path = self._arrive(runs, record)
        return {"rows": rows, "path": path, "watermark": watermark, "parts": len(parts)}

    def _settle(self):
        """Take away what an interrupted run has left. Returns the numbers of the incremental runs that are there."""
        self.files.delete(self.fresh)
        if self.files.exists(self.old):
            if not self.files.exists(self.target):
                self.files.rename(self.old, self.target)
            self.files.delete(self.old)
        found = self.files.names(self.target)
        runs = sorted(int(match.group(1)) for match in map(RUN.fullmatch, found) if match)
        if self.request["incremental"]:
            if found and not runs:
                raise TransferError(f"{self.target} is there and is no incremental import. Next: choose another path")
            return runs
        if found is not None and self.files.exists(self.target) and not self.request["overwrite"]:
            raise TransferError(f"{self.target} is there already. Next: choose another path, or give --overwrite")
        return []

    def _last(self, runs):
        """Record of the newest incremental run; {} when there is none."""
        if not runs:
            return {}
        record = json.loads(self.files.read(f"{self.target}/emr_import={runs[-1]:06d}/{RECORD}"))
        for key in ("incremental", "table", "url"):
            now = self.request[key].split("?")[0]
            if record[key] != now:
                raise TransferError(f"{self.target} has the {key} {record[key]}, not {now or 'none'}. Next: choose another path")
        if self.request["format"] and record["format"] != self.request["format"]:
            raise TransferError(f"{self.target} is {record['format']}. Next: leave out --format, or choose another path")
        self.format = record["format"]
        return record

    def _relation(self):
        if self.request["query"]:
            return f"({self.request['query'].strip().rstrip(';')})"
        if not self.database.exists(self.request["table"]):
            raise TransferError(f"there is no table {self.request['table']} in {self.request['url'].split('?')[0]}. Next: look at its "
                                "name, its schema, and whether the user may read it")
        return self.database.quote(self.request["table"])

    def _chosen(self, columns):
        """Columns to be read, as the table calls them."""
        known = {name.lower(): name for name in columns}
        wanted = [*self.request["columns"], *self.request["types"], self.request["incremental"], self.request["split_by"]]
        for name in filter(None, wanted):
            if name.lower() not in known:
                raise TransferError(f"there is no column {name}. Columns: {', '.join(columns)}")
        return [known[name.lower()] for name in self.request["columns"]] or list(columns)

    def _check_types(self, columns, chosen, types):
        mapped = {name.lower() for name in types}
        for name in chosen:
            number, kind, size = columns[name]
            if kind == "numeric" and not size and name.lower() not in mapped:
                raise TransferError(f"column {name} is numeric without a precision, so it can hold numbers that no type of Spark holds. "
                                    f"Next: --column-type '{name}=decimal(38,10)', or string, which loses nothing")
            if number in (-2, -3, -4) and self.format == "csv" and name.lower() not in mapped:
                raise TransferError(f"column {name} is binary, which CSV cannot hold. Next: --format parquet, or leave the column out "
                                    "with --columns")

    def _window(self, relation, columns, after):
        """(condition, new watermark) of an incremental import; condition None when nothing is new, '' when all is wanted."""
        name = self.request["incremental"]
        if not name:
            return "", None
        name = next(column for column in columns if column.lower() == name.lower())
        kind, column = kind_of(columns[name]), self.database.quote(name)
        if not kind:
            raise TransferError(f"column {name} is of type {columns[name][1]}: an incremental import needs a number, date or timestamp")
        until = self.database.value(f"SELECT max({column}) FROM {relation} emr_table" + (
            f" WHERE {self.request['where']}" if self.request["where"] else ""))
        if until is None or until == after:
            return None, after
        return since(column, kind, after, until), until

    def _parts(self, source, relation, columns, chosen):
        """Conditions that divide the rows, by the column that is named or found."""
        name = self.request["split_by"]
        if not name and self.request["table"]:
            keys = [key[0] for key in self.database.unique_keys(self.request["table"]) if len(key) == 1 and key[0] in chosen]
            name = next((key for key in keys if kind_of(columns[key])), "")
        name = next((column for column in columns if column.lower() == name.lower()), "")
        if not name or self.request["parallel"] == 1:
            return ["1 = 1"]
        if not kind_of(columns[name]) or name not in chosen:
            raise TransferError(f"column {name} cannot divide the rows: it must be a number, date or timestamp that is read as well")
        column = self.database.quote(name)
        low, high = self.database.rows(f"SELECT min({column}), max({column}) FROM {source}")[0]
        return predicates(column, kind_of(columns[name]), low, high, self.request["parallel"])

    def _write(self, source, parts, types):
        """Write the files beside their place. Returns the frame and the number of its rows."""
        from pyspark.sql import Observation, functions as F

        known = {name.lower(): name for name in self.database.describe(source.replace(" emr_rows", ""))}
        options = self.database.options(fetchsize="10000")
        if types:
            options["customSchema"] = ", ".join(f"`{known[name.lower()]}` {kind}" for name, kind in types.items() if name.lower() in known)
        url = options.pop("url")
        frame = self.spark.read.jdbc(url, source, predicates=parts, properties=options)
        seen = Observation()
        frame.observe(seen, F.count(F.lit(1)).alias("rows")).write.format(self.format).options(**TEXT[self.format]).save(self.fresh)
        return frame, int(seen.get["rows"])

    def _arrive(self, runs, record):
        """Put what was written into its place, with its record."""
        self.files.write(f"{self.fresh}/{RECORD}", json.dumps(record, indent=1) + "\n")
        path = self.target
        if self.request["incremental"]:
            path = f"{self.target}/emr_import={(runs[-1] if runs else 0) + 1:06d}"
            self.files.make(self.target)
        elif self.files.exists(self.target):
            self.files.rename(self.target, self.old)
        self.files.rename(self.fresh, path)
        self.files.delete(self.old)
        return path
