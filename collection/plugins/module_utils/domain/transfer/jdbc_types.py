"""What the columns of MySQL and PostgreSQL become in Spark.

Java's types for decimals, dates and times round, shift and know no infinity. So whatever is in doubt leaves the database as the text
that it writes itself, and Spark makes its own value of that, or says which value does not fit. Docs: docs/data/rds.md.
"""
from __future__ import annotations

import re
from typing import NamedTuple

# Most digits of Spark's decimals.
DIGITS = 38


class Column(NamedTuple):
    """A column as the driver describes it: ``number`` of java.sql.Types, name of its type, digits, digits behind the point."""

    number: int
    kind: str
    size: int
    scale: int


class Reading(NamedTuple):
    """How a column is read. ``sql`` has {} for its quoted name; ``raw`` is Spark's type of what comes, ``type`` of what it becomes."""

    sql: str
    raw: str
    type: str


def _same(kind, sql="{}"):
    return Reading(sql, kind, kind)


# type of the database, in lower case -> Reading
_MYSQL = {
    "tinyint": _same("tinyint"), "tinyint unsigned": _same("smallint"), "smallint": _same("smallint"),
    "smallint unsigned": _same("int"), "mediumint": _same("int"), "mediumint unsigned": _same("int"), "integer": _same("int"),
    "integer unsigned": _same("bigint"), "bigint": _same("bigint"), "bigint unsigned": _same("decimal(20,0)"), "year": _same("smallint"),
    # The server writes six digits of a FLOAT, and all of a DOUBLE.
    "float": Reading("{} * 1e0", "double", "float"), "float unsigned": Reading("{} * 1e0", "double", "float"),
    "double": _same("double"), "double unsigned": _same("double"),
    # TINYINT(1), which holds more than two values.
    "boolean": Reading("{} + 0", "int", "boolean"),
    "date": Reading("CAST({} AS CHAR)", "string", "date"), "datetime": Reading("CAST({} AS CHAR)", "string", "timestamp_ntz"),
    "timestamp": Reading("CAST({} AS CHAR)", "string", "timestamp"),
}
_POSTGRESQL = {
    "bool": _same("boolean"), "int2": _same("smallint"), "smallserial": _same("smallint"), "int4": _same("int"), "serial": _same("int"),
    "int8": _same("bigint"), "bigserial": _same("bigint"), "oid": _same("bigint"), "float4": _same("float"), "float8": _same("double"),
    "bytea": _same("binary"), "date": Reading("{}::text", "string", "date"), "timestamp": Reading("{}::text", "string", "timestamp_ntz"),
    "timestamptz": Reading("{}::text", "string", "timestamp"),
    # ::text would take away the blanks at the end.
    "bpchar": _same("string"), "varchar": _same("string"), "text": _same("string"),
}
_OF_ARRAYS = {"_bool": "boolean", "_int2": "smallint", "_int4": "int", "_int8": "bigint", "_float4": "float", "_float8": "double",
              "_text": "string", "_varchar": "string", "_bpchar": "string", "_uuid": "string"}
_TEXT = {"mysql": "CAST({} AS CHAR)", "postgresql": "{}::text"}
# java.sql.Types of bytes, and of texts that need no cast. CHAR is none: Spark would fill it up with blanks, which MySQL takes away.
_BYTES, _TEXTS = (-2, -3, -4, 2004), (12, -1, -9, -16)
# What --column-type may say of an import.
_WANTED = re.compile(r"(string|boolean|tinyint|smallint|int|bigint|float|double|date|timestamp|timestamp_ntz|binary"
                     r"|decimal\((\d+),(\d+)\)|(?:var)?char\(\d+\))")
_OTHER_NAMES = {"byte": "tinyint", "short": "smallint", "integer": "int", "long": "bigint", "real": "float", "timestamp_ltz": "timestamp",
                "text": "string", "bool": "boolean"}


def wanted(text):
    """Spark's type of a text such as ``Decimal(12, 2)``. Raises ValueError with what is valid."""
    kind = text.lower().replace(" ", "")
    kind = re.sub(r"^(?:dec|numeric|decimal)\((\d+)\)$", r"decimal(\1,0)", re.sub(r"^(dec|numeric)\(", "decimal(", kind))
    kind = _OTHER_NAMES.get(kind, kind)
    found = _WANTED.fullmatch(kind)
    if not found or (found[2] and not (1 <= int(found[2]) <= DIGITS and int(found[3]) <= int(found[2]))):
        raise ValueError(f"type {text}: expected string, boolean, tinyint, smallint, int, bigint, float, double, date, timestamp, timestamp_ntz, "
                         f"binary, char(n), varchar(n) or decimal(digits,behind the point) of at most {DIGITS} digits")
    return "string" if "char" in kind else kind


def decimal_of(column):
    """(digits, digits behind the point) of a decimal; None for one that Spark cannot hold."""
    size, scale = column.size, column.scale
    if not size:
        return None
    if scale > 1023:  # PostgreSQL's typmod has eleven bits with a sign: numeric(3,-2)
        size, scale = size + 2048 - scale, 0
    size = max(size, scale)
    return (size, scale) if size <= DIGITS else None


def reading(system, column, given="", nested=True):
    """How a column is read, None for a decimal that needs a ``given`` type of Spark. ``nested``: the format holds arrays."""
    if given:
        return _given(system, column, given)
    kind = column.kind
    found = (_MYSQL if system == "mysql" else _POSTGRESQL).get(kind)
    if found:
        return found
    if column.number in (2, 3):
        size = decimal_of(column)
        # A text, since PostgreSQL's numeric holds NaN as well.
        return size and Reading(_TEXT[system], "string", f"decimal({size[0]},{size[1]})")
    if system == "mysql" and kind == "bit":
        if column.size == 1:
            return Reading("{} + 0", "int", "boolean")
        return _same("bigint" if column.size < 64 else "decimal(20,0)", "CAST({} AS UNSIGNED)")
    if kind in _OF_ARRAYS and nested:
        return Reading("array_to_json({})::text", "string", f"array<{_OF_ARRAYS[kind]}>")
    if column.number in _BYTES:
        return _same("binary")
    if system == "mysql" and column.number in _TEXTS:
        return _same("string")
    return _same("string", _TEXT[system])


def _given(system, column, given):
    """A column that people want as this type: from its text, unless it is bytes."""
    if column.number in _BYTES:
        return Reading("{}", "binary", given)
    usual = reading(system, column)
    if usual and (usual.type == given or (usual.raw == given and usual.raw != "string")):
        return Reading(usual.sql, usual.raw, given)
    if usual and usual.raw == "string" and not usual.type.startswith("array"):
        return Reading(usual.sql, "string", given)
    number = {"boolean": "({} + 0)", "bit": "CAST({} AS UNSIGNED)", "float": "({} * 1e0)", "float unsigned": "({} * 1e0)"}
    inner = number.get(column.kind, "{}") if system == "mysql" else "{}"
    return Reading(_TEXT[system].format(inner), "string", given)
