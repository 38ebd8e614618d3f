"""A database as the driver of Spark sees it: SQL over Java's own interface, and what tables look like.

Part of the program that a job of an import or export runs in Spark (see jdbc_program): the JVM is reached through py4j.
"""
from __future__ import annotations

import hashlib
import json
import re
import threading
from contextlib import suppress

from ...domain.transfer.jdbc_types import Column

# Seconds between two words on a connection that waits for Spark.
BEAT_S = 3
_KINDS = "CASE c.relkind WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view' WHEN 'f' THEN 'foreign table' ELSE 'base table' END"
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
    """A connection of the driver, kept awake until ``end``."""

    def __init__(self, spark, request, password):
        self.spark, self.system, self.url = spark, request["system"], request["url"]
        self.driver, self.user, self._password = request["driver"], request["user"], password
        self._closed, self.undone = threading.Event(), False
        self.jvm = spark.sparkContext._jvm
        self.mark = "`" if self.system == "mysql" else '"'
        self.connection = self._connect()
        self._stay()
        threading.Thread(target=self._keep_alive, daemon=True).start()

    def _stay(self):
        """See to it that PostgreSQL ends no session that waits for Spark; MySQL is told so in the URL."""
        if self.system == "mysql":
            return
        # Only where it would, since not every server and pooler knows them.
        found = self.rows("SELECT name FROM pg_settings WHERE name IN ('idle_session_timeout', 'idle_in_transaction_session_timeout') "
                          "AND setting <> '0'")
        if found:
            self.url += "&options=" + "%20".join(f"-c%20{name}=0" for name, in found)
            self.close()
            self.connection = self._connect()

    def _keep_alive(self):
        """Say something now and then: what lies between may forget a connection on which nobody speaks. It holds the lock."""
        from py4j.protocol import Py4JError

        while not self._closed.wait(BEAT_S):
            with suppress(Py4JError):  # who works with the connection says that it is gone
                self.value("SELECT 1")

    def close(self):
        """End the connection, and with it the lock. Fine when it is gone."""
        from py4j.protocol import Py4JError

        with suppress(Py4JError):
            self.connection.close()

    def end(self):
        """The transfer is over."""
        self._closed.set()
        self.close()

    def lives(self):
        """Whether the connection is still there."""
        from py4j.protocol import Py4JError

        with suppress(Py4JError):
            return self.value("SELECT 1") == "1"
        return False

    def anew(self):
        """Another connection in place of one that may be gone."""
        self.close()
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
        """A name as an identifier."""
        return self.mark + name.replace(self.mark, self.mark * 2) + self.mark

    def quoted(self, place):
        """A table, [schema or '', name], as an identifier."""
        return ".".join(map(self.quote, filter(None, place)))

    def text(self, sql):
        """An expression as the text that the database writes of it."""
        return f"CAST({sql} AS CHAR)" if self.system == "mysql" else f"({sql})::text"

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
        """A statement that is not a query. Returns how many rows it has changed."""
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
        """Do all of ``steps()`` or nothing. Returns what it returns; ``undone`` says whether it is sure that nothing was done."""
        from py4j.protocol import Py4JError

        self.undone = False
        self.connection.setAutoCommit(False)
        try:
            result = steps()
            self.connection.commit()
            return result
        except BaseException:
            # Where the connection is gone, what it had begun is gone as well.
            with suppress(Py4JError):
                self.connection.rollback()
                self.undone = True
            raise
        finally:
            with suppress(Py4JError):
                self.connection.setAutoCommit(True)

    def lock(self, place):
        """Keep other exports to this table out until this connection ends. Raises TransferError when one is in."""
        found = self.where_is(place)
        schema = found[0] if found else place[0] or self.value("SELECT " + ("database()" if self.system == "mysql" else "current_schema()"))
        # MySQL's locks are of the whole server and have names of 64 characters at most, PostgreSQL's are numbers in a database.
        digest = hashlib.sha256(json.dumps([schema, place[1]]).encode()).hexdigest()
        if self.system == "mysql":
            free = self.value("SELECT GET_LOCK(?, 0)", f"emr export {digest[:40]}") == "1"
        else:
            free = self.value(f"SELECT pg_try_advisory_lock({int(digest[:15], 16)})") in ("t", "true")
        if not free:
            raise TransferError(f"another export to table {schema}.{place[1]} is running. Next: wait for it (emrctl jobs list NAME shows "
                                "it), then run again")

    def describe(self, relation):
        """{column: Column} of a table or bracketed query, in order. Raises TransferError for a query with one name twice."""
        statement = self.connection.prepareStatement(f"SELECT * FROM {relation} emr_source WHERE 1 = 0")
        try:
            meta, found = statement.executeQuery().getMetaData(), {}
            for n in range(1, meta.getColumnCount() + 1):
                name = meta.getColumnLabel(n)
                if name in found:
                    raise TransferError(f"the query has two columns {name}. Next: give each a name of its own with AS")
                found[name] = Column(meta.getColumnType(n), meta.getColumnTypeName(n).lower(), meta.getPrecision(n), meta.getScale(n))
            return found
        finally:
            statement.close()

    def where_is(self, place):
        """(schema, name, kind) of a table or view, as the database spells them; None when there is none that this user sees."""
        schema, name = place
        if self.system == "mysql":
            found = self.rows("SELECT table_schema, table_name, lower(table_type) FROM information_schema.tables WHERE table_name = ? AND "
                              "table_schema = " + ("?" if schema else "database()"), name, *filter(None, [schema]))
        else:
            found = self.rows(f"SELECT n.nspname, c.relname, {_KINDS} FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
                              "WHERE c.oid = to_regclass(?) AND c.relkind IN ('r', 'p', 'v', 'm', 'f')", self.quoted(place))
        return found[0] if found else None

    def exists(self, place):
        """Whether there is such a table or view."""
        return self.where_is(place) is not None

    def find(self, place):
        """(schema, name, kind) of a table or view that can be read. Raises TransferError."""
        found = self.where_is(place)
        if not found:
            raise TransferError(f"there is no table {'.'.join(filter(None, place))} in {self.url.split('?')[0]}. Next: " + self._like(place[1]))
        return found

    def _like(self, name):
        """What to look at when there is no table of this name."""
        if self.system == "mysql":
            rows = self.rows("SELECT table_schema, table_name FROM information_schema.tables WHERE lower(table_name) = lower(?) LIMIT 3", name)
        else:
            rows = self.rows("SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE "
                             "lower(c.relname) = lower(?) AND c.relkind IN ('r', 'p', 'v', 'm', 'f') LIMIT 3", name)
        known = ", ".join(".".join(row) for row in rows)
        return f"is it {known}?" if known else "look at its name, its schema, and whether the user may read it"

    def unique_keys(self, place):
        """Lists of columns that are unique together, the primary key first."""
        schema, name, _kind = self.where_is(place)
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

    def engine(self, place):
        """Storage engine of a table of MySQL; '' elsewhere."""
        if self.system != "mysql":
            return ""
        schema, name, _kind = self.where_is(place)
        return self.value("SELECT engine FROM information_schema.tables WHERE table_schema = ? AND table_name = ?", schema, name) or ""

    def makes_itself(self, place):
        """({columns that the database computes}, {columns that it numbers and nobody else}) of a table."""
        schema, name, _kind = self.where_is(place)
        if self.system == "mysql":
            rows = self.rows("SELECT column_name, 's' FROM information_schema.columns WHERE table_schema = ? AND table_name = ? AND "
                             "coalesce(generation_expression, '') <> ''", schema, name)
        else:
            rows = self.rows("SELECT a.attname, CASE WHEN a.attgenerated <> '' THEN 's' ELSE a.attidentity::text END FROM pg_attribute a "
                             "JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = ? AND "
                             "c.relname = ? AND (a.attgenerated <> '' OR a.attidentity = 'a')", schema, name)
        return {column for column, how in rows if how == "s"}, {column for column, how in rows if how == "a"}

    def demands_keys(self):
        """Whether this server makes no table without a primary key."""
        return self.system == "mysql" and bool(self.rows("SHOW VARIABLES WHERE variable_name IN ('innodb_force_primary_key', "
                                                         "'sql_require_primary_key') AND value = 'ON'"))

    def make_alike(self, stage, place, columns):
        """Make a table with these columns of another, without its rules: rows meet those when they are brought there."""
        if self.system != "mysql":
            names = ", ".join(map(self.quote, columns))
            self.run(f"CREATE TABLE {self.quoted(stage)} AS SELECT {names} FROM {self.quoted(place)} WITH NO DATA")
            return
        schema, name, _kind = self.where_is(place)
        rows = self.rows("SELECT column_name, column_type, character_set_name, collation_name FROM information_schema.columns WHERE "
                         "table_schema = ? AND table_name = ?", schema, name)
        # Spark fills no column of a type that it does not know.
        types = {column: "CHAR(36) NULL" if kind == "uuid" else kind + (f" CHARACTER SET {charset} COLLATE {collation}" if charset else "") + " NULL"
                 for column, kind, charset, collation in rows}
        # With a key of its own, since servers may demand one.
        self.run(f"CREATE TABLE {self.quoted(stage)} (emr_row BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY, "
                 + ", ".join(f"{self.quote(column)} {types[column]}" for column in columns) + ") ENGINE=InnoDB")

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


def kind_of(column):
    """number, date or moment of a Column; '' for what cannot be divided or compared."""
    return "" if column.kind in ("money", "bit", "year", "time", "timetz", "boolean", "oid") else KINDS.get(column.number, "")


def spelt(name, columns):
    """The column of this name as the table spells it; another case is fine where it is clear. Raises TransferError."""
    found = [name] if name in columns else [column for column in columns if column.lower() == name.lower()]
    if len(found) != 1:
        raise TransferError(f"there is {'no' if not found else 'more than one'} column {name}. Columns: {', '.join(columns)}")
    return found[0]


def shown(names):
    """Names of columns as an option takes them."""
    return ",".join(name if re.fullmatch(r"[\w$#@-]+", name) else '"' + name.replace('"', '""') + '"' for name in names)
