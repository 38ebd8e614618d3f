"""The driver of tests/jdbc_bed.py: one session of Spark that runs the program of imports and exports for each line it reads.

A line of its input is {"request": …, "password": …}, {"read": path, "format": …} or {"sql": …}; it answers each with one line of JSON behind MARK.
"""
from __future__ import annotations

import json
import sys

from pyspark.sql import SparkSession

from ansible_collections.emr.cluster.plugins.module_utils.domain.tables.names import quoted
from ansible_collections.emr.cluster.plugins.module_utils.node.transfer import jdbc_program

MARK = "answer: "


def rows(spark, line):
    """Names, types and rows of files, each value as Spark writes it."""
    reader = spark.read.options(**line.get("options", {}))
    frame = reader.table(quoted(line["read"])) if line["format"] == "table" else reader.format(line["format"]).load(line["read"])
    texts = frame.select(*(frame[f"`{name}`"].cast("string") for name in frame.columns))
    return {"types": frame.dtypes, "rows": [list(row) for row in texts.collect()]}


def write(spark, line):
    """Write the rows of a query of Spark as Parquet."""
    spark.sql(line["sql"]).write.mode("overwrite").parquet(line["write"])
    return {}


def answer(spark, line):
    """What came of one line."""
    if "read" in line:
        return rows(spark, line)
    if "write" in line:
        return write(spark, line)
    if "sql" in line:
        return {"rows": [list(row) for row in spark.sql(line["sql"]).collect()]}
    try:
        return {"result": jdbc_program.perform(spark, line["request"], line["password"])}
    except jdbc_program.TransferError as error:
        return {"failed": str(error)}


def main():
    spark = SparkSession.builder.appName("jdbc bed").getOrCreate()
    print(f"{MARK}{json.dumps('ready')}", flush=True)
    for text in sys.stdin:
        print(f"{MARK}{json.dumps(answer(spark, json.loads(text)), default=str)}", flush=True)


if __name__ == "__main__":
    main()
