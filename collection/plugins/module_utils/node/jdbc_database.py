"""A database as the driver of Spark sees it: SQL over Java's own interface, and what tables look like. Python 3.8 and newer.

Part of the program that a job of an import or export runs in Spark (see jdbc_program): the JVM is reached through py4j.
"""
from __future__ import annotations

import re
from contextlib import suppress

# Types of columns that rows can be divided by, or that a watermark can be kept of: by java.sql.Types.
KINDS = {-6: "number", 5: "number", 4: "number", -5: "number", 2: "number", 3: "number", 91: "date", 93: "moment", 2014: "moment"}
TYPES = {"mysql": {"boolean": "BOOLEAN", "tinyint": "TINYINT", "smallint": "SMALLINT", "int": "INT", "bigint": "BIGINT",
                   "float": "FLOAT", "double": "DOUBLE", "string": "LONGTEXT", "binary": "LONGBLOB", "date": "DATE",
                   # Both databases else round to whole seconds, or give the first such column a default.
                   "timestamp": "TIMESTAMP(6) NULL DEFAULT NULL", "timestamp_ntz": "DATETIME(6)"},
         "postgresql": {"boolean": "BOOLEAN", "tinyint": "SMALLINT", "smallint": "SMALLINT", "int": "INTEGER", "bigint": "BIGINT",
                        "float": "REAL", "double": "DOUBLE PRECISION", "string": "TEXT", "binary": "BYTEA", "date": "DATE",
                        "timestamp": "TIMESTAMP(6) WITH TIME ZONE", "timestamp_ntz": "TIMESTAMP(6)"}}


class TransferError(Exception):
    """The transfer cannot go on; the message is for people."""


class Database:
    """A connection of the driver. It is closed with the program."""

    def __init__(self, spark, request, password):
        self.spark, self.system, self.url = spark, request["system"], request["url"]
        self.driver, self.user, self._password = request["driver"], request["user"], password
        self.jvm = spark.sparkContext._jvm
        self.mark = "`" if self.system == "mysql" else '"'
        self.connection = self._connect()

    def _connect(self):
        properties = self.jvm.java.util.Properties()
        properties.setProperty("user", self.user)
        properties.setProperty("password", self._password)
        self.jvm.java.lang.Class.forName(self.driver)
        return self.jvm.java.sql.DriverManager.getConnection(self.url, properties)

    def options(self, **more):
        """What Spark's source and sink for JDBC need to know. They keep user and password out of plans and pages."""
        return {"url": self.url, "driver": self.driver, "user": self.user, "password": self._password,
                "preferTimestampNTZ": "true", **more}

    def quote(self, name):
        """A name, or SCHEMA.NAME, as an identifier."""
        return ".".join(self.mark + part.replace(self.mark, self.mark * 2) + self.mark for part in name.split("."))

    def rows(self, sql, *values):
        """The rows of a query, each a list of texts or None."""
        statement = self._prepared(sql, values)
        try:
            found, result = [], statement.executeQuery()
            width = result.getMetaData().getColumnCount()
            while result.next():
                found.append([result.getString(number + 1) for number in range(width)])
            return found
        finally:
            statement.close()

    def value(self, sql, *values):
        """The first column of the first row, or None."""
        return next((row[0] for row in self.rows(sql, *values)), None)

    def run(self, sql, *values):
        """A statement that is no query. Returns how many rows it has changed."""
        statement = self._prepared(sql, values)
        try:
            return statement.executeUpdate()
        finally:
            statement.close()

    def _prepared(self, sql, values):
        statement = self.connection.prepareStatement(sql)
        for number, value in enumerate(values):
            statement.setString(number + 1, value)
        return statement

    def transaction(self, steps):
        """Do all of ``steps()`` or nothing. Returns what it returns."""
        from py4j.protocol import Py4JError

        self.connection.setAutoCommit(False)
        try:
            result = steps()
            self.connection.commit()
            return result
        except BaseException:
            # Where the connection is gone, what it had begun is gone as well.
            with suppress(Py4JError):
                self.connection.rollback()
            raise
        finally:
            with suppress(Py4JError):
                self.connection.setAutoCommit(True)

    def lock(self, name):
        """Keep others out until this connection ends. Raises TransferError when somebody is in."""
        if self.system == "mysql":
            free = self.value("SELECT GET_LOCK(?, 0)", name) == "1"
        else:
            free = self.value("SELECT pg_try_advisory_lock(hashtext(?))", name) in ("t", "true")
        if not free:
            raise TransferError("another transfer to this table is running. Next: wait for it (emrctl jobs list NAME shows it), then run again")

    def describe(self, relation):
        """{column: java.sql.Types number, name of its type, size} of a table or bracketed query, in order."""
        statement = self.connection.prepareStatement(f"SELECT * FROM {relation} emr_source WHERE 1 = 0")
        try:
            meta = statement.executeQuery().getMetaData()
            return {meta.getColumnLabel(n): (meta.getColumnType(n), meta.getColumnTypeName(n).lower(), meta.getPrecision(n))
                    for n in range(1, meta.getColumnCount() + 1)}
        finally:
            statement.close()

    def exists(self, table):
        """Whether there is such a table."""
        return self._where_is(table) is not None

    def _where_is(self, table):
        """(schema, name) of a table; None when there is none."""
        schema, _dot, name = table.rpartition(".")
        if self.system == "mysql":
            sql, values = "table_schema = " + ("?" if schema else "database()"), ([schema] if schema else [])
        else:
            sql, values = ("table_schema = ?", [schema]) if schema else ("table_schema = ANY (current_schemas(false))", [])
        found = self.rows("SELECT table_schema, table_name FROM information_schema.tables WHERE table_name = ? AND "
                          f"{sql}", name, *values)
        return found[0] if found else None

    def unique_keys(self, table):
        """Lists of columns that are unique together, the primary key first."""
        schema, name = self._where_is(table)
        if self.system == "mysql":
            rows = self.rows("SELECT index_name, column_name FROM information_schema.statistics WHERE table_schema = ? AND table_name = ?"
                             " AND non_unique = 0 ORDER BY index_name <> 'PRIMARY', index_name, seq_in_index", schema, name)
        else:
            rows = self.rows(
                "SELECT c.relname, a.attname FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_class t ON t.oid = i.indrelid"
                " JOIN pg_namespace n ON n.oid = t.relnamespace JOIN LATERAL unnest(i.indkey) WITH ORDINALITY k(num, pos) ON true"
                " JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = k.num WHERE i.indisunique AND i.indpred IS NULL"
                " AND i.indexprs IS NULL AND n.nspname = ? AND t.relname = ? ORDER BY NOT i.indisprimary, c.relname, k.pos", schema, name)
        keys = {}
        for index, column in rows:
            keys.setdefault(index, []).append(column)
        return list(keys.values())

    def engine(self, table):
        """Storage engine of a table of MySQL; '' elsewhere."""
        if self.system != "mysql":
            return ""
        schema, name = self._where_is(table)
        return self.value("SELECT engine FROM information_schema.tables WHERE table_schema = ? AND table_name = ?", schema, name) or ""

    def column_type(self, spark_type, column):
        """Type of a new column for a type of Spark. Raises TransferError for one that databases do not have."""
        if spark_type.startswith("decimal"):
            return spark_type.upper()
        if re.match(r"(var)?char\(", spark_type):
            return spark_type.upper()
        try:
            return TYPES[self.system][spark_type]
        except KeyError:
            raise TransferError(f"column {column} is of Spark's type {spark_type}, which a table cannot hold. Next: leave it out of "
                                f"the data, or make it a text in Spark (to_json)") from None


def kind_of(row):
    """number, date or moment of a row of ``describe``; '' for what cannot be divided or compared."""
    number, name, _size = row
    return "" if name in ("money", "bit", "year", "time") else KINDS.get(number, "")
