"""Import: a table or query of a database becomes files in HDFS, all of them or none. Runs in Spark.

A whole import is written beside its target and renamed when it is complete. An incremental one keeps each run in a folder of
its own, ``emr_import=NNNNNN``, that appears by one rename with its watermark inside: the newest folder is all that is remembered.
"""
from __future__ import annotations

import json
import posixpath
import re
from contextlib import suppress

from ...domain.transfer.jdbc_types import reading, wanted
from ...domain.transfer.partitions import predicates, since
from .jdbc_database import TransferError, kind_of, spelt
from .jdbc_values import fitting

RECORD = "_emr_import.json"
# Name that the column which divides the rows has in our queries.
SPLIT = "emr_split"
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
        self.types = {**before.get("types", {}), **self.request["types"]}
        readings = self._readings(columns, chosen, self.types)
        condition, watermark = self._window(relation, columns, before.get("watermark"))
        if condition is None:
            return {"rows": 0, "path": self.target, "watermark": watermark, "parts": 0}
        where = " AND ".join(f"({text})" for text in (self.request["where"], condition) if text)
        rows_of = f"{relation} emr_table" + (f" WHERE {where}" if where else "")
        parts, by = self._parts(rows_of, columns)
        self.say(f"reading {self.request['table'] or 'the query'} in {len(parts)} parts")
        frame = self._frame(rows_of, parts, by, readings)
        self._compare(frame, before)
        rows = self._write(frame)
        record = {"rows": rows, "watermark": watermark, "incremental": self.request["incremental"], "format": self.format,
                  "types": self.types, "schema": json.loads(frame.schema.json()),
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
                raise TransferError(f"{self.target} is there and is not an incremental import. Next: choose another path")
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
            return f"({self.request['query']})"
        self.database.find(self.request["place"])
        return self.database.quoted(self.request["place"])

    def _chosen(self, columns):
        """Columns to be read, as the table calls them."""
        for name in [*self.request["types"], *filter(None, (self.request["incremental"], self.request["split_by"]))]:
            spelt(name, columns)
        out = [spelt(name, columns) for name in self.request["except"]]
        chosen = [spelt(name, columns) for name in self.request["columns"]] or list(columns)
        chosen = [name for name in chosen if name not in out]
        folded = [name.lower() for name in chosen]
        twice = [name for name in chosen if folded.count(name.lower()) > 1]
        if twice or not chosen:
            raise TransferError(f"the columns {', '.join(twice)} have one name to Spark. Next: leave one out with --except, or give it another "
                                "name in a --query" if twice else "no column is left. Next: leave out --except, or give --columns")
        return chosen

    def _readings(self, columns, chosen, types):
        """{column: how it is read}. Raises TransferError for a type that Spark does not have."""
        given, readings = {spelt(name, columns): wanted(kind) for name, kind in types.items()}, {}
        for name in chosen:
            column = columns[name]
            readings[name] = reading(self.database.system, column, given.get(name, ""), self.format != "csv")
            if readings[name] is None:
                what = f"{column.kind}({column.size},{column.scale})" if column.size else f"{column.kind} without a precision"
                raise TransferError(f"column {name} is {what}, whose numbers may not fit any type of Spark. Next: --column-type "
                                    f"'{name}=string' loses nothing, decimal(38,10) such as values fit; or leave it out with --except")
            if readings[name].type == "binary" and self.format == "csv":
                raise TransferError(f"column {name} is binary, which CSV cannot hold. Next: --format parquet, or leave the column out "
                                    "with --except")
        return readings

    def _window(self, relation, columns, after):
        """(condition, new watermark) of an incremental import; condition None when nothing is new, '' when all is wanted."""
        if not self.request["incremental"]:
            return "", None
        name = spelt(self.request["incremental"], columns)
        kind, column = kind_of(columns[name]), self.database.quote(name)
        if not kind:
            raise TransferError(f"column {name} is of type {columns[name].kind}: an incremental import needs a number, date or timestamp")
        until = self.database.value(f"SELECT {self.database.text(f'max({column})')} FROM {relation} emr_table" + (
            f" WHERE {self.request['where']}" if self.request["where"] else ""))
        if until is None or until == after:
            return None, after
        try:
            return since(column, kind, after, until), until
        except ValueError:
            raise TransferError(f"the greatest value of column {name} is {until}, and no value is greater than that. Next: leave out such rows "
                                "with --where") from None

    def _parts(self, rows_of, columns):
        """(conditions that divide the rows, the column that they go by): one that is named, or a key of one column."""
        name = spelt(self.request["split_by"], columns) if self.request["split_by"] else ""
        if name and not kind_of(columns[name]):
            raise TransferError(f"column {name} cannot divide the rows: it must be a number, date or timestamp")
        if not name and self.request["table"]:
            keys = [key[0] for key in self.database.unique_keys(self.request["place"]) if len(key) == 1]
            name = next((key for key in keys if kind_of(columns[key])), "")
        if not name or self.request["parallel"] == 1:
            return ["1 = 1"], ""
        column, text = self.database.quote(name), self.database.text
        low, high = self.database.rows(f"SELECT {text(f'min({column})')}, {text(f'max({column})')} FROM {rows_of}")[0]
        try:
            return predicates(self.database.quote(SPLIT), kind_of(columns[name]), low, high, self.request["parallel"]), name
        except ValueError:
            self.say(f"column {name} goes from {low} to {high}, which cannot be divided")
            return ["1 = 1"], ""

    def _frame(self, rows_of, parts, by, readings):
        """The rows with Spark's types; nothing is read yet."""
        quote = self.database.quote
        # Names of our own, so that none of the table's has to pass through Spark's SQL.
        selected = [f"{row.sql.format(quote(name))} AS {quote(f'c{n}')}" for n, (name, row) in enumerate(readings.items())]
        selected += [f"{quote(by)} AS {quote(SPLIT)}"] if by else []
        options = self.database.options(fetchsize="10000", customSchema=", ".join(
            f"c{n} {row.raw}" for n, row in enumerate(readings.values())))
        url = options.pop("url")
        raw = self.spark.read.jdbc(url, f"(SELECT {', '.join(selected)} FROM {rows_of}) emr_rows", predicates=parts, properties=options)
        return raw.select(*(fitting(raw[f"c{n}"], row, name, self.format).alias(name) for n, (name, row) in enumerate(readings.items())))

    def _compare(self, frame, before):
        """Raise TransferError when an earlier run has a column of another type: nobody could read both as one."""
        known = {field["name"]: field["type"] for field in before.get("schema", {}).get("fields", ())}
        for field in json.loads(frame.schema.json())["fields"]:
            if known.get(field["name"], field["type"]) != field["type"]:
                raise TransferError(f"column {field['name']} is {field['type']}, and {known[field['name']]} in what {self.target} has. Next: "
                                    "choose another path, or give the type with --column-type")

    def _write(self, frame):
        """Write the files beside their place. Returns the number of rows."""
        from py4j.protocol import Py4JError
        from pyspark.sql import Observation, functions as F

        seen = Observation()
        try:
            frame.observe(seen, F.count(F.lit(1)).alias("rows")).write.format(self.format).options(**TEXT[self.format]).save(self.fresh)
        except BaseException:
            with suppress(Py4JError):  # else the next run does it
                self.files.delete(self.fresh)
            raise
        return int(seen.get["rows"])

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
