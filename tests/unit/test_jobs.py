"""Jobs of a master without systemd and YARN: records, the queue, and the supervisor with real programs."""
from __future__ import annotations

import base64
import io
import json
import multiprocessing
import os
import pwd
import resource
import shutil
import signal
import subprocess
import time

import pytest

from ansible_collections.emr.cluster.plugins.module_utils.node import hadoop_cli, hadoop_http
from ansible_collections.emr.cluster.plugins.module_utils.node.common import NodeError
from ansible_collections.emr.cluster.plugins.module_utils.node.jobs import (
    admission as job_admit,
    conf_dirs as job_queue,
    error as job_error,
    logs as job_logs,
    operations as job,
    program as job_program,
    record as job_record,
    submit as job_submit,
    supervisor as job_run,
    yarn as job_yarn,
)
from ansible_collections.emr.cluster.plugins.module_utils.node.oss import role_provider

USER = pwd.getpwuid(os.getuid()).pw_name
JOB = "j-20260101-000000-abcd"


class Master:
    """A folder of jobs, and what the ResourceManager and systemd would say."""

    def __init__(self, folder):
        self.folder, self.started, self.yarn, self.units = folder, [], [], {}

    def record(self, job_id=JOB, states=(), **more):
        (self.folder / job_id / "work").mkdir(parents=True)
        data = dict({"id": job_id, "type": "SHELL", "submitted": time.time() - 60, "user": USER, "command": ["true"]}, **more)
        (self.folder / job_id / "job.json").write_text(json.dumps(data))
        (self.folder / job_id / "states").write_text("".join(json.dumps(row) + "\n" for row in states))
        return self.folder / job_id

    def supervise(self, job_id=JOB):
        """Run the supervisor in a process of its own."""
        process = multiprocessing.get_context("fork").Process(target=job_run.supervise, args=(job_id,))
        process.start()
        return process

    def states(self, job_id=JOB):
        return [row["state"] for row in job_record.history(job_id)]


@pytest.fixture
def master(tmp_path, monkeypatch):
    it = Master(tmp_path)
    known = {"environment": {"PATH": os.environ["PATH"]}, "resourcemanager": "", "namenode": "", "historyserver": "",
             "memory_mib": 1000, "cluster": "t"}
    for module in (job, job_admit, job_error, job_logs, job_record, job_run):
        monkeypatch.setattr(module, "JOBS", str(tmp_path))
        if hasattr(module, "settings"):
            monkeypatch.setattr(module, "settings", lambda: known)
    for module in (job_admit, job_record):
        monkeypatch.setattr(module, "unit_states", lambda units: {u: it.units.get(u, {"ActiveState": "inactive"}) for u in units})
    monkeypatch.setattr(job_run, "run", lambda argv, **_more: (0, "running\n", ""))
    monkeypatch.setattr(job_admit, "start", it.started.append)
    monkeypatch.setattr(job_yarn, "applications", lambda base, job_id, user: list(it.yarn))
    it.units["emr-jobs"] = {"ActiveState": "active"}
    return it


def until(true, what):
    deadline = time.monotonic() + 15
    while not true():
        assert time.monotonic() < deadline, what
        time.sleep(0.02)


@pytest.mark.parametrize(("script", "state", "code"), [
    ("exit 0", "SUCCEEDED", 0), ("echo wrong >&2; exit 3", "FAILED", 3), ("echo \"it's $HOME\"; exit 0", "SUCCEEDED", 0),
    ("kill -9 $$", "FAILED", 137)])
def test_the_supervisor_records_what_becomes_of_a_job(master, script, state, code):
    folder = master.record(command=["bash", "-c", script])
    process = master.supervise()
    process.join(20)
    found = job.show(JOB)
    assert (process.exitcode, found["state"], found["exit_code"]) == (0, state, code)
    assert [row["state"] for row in found["history"]] == ["SUBMITTED", "RUNNING", state]
    if "it's" in script:
        assert (folder / "stdout.log").read_text() == f"it's {pwd.getpwnam(USER).pw_dir}\n"
    if code == 3:
        assert found["error"] == "wrong"


def test_a_program_that_is_not_there_fails(master):
    master.record(command=["/no/such/program"])
    master.supervise().join(20)
    found = job.show(JOB)
    assert (found["state"], found["exit_code"]) == ("FAILED", 127) and "/no/such/program" in found["error"]


def test_a_job_is_tried_again_until_it_succeeds(master):
    folder = master.record(command=["bash", "-c", "echo try $EMR_JOB_ATTEMPT; test $EMR_JOB_ATTEMPT = 3"], retries=5, retry_interval_s=0)
    master.supervise().join(20)
    assert master.states() == ["SUBMITTED", "RUNNING", "RETRYING", "RUNNING", "RETRYING", "RUNNING", "SUCCEEDED"]
    assert job.show(JOB)["attempts"] == 3
    assert [(folder / name).read_text() for name in ("stdout.log.1", "stdout.log.2", "stdout.log")] == ["try 1\n", "try 2\n", "try 3\n"]


def test_a_job_that_takes_too_long_is_ended(master):
    master.record(command=["sleep", "60"], timeout_s=1)
    begun = time.monotonic()
    master.supervise().join(20)
    assert time.monotonic() - begun < 15
    found = job.show(JOB)
    assert found["state"] == "FAILED" and "limit of 1 s" in found["reason"]


def test_a_unit_that_is_stopped_is_a_killed_job_and_no_process_stays(master):
    folder = master.record(command=["bash", "-c", "trap '' TERM; echo $$ >pid; while true; do sleep 0.1; done"])
    process = master.supervise()
    until(lambda: (folder / "work" / "pid").exists() and (folder / "work" / "pid").read_text().strip(), "the program runs")
    pid = int((folder / "work" / "pid").read_text())
    os.kill(process.pid, signal.SIGTERM)
    process.join(30)
    assert (process.exitcode, job.show(JOB)["state"]) == (0, "KILLED")
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_a_machine_that_goes_down_kills_no_job(master, monkeypatch):
    monkeypatch.setattr(job_run, "run", lambda argv, **_more: (1, "stopping\n", ""))
    folder = master.record(command=["bash", "-c", "touch here; exec sleep 60"])
    process = master.supervise()
    until((folder / "work" / "here").exists, "the program runs")
    os.kill(process.pid, signal.SIGTERM)
    process.join(20)
    assert master.states() == ["SUBMITTED", "RUNNING"]
    subprocess.run(["pkill", "-KILL", "-s", str(_session(folder))], check=False)


def _session(folder):
    """The session of the process that works in the job's folder."""
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            if os.readlink(f"/proc/{pid}/cwd") == str(folder / "work"):
                return os.getsid(int(pid))
        except OSError:
            continue
    raise AssertionError("no process works in the job's folder")


RUNS = [{"state": "RUNNING", "time": time.time() - 50, "attempt": 1, "exit_code": None}]


@pytest.mark.parametrize(("kind", "apps", "state"), [
    ("MR", [("FINISHED", "SUCCEEDED")], "SUCCEEDED"), ("MR", [("FINISHED", "FAILED")], "FAILED"),
    ("PYSPARK", [("KILLED", "KILLED")], "KILLED"), ("MR", [], "LOST"), ("SHELL", [], "LOST")])
def test_a_job_whose_supervisor_died_becomes_what_yarn_says(master, kind, apps, state):
    master.yarn = [{"id": "application_1_0001", "state": a, "finalStatus": b} for a, b in apps]
    master.record(states=RUNS, type=kind)
    master.supervise().join(20)
    assert master.states() == ["SUBMITTED", "RUNNING", state]
    assert job.show(JOB)["applications"] == ["application_1_0001"][:len(apps)]


def test_a_stream_is_started_again_by_a_new_supervisor(master):
    folder = master.record(states=RUNS, type="SPARK_STREAMING", keep_running=True, command=["bash", "-c", "echo again"])
    master.supervise().join(20)
    assert master.states() == ["SUBMITTED", "RUNNING", "RETRYING", "RUNNING", "SUCCEEDED"]
    assert (folder / "stdout.log").read_text() == "again\n"


def test_a_job_has_one_supervisor(master):
    folder = master.record(command=["bash", "-c", "echo once >>count; sleep 1"])
    both = [master.supervise(), master.supervise()]
    for process in both:
        process.join(20)
    assert (folder / "work" / "count").read_text() == "once\n" and master.states()[-1] == "SUCCEEDED"


def test_a_job_without_a_supervisor_is_lost_but_not_while_a_boot_is_under_way(master):
    master.record(states=RUNS)
    assert job.show(JOB)["state"] == "LOST"
    master.units["emr-jobs"] = {"ActiveState": "activating"}
    assert job.show(JOB)["state"] == "RUNNING"
    master.units.update({"emr-jobs": {"ActiveState": "active"}, f"emr-job@{JOB}": {"ActiveState": "activating"}})
    assert job.show(JOB)["state"] == "RUNNING"


def test_the_queue_starts_what_fits_and_the_next_when_one_ends(master):
    names = [f"j-20260101-00000{i}-abcd" for i in range(4)]
    for name in names:
        master.record(name)
        job_admit.enqueue(name, 400)
    assert job_admit.admit() == names[:2] == master.started
    assert job.show(names[2])["state"] == "SUBMITTED"
    assert job_admit.release(names[0]) == [], "it has not ended"
    job_record.note(names[0], "SUCCEEDED")
    assert job_admit.release(names[0]) == [names[2]]
    assert job_admit.leave_queue(names[3]) and not job_admit.leave_queue(names[3])


def test_a_boot_takes_up_what_was_open(master):
    names = [f"j-20260101-00000{i}-abcd" for i in range(4)]
    done = [*RUNS, {"state": "FAILED", "time": time.time(), "exit_code": 1}]
    for name, states in zip(names, ([], RUNS, done, RUNS), strict=True):
        master.record(name, states=states)
    job_admit.enqueue(names[0], 400)
    for name in names[2:]:
        (master.folder / ".slots" / name).parent.mkdir(exist_ok=True)
        (master.folder / ".slots" / name).write_text("400")
    master.units[f"emr-job@{names[3]}"] = {"ActiveState": "active"}
    assert job_admit.boot() == [names[1]]
    assert master.started == [names[1], names[0]]


def test_jobs_are_listed_newest_first_and_only_jobs(master):
    done = [{"state": "SUCCEEDED", "time": time.time(), "exit_code": 0}]
    for job_id in ("j-20260101-000000-0001", "j-20260201-000000-0002"):
        master.record(job_id, done)
    (master.folder / "other").mkdir()
    assert [row["id"] for row in job.listing()] == ["j-20260201-000000-0002", "j-20260101-000000-0001"]


@pytest.mark.parametrize("job_id", ["../../etc", "j-20260101-000000-zzzz", "j-20260101-000000-0001/../x", ""])
def test_ids_that_are_none_reach_no_file(master, job_id):
    with pytest.raises(NodeError, match="there is no job"):
        job.show(job_id)


@pytest.fixture
def submitting(master, monkeypatch):
    """What submit needs: configuration folders, and accounts that are there."""
    for name in ("HADOOP", "SPARK"):
        (master.folder / f"conf-{name}").mkdir()
        monkeypatch.setattr(job_queue, name, str(master.folder / f"conf-{name}"))
    monkeypatch.setattr(job_submit, "HADOOP", str(master.folder / "conf-HADOOP"))
    monkeypatch.setattr(job_submit, "JOBS", str(master.folder))
    monkeypatch.setattr(job_submit, "settings", job_admit.settings)
    monkeypatch.setattr(job_submit, "account", lambda name: pwd.getpwnam(USER))
    return master


def test_a_submitted_job_is_recorded_with_its_files_and_no_secret(submitting, tmp_path):
    file = tmp_path / "run.sh"
    file.write_text("echo hello")
    made = job.submit({"type": "SHELL", "files": [str(file)], "environment": {"PASSWORD": "geheim"}, "properties": {"a.b": "geheim"},
                       "retries": 2, "name": "n"})["job"]
    folder = submitting.folder / made["id"]
    assert submitting.started == [made["id"]] and made["state"] == "SUBMITTED" and made["command"] == ["bash", "run.sh"]
    assert (folder / "work" / "run.sh").read_text() == "echo hello"
    assert "geheim" not in (folder / "job.json").read_text() + json.dumps(job.show(made["id"]))
    for name in ("environment.json", "request.json"):
        assert (folder / name).stat().st_mode & 0o77 == 0
    assert "<value>geheim</value>" in (folder / "conf" / "hadoop" / "mapred-site.xml").read_text()
    assert not list(submitting.folder.glob(".new-*"))


def test_a_token_submits_once(submitting):
    asked = {"args": ["echo ${yyyy}"], "token": "nightly"}
    first, second = job.submit(asked), job.submit(asked)
    assert (first["changed"], second["changed"], first["job"]["id"]) == (True, False, second["job"]["id"])
    with pytest.raises(NodeError, match="another job") as error:
        job.submit({"args": ["echo other"], "token": "nightly"})
    assert error.value.extra["emr_refused"]
    assert len(job_record.ids()) == 1 and not list(submitting.folder.glob(".new-*"))


def test_a_token_of_a_job_that_is_not_there_counts_for_nothing(submitting):
    first = job.submit({"args": ["x"], "token": "t"})["job"]["id"]
    shutil.rmtree(submitting.folder / first)
    assert job.submit({"args": ["x"], "token": "t"})["changed"]


def test_many_submits_with_one_token_at_once_are_one_job(submitting):
    fork = multiprocessing.get_context("fork")
    processes = [fork.Process(target=job.submit, args=({"args": ["x"], "token": "t"},)) for _n in range(20)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(30)
    assert [process.exitcode for process in processes] == [0] * 20 and len(job_record.ids()) == 1


def test_a_refused_request_leaves_nothing(submitting):
    for wrong in ({"args": []}, {"args": ["x"], "files": ["/no/such/file"]}, {"args": ["${yyyy+99999}"]}, {"args": ["x"], "type": "PYSPARK"}):
        with pytest.raises(NodeError) as error:
            job.submit(wrong)
        assert error.value.extra.get("emr_refused"), wrong
    assert job_record.ids() == [] and not list(submitting.folder.glob(".new-*"))


def test_a_job_is_run_again_with_its_files(submitting, tmp_path):
    file = tmp_path / "run.sh"
    file.write_text("echo hello")
    first = job.submit({"files": [str(file)], "name": "n", "token": "t"})["job"]["id"]
    with pytest.raises(NodeError, match="only a job that has ended"):
        job.retry({"id": first})
    job_record.note(first, "FAILED")
    again = job.retry({"id": first})["job"]
    assert again["retry_of"] == first and again["name"] == "n" and again["id"] != first
    assert (submitting.folder / again["id"] / "work" / "run.sh").read_text() == "echo hello"


def test_a_transfer_that_has_ended_is_not_run_again_but_tells_the_command(submitting):
    kept = {"user": "emr", "hdfs": "", "namenode": "", "file": "", "again": "emrctl import sales oss://b/in in --delete"}
    first = job.submit({"args": ["x"], "secrets": kept})["job"]["id"]
    job_record.note(first, "FAILED")
    with pytest.raises(NodeError, match="Next: emrctl import sales oss://b/in in --delete$") as error:
        job.retry({"id": first})
    assert error.value.extra.get("emr_refused") and len(job_record.ids()) == 1


def test_a_job_that_waits_is_killed_without_having_run(submitting):
    ran, waits = (job.submit({"args": ["x"], "properties": {}, "type": "SHELL"})["job"]["id"] for _n in range(2))
    third = job.submit({"args": ["x"]})["job"]["id"]
    assert submitting.started == [ran, waits]
    found = job.kill({"id": third, "who": "me"})["job"]
    assert found["state"] == "KILLED" and [row["state"] for row in found["history"]] == ["SUBMITTED", "KILLED"]
    assert not job.kill({"id": third})["changed"]


def test_lists_are_filtered(master):
    done = [{"state": "SUCCEEDED", "time": time.time(), "exit_code": 0}]
    master.record("j-20260101-000000-0001", done, name="daily", type="MR")
    master.record("j-20260301-000000-0002", [*RUNS, dict(done[0], state="FAILED")], name="weekly")
    ids = lambda **filters: [row["id"][-4:] for row in job.listing(**filters)]
    assert ids(state=["FAILED"]) == ["0002"] and ids(type="MR") == ["0001"] and ids(name="d*") == ["0001"]
    assert ids(user=["nobody"]) == [] and ids(limit=1) == ["0002"] and ids(since=1769904000) == ["0002"]


def test_records_are_pruned_by_age_and_number_but_never_of_jobs_that_run(master):
    now = time.time()
    for number, age in ((1, 9000), (2, 5000), (3, 10)):
        master.record(f"j-2026010{number}-000000-abcd", [{"state": "FAILED", "time": now - age}])
    master.record("j-20250101-000000-abcd", RUNS)
    assert job.prune({}) == {"changed": False, "pruned": []}
    assert job.prune({"older_s": 6000})["pruned"] == ["j-20260101-000000-abcd"]
    assert job.prune({"keep": 1})["pruned"] == ["j-20260102-000000-abcd"]
    assert job_record.ids() == ["j-20260103-000000-abcd", "j-20250101-000000-abcd"]


def test_files_that_come_with_a_request(submitting, monkeypatch, capsys):
    line = json.dumps({"args": [], "type": "SHELL", "files": ["@0"], "archives": ["@1#d"], "inline": [{"name": "a.sh", "size": 4},
                                                                                                     {"name": "../d.zip", "size": 3}]})
    monkeypatch.setattr("sys.stdin", type("Stdin", (), {"buffer": io.BytesIO(line.encode() + b"\necho" + b"zip")}))
    assert job_program.main(["submit"]) == 0
    made = json.loads(capsys.readouterr().out)["job"]
    work = submitting.folder / made["id"] / "work"
    assert (work / "a.sh").read_bytes() == b"echo" and (work / "d.zip").read_bytes() == b"zip" and made["archives"] == ["d.zip#d"]
    monkeypatch.setattr("sys.stdin", type("Stdin", (), {"buffer": io.BytesIO(line.encode() + b"\nec")}))
    assert job_program.main(["submit"]) == 1 and "incomplete" in capsys.readouterr().out


@pytest.mark.parametrize(("state", "known"), [("ACTIVE", ["application_1_0001"]), ("INITIALIZING", None), (None, None)])
def test_a_resourcemanager_that_is_starting_is_not_believed(monkeypatch, state, known):
    """Its pages answer before it has read its applications again: none of them would seem to live."""
    answers = {"info": {"clusterInfo": {"state": "STARTED", "haState": state}} if state else None,
               "apps": {"apps": {"app": [{"id": "application_1_0001", "state": "RUNNING"}]}}}
    monkeypatch.setattr(hadoop_http.Daemon, "look", lambda _self, path, _limit: answers[path.split("/cluster/")[1].split("?")[0]])
    found = job_yarn.applications("http://rm", JOB, "emr")
    assert (found and [row["id"] for row in found]) == known


YARN_LOGS = """#!/bin/bash
# What `yarn logs` prints of a chatty mapper: much more than anybody may hold in memory.
echo "Container: container_1_0001_01_000002 on slave_8041"
echo "LogType:stderr"
echo "LogContents:"
yes 'a line of a chatty mapper' | head -c 30M
echo "ValueError: no such airline"
echo "End of LogType:stderr"
[[ $3 == application_1_0001 ]] || { echo "there is no $3" >&2; exit 1; }
"""


@pytest.fixture
def yarn_logs(master, tmp_path, monkeypatch):
    program = tmp_path / "yarn"
    program.write_text(YARN_LOGS)
    program.chmod(0o755)
    monkeypatch.setitem(hadoop_cli.PROGRAMS, "yarn", str(program))
    environment = {name: "/tmp" for name in ("HADOOP_CONF_DIR", "HADOOP_HOME", "HADOOP_LOG_DIR")}
    monkeypatch.setattr(job_logs, "settings", lambda: {"environment": environment})
    return program


def grown(work) -> int:
    """MiB of memory that this work takes at most, in a process of its own."""
    reader, writer = multiprocessing.get_context("fork").Pipe(duplex=False)

    def measured():
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        work()
        writer.send((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) >> 10)

    process = multiprocessing.get_context("fork").Process(target=measured)
    process.start()
    process.join(120)
    assert process.exitcode == 0
    return reader.recv()


def test_the_logs_of_chatty_containers_are_bounded_and_say_what_is_left_out(master, yarn_logs, monkeypatch):
    folder = master.record(states=[*RUNS, {"state": "SUCCEEDED", "time": time.time(), "exit_code": 0}])
    (folder / "apps").write_text(json.dumps([{"id": "application_1_0001"}, {"id": "application_1_0002"}]))
    monkeypatch.setattr(job_logs, "CONTAINERS_BYTES", 1 << 20)
    assert grown(lambda: job.logs({"id": JOB, "yarn": True, "paged": True})) < 64
    text = taken(job.logs({"id": JOB, "yarn": True, "paged": True}))
    assert text.startswith("Container: container_1_0001_01_000002") and text.count("bytes are left out here") == 2
    assert text.count("ValueError: no such airline") == 2 and "there is no application_1_0002" in text
    log = job.logs({"id": JOB, "yarn": True, "limit_bytes": 1 << 16})["log"]
    assert len(log) < (1 << 16) + 100 and log.startswith("Container: ") and "there is no application_1_0002" in log.splitlines()[-1]


def taken(found: dict) -> str:
    """All of a text that is taken page after page, as the action does."""
    data = found.get("log", "").encode()
    while len(data) < found.get("size", 0):
        data += base64.b64decode(job.perform({"op": "page", "spool": found["spool"], "at": len(data)}, False)["data"])
    return data.decode()


def test_output_of_any_length_arrives_in_whole_in_pages(master, monkeypatch):
    folder = master.record(states=[*RUNS, {"state": "FAILED", "time": time.time(), "exit_code": 1}])
    monkeypatch.setattr(job_logs, "PAGE_BYTES", 100_000)
    for size in (0, 10, 300_000, 1_000_003):
        (folder / "stderr.log").write_text("warned\n")
        (folder / "stdout.log").write_text("é" * (size // 2) + "\n")
        (folder / "error").write_text("ValueError: why\n")
        found = job.logs({"id": JOB, "paged": True})
        assert found["parts"]["stderr"] == 7 and found["parts"]["stdout"] == size // 2 * 2 + 1
        text = taken(found)
        assert text == "warned\n" + "é" * (size // 2) + "\n\n== FAILED\nValueError: why\n"
        assert not list((master.folder / ".spool").iterdir()), "nothing stays of it"
    with pytest.raises(NodeError, match="not kept"):
        job.perform({"op": "page", "spool": "../x", "at": 0}, False)


def test_a_job_that_prints_without_end_keeps_its_beginning_and_end(master, monkeypatch):
    monkeypatch.setattr(job_run.job_output, "DEFAULT_MIB", 1)
    folder = master.record(command=["bash", "-c", "echo first; yes line | head -c 20M; echo last; echo why it failed >&2; exit 2"])
    master.supervise().join(60)
    found = job.show(JOB)
    assert (found["state"], found["error"]) == ("FAILED", "why it failed")
    text = (folder / "stdout.log").read_text()
    assert len(text) <= 1 << 20 and text.startswith("first\n") and text.endswith("line\nlast\n") and "bytes are left out here" in text


def test_records_have_no_more_than_their_share_of_the_disk(master, monkeypatch):
    for number in range(4):
        folder = master.record(f"j-2026010{number + 1}-000000-abcd", [{"state": "FAILED", "time": time.time()}])
        (folder / "work" / "data").write_bytes(os.urandom(1 << 20))
    disk = os.statvfs(master.folder)
    monkeypatch.setattr(job, "KEEP_SHARE", (2.5 * (1 << 20)) / (disk.f_frsize * disk.f_blocks))
    assert job.prune({})["pruned"] == ["j-20260102-000000-abcd", "j-20260101-000000-abcd"]
    assert job.prune({}) == {"changed": False, "pruned": []}
    monkeypatch.setattr(job, "KEEP_SHARE", 0.0000001)
    assert job.prune({})["pruned"] == ["j-20260103-000000-abcd"], "the newest stays"


def test_files_that_vanish_while_they_are_counted_end_nothing(master, monkeypatch):
    folder = master.record(states=RUNS)
    (folder / "work" / "data").write_bytes(os.urandom(1 << 20))
    monkeypatch.setattr(os, "walk", lambda top: [(str(folder / "work"), [], ["data", "gone"])])
    assert job_record.size(JOB) >= 1 << 20 and not (folder / "size").exists(), "one that runs is counted each time"


def test_tokens_go_with_their_jobs(submitting, monkeypatch):
    first, second = (job.submit({"args": ["x"], "token": token})["job"]["id"] for token in ("a", "b"))
    tokens = submitting.folder / ".tokens"
    shutil.rmtree(submitting.folder / first)
    job.prune({})
    assert len(list(tokens.iterdir())) == 2, "one that was written just now may be of a job that is on its way"
    monkeypatch.setattr(job_record, "TOKEN_S", -1)
    job.prune({})
    assert [path.read_text().split()[0] for path in tokens.iterdir()] == [second]


def test_the_role_of_the_node_is_named_in_one_word_and_stays_named_for_a_retry():
    key = role_provider.PROPERTY
    address = "jceks://hdfs/user/ann/.emr/oss-role.jceks"
    for given in ("role", address):
        found, by_role = role_provider.named({"user": "ann", "properties": {key: given, "a": "b"}})
        assert (found["properties"], by_role) == ({key: address, "a": "b"}, True)
    asked = {"user": "ann", "properties": {key: "jceks://hdfs/user/ann/oss.jceks"}}
    assert role_provider.named(asked) == (asked, False) and not role_provider.named({"user": "ann", "properties": {}})[1]
