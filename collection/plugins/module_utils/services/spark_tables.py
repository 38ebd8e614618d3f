"""Tables with transactions for Spark: Apache Iceberg and Delta Lake, on the metastore of the cluster.

Which name means which format never depends on what else is chosen: Iceberg's tables are in a catalogue of their own, `iceberg`; Delta's are in
Spark's, as all others. Only one of the two could be Spark's own catalogue, and a table that was made by its plain name would not be found any more
as soon as the other format came. Both see the databases of the metastore.
"""
from __future__ import annotations

from ..domain import paths
from ..domain.spec.field import Field
from ..domain.tables.names import DELTA, FORMATS, ICEBERG
from .metastore import METASTORE, WAREHOUSE

# Format -> its jars, by the same path on all nodes.
JARS = {ICEBERG: f"{paths.ICEBERG}/lib/*", DELTA: f"{paths.DELTA}/lib/*"}
# Of Spark's SQL: what each adds to its grammar and rules.
_EXTENSIONS = {ICEBERG: "org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions", DELTA: "io.delta.sql.DeltaSparkSessionExtension"}
# Seconds that the metastore keeps the lock of a writer that is gone, how often it looks, and how often a writer says that it lives. Others wait for a
# lock for three minutes, so that a killed writer costs them a pause and no failure.
LOCK_S, LOOK_S, ALIVE_S = 60, 15, 15
# At most so many tasks list a table's files or read its log: by default it is 10,000 and 50 whatever the cluster has, which takes minutes on a small one.
MOST_LISTING, MOST_LOG = 200, 50

TABLES = Field(
    "tables", "list", "Formats of tables with transactions that Spark's jobs and servers can use: Apache Iceberg as `iceberg.DATABASE.TABLE`, and Delta "
    "Lake (`USING delta`). Needs the service `metastore`, and the artifacts of these names (emrctl dist build iceberg delta).",
    default=(), unique=True, single=True, most=len(FORMATS), example="[iceberg, delta]",
    item=Field("format", "text", "A format of tables.", choices=FORMATS, example=ICEBERG))


def artifacts(spec, _role=None) -> tuple:
    """The artifacts of the formats that this spec asks for: drivers and executors on all nodes find them by the same path."""
    return tuple(name for name in FORMATS if name in spec.spark.tables)


def jars(spec) -> tuple:
    """Entries of the class path."""
    return tuple(JARS[name] for name in artifacts(spec))


def rules(spec, _configs):
    """Tables that no other session found would be worse than none, and a Spark of somebody's own may be one that the formats do not fit."""
    if not spec.spark.tables:
        return
    if "metastore" not in spec.expanded_services:
        yield ("spark.tables", "the names of these tables are kept by the service metastore, which the cluster does not have",
               "Add metastore to services, or remove spark.tables (the data of tables stay in HDFS).")
    lacking = [name for name in artifacts(spec) if name not in spec.artifacts]
    if "spark" in spec.artifacts and lacking:
        yield ("spark.tables", f"{' and '.join(lacking)} are built for the release's Spark, and `artifacts` names another one",
               f"Name the builds for that Spark in {' and '.join(f'artifacts.{name}' for name in lacking)}, or remove spark.tables.")


def settings(facts) -> dict:
    """{stem: settings} of Spark, and of the metastore where it runs."""
    found = artifacts(facts.spec)
    if not found:
        return {}
    spark = {"spark.sql.extensions": ",".join(_EXTENSIONS[name] for name in found)}
    if DELTA in found:
        spark["spark.sql.catalog.spark_catalog"] = "org.apache.spark.sql.delta.catalog.DeltaCatalog"
    if ICEBERG not in found:
        return {"spark-defaults": spark}
    spark.update({"spark.sql.catalog.iceberg": "org.apache.iceberg.spark.SparkCatalog", "spark.sql.catalog.iceberg.type": "hive",
                  "spark.sql.catalog.iceberg.warehouse": WAREHOUSE,
                  "spark.hadoop.iceberg.hive.lock-heartbeat-interval-ms": str(ALIVE_S * 1000)})
    layer = {"spark-defaults": spark}
    if facts.here(METASTORE):
        tasks = ("events.EventCleanerTask", "txn.AcidHouseKeeperService")
        # Iceberg's writers take turns by the metastore's locks, and without its housekeeper the lock of one that was killed would stay for ever.
        layer["metastore-site"] = {"metastore.task.threads.always": ",".join(f"org.apache.hadoop.hive.metastore.{task}" for task in tasks),
                                   "metastore.txn.timeout": f"{LOCK_S}s", "metastore.timedout.txn.reaper.interval": f"{LOOK_S}s"}
    return layer


def sizes(spec, partitions: int) -> dict:
    """Settings of Spark that go by the cluster's processors. ``partitions``: of a shuffle."""
    if DELTA not in spec.spark.tables:
        return {}
    return {"spark.sql.sources.parallelPartitionDiscovery.parallelism": str(min(MOST_LISTING, partitions)),
            "spark.databricks.delta.snapshotPartitions": str(min(MOST_LOG, partitions))}


__all__ = ["DELTA", "FORMATS", "ICEBERG", "JARS", "TABLES", "artifacts", "jars", "rules", "settings", "sizes"]
