"""Flows as trees, what the controller packs, and the flow runner's arithmetic on its record."""
from __future__ import annotations

import calendar
import io
import json
import tarfile
import time
import types

import pytest

from ansible_collections.emr.cluster.plugins.action import flow as action
from ansible_collections.emr.cluster.plugins.module_utils.domain import paths
from ansible_collections.emr.cluster.plugins.module_utils.domain.errors import Refused, SpecError
from ansible_collections.emr.cluster.plugins.module_utils.domain.flows import timetable, units as resident_flows
from ansible_collections.emr.cluster.plugins.module_utils.domain.resident import package as resident
from ansible_collections.emr.cluster.plugins.module_utils.domain.topology.nodes import Node, Topology
from ansible_collections.emr.cluster.plugins.module_utils.node.common import NodeError
from ansible_collections.emr.cluster.plugins.module_utils.node.flows import (
    operations as flow_operations,
    record as flow_record,
    runner as flow_run,
    schedule,
)
from ansible_collections.emr.cluster.plugins.module_utils.node.jobs import (
    operations as job_operations,
    record as job_record,
)
from ansible_collections.emr.cluster.plugins.plugin_utils.flow_pack import packed, read_flow
from emrctl import views_flow


def job(name: str, after=(), state: str = "SUCCEEDED", **more) -> dict:
    return {"name": name, "after": list(after), "state": state, "job": "", "seconds": None, "on_failure": "stop", "exit_code": None,
            "reason": "", **more}


def test_jobs_are_drawn_below_the_last_of_those_that_they_wait_for():
    jobs = [job("load", seconds=3.0, job="j-1"), job("left", ["load"]), job("right", ["load"], "FAILED", on_failure="continue"),
            job("tell", ["left", "right"], "WAITING"), job("alone", state="RUNNING", progress=40)]
    assert views_flow.tree(jobs) == [
        "├─ load        SUCCEEDED        3.0s  j-1",
        "│  ├─ left     SUCCEEDED",
        "│  └─ right    FAILED, goes on",
        "│     └─ tell  WAITING                (also after left)",
        "└─ alone       RUNNING 40%"]


def test_a_failed_flow_says_why_and_what_to_do():
    text = views_flow.flow("sales", {"name": "daily", "id": "f-1", "state": "FAILED", "seconds": 61,
                                     "jobs": [job("a", state="FAILED", exit_code=3), job("b", ["a"], "SKIPPED")]})
    assert "a: exit code 3" in text and "emrctl flow retry sales f-1" in text and "emrctl flow logs sales f-1" in text


FLOW = """\
name: daily
jobs:
  a: {type: SHELL, files: [x.txt, "hdfs:///lib/y.txt"], args: "cat x.txt # ${day}", timeout: 2m}
  b: {type: SHELL, files: sub/x.txt}
"""


def test_files_are_packed_by_job_with_times_in_seconds(tmp_path):
    (tmp_path / "sub").mkdir()
    (tmp_path / "x.txt").write_text("one")
    (tmp_path / "sub" / "x.txt").write_text("two")
    (tmp_path / "flow.yml").write_text(FLOW)
    flow = read_flow({"flow_file": str(tmp_path / "flow.yml"), "parameters": {"day": 1}})
    jobs = flow.definition["jobs"]
    assert jobs["a"]["files"] == ["a/files/x.txt", "hdfs:///lib/y.txt"] and jobs["b"]["files"] == ["b/files/x.txt"]
    assert (jobs["a"]["timeout_s"], jobs["a"]["retry_interval_s"], jobs["b"]["timeout_s"]) == (120, 30, 0)
    assert flow.definition["parameters"] == {"day": "1"}
    before = flow.digest()
    with tarfile.open(fileobj=io.BytesIO(packed(flow))) as tar:
        assert sorted(tar.getnames()) == ["a/files/x.txt", "b/files/x.txt"]
        assert tar.extractfile("b/files/x.txt").read() == b"two"
    (tmp_path / "sub" / "x.txt").write_text("three")
    assert read_flow({"flow_file": str(tmp_path / "flow.yml"), "parameters": {"day": 1}}).digest() != before


@pytest.mark.parametrize(("given", "told"), [
    ({"dya": "1"}, r"the flow has no parameter dya: nothing in it names \$\{dya\}\n  Did you mean day\?.* day, dir, month or part"),
    ({"x": "1"}, "use a valid name: day, dir, month or part"), ({"yyyy": "1"}, "no parameter yyyy"),
    ({"day": "${dir}"}, r"in a circle: (dir names day names dir|day names dir names day)")])
def test_a_parameter_that_nothing_uses_is_refused_with_the_nearest_name(tmp_path, given, told):
    (tmp_path / "q.sql").write_text("select ${month}")
    (tmp_path / "flow.yml").write_text("name: daily\nparameters: {dir: '/tmp/${day}/${part}', day: x, part: y}\n"
                                       "jobs: {a: {type: SPARK_SQL, files: q.sql, args: '-f q.sql $${dya}'}}\n")
    with pytest.raises(Refused, match=told):
        read_flow({"flow_file": str(tmp_path / "flow.yml"), "parameters": given})
    good = {"month": 3, "day": "z", "part": "${yyyy}"}
    assert read_flow({"flow_file": str(tmp_path / "flow.yml"), "parameters": good}).definition["parameters"] == {
        "dir": "/tmp/${day}/${part}", "month": "3", "day": "z", "part": "${yyyy}"}


def test_a_parameter_of_a_flow_without_any_is_refused_also_for_a_schedule_of_a_job():
    request = {"type": "SHELL", "args": "echo ${HOME}"}
    with pytest.raises(Refused, match="no parameter HMOE.*\n.*Did you mean HOME"):
        read_flow({"request": request, "name": "lone", "parameters": {"HMOE": 1}})
    with pytest.raises(Refused, match=r"no parameter day.*\n.*or write \$\{day\} where its value belongs"):
        read_flow({"request": request, "name": "lone", "parameters": {"day": 1}})


def test_parameters_that_name_each_other_in_a_circle_are_told_with_their_line(tmp_path):
    (tmp_path / "flow.yml").write_text("name: daily\nparameters:\n  c: x\n  a: '${b}'\n  b: '-${a}'\njobs: {a: {type: SHELL, args: ls}}\n")
    with pytest.raises(SpecError, match=r"flow.yml:4: parameters.a: parameters name each other in a circle: a names b names a\."):
        read_flow({"flow_file": str(tmp_path / "flow.yml")})


def test_a_file_that_is_missing_is_told_with_its_line(tmp_path):
    (tmp_path / "flow.yml").write_text(FLOW)
    with pytest.raises(SpecError) as refused:
        read_flow({"flow_file": str(tmp_path / "flow.yml")})
    assert f"flow.yml:3: jobs.a.files[0]: there is no file {tmp_path}/x.txt" in str(refused.value)


def test_the_package_on_the_masters_holds_all_that_the_program_imports():
    files = resident.package()
    assert {f"{resident.PACKAGE}/{name}" for name in (
        "node/flows/program.py", "node/flows/runner.py", "node/flows/schedule.py", "domain/flows/plan.py", "domain/flows/timetable.py")} <= set(files)
    first, second = (Node(name=name, group="master", role="master", address=address, memory_mib=4096, vcpus=2)
                     for name, address in (("m1", "10.0.0.1"), ("m2", "10.0.0.2")))
    topology = Topology("sales", "emr-1", (first, second))
    assert [row["unit"] for row in resident_flows.side_units(topology, first)] == ["emr-flows.service"]
    assert resident_flows.side_units(topology, second) == []
    assert paths.FLOWS_PROGRAM in resident.PROGRAMS


@pytest.fixture
def flows(tmp_path, monkeypatch):
    """The record of flows in a folder of the test's own, and jobs that are only counted."""
    monkeypatch.setattr(flow_record, "FLOWS", str(tmp_path))
    monkeypatch.setattr(flow_run, "FLOWS", str(tmp_path))
    return tmp_path


def wanted(**jobs) -> dict:
    return {"name": "daily", "who": "me", "time": 1.0, "zone": "UTC", "parallel": 4, "token": "t1",
            "jobs": {name: {"type": "SHELL", "args": ["x"], "after": after, "on_failure": "stop", "files": ["a/files/x"]}
                     for name, after in jobs.items()}}


def test_a_token_makes_one_flow_and_a_cut_line_of_the_record_counts_for_nothing(flows):
    flow_id, new = flow_record.create(wanted(a=[]))
    assert new and flow_record.create(wanted(a=[])) == (flow_id, False)
    flow_record.note(flow_id, "RUNNING")
    flow_record.note(flow_id, "STARTING", job="a", attempt=1)
    with (flows / flow_id / "states").open("a") as out:
        out.write('{"job": "a", "state": "SUCC')
    state, jobs = flow_record.state_of(flow_record.history(flow_id))
    assert (state, jobs["a"]["state"]) == ("RUNNING", "STARTING")
    with pytest.raises(NodeError, match="no flow ../x"):
        flow_record.folder_of("../x")


def test_a_runner_that_was_killed_submits_with_the_same_token_and_goes_on(flows, monkeypatch):
    submitted: dict = {}

    class Killed(BaseException):
        pass

    def submit(request):
        submitted.setdefault(request["token"], []).append(request)
        if len(submitted) == 1 and len(submitted[request["token"]]) == 1:
            raise Killed  # the job was taken, the runner ends before it can write that down
        return {"job": {"id": "j-" + request["token"]}}

    monkeypatch.setattr(flow_run.job, "submit", submit)
    monkeypatch.setattr(flow_run.job, "show", lambda job_id: {"id": job_id, "state": "SUCCEEDED", "exit_code": 0, "seconds": 1.0})
    flow_id, _new = flow_record.create(wanted(a=[], b=["a"]))
    with pytest.raises(Killed):
        flow_run.Runner(flow_id).step()
    second = flow_run.Runner(flow_id)
    for _step in range(10):
        if second.step():
            break
    assert flow_record.state_of(flow_record.history(flow_id))[0] == "SUCCEEDED"
    assert {token: len(rows) for token, rows in submitted.items()} == {f"{flow_id}.a.1": 2, f"{flow_id}.b.1": 1}
    request = submitted[f"{flow_id}.b.1"][0]
    assert request["files"] == [f"{flows}/{flow_id}/files/a/files/x"] and request["name"] == "daily.b"
    json.dumps(request)


def test_a_job_that_cannot_be_submitted_fails_the_flow_with_the_reason(flows, monkeypatch):
    def submit(_request):
        raise NodeError("no job runs as nobody")

    monkeypatch.setattr(flow_run.job, "submit", submit)
    flow_id, _new = flow_record.create(wanted(a=[], b=["a"]))
    runner = flow_run.Runner(flow_id)
    assert any(runner.step() for _step in range(5))
    state, jobs = flow_record.state_of(flow_record.history(flow_id))
    assert state == "FAILED" and jobs["a"]["reason"] == "no job runs as nobody" and jobs["b"]["state"] == "SKIPPED"


def test_a_flow_tells_a_failed_job_in_the_words_of_its_program(flows, tmp_path_factory, monkeypatch):
    """Which the supervisor finds a while after the job has ended, so whoever waits for the flow waits for them too."""
    jobs, job_id = tmp_path_factory.mktemp("jobs"), "j-20261129-101112-0a0b"
    for module in (job_record, job_operations):
        monkeypatch.setattr(module, "JOBS", str(jobs))
    monkeypatch.setattr(flow_operations, "FLOWS", str(flows))
    flow_id, _new = flow_record.create(wanted(a=[], b=["a"]))
    (jobs / job_id).mkdir()
    (jobs / job_id / "job.json").write_text(json.dumps({"id": job_id, "submitted": time.time()}))
    job_record.note(job_id, "FAILED", exit_code=1, reason="")
    flow_record.note(flow_id, "FAILED", job="a", attempt=1, job_id=job_id, exit_code=1, reason="")
    flow_record.note(flow_id, "SKIPPED", job="b")
    flow_record.note(flow_id, "FAILED")
    begun = time.monotonic()
    assert flow_operations.watch(flow_id, None, 0.5)["jobs"][0]["reason"] == "" and time.monotonic() - begun >= 0.5
    (jobs / job_id / "error").write_text("count.py ends with:\nno data for yesterday\n")
    found = flow_operations.watch(flow_id, None, 600)
    assert found["jobs"][0]["reason"] == "count.py ends with:\nno data for yesterday"
    assert "a: count.py ends with:\nno data for yesterday\n" in views_flow.flow("sales", found)
    assert f"a ({job_id}) FAILED with exit code 1 count.py ends with:\nno data for yesterday\n" in action.failure(found)


def test_a_run_on_a_cluster_of_its_own_knows_what_to_put_and_get(tmp_path):
    (tmp_path / "in" / "deep").mkdir(parents=True)
    for name in ("in/a", "in/b", "in/deep/c"):
        (tmp_path / name).write_text("x")
    path = tmp_path / "flow.yml"
    path.write_text("name: daily\nput: [{from: in, to: /data/}]\nget: [{from: /out, to: out}]\njobs: {a: {type: SHELL, args: x}}\n")
    found = action.check(read_flow({"flow_file": str(path)}), {"into": str(tmp_path / "results"), "gets": [{"from": "/more", "to": "/abs/more"}]})
    assert found["puts"] == [{"files": [f"{tmp_path}/in/a", f"{tmp_path}/in/b"], "path": "/data/"},
                             {"files": [f"{tmp_path}/in/deep/c"], "path": "/data/deep/"}]
    assert found["gets"] == [{"path": "/out", "target": f"{tmp_path}/results/out"}, {"path": "/more", "target": "/abs/more"}]
    path.write_text("name: daily\nput: [{from: nothing, to: /data/}]\njobs: {a: {type: SHELL, args: x}}\n")
    with pytest.raises(Refused, match=r"put\[0\]\.from: .*nothing is missing or empty"):
        action.check(read_flow({"flow_file": str(path)}), {})


def test_the_end_of_such_a_run_fails_unless_all_was_well():
    good = {"id": "f-1", "state": "SUCCEEDED", "jobs": []}
    assert not action.conclude({"found": good, "kept": False}).get("failed")
    bad = action.conclude({"found": dict(good, state="FAILED", jobs=[job("a", state="FAILED", exit_code=3)]), "kept": False})
    assert bad["failed"] and "a (not submitted) FAILED with exit code 3" in bad["msg"] and "the cluster is released" in bad["msg"]
    lost = action.conclude({"found": {}, "kept": True})
    assert lost["failed"] and "did not answer" in lost["msg"] and "is kept and costs money" in lost["msg"]
    assert action.conclude({"found": good, "troubles": ["node: gone"]})["failed"]


def test_old_flows_leave_the_record_and_those_that_run_stay(flows, monkeypatch):
    monkeypatch.setattr(flow_record, "KEEP", 0)
    made = []
    for number in range(4):
        flow_id, _new = flow_record.create(dict(wanted(a=[]), token=f"t{number}"))
        made.append(flow_id)
        if number != 1:
            flow_record.note(flow_id, "SUCCEEDED")
    last, _new = flow_record.create(dict(wanted(a=[]), token="last"))
    assert set(flow_record.ids()) == {made[1], last}


@pytest.mark.parametrize(("at", "fired", "started"), [
    # The night with two 02:30 in Berlin: systemd fires at the first; a timer that is made anew within the second hour fires once more.
    ("30 2 * * *", ["2026-10-24T00:30:00", "2026-10-25T00:30:00", "2026-10-25T01:30:00", "2026-10-26T01:30:00"],
     ["2026-10-24T00:30:00", "2026-10-25T00:30:00", "2026-10-26T01:30:00"]),
    # Made within the second hour: nothing ran in the first.
    ("*:0/15", ["2026-10-25T01:15:00", "2026-10-25T01:30:00", "2026-10-25T02:00:00"],
     ["2026-10-25T01:15:00", "2026-10-25T01:30:00", "2026-10-25T02:00:00"])])
def test_a_schedule_runs_once_for_a_time_that_comes_twice(tmp_path, monkeypatch, at, fired, started):
    (tmp_path / "nightly").mkdir()
    (tmp_path / "nightly" / "schedule.json").write_text(json.dumps({
        "table": timetable.parse(at, "Europe/Berlin"), "who": "me", "made": 1.0, "flow": {"name": "f", "jobs": {}}}))
    asked = []
    monkeypatch.setattr(schedule, "SCHEDULES", str(tmp_path))
    monkeypatch.setattr(schedule, "_state_of", lambda _flow: "SUCCEEDED")
    monkeypatch.setattr(flow_record, "create", lambda wanted, _files: (asked.append(wanted["time"]) or f"f-{len(asked)}", True))
    monkeypatch.setattr(flow_record, "start", lambda _flow: None)
    for moment in fired:
        now = calendar.timegm(time.strptime(moment, "%Y-%m-%dT%H:%M:%S"))
        monkeypatch.setattr(schedule, "time", types.SimpleNamespace(time=lambda now=now: now + 0.2))
        schedule.fire("nightly")
    assert [time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(moment)) for moment in asked] == started
