"""Imports from and exports to databases: what is asked of the job, and how rows are divided."""
from __future__ import annotations

import json
import sqlite3

import pytest

from ansible_collections.emr.cluster.plugins.module_utils.domain.errors import Refused
from ansible_collections.emr.cluster.plugins.module_utils.domain.transfer import (
    jdbc as transfer_jdbc,
    request as transfer,
)
from ansible_collections.emr.cluster.plugins.module_utils.domain.transfer.jdbc_types import Column
from ansible_collections.emr.cluster.plugins.module_utils.domain.transfer.partitions import literal, predicates, since
from ansible_collections.emr.cluster.plugins.module_utils.node.transfer.jdbc_database import (
    Database,
    TransferError,
    kind_of,
)

PASSWORD = "s3cret-of-the-shop"


def request(direction="import", outside="mysql://shop@db.example.com/sales", path="/data/orders", credentials=None, **options):
    source, target = (outside, path) if direction == "import" else (path, outside)
    kind = transfer.kind_of(direction, source, target)
    return kind.request({"direction": direction, "source": source, "target": target, "options": transfer.known_options(kind, options),
                         "credentials": {"password": PASSWORD} if credentials is None else credentials,
                         "provider": "jceks://hdfs/user/emr/.emr/secrets/1.jceks", "user": "emr"})


def what(**options):
    return json.loads(request(**options)["files"]["request.json"])


def test_the_password_is_a_secret_and_nothing_else():
    found = request(table="orders")
    assert found["secrets"] == {"emr.jdbc.password": PASSWORD} and found["keep"] == transfer.PROVIDER
    assert PASSWORD not in json.dumps([found["job"], found["files"]])


def test_mysql_goes_by_mariadbs_driver_under_an_url_that_spark_takes_for_mysql():
    found = what(table="orders", tls=True)
    assert found["url"].startswith("jdbc:mysql://db.example.com:3306/sales?permitMysqlScheme&connectionTimeZone=UTC")
    assert found["url"].endswith("&sslMode=trust") and found["driver"] == "org.mariadb.jdbc.Driver"
    assert "/opt/emr/connectors/jdbc/mariadb-java-client-*.jar" in request(table="orders")["job"]["args"]


@pytest.mark.parametrize("text, found", [
    ("postgresql://shop@10.0.0.9:5433/sales/public.orders", ("postgresql", "10.0.0.9", 5433, "sales", "shop", "public.orders")),
    ("mysql://rm-1.mysql.rds.aliyuncs.com/sales", ("mysql", "rm-1.mysql.rds.aliyuncs.com", 3306, "sales", "", "")),
])
def test_addresses(text, found):
    assert tuple(transfer_jdbc.address(text).values()) == found


@pytest.mark.parametrize("text", ["mysql://db", "mysql://db/", "mysql:///sales", "mysql://db/sales?x=1", "mysql://db/a/b/c", "mysql://d b/sales",
                                  "mysql://db:99999/sales", "mysql://db/sa les", "mysql://db/sales#x"])
def test_what_is_no_address_is_refused(text):
    with pytest.raises(Refused, match="database"):
        transfer_jdbc.address(text)


def test_a_password_in_the_address_is_refused_and_not_quoted():
    with pytest.raises(Refused, match="password") as caught:
        transfer_jdbc.address(f"mysql://shop:{PASSWORD}@db/sales")
    assert PASSWORD not in str(caught.value)


@pytest.mark.parametrize("options, said", [
    ({}, "table"), ({"table": "a", "query": "select 1"}, "table"), ({"table": "a; drop table b"}, "expected NAME"),
    ({"table": "a", "format": "avro"}, "parquet"), ({"table": "a", "parallel": 1000}, "1 to 200"),
    ({"table": "a", "columns": ["x,y z"]}, "'y z' is not a valid column name"), ({"table": "a", "types": ["x"]}, "COLUMN=TYPE"),
    ({"table": "a", "types": ["x=int) drop"]}, "COLUMN=TYPE"), ({"table": "a", "incremental": "id", "overwrite": True}, "cannot overwrite"),
    ({"table": "a", "mode": "overwrite"}, "belongs to export"),
    ({"table": "a", "credentials": {}}, "EMR_DB_PASSWORD"), ({"table": "a", "splitby": "x"}, "split_by"),
    ({"direction": "export", "query": "select 1"}, "belongs to import"), ({"direction": "export"}, "--table"),
    ({"direction": "export", "table": "a", "mode": "upsert"}, "--key"), ({"direction": "export", "table": "a", "key": ["id"]}, "upsert"),
    ({"direction": "export", "table": "a", "mode": "replace"}, "append, overwrite, upsert"),
])
def test_bad_wishes_are_refused_with_what_is_valid(options, said):
    with pytest.raises(Refused, match=said):
        request(**options)


def test_options_reach_the_program():
    found = what(table="orders", columns=["id, price"], types=["price=decimal(12, 2)", "note=varchar(40)"], path="hdfs:///data/x")
    assert (found["columns"], found["types"], found["path"]) == (["id", "price"], {"price": "decimal(12, 2)", "note": "varchar(40)"}, "/data/x")
    found = what(direction="export", table="t", mode="upsert", key=["a,b"])
    assert (found["mode"], found["key"], found["direction"]) == ("upsert", ["a", "b"], "export")


@pytest.mark.parametrize("kind, values, parts, conditions", [
    ("number", [1, 2, 3, 4, 100, None], 4, 4), ("number", [5, 5, None], 4, 1), ("number", [-3, 0, 9223372036854775807], 3, 3),
    ("number", ["0.5", "2.25", "3.5"], 3, 3), ("date", ["2025-12-30", "2026-01-02", None], 3, 3), ("date", ["2026-01-02"], 3, 1),
    ("moment", ["2026-01-01 00:00:00", "2026-01-01 00:00:00.5", None], 2, 2), ("moment", ["2026-01-01 00:00:00+00", "2026-03-01 00:00:00+00"], 4, 4),
    ("number", [], 4, 1),
])
def test_each_row_is_in_exactly_one_part(kind, values, parts, conditions):
    """SQLite is the judge."""
    base = sqlite3.connect(":memory:")
    base.execute("CREATE TABLE t (c NUMERIC)" if kind == "number" else "CREATE TABLE t (c TEXT)")
    base.executemany("INSERT INTO t VALUES (?)", [(value,) for value in values])
    known = [value for value in values if value is not None]
    low, high = (min(known, key=_number), max(known, key=_number)) if known else (None, None)
    found = predicates("c", kind, low, high, parts)
    assert len(found) == conditions
    counts = [base.execute(f"SELECT count(*) FROM t WHERE {text}").fetchone()[0] for text in found]
    assert sum(counts) == len(values)


def _number(value):
    return float(value) if not isinstance(value, str) or value.replace(".", "").isdigit() else value


def test_a_watermark_takes_what_is_beyond_it_up_to_the_next():
    assert since("`id`", "number", None, 9) == "`id` <= 9"
    assert since("`at`", "moment", "2026-01-01 00:00:00", "2026-01-02 00:00:00.5") == \
        "`at` > '2026-01-01 00:00:00' AND `at` <= '2026-01-02 00:00:00.5'"


@pytest.mark.parametrize("value, kind", [("1 OR 1=1", "number"), ("2026-01-01' OR 'a", "date"), ("now()", "moment")])
def test_only_values_become_literals(value, kind):
    with pytest.raises(ValueError, match="is no"):
        literal(value, kind)


def test_types_of_databases():
    base = Database.__new__(Database)
    base.system, base.mark = "mysql", "`"
    assert base.quoted(["a", "b`c"]) == "`a`.`b``c`"
    assert base.column_type("decimal(20,6)", "x") == "DECIMAL(20,6)" and base.column_type("timestamp_ntz", "x") == "DATETIME(6)"
    with pytest.raises(TransferError, match="to_json"):
        base.column_type("map<string,int>", "x")
    assert kind_of(Column(93, "timestamptz", 0, 6)) == "moment" and kind_of(Column(12, "varchar", 9, 0)) == "" and kind_of(Column(8, "money", 0, 0)) == ""


def test_names_and_sql_reach_the_program_as_data():
    found = what(outside="postgresql://shop@db/sales", table='crm."order.items"', where="tags ? 'vip' -- all", columns=['id,"unit price"'], **{"except": ["2024_sales"]})
    assert (found["place"], found["columns"], found["except"]) == (["crm", "order.items"], ["id", "unit price"], ["2024_sales"])
    assert found["where"] == "tags ?? 'vip'\n" and what(query="SELECT 1;")["query"] == "SELECT 1\n"
    assert what(outside="mysql://shop@db/sales/order-items")["place"] == ["", "order-items"]


def test_what_it_does_in_hdfs_is_told_beforehand():
    assert request(table="orders")["place"] == {"path": "/data/orders", "needs": "replace"}
    assert request(direction="export", table="orders")["place"] == {"path": "/data/orders", "needs": "read"}


def test_sessions_of_mysql_outlive_the_work_of_spark():
    assert "wait_timeout=86400" in what(table="orders")["url"] and "allowPublicKeyRetrieval=true" in what(table="orders")["url"]


@pytest.mark.parametrize("options, said", [
    ({"table": "a", "types": ["x=decimal(50,20)"]}, "at most 38 digits"), ({"table": "a", "where": "1 = 1; DROP TABLE a"}, "several statements"),
    ({"query": "SELECT ("}, "brackets"), ({"table": "a b"}, "double quotes"), ({"table": "a", "where": "x = 'y"}, "opening '")])
def test_sql_and_types_are_judged_before_anything_starts(options, said):
    with pytest.raises(Refused, match=said):
        request(**options)


@pytest.mark.parametrize("text, kind, found", [
    ("trips", "delta", "default.trips"), ("shop.trips", "delta", "shop.trips"), ("trips", "iceberg", "iceberg.default.trips"),
    ("shop.trips", "iceberg", "iceberg.shop.trips"), ("iceberg.shop.trips", "iceberg", "iceberg.shop.trips"),
    ("iceberg.trips", "iceberg", "iceberg.default.trips")])
@pytest.mark.parametrize("direction", ["import", "export"])
def test_a_table_of_the_metastore_has_a_name_in_place_of_a_path(direction, text, kind, found):
    wanted = request(direction, path=text, table="orders", format=kind)
    assert json.loads(wanted["files"]["request.json"])["path"] == found
    assert wanted["place"] == {"table": found, "needs": kind}
    assert "spark.sql.catalogImplementation" not in str(wanted["job"]["args"]), "the names of tables are those of the metastore"
    assert "spark.sql.catalogImplementation=in-memory" in request(direction, table="orders")["job"]["args"]


@pytest.mark.parametrize("text, kind", [("/data/orders", "delta"), ("hdfs:///data/orders", "iceberg"), ("a.b.c", "delta"), ("iceberg.a.b", "delta"),
                                        ("shop.`x`", "delta"), ("trips; DROP TABLE x", "iceberg"), ("trips\n", "delta"), ("", "delta")])
def test_what_is_no_name_of_a_table_is_refused(text, kind):
    with pytest.raises(Refused):
        request(path=text, table="orders", format=kind)


def test_an_incremental_import_needs_folders():
    with pytest.raises(Refused, match="incremental") as refused:
        request(path="trips", table="orders", format="delta", incremental="id")
    assert "MERGE" in str(refused.value)
