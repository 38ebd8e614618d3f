"""What a job's type runs, when it runs again, what has become of it, and how many run at once: pure rules."""
from __future__ import annotations

import pytest

from ansible_collections.emr.cluster.plugins.module_utils.domain.jobs import admission, retrying
from ansible_collections.emr.cluster.plugins.module_utils.domain.jobs.command import command
from ansible_collections.emr.cluster.plugins.module_utils.domain.jobs.states import judge
from ansible_collections.emr.cluster.plugins.module_utils.node.jobs import progress as job_progress


@pytest.mark.parametrize(("kind", "args", "files", "tail"), [
    ("MR", ["x.jar", "pi"], [], ["jar", "x.jar", "pi"]),
    ("HADOOP_STREAMING", ["-input", "/in"], [], ["streaming", "-input", "/in"]),
    ("HADOOP_STREAMING", ["-input", "/in"], ["m.py", "r.py"], ["streaming", "-files", "m.py,r.py", "-input", "/in"]),
    ("HADOOP_STREAMING", ["-files", "hdfs:///m.py"], ["r.py"], ["streaming", "-files", "hdfs:///m.py,r.py"]),
    ("PYSPARK", [], ["job.py"], ["job.py"]),
    ("SPARK", ["--class", "X", "x.jar"], ["x.jar"], ["--class", "X", "x.jar"]),
    ("SPARK_SQL", [], ["q.sql"], ["-f", "q.sql"]),
    ("SPARK_SQL", ["-e", "select 1"], ["q.sql"], ["-e", "select 1"]),
    ("SHELL", ["hdfs dfs -ls /"], [], ["bash", "-c", "hdfs dfs -ls /"]),
    ("SHELL", ["run.sh", "a"], ["run.sh"], ["bash", "run.sh", "a"]),
    ("SHELL", [], ["run.sh"], ["bash", "run.sh"]),
    ("SHELL", ["echo", "$HOME; rm"], [], ["echo", "$HOME; rm"]),
])
def test_commands_of_jobs(kind, args, files, tail):
    assert command(kind, args, files)[-len(tail):] == tail


def app(state, final="UNDEFINED", name="application_1_0001"):
    return {"id": name, "state": state, "finalStatus": final}


@pytest.mark.parametrize(("kind", "code", "apps", "state", "exit_code"), [
    ("SHELL", 0, [], "SUCCEEDED", 0),
    ("SHELL", 3, [], "FAILED", 3),
    ("SHELL", -9, [], "FAILED", 137),
    ("SHELL", None, [app("FINISHED", "SUCCEEDED")], "LOST", None),
    ("SHELL", 0, [app("FAILED", "FAILED")], "SUCCEEDED", 0),
    ("MR", 0, [app("FINISHED", "SUCCEEDED")], "SUCCEEDED", 0),
    ("MR", 255, [app("FINISHED", "FAILED")], "FAILED", 255),
    ("MR", 255, [app("KILLED", "KILLED")], "KILLED", 255),
    ("MR", None, [app("FINISHED", "SUCCEEDED")], "SUCCEEDED", 0),
    ("MR", -9, [app("FINISHED", "SUCCEEDED")], "SUCCEEDED", 0),
    ("MR", -9, [app("FAILED", "FAILED")], "FAILED", None),
    ("MR", None, [], "LOST", None),
    ("MR", 0, [app("FAILED", "FAILED"), app("FINISHED", "SUCCEEDED")], "SUCCEEDED", 0),
    ("PYSPARK", 0, [app("FINISHED", "FAILED")], "FAILED", 0),
    ("PYSPARK", 1, [app("FINISHED", "SUCCEEDED")], "FAILED", 1),
    ("PYSPARK", 143, [app("KILLED", "KILLED")], "KILLED", 143),
])
def test_a_verdict_agrees_with_yarn(kind, code, apps, state, exit_code):
    found = judge(kind, code, apps)
    assert (found["state"], found["exit_code"]) == (state, exit_code)
    assert bool(found["reason"]) == (code is None or code < 0 or (bool(apps) and kind != "SHELL" and state in ("FAILED", "KILLED")
                                     and (code == 0 or state == "KILLED")))


@pytest.mark.parametrize(("job", "state", "lasted", "delay"), [
    ({}, "FAILED", [1], None),
    ({"retries": 2, "retry_interval_s": 7}, "FAILED", [1], 7),
    ({"retries": 2, "retry_interval_s": 7}, "FAILED", [1, 1], 7),
    ({"retries": 2, "retry_interval_s": 7}, "FAILED", [1, 1, 1], None),
    ({"retries": 2}, "SUCCEEDED", [1], None),
    ({"retries": 2}, "KILLED", [1], None),
    ({"keep_running": True}, "SUCCEEDED", [1], None),
    ({"keep_running": True}, "KILLED", [1], None),
    ({"keep_running": True}, "FAILED", [1], 5),
    ({"keep_running": True}, "LOST", [1, 1, 1], 20),
    ({"keep_running": True}, "FAILED", [1] * 9, 300),
    ({"keep_running": True}, "FAILED", [1, 1, 900], 5),
    ({"keep_running": True}, "FAILED", [900, 1, 1], 10),
    ({"keep_running": True}, "FAILED", [900] + [1] * 11, None),
])
def test_when_a_job_is_run_again(job, state, lasted, delay):
    assert retrying.again(job, state, lasted) == delay


def test_jobs_start_in_order_and_within_the_memory():
    waiting = [("a", 400), ("b", 400), ("c", 900), ("d", 100)]
    assert admission.pick(1000, [], waiting) == ["a", "b"]
    assert admission.pick(1000, [400], waiting) == ["a"]
    assert admission.pick(1000, [900], waiting) == []
    assert admission.pick(500, [], waiting[2:]) == ["c"], "something always runs"
    assert admission.pick(1000, [], [("d", 100)]) == ["d"]


@pytest.mark.parametrize(("text", "mib"), [("2g", 2048), ("512m", 512), ("512", 512), ("1048576k", 1024), ("1t", 1048576), ("2GB", 2048),
                                           ("", 0), ("many", 0), (None, 0)])
def test_sizes(text, mib):
    assert admission.mebibytes(text) == mib


def test_a_driver_on_the_master_needs_its_heap_there():
    assert admission.need("PYSPARK", "client", "2g") == 2560
    assert admission.need("PYSPARK", "cluster", "2g") == admission.need("MR", "", "") == admission.CLIENT_MIB


OURS = {"hadoop": {"tmpjars": "file:///w/a.jar", "tmpfiles": "file:///w/m.py"},
        "spark": {"spark.files": "/w/b.csv", "spark.jars": "/w/a.jar", "spark.submit.pyFiles": "/w/m.py"}}


@pytest.mark.parametrize(("kind", "args", "expected"), [
    ("HADOOP_STREAMING", ["-files", "/user/x.txt#x", "-mapper", "m"], ["-files", "/user/x.txt#x,map.py,file:///w/m.py", "-mapper", "m"]),
    ("HADOOP_STREAMING", ["-files=map.py", "-mapper", "m"], ["-files=map.py,file:///w/m.py", "-mapper", "m"]),
    ("HADOOP_STREAMING", ["-libjars", "b.jar", "-mapper", "m"],
     ["-files", "map.py,file:///w/m.py", "-libjars", "b.jar,file:///w/a.jar", "-mapper", "m"]),
    ("MR", ["main.jar", "Main", "-libjars", "b.jar", "/in"], ["main.jar", "Main", "-libjars", "b.jar,file:///w/a.jar", "/in"]),
    ("MR", ["main.jar", "/in"], ["main.jar", "/in"]),
    ("PYSPARK", ["--files", "x.csv", "--verbose", "map.py", "--files", "own"], ["--files", "x.csv,/w/b.csv", "--verbose", "map.py", "--files", "own"]),
    ("PYSPARK", ["--conf", "spark.jars=b.jar", "--py-files=n.py", "map.py"],
     ["--conf", "spark.jars=b.jar,/w/a.jar", "--py-files=n.py,/w/m.py", "map.py"]),
    ("SPARK_SQL", ["--jars", "b.jar,a.jar", "-e", "select 1"], ["--jars", "b.jar,a.jar", "-e", "select 1"]),
])
def test_lists_of_a_person_and_of_the_request_are_both_shipped(kind, args, expected):
    assert command(kind, args, ["map.py"], overlay=OURS)[-len(expected):] == expected
    assert command(kind, args, ["map.py"], overlay={"hadoop": {}, "spark": {}})[-1] == args[-1]


ACTIVATED = ("[Sun Nov 29 09:56:14 +0000 2026] Application is added to the scheduler and is not yet activated. Queue's AM resource limit exceeded.  "
             "Details : AM Partition = <DEFAULT_PARTITION>; AM Resource Request = <memory:1536, vCores:1>")


@pytest.mark.parametrize(("app", "told"), [
    ({"state": "ACCEPTED", "queue": "root.default", "diagnostics": ACTIVATED},
     "a1 waits in the queue root.default: Application is added to the scheduler and is not yet activated. Queue's AM resource limit exceeded"),
    ({"state": "ACCEPTED", "queue": "root.q", "diagnostics": ""}, "a1 waits in the queue root.q"),
    ({"state": "RUNNING", "progress": 34.2}, "a1 RUNNING, 34 %"), ({"state": "SUBMITTED"}, "a1 SUBMITTED")])
def test_why_an_application_waits_is_told(app, told):
    assert job_progress.line({"id": "a1", **app}, None) == told
