"""Values between a database and Spark: nothing is rounded, shifted or dropped in silence. Runs in Spark.

An import makes Spark's values of what the database wrote (domain/transfer/jdbc_types.py) and fails at the first that does not fit. An export
counts, while it counts the rows, those that the columns of the table would round.
"""
from __future__ import annotations

import re

# Around the words of a refusal, so that they are found in what Spark makes of it.
OPEN, CLOSE = "<<emr: ", " :emr>>"
SHOWN = 60
_DATE = r"(?!0000)\d{4}-\d\d-\d\d"
_CLOCK = r"\d\d:\d\d:\d\d(\.\d{1,6})?(\+00)?"
# Texts of the database that are a value of this type, as a whole. Spark's own parser admits more: of '0044-03-15 BC' it takes the date.
FORMS = {"date": rf"^{_DATE}( 00:00:00(\.0+)?(\+00)?)?$", "timestamp": rf"^{_DATE}( {_CLOCK})?$", "timestamp_ntz": rf"^{_DATE}( {_CLOCK})?$",
         "decimal": r"^-?\d+(\.\d+)?$", "whole": r"^-?\d+(\.0*)?$", "array": r"^\[(?!\[)"}
WHOLE = ("tinyint", "smallint", "int", "bigint")


def fitting(raw, reading, name, form):
    """The column ``raw`` as the type of its Reading; a value that does not fit it, or files of this form, ends the job with a sentence."""
    from pyspark.sql import functions as F

    if reading.raw == reading.type:
        return raw
    made, place = _made(F, raw, reading), ""
    if form == "orc" and reading.type in ("date", "timestamp"):
        # ORC counts in the calendar that left out ten days then, and would make the fifteenth of them.
        made = F.when(~made.cast("date").between(F.lit("1582-10-05").cast("date"), F.lit("1582-10-14").cast("date")), made)
        place = " in ORC"
    shown = F.substring(raw.cast("string"), 1, SHOWN)
    why = F.raise_error(F.concat(F.lit(f"{OPEN}column {name} has the value "), shown,
                                 F.lit(f", which Spark's type {reading.type} does not hold{place}{CLOSE}")))
    return F.coalesce(made, F.when(raw.isNotNull(), why.cast(reading.type)))


def _made(F, raw, reading):
    """The value, NULL where it does not fit."""
    kind = reading.type
    if reading.raw == "binary":
        return F.when(F.is_valid_utf8(raw), raw.cast("string")) if kind == "string" else F.lit(None).cast(kind)
    if reading.raw != "string":
        made = raw.try_cast(kind)
        return F.when(made.cast(reading.raw) == raw, made)
    if kind.startswith("array"):
        return F.when(raw.rlike(FORMS["array"]), F.from_json(raw, kind))
    if kind in WHOLE:
        return F.when(raw.rlike(FORMS["whole"]), F.regexp_replace(raw, r"\..*$", "").try_cast(kind))
    if kind.startswith("decimal"):
        scale = int(kind.rstrip(")").split(",")[1])
        return F.when(raw.rlike(FORMS["decimal"]) & (digits_behind_point(F, raw) <= scale), raw.try_cast(kind))
    made = raw.try_cast(kind)
    return F.when(raw.rlike(FORMS[kind]), made) if kind in FORMS else made


def digits_behind_point(F, text):
    """How many digits stand behind the point of a number or time, zeros at the end left out."""
    return F.length(F.regexp_extract(text, r"\.(\d*?)0*(\+00)?$", 1))


def complaint(text):
    """The words of ``fitting`` in what Spark says of a failure; '' when there are none."""
    found = re.search(re.escape(OPEN) + "(.*?)" + re.escape(CLOSE), text, re.DOTALL)
    return found[1] if found else ""


def written(frame, system):
    """The frame with dates and times as the texts that a database reads: Java's would shift days of October 1582."""
    from pyspark.sql import functions as F

    def text(field):
        column = frame[_quoted(field.name)]
        kind = field.dataType.simpleString()
        if kind == "timestamp" and system == "postgresql":  # the session of MySQL is in UTC, and MariaDB reads no zone
            return F.concat(column.cast("string"), F.lit("+00")).alias(field.name)
        return column.cast("string").alias(field.name) if kind in ("date", "timestamp", "timestamp_ntz") else column
    return frame.select(*map(text, frame.schema.fields))


def losses(frame, targets, system):
    """[(column, why, aggregate)]: conditions under which a column of the table (``targets``, by the frame's order) would change a value."""
    from pyspark.sql import functions as F

    rows = []
    for field, target in zip(frame.schema.fields, targets):
        column, kind = frame[_quoted(field.name)], field.dataType.simpleString()
        for why, condition in _loss(F, column, kind, target, system):
            rows.append((field.name, why, F.sum(F.when(condition, 1).otherwise(0))))
    return rows


def _loss(F, column, kind, target, system):
    """(what would happen, for which values) of one column."""
    floats, text = kind in ("float", "double"), column.cast("string")
    if floats and system == "mysql":
        yield "MySQL has no NaN and no infinity", F.isnan(column) | (F.abs(column) == float("inf"))
    scale = _scale(target)
    if scale is not None and (floats or kind.startswith("decimal")):
        yield f"{target.kind} keeps {scale} digits behind the point", ~F.isnan(column.cast("double")) & (F.round(column, scale) != column)
    elif target.number in (91, 92, 93) and kind in ("timestamp", "timestamp_ntz"):
        if target.number == 91:
            yield "date keeps no time of the day", ~text.rlike(r" 00:00:00$")
        elif target.number == 92:
            yield "time keeps no date", column.isNotNull()
        else:
            yield f"{target.kind}({target.scale}) keeps fewer digits of the seconds", digits_behind_point(F, text) > target.scale
    elif kind == "string" and (scale is not None or target.number in (92, 93)):
        scale = target.scale if scale is None else scale
        yield f"{target.kind} keeps {scale} digits behind the point", text.rlike(r"^[^a-zA-Z]*$") & (digits_behind_point(F, text) > scale)


def _scale(target):
    """Digits behind the point of a decimal or whole number of the table; None for anything else."""
    if target.number in (-6, 5, 4, -5):
        return 0
    if target.number in (2, 3) and target.size:
        return target.scale - 2048 if target.scale > 1023 else target.scale
    return None


def _quoted(name):
    return "`" + name.replace("`", "``") + "`"
