"""Jobs on real hosts: many at once, states against YARN's, errors in the program's own words, kills, and a rebooted master."""
from __future__ import annotations

import json
import os
import signal
import subprocess
import threading

import pytest

from tests.lab import EMRCTL, lab, until

NAME, MASTER = "jobs", "jobs-master-001"
EXAMPLES = "/opt/emr/hadoop/share/hadoop/mapreduce/hadoop-mapreduce-examples-3.4.2.jar"
# Containers whose JVM does not start: the application fails.
BROKEN = ("-D", "mapreduce.map.java.opts=-Xnonsense", "-D", "mapreduce.map.maxattempts=1")
TERMINALS, EACH = 10, 5
STREAM = """import sys
from pyspark.sql import SparkSession
spark = SparkSession.builder.getOrCreate()
source, target, checkpoint = sys.argv[1:4]
query = (spark.readStream.schema("value STRING").text(source).writeStream.format("text").option("path", target)
         .option("checkpointLocation", checkpoint).trigger(processingTime="2 seconds").start())
query.awaitTermination()
"""


@pytest.fixture(scope="module")
def bed(tmp_path_factory):
    with lab(tmp_path_factory.mktemp("jobs"), "soakj", 135, 8035) as it:
        types = ["ecs.c6.large"]
        spec = it.spec(NAME, services=["hadoop", "spark"], node_groups={
            "master": {"count": 1, "instance_types": types}, "slave": {"count": 2, "instance_types": types}})
        it.emrctl("create", str(spec), "--yes", timeout=1800)
        yield it


def applications(bed) -> dict:
    """{job id: [applications with its tag]} as the ResourceManager says."""
    answer = json.loads(bed.ssh(NAME, MASTER, "curl -s 'localhost:8088/ws/v1/cluster/apps?deSelects=resourceRequests'"))
    found: dict = {}
    for app in (answer.get("apps") or {}).get("app") or []:
        for tag in app["applicationTags"].split(","):
            found.setdefault(tag.removeprefix("emr-"), []).append(app)
    return found


def sleeping(bed, seconds: int) -> dict:
    """A job with one container that does nothing for so long."""
    (bed.folder / "slow.py").write_text(f"import sys, time\nfor line in sys.stdin:\n    time.sleep({seconds})\n")
    (bed.folder / "one.txt").write_text("one line\n")
    bed.emrctl("put", NAME, "one.txt", "/user/emr/one.txt")
    return bed.json("submit", NAME, "--type", "HADOOP_STREAMING", "-f", "slow.py", "--", "-D", "mapreduce.job.reduces=0", "-D",
                    "mapreduce.job.maps=1", "-input", "/user/emr/one.txt", "-output", f"/user/emr/slept-{seconds}", "-mapper", "python3 slow.py")


def job(bed, job_id: str) -> dict:
    return bed.json("jobs", "show", NAME, job_id)


def reached(bed, job_id: str, *states: str, limit: float = 1200) -> dict:
    """The job as soon as it is in one of these states."""
    seen: dict = {}
    until(lambda: seen.update(job(bed, job_id)) or seen["state"] in states, f"{job_id} is {' or '.join(states)}", limit)
    return seen


def test_fifty_jobs_from_ten_terminals_all_run_once_and_agree_with_yarn(bed):
    """Each terminal submits its jobs twice with the same tokens, as a script does that is run again."""
    made, trouble = {}, []

    def terminal(number: int) -> None:
        for turn in range(EACH):
            kind, args = ("SHELL", ["echo $EMR_JOB_ID >>/tmp/ran-once"])
            if turn == 0:
                kind, args = ("MR", [EXAMPLES, "pi", "1", "10"])
            elif turn == 1 and number < 4:
                kind, args = ("MR", [EXAMPLES, "pi", *BROKEN, "1", "10"]) if number < 2 else ("SHELL", ["exit 3"])
            token = f"t{number}-{turn}"
            for _again in range(2):
                done = bed.emrctl("submit", NAME, "-q", "--type", kind, "--token", token, "-o", "json", "--", *args, expect=None, timeout=1800)
                if done.returncode:
                    trouble.append(done.stderr)
                else:
                    made.setdefault(token, set()).add(json.loads(done.stdout)["id"])

    threads = [threading.Thread(target=terminal, args=(number,)) for number in range(TERMINALS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not trouble, trouble[0]
    assert len(made) == TERMINALS * EACH and all(len(ids) == 1 for ids in made.values()), made
    ids = {next(iter(found)) for found in made.values()}

    def ended():
        found = {row["id"]: row for row in bed.json("jobs", "list", NAME)}
        return set(found) == ids and all(row["state"] in ("SUCCEEDED", "FAILED") for row in found.values())

    until(ended, "all jobs have ended", 3600)
    found, yarn = {row["id"]: row for row in bed.json("jobs", "list", NAME)}, applications(bed)
    shells = sorted(i for i, row in found.items() if row["type"] == "SHELL" and row["state"] == "SUCCEEDED")
    assert sorted(bed.ssh(NAME, MASTER, "cat /tmp/ran-once").split()) == shells
    assert sum(row["state"] == "FAILED" for row in found.values()) == sum(row["exit_code"] not in (0, None) for row in found.values())
    for job_id, row in found.items():
        assert row["attempts"] == 1 and row["applications"] == [app["id"] for app in yarn.get(job_id, [])]
        if row["type"] == "MR":
            assert [app["finalStatus"] for app in yarn[job_id]] == [row["state"]], row


def test_the_logs_of_a_failed_job_end_with_its_own_error(bed):
    (bed.folder / "in.txt").write_text("a b c\n")
    bed.emrctl("put", NAME, "in.txt", "/user/emr/in.txt")
    (bed.folder / "mapper.py").write_text("print({}['no such airline'])\n")
    (bed.folder / "driver.py").write_text("from pyspark.sql import SparkSession\nspark = SparkSession.builder.getOrCreate()\n"
                                          "spark.range(3).count()\nraise ValueError('the flights are missing')\n")
    streaming = bed.emrctl("submit", NAME, "--type", "HADOOP_STREAMING", "-f", "mapper.py", "--wait", "-o", "json", "--", "-D", "mapreduce.job.reduces=0",
                           "-input", "/user/emr/in.txt", "-output", "/user/emr/never", "-mapper", "python3 mapper.py", expect=5, timeout=1800)
    driver = bed.emrctl("submit", NAME, "--type", "PYSPARK", "-f", "driver.py", "--wait", "-o", "json", expect=5, timeout=1800)
    moved = bed.emrctl("submit", NAME, "--type", "PYSPARK", "-f", "driver.py", "-p", "spark.submit.deployMode=cluster", "--wait", "-o", "json",
                       expect=5, timeout=1800)
    for done, last in ((streaming, "KeyError: 'no such airline'"), (driver, "ValueError: the flights are missing"),
                       (moved, "ValueError: the flights are missing")):
        found = json.loads(done.stdout)
        assert found["state"] == "FAILED" and found["error"].splitlines()[-1] == last, found
        assert bed.emrctl("jobs", "logs", NAME, found["id"]).stdout.rstrip().endswith(last)
    assert applications(bed)[json.loads(moved.stdout)["id"]][0]["finalStatus"] == "FAILED"


def test_the_sentence_of_a_program_wins_and_what_it_printed_is_bounded(bed):
    (bed.folder / "sentence.py").write_text("import sys\nfrom pyspark.sql import SparkSession\nSparkSession.builder.getOrCreate().range(3).show()\n"
                                            "sys.exit('no data for yesterday')\n")
    for more in ((), ("-p", "spark.submit.deployMode=cluster")):
        found = json.loads(bed.emrctl("submit", NAME, "--type", "PYSPARK", "-f", "sentence.py", *more, "--wait", "-o", "json", expect=5,
                                      timeout=1800).stdout)
        assert found["error"].splitlines()[-1] == "no data for yesterday" and "OnOutOfMemoryError" not in found["error"], found["error"]
    query = json.loads(bed.emrctl("submit", NAME, "--type", "SPARK_SQL", "--wait", "-o", "json", "--", "-e", "select nope", expect=5, timeout=1800).stdout)
    assert query["error"].startswith("[UNRESOLVED_COLUMN"), query["error"]
    chatty = bed.json("submit", NAME, "--type", "SHELL", "--wait", "--", "echo first; yes line | head -c 300M; echo last", timeout=1800)
    text = bed.emrctl("jobs", "logs", NAME, chatty["id"]).stdout
    assert text.startswith("first\n") and text.endswith("last\n") and "bytes are left out here" in text and len(text) <= 64 << 20
    assert int(bed.ssh(NAME, MASTER, f"stat -c %s /var/lib/emr/jobs/{chatty['id']}/stdout.log")) <= 64 << 20


def test_files_of_a_person_and_of_the_request_are_both_shipped_and_what_no_node_has_is_refused(bed):
    (bed.folder / "side.txt").write_text("hello\n")
    (bed.folder / "own.py").write_text("import sys\nfor line in sys.stdin:\n    print(open('side.txt').read().strip(), line.strip())\n")
    bed.emrctl("put", NAME, "side.txt", "/user/emr/side.txt")
    bed.json("submit", NAME, "--type", "HADOOP_STREAMING", "-f", "own.py", "--wait", "--", "-files", "hdfs:///user/emr/side.txt", "-D",
             "mapreduce.job.reduces=0", "-input", "/user/emr/in.txt", "-output", "/user/emr/both", "-mapper", "python3 own.py", timeout=1800)
    assert bed.emrctl("cat", NAME, "/user/emr/both").stdout.split() == ["hello", "a", "b", "c"]
    refused = bed.emrctl("submit", NAME, "--type", "PYSPARK", "-f", "sentence.py", "--memory", "640g", expect=3)
    assert "no node of this cluster has more than" in refused.stderr


def test_a_killed_terminal_changes_nothing_and_an_interrupted_one_says_how_to_look(bed):
    def waiting(token: str) -> tuple:
        process = subprocess.Popen([*EMRCTL, "submit", NAME, "--type", "SHELL", "--token", token, "--wait", "--", "sleep 60; echo done"],
                                   env=bed.env, cwd=bed.folder, text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, start_new_session=True)
        lines = []
        for line in process.stderr:
            lines.append(line)
            if "RUNNING" in line:
                return process, next(word for word in line.split() if word.startswith("j-"))
        raise AssertionError(f"it never ran: {''.join(lines)}{process.stdout.read()}")

    process, first = waiting("killed")
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    process, second = waiting("interrupted")
    os.kill(process.pid, signal.SIGINT)
    said = process.communicate(timeout=120)[1]
    assert process.returncode == 130 and f"emrctl jobs show {NAME} {second}" in said, said
    for job_id in (first, second):
        assert reached(bed, job_id, "SUCCEEDED", "FAILED", "KILLED", "LOST")["state"] == "SUCCEEDED"
        assert bed.json("jobs", "logs", NAME, job_id)["stdout"] == "done\n"


def test_a_client_that_dies_leaves_the_verdict_to_yarn(bed):
    made = sleeping(bed, 40)
    until(lambda: any(app["state"] == "RUNNING" for app in applications(bed).get(made["id"], [])), "its application runs", 600)
    bed.ssh(NAME, MASTER, "kill -9 $(pgrep -u emr -f hadoop-streaming)")
    assert job(bed, made["id"])["state"] == "RUNNING"
    found = reached(bed, made["id"], "SUCCEEDED", "FAILED", "KILLED", "LOST")
    assert found["state"] == "SUCCEEDED" and "signal 9" in found["reason"], found


def test_a_kill_ends_the_application_too(bed):
    made = sleeping(bed, 600)
    until(lambda: applications(bed).get(made["id"]), "it has an application", 600)
    assert bed.json("jobs", "kill", NAME, made["id"])["state"] == "KILLED"
    assert [app["state"] for app in applications(bed)[made["id"]]] == ["KILLED"]


def test_a_stream_outlives_the_masters_reboot_without_losing_or_repeating(bed):
    (bed.folder / "stream.py").write_text(STREAM)
    bed.ssh(NAME, MASTER, "runuser -u emr -- /opt/emr/hadoop/bin/hdfs dfs -mkdir -p /user/emr/stream/in")
    made = bed.json("submit", NAME, "--type", "SPARK_STREAMING", "-f", "stream.py", "--keep-running", "--", "stream.py",
                    "/user/emr/stream/in", "/user/emr/stream/out", "/user/emr/stream/checkpoint")
    written: list = []

    def arrives(number: int) -> None:
        rows = [f"{number}-{row}" for row in range(100)]
        (bed.folder / f"part-{number}").write_text("".join(f"{row}\n" for row in rows))
        bed.emrctl("put", NAME, f"part-{number}", "/user/emr/stream/in/")
        written.extend(rows)

    def sunk() -> list:
        out = bed.ssh(NAME, MASTER, "runuser -u emr -- /opt/emr/hadoop/bin/hdfs dfs -cat '/user/emr/stream/out/part-*' 2>/dev/null; true")
        return sorted(out.split())

    arrives(1)
    until(lambda: sunk() == sorted(written), "the first file is in the sink", 900)
    # Begun now, so that it has not ended by itself when the master goes down, however slow this machine is.
    batch = sleeping(bed, 240)
    until(lambda: any(app["state"] == "RUNNING" for app in applications(bed).get(batch["id"], [])), "the batch job runs", 600)
    before = applications(bed)[made["id"]]
    instance = next(i["InstanceId"] for i in bed.instances(NAME) if i["InstanceName"] == MASTER)
    boot = bed.ssh(NAME, MASTER, "cat /proc/sys/kernel/random/boot_id /proc/1/stat")
    bed.ecs("RebootInstance", InstanceId=instance)
    until(lambda: bed.ssh(NAME, MASTER, "cat /proc/sys/kernel/random/boot_id /proc/1/stat", check=False) not in ("", boot), "the master is back", 300)
    until(lambda: bed.emrctl("put", NAME, "one.txt", "/user/emr/again.txt", expect=None).returncode == 0, "HDFS takes files", 600)
    arrives(2)
    until(lambda: len(applications(bed).get(made["id"], [])) > len(before), "the stream has a new application", 900)
    until(lambda: sunk() == sorted(written), "both files are in the sink, each line once", 900)
    found = job(bed, made["id"])
    assert found["state"] == "RUNNING" and [row["state"] for row in found["history"]][:4] == ["SUBMITTED", "RUNNING", "RETRYING", "RUNNING"]
    assert reached(bed, batch["id"], "SUCCEEDED", "FAILED", "KILLED", "LOST")["state"] == applications(bed)[batch["id"]][-1]["finalStatus"]
    assert bed.json("jobs", "kill", NAME, made["id"])["state"] == "KILLED"
    assert all(app["state"] in ("KILLED", "FINISHED", "FAILED") for app in applications(bed)[made["id"]])
