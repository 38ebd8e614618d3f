"""Tables of real databases: flights go from OSS into HDFS, through MapReduce and Spark SQL into MariaDB and PostgreSQL, and come back
equal; a database that is killed under an export leaves its table as it was; an incremental import takes what is new; and no password
shows anywhere, neither meanwhile nor afterwards.

The commands of docs/data/rds.md are run as they stand there, with the addresses of the databases of this test.
"""
from __future__ import annotations

import json
import re
import shlex
import subprocess
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal

import pyarrow
import pytest
from pyarrow import parquet

from emrctl.local.demo import flights
from emrctl.local.settings import cache_dir
from tests import traces
from tests.databases import both
from tests.lab import REPO, lab, until

pytestmark = pytest.mark.soak
CLUSTER = "sales"
MASTER = "sales-master-001"
NODES = (MASTER, "sales-slave-001")
# MapReduce puts the lines in order and numbers them.
MAPPER = """
import sys
for line in sys.stdin:
    if not line.startswith("year,"):
        print(line.rstrip("\\n"))
"""
REDUCER = """
import sys
for number, line in enumerate(sys.stdin, 1):
    print(f"{number},{line.rstrip()}")
"""
COLUMNS = ("year", "month", "day", "dep_time", "sched_dep_time", "dep_delay", "arr_time", "sched_arr_time", "arr_delay", "carrier", "flight", "tailnum",
           "origin", "dest", "air_time", "distance", "hour", "minute", "time_hour")
# Flights with all that goes wrong between databases: NULLs, texts beyond the basic plane, decimals, an hour that summer time skips and
# one that it repeats, days before 1970, bytes, and a text that is empty.
PREPARE = rf"""
CREATE TEMPORARY VIEW raw (id INT, {", ".join(f"{name} STRING" for name in COLUMNS)}) USING csv OPTIONS (path '/user/emr/numbered', nullValue 'NA');
CREATE TEMPORARY VIEW typed AS SELECT id, carrier,
  CASE int(month) % 3 WHEN 0 THEN concat('Grüße 你好 😀 ', dest) WHEN 1 THEN '' ELSE tailnum END AS note,
  int(dep_delay) AS dep_delay, bigint(flight) * 4611686018427 AS big, cast(double(distance) / 7 AS decimal(20,6)) AS price,
  double(distance) / 7 AS ratio, int(dep_delay) > 15 AS late,
  timestamp_micros(unix_micros(timestamp '2026-03-29 00:00:00.000001Z') + bigint(flight) * 61000000) AS departed,
  timestampadd(SECOND, int(flight) * 61, timestamp_ntz '2026-10-25 00:30:00.000001') AS shown,
  date_add(date '1899-12-30', int(flight)) AS day, CASE WHEN int(flight) % 5 > 0 THEN unhex(concat('00FF', hex(int(flight) % 256 + 256))) END AS bytes
FROM raw;
INSERT OVERWRITE DIRECTORY '/user/emr/flights' USING parquet SELECT /*+ REPARTITION(4) */ * FROM typed;
"""
COMPARE = """
import json, sys
from pyspark.sql import SparkSession
spark = SparkSession.builder.config("spark.sql.session.timeZone", "UTC").getOrCreate()
wanted = spark.read.parquet(sys.argv[1])
for path in sys.argv[2:]:
    found = spark.read.parquet(path)
    print(json.dumps({"path": path, "rows": found.count(), "types": found.dtypes == wanted.dtypes, "missing": wanted.exceptAll(found).count(),
                      "strange": found.exceptAll(wanted).count()}))
"""
SMALL = "CREATE TABLE arrivals (id INT PRIMARY KEY, carrier VARCHAR(9), at TIMESTAMP NULL)"


@pytest.fixture(scope="module")
def bed(tmp_path_factory):
    """(cluster's lab, MariaDB, PostgreSQL), with the flights as Parquet in HDFS."""
    folder = tmp_path_factory.mktemp("rds")
    with lab(folder, "soakx", 221, 8221) as it:
        spec = it.spec(CLUSTER, services=["hadoop", "spark"], config={
            "hdfs-site": {"dfs.replication": 1}, "core-site": {"fs.oss.endpoint": it.env["ALIBABA_CLOUD_OSS_ENDPOINT"]}}, node_groups={
            "master": {"count": 1, "instance_types": ["ecs.c6.xlarge"]}, "slave": {"count": 1, "instance_types": ["ecs.c6.xlarge"]}})
        it.emrctl("create", str(spec), "--yes", timeout=1800)
        it.env.update(OSS_ACCESS_KEY_ID=it.env["ALIBABA_CLOUD_ACCESS_KEY_ID"], OSS_ACCESS_KEY_SECRET=it.env["ALIBABA_CLOUD_ACCESS_KEY_SECRET"])
        with both(it, folder / "servers") as (mysql, postgres):
            prepare(it)
            yield it, mysql, postgres


def prepare(it) -> None:
    """From OSS into HDFS, through MapReduce and Spark SQL."""
    it.local("bucket", "flights")
    it.emrctl("put", CLUSTER, str(source()), "oss://flights/2013/q1.csv")
    it.emrctl("import", CLUSTER, "oss://flights/2013", "/user/emr/raw", "--wait", timeout=1800)
    for name, text in (("mapper.py", MAPPER), ("reducer.py", REDUCER), ("prepare.sql", PREPARE)):
        (it.folder / name).write_text(text)
    it.emrctl("submit", CLUSTER, "--type", "HADOOP_STREAMING", "--file", "mapper.py", "--file", "reducer.py", "--wait", "--", "-D",
              "mapreduce.job.reduces=1", "-input", "/user/emr/raw", "-output", "/user/emr/numbered", "-mapper", "python3 mapper.py", "-reducer",
              "python3 reducer.py", timeout=1800)
    it.emrctl("submit", CLUSTER, "--type", "SPARK_SQL", "--file", "prepare.sql", "--wait", "--", "--conf", "spark.sql.session.timeZone=UTC", "-f",
              "prepare.sql", timeout=1800)


def source():
    """The flights of the first quarter, as they were published."""
    return flights.fetch(cache_dir()).quarters[0]


def wanted_rows() -> list:
    """What PREPARE makes of the flights, computed here."""
    rows = []
    for number, line in enumerate(sorted(source().read_bytes().splitlines()[1:]), 1):
        row = {name: None if value == "NA" else value for name, value in zip(COLUMNS, line.decode().split(","), strict=True)}
        flight, ratio, delay = int(row["flight"]), float(row["distance"]) / 7, None if row["dep_delay"] is None else int(row["dep_delay"])
        digits = f"00FF{flight % 256 + 256:X}"
        rows.append({
            "id": number, "carrier": row["carrier"], "note": (f"Grüße 你好 😀 {row['dest']}", "", row["tailnum"])[int(row["month"]) % 3],
            "dep_delay": delay, "big": flight * 4611686018427, "price": Decimal(repr(ratio)).quantize(Decimal("0.000001"), ROUND_HALF_UP),
            "ratio": ratio, "late": None if delay is None else delay > 15,
            "departed": datetime(2026, 3, 29, 0, 0, 0, 1, UTC) + timedelta(seconds=61 * flight),
            "shown": datetime(2026, 10, 25, 0, 30, 0, 1) + timedelta(seconds=61 * flight),
            "day": date(1899, 12, 30) + timedelta(days=flight), "bytes": bytes.fromhex(digits.zfill(8)) if flight % 5 else None})
    return rows


def signed_on(it, server):
    """The lab with the password of this database in emrctl's environment."""
    it.env["EMR_DB_PASSWORD"] = server.password
    return it


def page(verb: str, data: str) -> list:
    """The command of docs/data/rds.md for this verb and data, without emrctl."""
    text = (REPO / "docs/data/rds.md").read_text()
    return next(shlex.split(line)[1:] for line in text.splitlines() if line.startswith(f"emrctl {verb} ") and f" /user/emr/{data} " in line)


def told(command, server, target="") -> list:
    """The page's command with this database, and another path for what comes back."""
    words = [re.sub(r"^\w+://shop@10\.0\.0\.9/shop$", server.address, word) for word in command]
    return [{"/user/emr/flights": target or word}.get(word, word) for word in words]


def result(it, job) -> dict:
    """The line of JSON that a transfer ends with."""
    return json.loads(it.json("jobs", "logs", CLUSTER, job["id"])["stdout"].strip().splitlines()[-1])


def digest(server) -> list:
    """What tells whether the table has changed."""
    return server.sql("SELECT count(*), sum(id), min(note), max(note), sum(price), min(departed), max(shown) FROM flights")


def left_over(server) -> list:
    """Tables of an export that are still there."""
    return server.sql("SELECT table_name FROM information_schema.tables WHERE table_name LIKE 'emr\\_%' ESCAPE '\\\\'" if server.scheme == "mysql" else
                      "SELECT table_name FROM information_schema.tables WHERE table_name LIKE 'emr\\_%'")


def test_into_both_databases_and_back(bed):
    it, *servers = bed
    for server in servers:
        with traces.watched(signed_on(it, server), CLUSTER, NODES, [server.password]):
            job = it.json(*told(page("export", "flights"), server), timeout=1800)
            assert result(it, job)["rows"] == int(server.sql("SELECT count(*) FROM flights")[0][0]) > 80_000
            server.sql("ALTER TABLE flights ADD PRIMARY KEY (id)")
            job = it.json(*told(page("import", "flights"), server, target=f"/user/emr/back-{server.scheme}"), timeout=1800)
        assert result(it, job)["parts"] == 4, "the key divides the rows"
        assert left_over(server) == []
        it.emrctl("get", CLUSTER, f"/user/emr/back-{server.scheme}", f"back-{server.scheme}")
        found = parquet.read_table(it.folder / f"back-{server.scheme}").to_pylist()
        assert sorted(found, key=lambda row: row["id"]) == wanted_rows()
    (it.folder / "compare.py").write_text(COMPARE)
    job = it.json("submit", CLUSTER, "--type", "PYSPARK", "--file", "compare.py", "--wait", "--", "compare.py", "/user/emr/flights",
                  *(f"/user/emr/back-{server.scheme}" for server in servers), timeout=1800)
    rows = [json.loads(line) for line in it.json("jobs", "logs", CLUSTER, job["id"])["stdout"].splitlines() if line.startswith("{")]
    assert len(rows) == 2
    for row in rows:
        assert row["types"] and row["missing"] == row["strange"] == 0 and row["rows"] > 80_000, row


@pytest.mark.parametrize("number", [1, 2], ids=["mariadb", "postgresql"])
def test_a_database_that_dies_under_an_export_keeps_its_table(bed, number):
    it, server = bed[0], bed[number]
    before = digest(server)
    command = [*told(page("export", "flights"), server), "--mode", "overwrite"]
    job = signed_on(it, server).json(*(word for word in command if word != "--wait"))
    stage = "emr_stage_" + subprocess.run(["sh", "-c", "printf flights | sha256sum | cut -c1-10"], capture_output=True, text=True,
                                          check=True).stdout.strip()
    until(lambda: [stage] in left_over(server) and _busy(server, stage), f"rows on their way into {stage}", 900)
    server.kill()
    until(lambda: it.json("jobs", "show", CLUSTER, job["id"])["state"] == "FAILED", f"{job['id']} has failed", 900)
    server.start()
    assert digest(server) == before and [stage] in left_over(server)
    refused = it.emrctl("jobs", "retry", CLUSTER, job["id"], expect=3).stderr
    told_again = shlex.split(re.search(r"Next: emrctl (export .*?)   \(with EMR_DB_USER, EMR_DB_PASSWORD", refused)[1])
    again = it.json(*told_again, "--wait", timeout=1800)
    assert result(it, again)["mode"] == "overwrite" and digest(server) == before and left_over(server) == []


def _busy(server, stage) -> bool:
    """Whether somebody is writing into this table."""
    if server.scheme == "mysql":
        return bool(server.sql(f"SELECT 1 FROM information_schema.processlist WHERE info LIKE 'INSERT INTO `{stage}`%'", admin=True)) or \
            server.sql(f"SELECT count(*) > 0 FROM {stage}") == [["1"]]
    return bool(server.sql(f"SELECT 1 FROM pg_stat_activity WHERE query LIKE 'INSERT INTO \"{stage}\"%'", admin=True))


def test_an_incremental_import_takes_what_is_new(bed):
    it, mysql = bed[0], bed[1]
    mysql.sql(SMALL + "; INSERT INTO arrivals VALUES (1, 'AA', NULL), (5, 'ü', '2026-01-01 00:00:00')")
    command = told(page("import", "arrivals"), mysql)
    first = result(it, signed_on(it, mysql).json(*command, timeout=1800))
    assert (first["rows"], first["watermark"]) == (2, "5")
    mysql.sql("INSERT INTO arrivals VALUES (6, NULL, NULL), (9, 'UA', NULL)")
    second = result(it, it.json(*command, timeout=1800))
    assert (second["rows"], second["watermark"], second["path"]) == (2, "9", "/user/emr/arrivals/emr_import=000002")
    third = result(it, it.json(*command, timeout=1800))
    assert (third["rows"], third["watermark"]) == (0, "9")
    names = [row["path"] for row in it.json("ls", CLUSTER, "/user/emr/arrivals")["files"]]
    assert len(names) == 2, names


def test_the_other_commands_of_the_page_run(bed):
    it, mysql, postgres = bed
    assert result(it, signed_on(it, mysql).json(*told(page("import", "delayed"), mysql), timeout=1800))["rows"] > 5
    carriers = ["import", CLUSTER, mysql.address, "/user/emr/carriers", "--query", "SELECT carrier, count(*) n FROM flights GROUP BY carrier -- all", "--wait"]
    rows = result(it, it.json(*carriers, timeout=1800))["rows"]
    command = told(page("export", "carriers"), postgres)
    assert [result(it, signed_on(it, postgres).json(*command, timeout=1800))["mode"] for _again in range(2)] == ["create", "upsert"]
    assert postgres.sql("SELECT count(*) FROM carriers") == [[str(rows)]]


@pytest.mark.parametrize("number", [1, 2], ids=["mariadb", "postgresql"])
def test_what_goes_wrong_is_told_in_one_sentence_with_the_next_step(bed, number):
    it, server = bed[0], bed[number]
    server.sql("CREATE TABLE wrong (id INT, n INT); INSERT INTO wrong VALUES (1, 1); CREATE TABLE odd (price DECIMAL(20,4))")
    if server.scheme == "mysql":
        server.sql("CREATE TABLE zero (day DATE); SET sql_mode=''; INSERT INTO zero VALUES ('0000-00-00')")
    else:
        server.sql("CREATE TABLE zero (day DATE); INSERT INTO zero VALUES ('infinity')")
    nowhere, value = server.address.removesuffix("shop") + "nowhere", "0000-00-00" if server.scheme == "mysql" else "infinity"
    cases = [(["import", server.address, "back", "--table", "absent"], f"import failed: there is no table absent in jdbc:{server.scheme}:"),
             (["import", nowhere, "back", "--table", "wrong"], "the database's name in the address"),
             (["import", server.address, "back", "--query", "SELECT nope FROM wrong"], "try the SQL of --query or --where"),
             (["import", server.address, "back", "--table", "zero"], f"column day has the value {value}, which Spark's type date does not hold. Next: --column-type"),
             (["export", "flights", server.address, "--table", "wrong", "--columns", "id", "--mode", "upsert", "--key", "id"],
              "table wrong has no primary key or unique index of exactly id. It has: none"),
             (["export", "flights", server.address, "--table", "odd", "--columns", "price"], "values of column price")]
    for (verb, *words), said in cases:
        _one_sentence(signed_on(it, server), verb, words, said)
    it.env["EMR_DB_PASSWORD"] = "not-the-password"
    _one_sentence(it, "import", [server.address, "back", "--table", "wrong"], "check user and password")
    assert left_over(server) == [] and server.sql("SELECT * FROM wrong") == [["1", "1"]]


def _one_sentence(it, verb, words, said) -> None:
    """A job fails, and people read why in one line: at once, in its record, and at the end of its logs."""
    done = it.emrctl(verb, CLUSTER, *words, "--wait", expect=5)
    (line,) = [row for row in done.stderr.splitlines() if f"{verb} failed: " in row]
    assert said in line, done.stderr
    assert not re.search(r"^\s+at |OnOutOfMemory|Traceback|Py4J|launch_container", done.stderr, re.MULTILINE), done.stderr
    job = it.json("jobs", "list", CLUSTER, "--type", "PYSPARK")[0]
    assert it.json("jobs", "show", CLUSTER, job["id"])["error"].strip() == line.strip()


def test_a_place_in_hdfs_that_is_not_ours_is_refused_before_anything_starts(bed):
    it, mysql = bed[0], bed[1]
    before = len(it.json("jobs", "list", CLUSTER))
    for words, said in ((["import", CLUSTER, mysql.address, "/data/flights", "--table", "flights"], "user emr may not write / in HDFS: it belongs to hdfs"),
                        (["import", CLUSTER, "oss://flights/2013", "/data/flights"], "user emr may not write / in HDFS"),
                        (["import", CLUSTER, mysql.address, "/user/emr/raw/q1.csv/x", "--table", "flights"], "/user/emr/raw/q1.csv is a file"),
                        (["export", CLUSTER, "/user/emr/absent", mysql.address, "--table", "flights"], "there is no /user/emr/absent in HDFS"),
                        (["export", CLUSTER, "/user/emr/absent", "oss://flights/out"], "there is no /user/emr/absent in HDFS")):
        done = signed_on(it, mysql).emrctl(*words, "--wait", expect=3)
        assert said in done.stderr and "Next: " in done.stderr, done.stderr
    assert len(it.json("jobs", "list", CLUSTER)) == before


def test_no_password_is_left_anywhere(bed):
    it, *servers = bed
    secrets = [server.password for server in servers]
    jobs = it.json("jobs", "list", CLUSTER, "--type", "PYSPARK")
    pages = _history_pages(it) + _event_logs(it)
    said = "".join(it.emrctl("jobs", verb, CLUSTER, job["id"], *more).stdout for job in jobs for verb, *more in (
        ("logs", "--yarn"), ("show", "-o", "json")))
    assert "JDBCRelation" in pages and "SparkListenerJobEnd" in pages, "what is searched is there"
    assert "LogType:launch_container.sh" in said and jobs[0]["id"] in said, "what is searched is there"
    assert any("request.json" in row for row in traces.on_nodes(it, CLUSTER, [MASTER], [servers[0].space.address])), "what is searched is there"
    assert not [secret for secret in secrets if secret in pages + said]
    assert traces.on_nodes(it, CLUSTER, NODES, secrets) == []
    assert traces.kept_here(it, secrets) == []
    kept = it.emrctl("ls", CLUSTER, "/user/emr/.emr/secrets", "-o", "json", expect=None)
    assert ".jceks" not in kept.stdout, "kept until the job had ended"


def _history_pages(it) -> str:
    """What Spark's history server tells of all applications: settings, plans, jobs, stages."""
    pages = "environment 'sql?details=true&planDescription=true&length=1000' jobs stages allexecutors"
    return it.ssh(CLUSTER, MASTER, f"base=http://{MASTER}:18080/api/v1/applications; for id in $(curl -s $base | grep -o 'application_[0-9_]*' | sort -u); "
                  f"do for page in {pages}; do curl -s $base/$id/$page; curl -s http://{MASTER}:18080/history/$id/$page/; done; done", timeout=900)


def _event_logs(it) -> str:
    """The event logs of all applications as Spark has written them."""
    it.emrctl("get", CLUSTER, "/spark/events", "events")
    found = [path for path in (it.folder / "events").rglob("events_*") if path.is_file()]
    return "".join(_read(path) for path in found)


def _read(path) -> str:
    with pyarrow.input_stream(str(path), compression="zstd" if path.suffix in (".zstd", ".zst") else None) as stream:
        return stream.read().decode(errors="replace")
