"""Another database's answers to the same queries on the same data: DuckDB, in the JVM of Spark's driver."""
from __future__ import annotations

import json
import os
import shutil
import tempfile

from ...domain.bench.queries import TABLES, queries

# MiB that DuckDB may take before it sorts and joins on the disk: its share of what the control node has free, within limits.
LEAST_MIB, MOST_MIB, SHARE = 400, 8192, 0.5


def answers(jvm, client, data, scale, say):
    """{query: rows}, with dates as texts and decimal fractions as binary ones. ``data``: the tables' folder in HDFS."""
    with tempfile.TemporaryDirectory(dir=".") as folder:
        for table in TABLES:
            _fetch(client, f"{data}/{table}", f"{folder}/{table}")
        connection = jvm.org.duckdb.DuckDBDriver().connect("jdbc:duckdb:", jvm.java.util.Properties())
        statement = connection.createStatement()
        try:
            for line in _settings(folder):
                statement.execute(line)
            found = {}
            for name, sql in queries(scale).items():
                say(f"DuckDB answers {name}")
                statement.execute(f"COPY ({sql}) TO '{folder}/{name}.json'")
                with open(f"{folder}/{name}.json", encoding="utf-8") as lines:
                    found[name] = [list(json.loads(line).values()) for line in lines]
            return found
        finally:
            statement.close()
            connection.close()


def _settings(folder):
    folder = os.path.abspath(folder)
    return [f"SET memory_limit = '{_memory_mib()}MiB'", f"SET temp_directory = '{folder}/spill'", "SET threads = 2",
            *(f"CREATE VIEW {table} AS SELECT * FROM read_parquet('{folder}/{table}/*.parquet')" for table in TABLES)]


def _memory_mib():
    with open("/proc/meminfo", encoding="ascii") as lines:
        free = next(int(line.split()[1]) >> 10 for line in lines if line.startswith("MemAvailable:"))
    return int(min(MOST_MIB, max(LEAST_MIB, SHARE * free)))


def _fetch(client, source, target):
    os.makedirs(target)
    for row in client.listing(source):
        part = f"{target}/{row['pathSuffix']}"
        with open(part, "wb") as out:
            client.read_to(f"{source}/{row['pathSuffix']}", out)


def room(path="."):
    """Bytes that are free where the data would lie."""
    return shutil.disk_usage(path).free
