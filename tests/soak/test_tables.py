"""Tables with transactions on real hosts: the demo's questions on Iceberg and Delta, all doors, two writers, readers while files are put together,
old states, other columns, several users, and a cluster that gets the formats and loses them again.

The client of Spark Connect is the newest package of the release's line, in a virtual environment of the test's own.
"""
from __future__ import annotations

import json
import os
import signal
import subprocess
import venv

import pytest
import yaml

from emrctl import paths
from emrctl.local.demo import answers, flights
from tests.lab import EMRCTL, lab, until

NAME, MASTER = "tables", "tables-master-001"
CLIENT = "pyspark-client~=4.1.0"
TYPES = ["ecs.c6.large"]
# What each format's tables are called; the same rows lie in Parquet to compare with.
ICEBERG, DELTA, PARQUET = "iceberg.default.flights_i", "flights_d", "flights_p"
COLUMNS = ("year INT, month INT, day INT, dep_time INT, sched_dep_time INT, dep_delay INT, arr_time INT, sched_arr_time INT, arr_delay INT, carrier STRING, "
           "flight INT, tailnum STRING, origin STRING, dest STRING, air_time INT, distance INT, hour INT, minute INT, time_hour STRING")
MAKE = f"""CREATE TEMPORARY VIEW raw ({COLUMNS}) USING csv OPTIONS (path '/user/emr/flights.csv', header 'true', nullValue 'NA');
CREATE TABLE {PARQUET} USING parquet AS SELECT * FROM raw;
CREATE TABLE {ICEBERG} PARTITIONED BY (month) AS SELECT * FROM raw;
CREATE TABLE {DELTA} USING delta PARTITIONED BY (month) AS SELECT * FROM raw;
"""
QUESTIONS = {
    "daily": "SELECT year, month, day, count(*), count(*) - count(dep_delay), count(dep_delay), sum(dep_delay), max(dep_delay) FROM {} GROUP BY year, month, day",
    "airlines": "SELECT carrier, count(arr_delay), sum(arr_delay) FROM {} GROUP BY carrier",
    "routes": f"SELECT origin, dest, count(arr_delay), sum(arr_delay) FROM {{}} GROUP BY origin, dest HAVING count(arr_delay) >= {answers.LEAST_FLIGHTS}",
    "months": "SELECT month, count(*) FROM {} GROUP BY month",
}
# Asks all questions of all tables; its result is the last line of its output.
ASK = """import json, sys
from pyspark.sql import SparkSession
spark = SparkSession.builder.getOrCreate()
questions, tables = json.load(open("ask.json"))
print(json.dumps({t: {q: sorted([list(row) for row in spark.sql(text.format(t)).collect()], key=str) for q, text in questions.items()} for t in tables}))
"""
# Appends rows of its own in many small commits, then counts up a row that the other one counts up as well.
WRITE = """import json, sys
from pyspark.sql import SparkSession
spark = SparkSession.builder.getOrCreate()
rows, counter, me, rounds = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
said = {"appended": 0, "counted": 0, "conflicts": 0, "other": []}
for n in range(rounds):
    spark.sql(f"INSERT INTO {rows} SELECT {me} AS who, {n} AS n, id FROM range(10)")
    said["appended"] += 10
for n in range(rounds):
    try:
        spark.sql(f"UPDATE {counter} SET n = n + 1 WHERE id = 1")
        said["counted"] += 1
    except Exception as error:
        text = str(error)
        known = any(word in text for word in ("ConcurrentAppendException", "ConcurrentDeleteReadException", "ConcurrentDeleteDeleteException",
                    "DELTA_CONCURRENT", "CommitFailedException", "ValidationException", "Found conflicting files", "Missing required files"))
        said["conflicts"] += known
        said["other"] += [] if known else [text[:500]]
print(json.dumps(said))
"""
# Reads until a file appears in HDFS; tells the different answers that it got.
WATCH = """import json, sys, time
from pyspark.sql import SparkSession
spark = SparkSession.builder.getOrCreate()
tables, end = sys.argv[2:], sys.argv[1]
jvm = spark.sparkContext._jvm
fs = jvm.org.apache.hadoop.fs.FileSystem.get(spark.sparkContext._jsc.hadoopConfiguration())
seen, reads, deadline = {t: [] for t in tables}, 0, time.time() + 1500
while True:
    last = fs.exists(jvm.org.apache.hadoop.fs.Path(end)) or time.time() > deadline
    for t in tables:
        found = list(spark.sql(f"SELECT count(*), sum(who), sum(n), sum(id) FROM {t}").first())
        seen[t] += [] if found in seen[t] else [found]
    reads += 1
    if reads == 1:
        fs.mkdirs(jvm.org.apache.hadoop.fs.Path(end + ".reading"))
    if last:
        break
print(json.dumps({"seen": seen, "reads": reads}))
"""
UPKEEP = "/opt/emr/libexec/emr_tables.py"
# Two of these find room beside each other and beside the servers.
SMALL = ("--property", "spark.dynamicAllocation.enabled=false", "--property", "spark.executor.instances=1", "--property", "spark.yarn.am.memory=256m",
         "--property", "spark.yarn.am.memoryOverhead=128m")
REMOTE = """import json, sys
from pyspark.sql import SparkSession
spark = SparkSession.builder.remote(sys.argv[1]).getOrCreate()
print(json.dumps([[list(row) for row in spark.sql(text).collect()] for text in sys.argv[2:]]))
"""


def spec_of(bed, tables=(), **more):
    row = {"spark": {"tables": list(tables)}} if tables else {}
    return str(bed.spec(NAME, services=["hadoop", "spark", "metastore", "spark-thrift", "spark-connect"], users={"alice": {}}, **row, **more, node_groups={
        "master": {"count": 1, "instance_types": TYPES}, "slave": {"count": 2, "instance_types": TYPES}}))


@pytest.fixture(scope="module")
def bed(tmp_path_factory):
    with lab(tmp_path_factory.mktemp("tables"), "soaktb", 170, 8170) as it:
        it.emrctl("dist", "build", "iceberg", "delta", timeout=1800)
        it.emrctl("create", spec_of(it), "--yes", timeout=3000)
        yield it


@pytest.fixture(scope="module")
def made(bed):
    """The formats are there, and the flights of 2013 in all of them."""
    bed.emrctl("apply", spec_of(bed, ["iceberg", "delta"]), "--yes", timeout=3000)
    found = flights.fetch(paths.cache_dir())
    bed.emrctl("put", NAME, str(found.flights), "/user/emr/")
    (bed.folder / "make.sql").write_text(MAKE)
    job(bed, "SPARK_SQL", "make.sql")
    return answers.compute(found.flights)


def job(bed, kind, file, *arguments, user="emr", more=(), text=""):
    """Submit one file as a job and wait. Returns what it printed last, read as JSON where it is that."""
    if text:
        (bed.folder / file).write_text(text)
    rest = ["--", file, *arguments] if kind == "PYSPARK" else []
    done = bed.emrctl("submit", NAME, "--type", kind, "--file", file, *more, "--user", user, "--wait", "-o", "json", *rest, expect=None, timeout=2400)
    record = json.loads(done.stdout)
    text = bed.emrctl("jobs", "logs", NAME, record["id"], timeout=300).stdout
    assert record["state"] == "SUCCEEDED", f"{record}\n{done.stderr}\n{text[-4000:]}"
    return said(bed, record["id"]) if kind == "PYSPARK" else text


def said(bed, job_id):
    """The last line of JSON that a job printed."""
    lines = bed.emrctl("jobs", "logs", NAME, job_id, timeout=300).stdout.splitlines()
    return json.loads([line for line in lines if line.startswith("{")][-1])


def shell(bed, statement, program="spark-sql", user="emr", expect=0):
    done = bed.emrctl("shell", NAME, program, "--user", user, "--", "-e", statement, timeout=1800, expect=None)
    assert (done.returncode == 0) == (expect == 0), done.stdout + done.stderr
    return done.stdout + (done.stderr if expect else "")


def changed(bed, *arguments: str) -> int:
    return sum(host["changed"] for host in bed.json(*arguments, "--yes", timeout=3000)["stats"].values())


def test_without_the_metastore_they_are_refused(bed):
    spec_of(bed, ["delta"])
    document = yaml.safe_load((bed.folder / f"{NAME}.yml").read_text())
    document["services"] = ["hadoop", "spark"]
    (bed.folder / "without.yml").write_text(yaml.safe_dump(document))
    done = bed.emrctl("apply", "without.yml", "--yes", expect=3)
    assert "spark.tables" in done.stderr and "Add metastore to services" in done.stderr


def test_a_cluster_that_runs_gets_them_and_a_second_apply_changes_nothing(bed, made):
    assert changed(bed, "apply", spec_of(bed, ["iceberg", "delta"])) == 0
    done = bed.emrctl("service", "remove", NAME, "metastore", "--yes", expect=None)
    assert done.returncode == 3 and "spark.tables" in done.stderr


def test_the_questions_of_the_demo_have_the_same_answers(bed, made):
    tables = [PARQUET, ICEBERG, DELTA]
    (bed.folder / "ask.json").write_text(json.dumps([QUESTIONS, tables]))
    found = job(bed, "PYSPARK", "ask.py", more=("--file", "ask.json"), text=ASK)
    assert found[ICEBERG] == found[PARQUET] and found[DELTA] == found[PARQUET]
    right = found[ICEBERG]
    assert dict(right["months"]) == made.months and {row[0]: row[1:] for row in right["airlines"]} == made.airlines
    assert {(row[0], row[1]): row[2:] for row in right["routes"]} == made.routes
    assert {f"{y}-{m:02d}-{d:02d}": rest for y, m, d, *rest in right["daily"]} == {
        day: [n, gone, left, late if left else None, longest] for day, (n, gone, left, late, longest) in made.daily.items()}


def test_every_door_reads_and_writes_them(bed, made):
    texts = [f"SELECT count(*) FROM {table}" for table in (ICEBERG, DELTA)]
    for text in texts:
        assert str(made.rows) in shell(bed, text, "beeline").replace("|", " ").split()
    assert shell(bed, "; ".join(texts)).split().count(str(made.rows)) == 2
    shell(bed, "CREATE TABLE iceberg.default.by_thrift AS SELECT 1 AS x", "beeline")
    shell(bed, "CREATE TABLE by_thrift_d USING delta AS SELECT 2 AS x", "beeline")
    venv.create(bed.folder / "client", with_pip=True)
    python = bed.folder / "client" / "bin" / "python"
    subprocess.run([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", CLIENT], check=True, timeout=1800)
    tunnel = subprocess.Popen([*EMRCTL, "connect", NAME], env=bed.env, cwd=bed.folder, text=True, stdout=subprocess.PIPE, start_new_session=True)
    try:
        address = tunnel.stdout.readline().strip()
        done = subprocess.run([python, "-c", REMOTE, address, *texts, "SELECT x FROM iceberg.default.by_thrift", "SELECT x FROM by_thrift_d",
                               "CREATE TABLE iceberg.default.by_connect AS SELECT 3 AS x"], text=True, capture_output=True, timeout=1800, check=False)
    finally:
        os.killpg(tunnel.pid, signal.SIGINT)
        tunnel.wait(60)
        tunnel.stdout.close()
    assert done.returncode == 0, done.stderr[-3000:]
    assert json.loads(done.stdout)[:4] == [[[made.rows]], [[made.rows]], [[1]], [[2]]]
    assert "3" in shell(bed, "SELECT x FROM iceberg.default.by_connect").split()


def test_two_writers_lose_nothing_and_conflicts_are_told(bed, made):
    shell(bed, "CREATE TABLE iceberg.default.rows_i (who INT, n INT, id BIGINT); CREATE TABLE rows_d (who INT, n INT, id BIGINT) USING delta; "
               "CREATE TABLE iceberg.default.count_i AS SELECT 1 AS id, 0 AS n; CREATE TABLE count_d USING delta AS SELECT 1 AS id, 0 AS n")
    (bed.folder / "write.py").write_text(WRITE)
    for rows, counter in (("iceberg.default.rows_i", "iceberg.default.count_i"), ("rows_d", "count_d")):
        rounds, processes = 12, []
        for who in (1, 2):
            processes.append(bed.start("submit", NAME, "--type", "PYSPARK", "--file", "write.py", *SMALL, "--token", f"{counter}-{who}", "--wait", "--",
                                       "write.py", rows, counter, str(who), str(rounds)))
        for process in processes:
            out, _ = process.communicate(timeout=2400)
            assert process.returncode == 0, out[-3000:]
        both = [said(bed, row["id"]) for row in bed.json("jobs", "list", NAME)[:2]]
        print(counter, both)
        assert all(row["appended"] == 10 * rounds and not row["other"] and row["counted"] + row["conflicts"] == rounds for row in both), both
        answer = shell(bed, f"SELECT 'rows', count(*), count(DISTINCT who, n, id) FROM {rows}; SELECT 'count', n FROM {counter}")
        assert ["rows", str(20 * rounds), str(20 * rounds)] in [line.split() for line in answer.splitlines()]
        assert ["count", str(sum(row["counted"] for row in both))] in [line.split() for line in answer.splitlines()]


def test_readers_see_one_table_while_its_files_are_put_together(bed, made):
    """Small commits of the writers make many files; the upkeep runs while a job reads all the time, and keeps only what belongs to its user."""
    tables = ["iceberg.default.rows_i", "rows_d"]
    (bed.folder / "watch.py").write_text(WATCH)
    end = "/user/emr/watched"
    watch = bed.start("submit", NAME, "--type", "PYSPARK", "--file", "watch.py", *SMALL, "--token", "watch", "--wait", "-o", "json", "--", "watch.py", end, *tables)
    until(lambda: bed.ssh(NAME, MASTER, f"hdfs dfs -test -e {end}.reading && echo yes", check=False).strip() == "yes", "the reader reads", 900)
    done = bed.json("submit", NAME, "--type", "PYSPARK", *SMALL, "--wait", "--", UPKEEP, "rows_d", "iceberg.default.rows_i", timeout=2400)
    assert done["state"] == "SUCCEEDED", done
    bed.ssh(NAME, MASTER, f"runuser -u emr -- hdfs dfs -mkdir {end}")
    out, _ = watch.communicate(timeout=2400)
    assert watch.returncode == 0, out[-3000:]
    kept = {row["table"]: row for row in said(bed, done["id"])["tables"]}
    assert all(not row["problem"] and row["files"] < row["files_before"] for row in kept.values()) and len(kept) == 2, kept
    seen = said(bed, bed.json("jobs", "list", NAME)[1]["id"])
    print(kept, seen)
    assert seen["reads"] > 2 and all(len(rows) == 1 and rows[0][0] == 240 for rows in seen["seen"].values()), seen


def test_a_schedule_keeps_them(bed, made):
    shell(bed, "CREATE TABLE iceberg.default.`2013_totals` AS SELECT 1 AS x")
    bed.emrctl("schedule", "add", NAME, "--name", "keep", "--type", "PYSPARK", "--at", "*:*", "--missed", "skip", "--", UPKEEP, "--history", "2d", "count_d",
               "iceberg.default.2013_totals")
    try:
        until(lambda: any(row["state"] == "SUCCEEDED" and row["name"].startswith("keep") for row in bed.json("flow", "list", NAME)), "it ran", 1200)
    finally:
        bed.emrctl("schedule", "remove", NAME, "keep")


def test_old_states_and_other_columns(bed, made):
    text = """
import json
from pyspark.sql import SparkSession
spark = SparkSession.builder.getOrCreate()
found = {}
for name, using in (("iceberg.default.travel_i", "iceberg"), ("travel_d", "delta")):
    spark.sql(f"CREATE TABLE {name} (id INT, city STRING) USING {using}")
    spark.sql(f"INSERT INTO {name} VALUES (1, 'Zürich')")
    before = (spark.sql(f"SELECT snapshot_id FROM {name}.snapshots").first()[0] if using == "iceberg"
              else spark.sql(f"DESCRIBE HISTORY {name} LIMIT 1").first()["version"])
    spark.sql(f"ALTER TABLE {name} ADD COLUMNS (price DECIMAL(10,2))")
    spark.sql(f"INSERT INTO {name} VALUES (2, '杭州', 1.50)")
    spark.sql(f"DELETE FROM {name} WHERE id = 1")
    now = [[row.id, row.city, str(row.price)] for row in spark.table(name).collect()]
    old = [[row.id, row.city] for row in spark.sql(f"SELECT id, city FROM {name} VERSION AS OF {before}").collect()]
    if using == "iceberg":
        spark.sql(f"ALTER TABLE {name} RENAME COLUMN city TO place")
        spark.sql(f"CALL iceberg.system.rollback_to_snapshot('default.travel_i', {before})")
    else:
        spark.sql(f"RESTORE TABLE {name} TO VERSION AS OF {before}")
    back = [row.id for row in spark.table(name).collect()]
    found[using] = [now, old, back, spark.table(name).columns]
print(json.dumps(found))
"""
    found = job(bed, "PYSPARK", "travel.py", text=text)
    assert found["iceberg"] == [[[2, "杭州", "1.50"]], [[1, "Zürich"]], [1], ["id", "place", "price"]]
    assert found["delta"][:3] == [[[2, "杭州", "1.50"]], [[1, "Zürich"]], [1]]


def test_a_table_belongs_to_who_made_it(bed, made):
    shell(bed, "CREATE TABLE iceberg.default.hers_i AS SELECT 7 AS x; CREATE TABLE hers_d USING delta AS SELECT 7 AS x", user="alice")
    assert shell(bed, "SELECT x FROM iceberg.default.hers_i; SELECT x FROM hers_d").split().count("7") == 2
    for table in ("iceberg.default.hers_i", "hers_d"):
        assert "Permission denied" in shell(bed, f"INSERT INTO {table} VALUES (8)", expect=1)
        assert shell(bed, f"SELECT count(*) FROM {table}", user="alice").split()[-1:] == ["1"]


def test_the_lock_of_a_killed_writer_is_a_pause_for_the_next(bed, made):
    """A lock in the metastore whose owner never says again that it lives, as a driver leaves it that is killed while it commits."""
    text = """
import json, time
from pyspark.sql import SparkSession
spark = SparkSession.builder.getOrCreate()
spark.sql("CREATE TABLE iceberg.default.locked (x INT)")
jvm = spark.sparkContext._jvm
conf = jvm.org.apache.hadoop.hive.conf.HiveConf(spark.sparkContext._jsc.hadoopConfiguration(), jvm.java.lang.Class.forName("org.apache.hadoop.hive.conf.HiveConf"))
client = jvm.org.apache.hadoop.hive.metastore.HiveMetaStoreClient(conf)
api = jvm.org.apache.hadoop.hive.metastore.api
part = api.LockComponent(api.LockType.EXCLUSIVE, api.LockLevel.TABLE, "default")
part.setTablename("locked")
parts = jvm.java.util.ArrayList()
parts.add(part)
state = client.lock(api.LockRequest(parts, "emr", "a-host-that-is-gone")).getState().toString()
client.close()
began = time.time()
spark.sql("INSERT INTO iceberg.default.locked VALUES (1)")
print(json.dumps({"state": state, "waited": time.time() - began, "rows": spark.table("iceberg.default.locked").count()}))
"""
    found = job(bed, "PYSPARK", "locked.py", text=text)
    print(found)
    assert found["state"] == "ACQUIRED" and found["rows"] == 1


def test_they_go_and_come_back(bed, made):
    bed.emrctl("apply", spec_of(bed), "--yes", timeout=3000)
    assert str(made.rows) in shell(bed, f"SELECT count(*) FROM {PARQUET}").split()
    shell(bed, f"SELECT count(*) FROM {ICEBERG}", expect=1)
    bed.emrctl("apply", spec_of(bed, ["iceberg", "delta"]), "--yes", timeout=3000)
    assert shell(bed, f"SELECT count(*) FROM {ICEBERG}; SELECT count(*) FROM {DELTA}").split().count(str(made.rows)) == 2
