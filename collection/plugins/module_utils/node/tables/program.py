"""What a job of the upkeep of tables runs in Spark: compacts, expires and cleans the tables of Iceberg and Delta that belong to its user.

On a master this is /opt/emr/libexec/emr_tables.py, submitted as a job or by a schedule (docs/tables.md). Its result is one line of JSON on
stdout. A table that fails is told and the others are done; the exit code is 1 then.
"""
from __future__ import annotations

import argparse
import json
import time

from ...domain.tables import names, upkeep
from ..common import say


def main(arguments):
    """Keep the tables that are asked for, or all. Returns the exit code."""
    try:
        asked = _asked(arguments)
    except ValueError as error:
        _say(f"tables: {error}")
        return 2
    from pyspark.sql import SparkSession

    spark = SparkSession.builder.appName("tables").getOrCreate()
    if asked["history"] < upkeep.DELTA_ASKS_S:
        spark.conf.set("spark.databricks.delta.retentionDurationCheck.enabled", "false")
    user = spark.sparkContext.sparkUser()
    mine, others, problems = _choose(_tables(spark), asked["tables"], user)
    rows = []
    for table in mine:
        row = _keep(spark, table, asked)
        rows.append(row)
        _say(f"{table.full}: " + (row["problem"] or f"{row['files_before']} files, now {row['files']}, in {row['seconds']:.1f} s"))
    for owner, count in sorted(others.items()):
        _say(f"{count} tables belong to {owner}, who alone may change them: run this as --user {owner}")
    for problem in problems:
        _say(problem)
    say(json.dumps({"user": user, "tables": rows, "others": others, "problems": problems}))
    spark.stop()
    return 1 if problems or any(row["problem"] for row in rows) else 0


def _asked(arguments):
    """{tables, history, orphans}. Raises ValueError."""
    parser = argparse.ArgumentParser(prog="emr_tables.py", description=__doc__.partition("\n")[0], add_help=False, allow_abbrev=False)
    parser.add_argument("--history", default=upkeep.HISTORY)
    parser.add_argument("--orphans", default=upkeep.ORPHANS)
    parser.add_argument("tables", nargs="*")
    found, rest = parser.parse_known_args(arguments)
    strange = [word for word in rest if word.startswith("-")]
    if strange:
        raise ValueError(f"there is no option {strange[0]}, expected --history, --orphans and names of tables")
    return {"tables": upkeep.wanted([*found.tables, *rest]), "history": upkeep.kept("--history", found.history, upkeep.LEAST_HISTORY_S),
            "orphans": upkeep.kept("--orphans", found.orphans, upkeep.LEAST_ORPHANS_S)}


def _tables(spark):
    """The tables of the two formats that the metastore knows, whose names sessions can spell."""
    catalog, found = spark._jsparkSession.sessionState().catalog().externalCatalog(), []
    for database in _texts(catalog.listDatabases()):
        for name in _texts(catalog.listTables(database)):
            if not (names.NAME.fullmatch(name) and names.NAME.fullmatch(database)):
                continue
            row = catalog.getTable(database, name)
            kind = row.properties().get("table_type")
            provider = row.provider()
            if kind.isDefined() and kind.get().lower() == names.ICEBERG:
                found.append(upkeep.Table(database, name, names.ICEBERG, row.owner()))
            elif provider.isDefined() and provider.get().lower() == names.DELTA:
                found.append(upkeep.Table(database, name, names.DELTA, row.owner()))
    return found


def _texts(sequence):
    return [sequence.apply(number) for number in range(sequence.length())]


def _choose(tables, asked, user):
    """(tables to keep, {owner: how many of others}, problems with what was named)."""
    if not asked:
        others = {}
        for table in tables:
            if table.owner != user:
                others[table.owner] = others.get(table.owner, 0) + 1
        return [table for table in tables if table.owner == user], others, []
    known, mine, problems = {(table.database, table.name): table for table in tables}, [], []
    for pair in asked:
        table = known.get(pair)
        if table is None:
            problems.append(f"{'.'.join(pair)}: there is no table of Iceberg or Delta of this name")
        elif table.owner != user:
            problems.append(f"{table.full} belongs to {table.owner}, who alone may change it: run this as --user {table.owner}")
        else:
            mine.append(table)
    return mine, {}, problems


def _keep(spark, table, asked):
    """Run the statements for one table. Returns what became of it; ``problem`` is '' when all is well."""
    from py4j.protocol import Py4JError
    from pyspark.errors import PySparkException

    began, row = time.time(), {"table": table.full, "format": table.format, "files_before": None, "files": None, "problem": ""}
    done = "look at"
    try:
        row["files_before"] = _files(spark, table)
        for step in upkeep.steps(table, asked["history"], asked["orphans"], began):
            done = step.what
            answer = spark.sql(step.sql).collect()
            failed = answer[0].asDict().get("failed_data_files_count") if answer else 0
            if failed:
                row["problem"] = f"{failed} files could not be put together, since writers changed them meanwhile; the next run does it"
        row["files"] = _files(spark, table)
    except (Py4JError, PySparkException) as error:
        row["problem"] = f"{done}: {_cause(error)}"
    row["seconds"] = round(time.time() - began, 1)
    return row


def _files(spark, table):
    return int(spark.sql(upkeep.files_of(table)).first()["numFiles"])


def _cause(error):
    """The first line of the innermost message."""
    java = getattr(error, "java_exception", None)
    text = str(error)
    while java is not None:
        text = f"{java.getClass().getSimpleName()}: {java.getMessage() or ''}"
        java = java.getCause()
    return text.strip().partition("\n")[0][:500]


def _say(line):
    say(line, err=True)
