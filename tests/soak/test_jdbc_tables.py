"""Imports into, and exports from, tables of Iceberg and Delta: the real program, real Spark, and real MariaDB and PostgreSQL; see tests/jdbc_bed.py."""
from __future__ import annotations

import subprocess
import sys

import pytest

from tests.jdbc_bed import bed as new_bed

pytestmark = pytest.mark.soak
FORMATS = ("iceberg", "delta")
PLACE = {"iceberg": "iceberg.default.", "delta": "default."}
STATES = {"iceberg": "SELECT snapshot_id FROM {}.snapshots", "delta": "DESCRIBE HISTORY {}"}


@pytest.fixture(scope="module")
def bed(tmp_path_factory):
    subprocess.run([sys.executable, "-m", "emrctl", "dist", "build", *FORMATS], check=True, stdin=subprocess.DEVNULL)
    folder = tmp_path_factory.mktemp("jdbc")
    tables = {"iceberg": {"spark.sql.catalog.iceberg": "org.apache.iceberg.spark.SparkCatalog", "spark.sql.catalog.iceberg.type": "hadoop",
                          "spark.sql.catalog.iceberg.warehouse": str(folder / "warehouse")},
              "delta": {"spark.sql.extensions": "org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions,io.delta.sql.DeltaSparkSessionExtension",
                        "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog", "spark.sql.shuffle.partitions": "2",
                        "spark.databricks.delta.snapshotPartitions": "2", "spark.sql.warehouse.dir": str(folder / "spark-warehouse")}}
    with new_bed(folder, "emrjtab", tables) as it:
        it.ask(sql="CREATE DATABASE iceberg.default")
        yield it


@pytest.fixture(params=["mysql", "postgresql"])
def server(bed, request):
    return getattr(bed, request.param)


@pytest.mark.parametrize("kind", FORMATS)
def test_a_table_comes_and_goes_back_and_one_that_is_there_is_kept(bed, server, kind):
    name, back = f"{kind}_{server.scheme}", f"back_{kind}"
    server.sql(f"CREATE TABLE {name} (id INT PRIMARY KEY, note VARCHAR(40), price DECIMAL(10,2)); "
               f"INSERT INTO {name} VALUES (1, 'one', 1.25), (2, NULL, 2.50), (3, 'ü''\"', NULL)")
    rows = [["1", "one", "1.25"], ["2", None, "2.50"], ["3", "ü'\"", None]]
    found = bed.imported(server, name, table=name, format=kind)
    assert sorted(found["rows"]) == rows and found["types"] == [["id", "int"], ["note", "string"], ["price", "decimal(10,2)"]]
    assert "there already" in bed.refused("import", server, name, table=name, format=kind)
    done = bed.transfer("export", server, name, address=f"{server.address}/{back}", format=kind)
    assert done == {"result": {"table": back, "rows": 3, "mode": "create"}}
    assert server.sql(f"SELECT id, price FROM {back} ORDER BY 1") == [["1", "1.25"], ["2", "2.50"], ["3", server.sql(f"SELECT price FROM {name} WHERE id = 3")[0][0]]]
    # Replaced by one commit: who reads the state before still can.
    server.sql(f"DELETE FROM {name} WHERE id = 1")
    found = bed.imported(server, name, table=name, format=kind, overwrite=True)
    assert sorted(found["rows"]) == rows[1:]
    assert len(bed.ask(sql=STATES[kind].format(PLACE[kind] + name))["rows"]) == 2
    done = bed.transfer("export", server, name, address=f"{server.address}/{back}", format=kind, mode="upsert", key=["id"])
    assert "no primary key" in done["failed"]
    done = bed.transfer("export", server, name, address=f"{server.address}/{back}", format=kind, mode="overwrite", columns=["id,price"])
    assert done["result"]["rows"] == 2 and server.sql(f"SELECT id FROM {back} ORDER BY 1") == [["2"], ["3"]]


@pytest.mark.parametrize("kind", FORMATS)
def test_a_name_may_begin_with_a_digit(bed, kind):
    bed.mysql.sql(f"CREATE TABLE sold_{kind} (id INT PRIMARY KEY); INSERT INTO sold_{kind} VALUES (7)")
    assert bed.imported(bed.mysql, f"2024_{kind}", table=f"sold_{kind}", format=kind)["rows"] == [["7"]]
    done = bed.transfer("export", bed.mysql, f"2024_{kind}", address=f"{bed.mysql.address}/again_{kind}", format=kind)
    assert done == {"result": {"table": f"again_{kind}", "rows": 1, "mode": "create"}}


@pytest.mark.parametrize("kind", FORMATS)
def test_what_is_not_there_is_named(bed, kind):
    assert "there is no database" in bed.refused("import", bed.mysql, "nowhere.trips", table="iceberg_mysql", format=kind)
    assert "there is no table" in bed.refused("export", bed.mysql, "nothing", address=f"{bed.mysql.address}/x", format=kind)


@pytest.mark.parametrize("kind", FORMATS)
def test_an_import_that_fails_leaves_no_table(bed, kind):
    bed.postgresql.sql(f"CREATE TABLE broken_{kind} (id INT PRIMARY KEY, big NUMERIC); INSERT INTO broken_{kind} VALUES (1, 1), (2, 1e30)")
    options = {"table": f"broken_{kind}", "format": kind, "types": ["big=decimal(10,2)"]}
    bed.refused("import", bed.postgresql, f"broken_{kind}", **options)
    bed.postgresql.sql(f"UPDATE broken_{kind} SET big = 2 WHERE id = 2")
    assert sorted(bed.imported(bed.postgresql, f"broken_{kind}", **options)["rows"]) == [["1", "1.00"], ["2", "2.00"]]
