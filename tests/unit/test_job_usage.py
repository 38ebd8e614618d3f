"""What jobs have used and cost, why they were slow, and the report: small inputs, and histories as the daemons tell them."""
from __future__ import annotations

import json
import time

import pytest

from ansible_collections.emr.cluster.plugins.module_utils.domain import paths
from ansible_collections.emr.cluster.plugins.module_utils.domain.jobs import report as judgement, usage as figures
from ansible_collections.emr.cluster.plugins.module_utils.domain.jobs.slowness import reasons
from ansible_collections.emr.cluster.plugins.module_utils.domain.jobs.usage import (
    at,
    cost,
    of_application,
    spent,
    spread,
    together,
)
from ansible_collections.emr.cluster.plugins.module_utils.node.config.configure import keep_price
from ansible_collections.emr.cluster.plugins.module_utils.node.jobs import (
    record as job_record,
    usage as job_usage,
    yarn as job_yarn,
)
from ansible_collections.emr.cluster.plugins.module_utils.node.services import hooks, mapreduce, spark
from ansible_collections.emr.cluster.plugins.module_utils.services.registry import HOMES
from ansible_collections.emr.cluster.plugins.plugin_utils.report_page import page
from emrctl import views_usage

PRICE = {"hourly": 3.6, "currency": "CNY", "since": 0.0}
APP = {"id": "application_1_0001", "applicationType": "MAPREDUCE", "queue": "root.night", "memorySeconds": 1000, "vcoreSeconds": 10, "startedTime": 5000,
       "launchTime": 9000, "finishedTime": 60000}


def stage(**more) -> dict:
    return {"name": "reduce tasks", "tasks": 8, "failed": 0, "killed": 0, "run_s": 100.0, "gc_s": 0.0, "cpu_s": 50.0, "wait_s": 0.0, "median_s": 10.0,
            "max_s": 12.0, **more}


def why(job=None, app=None, **more) -> list:
    found = together([{**of_application(APP), "wait_s": 0, "stages": [stage(**more)], **(app or {})}])
    return [(row["cause"], row["text"]) for row in reasons(found, {"seconds": 60, **(job or {})}, lambda _app: {})]


# -- the price

def test_jobs_that_fill_the_cluster_for_an_hour_cost_what_it_costs():
    half = {"memory_mib_s": 4096 * 1800, "vcore_s": 8 * 1800}
    assert cost(half, PRICE, 4096, 8) == {"amount": 1.8, "currency": "CNY"}
    # Memory alone is half of the price.
    assert cost({"memory_mib_s": 4096 * 3600, "vcore_s": 0}, PRICE, 4096, 8)["amount"] == 1.8
    assert cost(half, None, 4096, 8) is None and cost(half, PRICE, 0, 8) is None


def test_the_price_is_that_of_the_time():
    rows = [{"since": 100, "hourly": 1.0}, {"since": 200, "hourly": 2.0}]
    assert [at(rows, moment)["hourly"] for moment in (50, 150, 250)] == [1.0, 1.0, 2.0] and at([], 1) is None
    assert spent(rows, 0, 300) * 3600 == pytest.approx(300.0) and spent(rows, 150, 160) * 3600 == pytest.approx(10.0)


def test_prices_are_kept_when_they_change(tmp_path, monkeypatch):
    monkeypatch.setattr(paths, "PRICES", str(tmp_path / "cluster" / "prices.json"))
    for hourly in (1.0, 1.0, 2.0):
        keep_price({"hourly": hourly, "currency": "CNY", "source": "list"})
    keep_price({})
    assert [row["hourly"] for row in job_usage.prices()] == [1.0, 2.0]


def test_what_yarn_says_of_an_application():
    assert of_application(APP) == {"memory_mib_s": 1000, "vcore_s": 10, "preempted_mib_s": 0, "wait_s": 4.0, "id": APP["id"], "queue": "night"}
    assert of_application({**APP, "launchTime": 0})["wait_s"] == 55.0
    assert spread([3, 1, 2, 9]) == {"median_s": 2, "p95_s": 3, "max_s": 9} and spread([]) == {}


# -- why it was slow

@pytest.mark.parametrize(("more", "cause", "words"), [
    ({"max_s": 95.0, "median_s": 2.0, "max_bytes": 450 << 20, "median_bytes": 3 << 20}, "skew", "took 95 s, half of them 2.0 s or less. It had 450.0 MiB"),
    ({"max_s": 95.0, "median_s": 2.0, "max_bytes": 5 << 20, "median_bytes": 4 << 20}, "straggler", "with no more data than others"),
    ({"spill_times": 3.0, "written_mib": 100}, "spill", "wrote each record to disk 3 times"),
    ({"spilled_mib": 900, "written_mib": 100}, "spill", "spilled 900.0 MiB to disk, to work on 100.0 MiB"),
    ({"gc_s": 40.0}, "garbage", "40% of the time of tasks"), ({"failed": 1}, "failed", "1 attempt failed"),
    ({"wait_s": 30.0}, "containers", "waited 30 s until its first task ran")])
def test_each_cause_is_told(more, cause, words):
    found = why(**more)
    assert [name for name, _text in found] == [cause] and words in found[0][1]


def test_what_is_fine_is_not_told():
    assert why() == [] and why(max_s=24.0) == [] and why(spill_times=1.0, written_mib=500) == [] and why(spill_times=3.0, written_mib=1) == []
    assert why(gc_s=4.0) == [] and why(wait_s=4.0) == [] and why(max_s=3.0, median_s=0.1) == []
    # Of a long job, seconds do not matter.
    assert why({"seconds": 3600}, max_s=95.0, median_s=2.0) == []


def test_waiting_attempts_and_lost_containers():
    history = [{"state": "SUBMITTED", "time": 0}, {"state": "RUNNING", "time": 1, "attempt": 1}, {"state": "RETRYING", "time": 41, "attempt": 1},
               {"state": "RUNNING", "time": 51, "attempt": 2}, {"state": "SUCCEEDED", "time": 60, "attempt": 2}]
    found = why({"attempts": 2, "history": history}, {"wait_s": 20.0, "lost": 2, "preempted_mib_s": 5})
    assert [name for name, _text in found] == ["attempts", "queue", "preempted", "lost"]
    assert "those before the last one took 50 s" in found[0][1] and "waited 20 s in the queue night" in found[1][1]


def test_each_framework_says_what_helps():
    causes = {"skew", "straggler", "containers", "spill", "garbage", "failed", "memory"}
    for home in HOMES.values():
        if home.history:
            assert causes <= set(home.history.remedies)
            assert home.history.remedies["memory"].format(wanted=1024, heap=800)
            assert callable(hooks.hook(home.history.hook, "HISTORIES"))


# -- histories

class Told:
    """A daemon with answers by path."""

    def __init__(self, answers):
        self.answers = answers

    def __call__(self, _base, name):
        return self

    def look(self, path, _limit):
        return self.answers.get(path)


def group(name, rows) -> dict:
    return {"counterGroupName": name, "counter": [{"name": key, "mapCounterValue": one, "reduceCounterValue": two, "totalCounterValue": one + two}
                                                  for key, (one, two) in rows.items()]}


def test_the_history_of_mapreduce(monkeypatch):
    path = "/ws/v1/history/mapreduce/jobs/job_1_0001"
    tasks = [{"id": f"task_r_{at}", "type": "REDUCE", "state": "SUCCEEDED", "elapsedTime": 2000 if at else 90000, "startTime": 20000} for at in range(4)]
    tasks += [{"id": "task_m_0", "type": "MAP", "state": "SUCCEEDED", "elapsedTime": 5000, "startTime": 16000}]
    counted = [group("org.apache.hadoop.mapreduce.FileSystemCounter", {"FILE_BYTES_READ": (7, 7), "HDFS_BYTES_READ": (1000, 0), "OSS_BYTES_WRITTEN": (0, 50)}),
               group("org.apache.hadoop.mapreduce.TaskCounter", {
                   "MAP_OUTPUT_RECORDS": (100, 0), "REDUCE_INPUT_RECORDS": (0, 100), "SPILLED_RECORDS": (300, 100), "GC_TIME_MILLIS": (2000, 0),
                   "CPU_MILLISECONDS": (4000, 1000), "MAP_OUTPUT_BYTES": (64 << 20, 0), "MAP_PHYSICAL_MEMORY_BYTES_MAX": (300 << 20, 0)}),
               group("org.apache.hadoop.mapreduce.JobCounter", {"MILLIS_MAPS": (5000, 0), "MB_MILLIS_MAPS": (5120000, 0)})]

    def one(size):
        return {"jobTaskCounters": {"taskCounterGroup": [{"counter": [{"name": "REDUCE_SHUFFLE_BYTES", "value": size}]}]}}
    answers = {path: {"job": {"mapsTotal": 1, "reducesTotal": 4, "failedMapAttempts": 2, "startTime": 10000}},
               f"{path}/counters": {"jobCounters": {"counterGroup": counted}}, f"{path}/tasks": {"tasks": {"task": tasks}},
               f"{path}/tasks/task_r_0/counters": one(9 << 20), f"{path}/tasks/task_r_3/counters": one(1 << 20)}
    monkeypatch.setattr(mapreduce, "Daemon", Told(answers))
    found = mapreduce.history("http://h", APP)
    first, second = found["stages"]
    assert (found["read_bytes"], found["written_bytes"], found["cpu_s"], found["asked_mib"], found["peak_mib"]) == (1000, 50, 5.0, 1024, 300)
    assert (first["failed"], first["spill_times"], first["wait_s"], first["gc_s"]) == (2, 3.0, 6.0, 2.0)
    assert (second["max_s"], second["median_s"], second["max_bytes"], second["median_bytes"]) == (90.0, 2.0, 9 << 20, 1 << 20)
    told = reasons(together([{**of_application(APP), **found}]), {"seconds": 100}, lambda _app: {})
    assert {row["cause"] for row in told} == {"skew", "spill", "failed"}
    del answers[f"{path}/counters"]
    assert mapreduce.history("http://h", APP) is None


def test_the_history_of_spark(monkeypatch):
    path = "/api/v1/applications/application_1_0001"
    rows = [{"status": "COMPLETE", "stageId": 3, "attemptId": 0, "name": "count at /var/lib/x.py:5", "numTasks": 8, "executorRunTime": 100000, "executorCpuTime": 5 * 10**10,
             "jvmGcTime": 30000, "inputBytes": 100 << 20, "outputBytes": 5, "diskBytesSpilled": 900 << 20, "submissionTime": "2026-11-29T12:00:00.000GMT",
             "firstTaskLaunchedTime": "2026-11-29T12:00:12.500GMT"}, {"status": "SKIPPED", "stageId": 4, "attemptId": 0}]
    answers = {path: {"attempts": [{"completed": True, "attemptId": "1"}]}, f"{path}/1/stages": rows,
               f"{path}/1/allexecutors": [{"id": "driver"}, {"id": "1", "peakMemoryMetrics": {"ProcessTreeJVMRSSMemory": 500 << 20, "JVMHeapMemory": 1},
                                                           "removeReason": "Container killed by YARN for exceeding physical memory limits"},
                                          {"id": "2", "peakMemoryMetrics": {"JVMHeapMemory": 200 << 20}, "removeReason": "Executor idle timeout: killed by driver"}],
               f"{path}/1/environment": {"sparkProperties": [["spark.executor.memory", "1g"], ["spark.executor.memoryOverhead", "500m"]]},
               f"{path}/1/stages/3/0/taskSummary?quantiles={spark.QUANTILES}": {
                   "duration": [1000.0, 2000.0, 60000.0], "shuffleReadMetrics": {"readBytes": [1024.0, 0, 80.0 * (1 << 20)]}}}
    monkeypatch.setattr(spark, "Daemon", Told(answers))
    found = spark.history("http://h", {**APP, "applicationType": "SPARK"})
    assert (found["peak_mib"], found["asked_mib"], found["lost"], found["read_bytes"]) == (500, 1524, 1, 100 << 20)
    told = {row["cause"]: row["text"] for row in reasons(together([{**of_application(APP), **found}]), {"seconds": 100}, lambda _app: {})}
    assert set(told) == {"skew", "spill", "garbage", "containers", "lost"} and "Stage 3 (count at x.py:5)" in told["skew"]
    answers[path] = {"attempts": [{"completed": False}]}
    assert spark.history("http://h", APP) is None


# -- the record of a job

@pytest.fixture
def master(tmp_path, monkeypatch):
    """A job that has ended, with an application; ``facts`` is what its history says."""
    job, it = "j-20260101-000000-abcd", {"facts": None, "apps": [APP]}
    (tmp_path / job).mkdir()
    (tmp_path / job / "job.json").write_text(json.dumps({"id": job, "user": "emr", "submitted": 1}))
    (tmp_path / job / "states").write_text(json.dumps({"state": "SUCCEEDED", "time": time.time()}) + "\n")
    (tmp_path / job / "apps").write_text(json.dumps([APP]))
    known = {"resourcemanager": "http://rm", "histories": [{"types": ["MAPREDUCE"], "hook": "mapreduce.applications", "url": "http://h", "remedies": {"skew": "salt"}}]}
    monkeypatch.setattr(job_record, "JOBS", str(tmp_path))
    monkeypatch.setattr(job_record, "settings", lambda: known)
    monkeypatch.setattr(paths, "PRICES", str(tmp_path / "prices.json"))
    (tmp_path / "prices.json").write_text(json.dumps([PRICE]))
    monkeypatch.setattr(job_yarn, "measured", lambda *_args: it["apps"])
    monkeypatch.setattr(job_usage, "hook", lambda *_args: lambda _url, _app: it["facts"])
    monkeypatch.setattr(job_usage, "PAUSE_S", 0)
    monkeypatch.setattr(job_usage, "ResourceManager", lambda _base: type("Rm", (), {"look": lambda *_args: {
        "clusterMetrics": {"totalMB": 1000, "totalVirtualCores": 12, "totalClusterResourcesAcrossPartition": {"memory": 1000, "vCores": 10}}}})())
    return job, it


def test_yarn_first_and_the_history_when_it_comes(master):
    job, it = master
    found = job_usage.collect(job, quick=True)
    assert (found["complete"], found["memory_mib_s"], found["cost"]["amount"]) == (False, 1000, 0.001)
    assert job_usage.used(job)["complete"] is False
    it["facts"] = {"read_bytes": 5, "stages": [stage(max_s=95.0, median_s=2.0, max_bytes=9 << 20, median_bytes=1)]}
    found = job_usage.used(job)
    assert found["complete"] and found["read_bytes"] == 5 and found["cost"]["amount"] == 0.001
    it["apps"] = None
    assert job_usage.used(job) == found
    assert [row["helps"] for row in job_usage.why_slow(found, {"id": job, "seconds": 100})] == ["salt"]


def test_a_resourcemanager_that_is_silent_leaves_it_open(master):
    job, it = master
    it["apps"] = None
    assert job_usage.used(job) is None


# -- the report

def work(at, **more) -> dict:
    used = dict(together([{**of_application(APP), "memory_mib_s": 36000 * 1000, "vcore_s": 36000, "cpu_s": 3600.0,
                           "stages": [stage(asked_mib=2048, peak_mib=400, run_s=100)]}]), cost={"amount": 1.0, "currency": "CNY"})
    return {"id": f"j-{at}", "name": "daily", "type": "MR", "user": "alice", "queue": "night", "flow": "sales", "state": "SUCCEEDED", "seconds": 100, "waited_s": at,
            "usage": used, **more}


def test_the_report():
    rows = [work(1), work(3, user="bob", state="FAILED", flow=""), work(2, usage=None, name="<b>")]
    found = judgement.report(rows, [PRICE], 0, 36000.0, {"memory_mib": 4000, "vcores": 4}, {"MR": {"memory": "-D m={wanted} -Xmx{heap}m"}})
    assert found["cluster"] == {"hours": 10.0, "cost": 36.0, "work_cost": 2.0, "unused_cost": 34.0, "memory_share": 0.5, "vcore_share": 0.5}
    assert [(row["user"], row["jobs"], row["failed"], row["cost"], row["share"]) for row in found["by"]["user"]] == [("alice", 2, 0, 1.0, 0.5), ("bob", 1, 1, 1.0, 0.5)]
    assert [row["flow"] for row in found["by"]["flow"]] == ["sales"] and found["jobs"]["waited_most_s"] == 3
    first = found["wasteful"][0]
    assert first["suggestion"] == "asks for 2,048 MiB in a container and used 400 at most: -D m=512 -Xmx409m" and 0.8 < first["wasted"] < 0.9
    assert "-Xmx614m" in judgement.suggestion({"asked_mib": 2048, "peak_mib": 400, "cpu": 0.5}, {"memory": "-Xmx{heap}m", "least_heap_mib": 450})
    text = page({**found, "name": "c"})
    assert "&lt;b&gt;" in text and "<b>" not in text and "src=" not in text and "http" not in text
    assert "alice" in views_usage.report({**found, "name": "c"}, True, "x.html")


def test_a_report_of_a_cluster_that_did_nothing_and_knows_no_price():
    found = judgement.report([], [], 0, 100.0, {"memory_mib": 0, "vcores": 0}, {})
    assert found["wasteful"] == [] and "not known yet" in views_usage.report({**found, "name": "c"}, False, "") and page({**found, "name": "c"})


def test_a_job_of_before_has_nothing_to_show():
    assert views_usage.used({}) == "" and views_usage.slow({"slow": []}) == "" and views_usage.brief({"usage": None}) == {}
    assert figures.together([])["memory_mib_s"] == 0
