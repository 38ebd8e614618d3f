"""Imports and exports of tables as people have them: names, SQL, views, computed columns, servers with rules of their own, and failures.

The real program, real Spark, and real MariaDB and PostgreSQL; see tests/jdbc_bed.py.
"""
from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from contextlib import contextmanager

import pytest

from tests import mysql8
from tests.jdbc_bed import bed as new_bed
from tests.lab import REPO, until

pytestmark = pytest.mark.soak


@pytest.fixture(scope="module")
def bed(tmp_path_factory):
    with new_bed(tmp_path_factory.mktemp("jdbc"), "emredges") as it:
        it.mysql.sql("CREATE DATABASE tenant_a; CREATE DATABASE tenant_b; GRANT ALL ON tenant_a.* TO shop@'%'; GRANT ALL ON tenant_b.* TO shop@'%'", admin=True)
        it.postgresql.sql("CREATE SCHEMA tenant_a; CREATE SCHEMA tenant_b")
        it.data("orders", "SELECT int(id) AS id, concat('note ', id) AS note, decimal(id) / 4 AS price FROM range(10)")
        yield it


@pytest.fixture(params=["mysql", "postgresql"])
def server(bed, request):
    return getattr(bed, request.param)


def quoted(server, name):
    return f"`{name}`" if server.scheme == "mysql" else f'"{name}"'


def left_over(server) -> list:
    return server.sql("SELECT table_schema, table_name FROM information_schema.tables WHERE table_name LIKE 'emr\\_%'"
                      + (" ESCAPE '\\\\'" if server.scheme == "mysql" else ""))


@pytest.mark.parametrize("name, option", [("order-items", "order-items"), ("2024_sales", "2024_sales"), ("Ünï.t s?", '"Ünï.t s?"'), ('say "hi"', '"say ""hi"""')])
def test_names_are_what_the_database_has(bed, server, name, option):
    table, column = quoted(server, name), quoted(server, name)
    if server.scheme == "postgresql":
        table = column = '"' + name.replace('"', '""') + '"'
    server.sql(f"CREATE TABLE {table} ({column} INT PRIMARY KEY, {quoted(server, 'unit price')} INT); INSERT INTO {table} VALUES (1, 5), (2, NULL), (3, 7)")
    path = "named-" + hashlib.sha256((server.scheme + name).encode()).hexdigest()[:8]
    found = bed.imported(server, path, table=option, split_by=option, where=f"{column} < 3", columns=[f'{option},"unit price"'])
    assert found["types"] == [[name, "int"], ["unit price", "int"]] and sorted(found["rows"], key=str) == [["1", "5"], ["2", None]]
    done = bed.transfer("export", server, path, table=option, mode="upsert", key=[option])
    assert done == {"result": {"table": option, "rows": 2, "mode": "upsert"}}
    assert bed.transfer("export", server, path, address=f"{server.address}/new{path[-8:]}", mode="append")["result"]["mode"] == "create"
    assert server.sql(f"SELECT * FROM {table} ORDER BY 1") == [["1", "5"], ["2", None], ["3", "7"]] and left_over(server) == []


def test_an_export_reads_the_folder_of_that_name_alone(bed, server):
    table = "globs"
    bed.data("run1", "SELECT int(id) AS id FROM range(3)")
    bed.data("run[1]", "SELECT int(id) + 100 AS id FROM range(5)")
    done = bed.transfer("export", server, "run[1]", address=f"{server.address}/{table}", mode="append")
    assert done["result"]["rows"] == 5, done
    assert server.sql(f"SELECT min(id), max(id) FROM {table}") == [["100", "104"]]


def test_sql_is_the_databases_own(bed, server):
    hstore = server.scheme == "postgresql"
    server.sql("CREATE TABLE own (id INT PRIMARY KEY, tags " + ("jsonb" if hstore else "TEXT") + "); INSERT INTO own VALUES (1, '{\"vip\": 1}'), (2, '{\"a?\": 1}')")
    vip, odd = ("tags ? 'vip'", "tags ? 'a?'") if hstore else ("tags LIKE '%vip%'", "tags LIKE '%a?%'")
    name = f"own-{server.scheme}"
    for number, (options, ids) in enumerate([
            ({"table": "own", "where": vip}, ["1"]), ({"table": "own", "where": f"{odd} -- who?"}, ["2"]), ({"table": "own", "where": f"{vip} OR {odd}", "split_by": "id"}, ["1", "2"]),
            ({"query": f"SELECT id FROM own WHERE {vip}; -- done"}, ["1"]), ({"query": "WITH a AS (SELECT * FROM own) SELECT id FROM a /* all */ ;\n"}, ["1", "2"]),
            ({"query": "SELECT id FROM own -- what; is ' this?", "where": "id = 2"}, ["2"])]):
        found = bed.imported(server, f"{name}{number}", **options)
        assert sorted(row[0] for row in found["rows"]) == ids, options
    assert bed.transfer("import", server, f"{name}i", table="own", where=vip + " -- all", incremental="id")["result"] == {
        "rows": 1, "path": bed.path(f"{name}i/emr_import=000001"), "watermark": "1", "parts": 1}
    assert bed.transfer("import", server, f"{name}i", table="own", where=vip + " -- all", incremental="id")["result"]["rows"] == 0
    assert "two columns id" in bed.refused("import", server, f"{name}t", query="SELECT id, id FROM own") or server.scheme == "mysql"
    assert "--query or --where" in bed.refused("import", server, f"{name}t", query="SELECT nope FROM own")


def test_views_are_read_and_not_written(bed, server):
    server.sql("CREATE TABLE base (id INT PRIMARY KEY); INSERT INTO base VALUES (1), (2); CREATE VIEW seen AS SELECT id FROM base WHERE id > 1")
    views = ["seen"]
    if server.scheme == "postgresql":
        server.sql("CREATE MATERIALIZED VIEW kept AS SELECT id FROM base WHERE id > 1; CREATE TABLE parted (id int) PARTITION BY RANGE (id); "
                   "CREATE TABLE part PARTITION OF parted FOR VALUES FROM (0) TO (9); INSERT INTO parted VALUES (2)")
        assert bed.imported(server, "parted", table="parted")["rows"] == [["2"]]
        views.append("kept")
    for name in views:
        assert bed.imported(server, f"{name}-{server.scheme}", table=name)["rows"] == [["2"]]
        assert "view, and rows go into tables" in bed.refused("export", server, f"{name}-{server.scheme}", table=name)
    said = bed.refused("import", server, "none", table="SEEN")
    assert f"there is no table SEEN in jdbc:{server.scheme}:" in said and "is it " in said and ".seen?" in said, said


def test_a_column_with_infinity_is_no_watermark_and_divides_nothing(bed):
    server = bed.postgresql
    server.sql("CREATE TABLE ends (id int, at timestamp); INSERT INTO ends VALUES (1, '2026-01-01'), (2, 'infinity')")
    said = bed.refused("import", server, "ends", table="ends", incremental="at")
    assert "the greatest value of column at is infinity" in said and "--where" in said
    assert len(bed.imported(server, "ends", table="ends", split_by="at", types=["at=string"])["rows"]) == 2


def test_columns_that_the_database_computes_or_numbers(bed, server):
    mysql = server.scheme == "mysql"
    server.sql("CREATE TABLE sums (id " + ("INT AUTO_INCREMENT PRIMARY KEY, a INT, b INT AS (a * 2) STORED, v INT AS (a + 1) VIRTUAL" if mysql else
                                           "int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, a int, b int GENERATED ALWAYS AS (a * 2) STORED") + ")")
    server.sql("INSERT INTO sums (a) VALUES (1), (2)")
    name = f"sums-{server.scheme}"
    assert bed.imported(server, name, table="sums")["types"][:3] == [["id", "int"], ["a", "int"], ["b", "int"]]
    computed = "b,v" if mysql else "b"
    said = bed.refused("export", server, name, table="sums", mode="overwrite")
    assert f"Next: --except {computed}" in said and "computes" in said, said
    assert bed.transfer("export", server, name, table="sums", mode="overwrite", **{"except": [computed]})["result"]["rows"] == 2
    assert [row[:3] for row in server.sql("SELECT * FROM sums ORDER BY id")] == [["1", "1", "2"], ["2", "2", "4"]]
    assert bed.transfer("export", server, name, table="sums", mode="upsert", key=["id"], **{"except": [computed]})["result"]["rows"] == 2
    assert bed.transfer("export", server, name, table="sums", columns=["a"])["result"]["rows"] == 2 or mysql
    assert [row[1] for row in server.sql("SELECT * FROM sums ORDER BY a")] == ["1", "1", "2", "2"]
    assert left_over(server) == []


def test_an_export_does_not_round(bed, server):
    text = "LONGTEXT" if server.scheme == "mysql" else "text"
    moment = "DATETIME" if server.scheme == "mysql" else "timestamp(0)"
    server.sql(f"CREATE TABLE narrow (id INT PRIMARY KEY, note {text}, price DECIMAL(6,1)); CREATE TABLE clock (at {moment}); CREATE TABLE days (at DATE); "
               f"CREATE TABLE whole (n INT)")
    assert "would change 5 values of column price" in bed.refused("export", server, "orders", table="narrow")
    bed.data("clock", "SELECT timestamp_ntz '2026-01-01 12:00:00.5' AS at")
    assert "1 values of column at" in bed.refused("export", server, "clock", table="clock") and "1 values of column at" in bed.refused("export", server, "clock", table="days")
    bed.data("ratio", "SELECT 1.5D AS n UNION ALL SELECT 2D")
    assert "1 values of column n" in bed.refused("export", server, "ratio", table="whole")
    bed.data("odd", "SELECT double('NaN') AS x")
    server.sql("CREATE TABLE odd (x DOUBLE PRECISION)")
    if server.scheme == "mysql":
        assert "MySQL has no NaN" in bed.refused("export", server, "odd", table="odd")
    else:
        assert bed.transfer("export", server, "odd", table="odd")["result"]["rows"] == 1 and server.sql("SELECT * FROM odd") == [["NaN"]]
    assert left_over(server) == []


@contextmanager
def told(server, text, back):
    """The server with a rule that its administrator gave."""
    server.sql(text, admin=True)
    try:
        yield
    finally:
        server.sql(back, admin=True)


def test_a_server_that_demands_primary_keys(bed):
    server = bed.mysql
    server.sql("CREATE TABLE keyless (id INT, note LONGTEXT, price DECIMAL(21,6))")
    with told(server, "SET GLOBAL innodb_force_primary_key=ON", "SET GLOBAL innodb_force_primary_key=OFF"):
        said = bed.refused("export", server, "orders", table="fresh")
        assert "without a primary key" in said and "--mode upsert --key COLUMN" in said
        assert bed.transfer("export", server, "orders", table="fresh", mode="upsert", key=["id"])["result"]["mode"] == "create"
        assert bed.transfer("export", server, "orders", table="fresh", mode="upsert", key=["id"])["result"]["rows"] == 10
        assert bed.transfer("export", server, "orders", table="keyless")["result"]["rows"] == 10
        assert bed.transfer("export", server, "orders", table="worded", mode="upsert", key=["note"])["result"]["mode"] == "create"
    assert server.sql("SELECT count(*) FROM fresh") == [["10"]] == server.sql("SELECT count(*) FROM keyless") and left_over(server) == []


IDLE = {"mysql": ("SET GLOBAL wait_timeout=1", "SET GLOBAL wait_timeout=28800"),
        "postgresql": ("ALTER ROLE shop SET idle_session_timeout='1s'; ALTER ROLE shop SET idle_in_transaction_session_timeout='1s'", "ALTER ROLE shop RESET ALL")}


def test_connections_outlive_the_time_that_spark_needs(bed, server):
    bed.data("slow", "SELECT int(id) AS id, concat('note ', id) AS note FROM range(400000)")
    with told(server, *IDLE[server.scheme]):
        for _again in range(2):
            assert bed.transfer("export", server, "slow", table="slow", mode="overwrite")["result"]["rows"] == 400_000
        assert bed.transfer("import", server, f"slow-{server.scheme}", table="slow")["result"]["rows"] == 400_000
    assert server.sql("SELECT count(*) FROM slow") == [["400000"]] and left_over(server) == []


def test_a_failed_export_leaves_nothing_behind(bed, server):
    server.sql("CREATE TABLE strict (id INT PRIMARY KEY, note VARCHAR(3)); CREATE TABLE full_ (id INT PRIMARY KEY, note VARCHAR(99)); INSERT INTO full_ VALUES (3, 'x')")
    said = bed.refused("export", server, "orders", table="strict", **{"except": ["price"]})
    assert "too long" in said and "Next: " in said and left_over(server) == [], said
    said = bed.refused("export", server, "orders", table="full_", **{"except": ["price"]})
    assert "uplicate" in said and "--mode upsert" in said and left_over(server) == [], said
    bed.data("twice", "SELECT 1 AS id, string(id) AS note FROM range(2)")
    assert "several rows of the data have the key 1" in bed.refused("export", server, "twice", table="full_", mode="upsert", key=["id"]) and left_over(server) == []
    assert server.sql("SELECT id, note FROM full_") == [["3", "x"]] and server.sql("SELECT * FROM strict") == []


def test_a_refused_export_leaves_the_mark_of_an_earlier_one(bed, server):
    """By it a rerun knows that all has happened although nobody was told."""
    server.sql("CREATE TABLE marked (id INT)")
    mark = "emr_done_" + hashlib.sha256(b"marked").hexdigest()[:10]
    server.sql(f"CREATE TABLE {mark} (digest CHAR(64) PRIMARY KEY); INSERT INTO {mark} VALUES ('earlier')")
    assert "has no column" in bed.refused("export", server, "orders", table="marked")
    assert [row[1] for row in left_over(server)] == [mark] and server.sql(f"SELECT count(*) FROM {mark}") == [["1"]]
    server.sql(f"DROP TABLE {mark}")


@pytest.mark.parametrize("options, step", [
    ({"table": "absent"}, "whether the user may read it"), ({"table": "orders", "password": "wrong"}, "check user and password"),
    ({"table": "orders", "address": "nowhere"}, "check the database's name"), ({"table": "orders", "tls": True}, "leave out --tls"),
    ({"table": "orders", "address": "unreachable"}, "the nodes must reach 127.0.0.1:9/shop"), ({"table": "here", "columns": ["x"]}, "Columns: id"),
])
def test_refusals_of_an_import_come_with_the_next_step(bed, server, options, step):
    server.sql("CREATE TABLE IF NOT EXISTS here (id INT)")
    address = {"nowhere": server.address.removesuffix("shop") + "nowhere", "unreachable": server.address.replace(f":{server.port}", ":9")}
    options = {**options, "address": address.get(options.get("address"), "")}
    assert step in bed.refused("import", server, "refused", **options)


@pytest.mark.parametrize("options, step", [
    ({"table": "here2", "mode": "upsert", "key": ["id"]}, "no primary key or unique index of exactly id"), ({"table": "here2"}, "Next: --except note,price leaves it out"),
    ({"table": "here2", "columns": ["nope"]}, "there is no column nope"), ({"table": "closed", "columns": ["id"]}, "grant"),
])
def test_refusals_of_an_export_come_with_the_next_step(bed, server, options, step):
    server.sql("CREATE TABLE IF NOT EXISTS here2 (id INT)")
    if options["table"] == "closed":
        where = "mysql.closed" if server.scheme == "mysql" else "closed"
        if server.scheme == "mysql":
            server.sql("CREATE DATABASE IF NOT EXISTS locked; CREATE TABLE IF NOT EXISTS locked.closed (id INT); GRANT SELECT ON locked.closed TO shop@'%'", admin=True)
        else:
            server.sql("\\c shop\nCREATE SCHEMA IF NOT EXISTS locked; CREATE TABLE IF NOT EXISTS locked.closed (id INT); GRANT USAGE ON SCHEMA locked TO shop; "
                       "GRANT SELECT ON locked.closed TO shop", admin=True)
        where = "locked.closed"
        options = {**options, "table": where}
    assert step in bed.refused("export", server, "orders", **options)


def test_the_lock_is_of_one_table_in_one_database(bed, server):
    digest = hashlib.sha256(json.dumps(["tenant_a", "orders"]).encode()).hexdigest()
    hold = f"SELECT GET_LOCK('emr export {digest[:40]}', 0), SLEEP(600)" if server.scheme == "mysql" else \
        f"SELECT pg_advisory_lock({int(digest[:15], 16)}), pg_sleep(600)"
    sign_on = [server.root / "usr/bin/mariadb", "--no-defaults", f"-h{server.space.address}", "-ushop", "shop", "-e", hold] if server.scheme == "mysql" else \
        [server.bin / "psql", "-X", "-h", server.space.address, "-U", "shop", "shop", "-c", hold]
    other = subprocess.Popen(server.space.command(sign_on), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
                             env={**server.env, "PATH": "/usr/bin:/bin", "MYSQL_PWD": server.password, "PGPASSWORD": server.password})
    try:
        busy = "SELECT 1 FROM information_schema.processlist WHERE info LIKE 'SELECT GET\\_LOCK%'" if server.scheme == "mysql" else \
            "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND granted"
        until(lambda: server.sql(busy, admin=True), "the lock is held", 60)
        said = bed.refused("export", server, "orders", table="tenant_a.orders")
        assert "another export to table tenant_a.orders is running" in said and "emrctl jobs list NAME" in said, said
        assert bed.transfer("export", server, "orders", table="tenant_b.orders")["result"]["mode"] == "create"
    finally:
        server.space.end(other)


def test_mysql_8_signs_on_without_tls(bed):
    """The driver's side of it, against a server that does this and nothing else: Debian has no MySQL."""
    server = bed.space.run([sys.executable, REPO / "tests/mysql8.py", "3308"], "mysql8.log", env={"MYSQL8_PASSWORD": "s3cret: 8 ü"})
    listens = bed.space.command([sys.executable, "-c", "import socket; socket.create_connection(('127.0.0.1', 3308))"])
    try:
        until(lambda: subprocess.run(listens, check=False, stderr=subprocess.DEVNULL).returncode == 0, "it listens", 60)
        for password, said in (("s3cret: 8 ü", mysql8.RIGHT), ("wrong", mysql8.WRONG)):
            assert said in bed.refused("import", bed.mysql, "eight", address="mysql://shop@127.0.0.1:3308/shop", password=password, table="t")
    finally:
        bed.space.end(server)
