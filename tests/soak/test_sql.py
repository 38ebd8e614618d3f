"""SQL on real hosts: tables outlive sessions and a rebooted master, and are read by beeline, by Spark Connect from here, and from a database.

The client of Spark Connect is the newest package of the release's line, in a virtual environment of the test's own.
"""
from __future__ import annotations

import json
import os
import signal
import subprocess
import venv
from contextlib import contextmanager

import pytest
import yaml

from tests import databases
from tests.lab import EMRCTL, lab, until

NAME, MASTER = "sql", "sql-master-001"
CLIENT = "pyspark-client~=4.1.0"
ROWS = [(1, "2024-01-01", "Zürich"), (2, "2024-01-02", "杭州")]
MAKE = """CREATE TABLE trips (id INT, day DATE, city STRING) USING parquet PARTITIONED BY (city);
INSERT INTO trips VALUES (1, DATE'2024-01-01', 'Zürich'), (2, DATE'2024-01-02', '杭州');
CREATE VIEW recent AS SELECT * FROM trips WHERE id > 1;
"""
READ = """import sys
from pyspark.sql import SparkSession
spark = SparkSession.builder.remote(sys.argv[1]).getOrCreate()
for row in spark.table(sys.argv[2]).orderBy("id").collect():
    print(row.id, row.day, row.city, sep="|")
spark.sql("CREATE OR REPLACE VIEW from_here AS SELECT count(*) AS n FROM trips")
"""


@pytest.fixture(scope="module")
def bed(tmp_path_factory):
    with lab(tmp_path_factory.mktemp("sql"), "soakq", 137, 8037) as it:
        types = ["ecs.c6.large"]
        spec = it.spec(NAME, services=["hadoop", "spark", "metastore"], node_groups={
            "master": {"count": 1, "instance_types": types}, "slave": {"count": 2, "instance_types": types}})
        it.emrctl("create", str(spec), "--yes", timeout=3000)
        yield it


def running(bed, *names: str) -> bool:
    """Whether these daemons run, as status says."""
    done = bed.emrctl("status", NAME, "-o", "json", expect=None)
    try:
        rows = json.loads(done.stdout)["components"]
    except (ValueError, KeyError):
        return False
    states = {row["component"]: row["state"] for row in rows if row["node"] == MASTER}
    return all(states.get(name) == "running" for name in names)


def changed(bed, *arguments: str) -> int:
    """How many tasks of a run of emrctl changed something."""
    return sum(host["changed"] for host in bed.json(*arguments, "--yes", timeout=3000)["stats"].values())


def rows(text: str) -> list:
    """The lines of an answer that are rows: number, day and city."""
    found = [tuple(line.replace(",", "|").replace("\t", "|").split("|")) for line in text.splitlines()]
    return sorted((int(row[0]), row[1], row[2]) for row in found if len(row) == 3 and row[0].isdigit())


def sql(bed, statement: str) -> str:
    """What spark-sql prints, in a session of its own."""
    return bed.emrctl("shell", NAME, "spark-sql", "--", "-e", statement, timeout=1800).stdout


def applications(bed) -> int:
    """Applications that run on YARN."""
    return bed.json("status", NAME)["yarn"]["apps_running"]


def command_lines() -> str:
    """What runs on this machine."""
    return subprocess.run(["ps", "-eo", "args"], text=True, capture_output=True, check=True).stdout


@contextmanager
def connection(bed, interrupt=lambda tunnel: os.killpg(tunnel.pid, signal.SIGINT)):
    """Address of the cluster's Spark Connect server, through `emrctl connect`, which ``interrupt(process)`` ends."""
    tunnel = subprocess.Popen([*EMRCTL, "connect", NAME], env=bed.env, cwd=bed.folder, text=True, stdout=subprocess.PIPE,
                              start_new_session=True)
    try:
        yield tunnel.stdout.readline().strip()
    finally:
        interrupt(tunnel)
        tunnel.wait(60)
        tunnel.stdout.close()


def test_a_table_of_a_job_is_read_by_another_session(bed):
    (bed.folder / "make.sql").write_text(MAKE)
    made = bed.json("submit", NAME, "--type", "SPARK_SQL", "--file", "make.sql", "--wait", timeout=1800)
    assert made["state"] == "SUCCEEDED"
    assert rows(sql(bed, "SELECT id, day, city FROM trips")) == ROWS
    assert rows(sql(bed, "SELECT * FROM recent")) == ROWS[1:]
    # The owner of a table is who made it, and no one else takes it away.
    listing = bed.ssh(NAME, MASTER, "runuser -u hdfs -- /opt/emr/hadoop/bin/hdfs dfs -ls -d /hive/warehouse /hive/warehouse/trips")
    assert "drwxrwxrwt" in listing and " emr " in listing.splitlines()[-1]


def test_it_survives_the_reboot_of_the_master(bed):
    instance = next(i["InstanceId"] for i in bed.instances(NAME) if i["InstanceName"] == MASTER)
    boot = bed.ssh(NAME, MASTER, "cat /proc/1/stat")
    bed.ecs("RebootInstance", InstanceId=instance)
    until(lambda: bed.ssh(NAME, MASTER, "cat /proc/1/stat", check=False) not in ("", boot), "the master is back", 300)
    until(lambda: running(bed, "namenode", "resourcemanager", "metastore"), "the daemons run again", 900)
    assert rows(sql(bed, "SELECT id, day, city FROM trips")) == ROWS


def test_beeline_and_a_client_of_spark_connect_read_it(bed):
    for service in ("spark-thrift", "spark-connect"):
        bed.emrctl("service", "add", NAME, service, "--yes", timeout=3000)
        assert changed(bed, "service", "add", NAME, service) == 0
    assert running(bed, "spark-thrift", "spark-connect")
    answer = bed.emrctl("shell", NAME, "beeline", "--", "--silent=true", "--outputformat=csv2", "-e", "SELECT id, day, city FROM trips",
                        timeout=1800).stdout
    assert rows(answer) == ROWS
    venv.create(bed.folder / "client", with_pip=True)
    python = bed.folder / "client" / "bin" / "python"
    subprocess.run([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", CLIENT], check=True, timeout=1800)
    with connection(bed) as address:
        assert address.startswith("sc://127.0.0.1:")
        done = subprocess.run([python, "-c", READ, address, "trips"], text=True, capture_output=True, timeout=1800, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    assert rows(done.stdout) == ROWS
    assert "2" in sql(bed, "SELECT n FROM from_here").split()


def test_what_is_interrupted_leaves_neither_tunnel_nor_application(bed):
    """Ctrl-C, also without a terminal, and a kill of emrctl alone."""
    for interrupt in ({}, {"interrupt": subprocess.Popen.kill}):
        with connection(bed, **interrupt) as address:
            port = address.rpartition(":")[2]
        until(lambda here=f" -L 127.0.0.1:{port}:": here not in command_lines(), "the tunnel is gone", 30)
    before = applications(bed)
    # Thousands of years of work.
    endless = "SELECT count(*) FROM range(10000000000) a CROSS JOIN range(1000000000) b WHERE a.id % 7 = b.id % 5"
    shell = bed.start("shell", NAME, "spark-sql", "--", "-e", endless)
    until(lambda: applications(bed) == before + 1, "the statement runs", 600)
    os.killpg(shell.pid, signal.SIGINT)
    shell.communicate(timeout=60)
    until(lambda: applications(bed) == before, "its application has ended", 300)


def test_tables_stay_when_the_service_goes_and_comes_back(bed):
    for service in ("spark-connect", "spark-thrift"):
        bed.emrctl("service", "remove", NAME, service, "--yes", timeout=1800)
    bed.emrctl("service", "remove", NAME, "metastore", "--yes", timeout=1800)
    assert "trips" not in sql(bed, "SHOW TABLES").split()
    bed.emrctl("service", "add", NAME, "metastore", "--yes", timeout=1800)
    assert rows(sql(bed, "SELECT id, day, city FROM trips")) == ROWS


@pytest.mark.parametrize("kind", [databases.MariaDb, databases.Postgres])
def test_a_database_of_ones_own(bed, tmp_path, kind):
    """Refused without the password, then used; the password is nowhere but in the provider of the metastore's user."""
    with databases.Namespace(bed, tmp_path / "space") as space, kind(space) as server:
        wanted = {"database": {"url": f"{server.scheme}://{space.address}:{server.port}/shop", "user": databases.USER}}
        spec = bed.spec(NAME, services=["hadoop", "spark", "metastore"], metastore=wanted, node_groups={
            "master": {"count": 1, "instance_types": ["ecs.c6.large"]}, "slave": {"count": 2, "instance_types": ["ecs.c6.large"]}})
        bed.ssh(NAME, MASTER, "rm -rf /etc/emr/metastore")
        refused = bed.emrctl("apply", str(spec), "--yes", expect=3, timeout=1800)
        assert "EMR_METASTORE_PASSWORD" in refused.stderr and "Nothing was changed" in refused.stderr
        bed.env["EMR_METASTORE_PASSWORD"] = server.password
        try:
            bed.emrctl("apply", str(spec), "--yes", timeout=3000)
        finally:
            del bed.env["EMR_METASTORE_PASSWORD"]
        assert changed(bed, "apply", str(spec)) == 0
        sql(bed, f"CREATE TABLE kept_{server.scheme} USING orc AS SELECT 7 AS x")
        assert "7" in sql(bed, f"SELECT x FROM kept_{server.scheme}").split()
        names = server.sql('SELECT "TBL_NAME" FROM "TBLS"' if kind is databases.Postgres else "SELECT TBL_NAME FROM TBLS")
        assert [f"kept_{server.scheme}"] in names
        assert bed.ssh(NAME, MASTER, "stat -c '%U %a' /etc/emr/metastore/database.jceks").strip() == "hive 600"
        found = bed.ssh(NAME, MASTER, f"grep -rlF {server.password} /etc /var/log /var/lib/emr /run/emr /tmp 2>/dev/null; true")
        assert found.strip() == ""


def test_apply_takes_a_metastore_off_a_database_that_is_gone_and_adds_the_servers(bed):
    """Also although the daemon, which does not serve any more, would be waited for."""
    exported = yaml.safe_load(bed.emrctl("export", NAME).stdout)
    assert exported.pop("metastore")["database"]
    exported["services"] = ["hadoop", "spark", "metastore", "spark-thrift", "spark-connect"]
    spec = bed.folder / "all.yml"
    spec.write_text(yaml.safe_dump(exported))
    bed.emrctl("apply", str(spec), "--yes", timeout=3000)
    assert running(bed, "metastore", "spark-thrift", "spark-connect") and changed(bed, "apply", str(spec)) == 0
    assert rows(sql(bed, "SELECT id, day, city FROM trips")) == ROWS
