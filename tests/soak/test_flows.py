"""Flows, schedules and clusters for one flow on real hosts: order, failures, kills, a reboot, missed times, releases.

The jobs are shells that write down when they ran, into files of the master; so what is proven is what ran, not what was recorded.
"""
from __future__ import annotations

import json
import re
import signal
import struct
import time
from base64 import b64encode
from itertools import pairwise
from pathlib import Path

import pytest

from tests.lab import kill_when, lab, line_matches, seeded, until

NAME = "flows"
MASTER = f"{NAME}-master-001"
TRACE = "/home/emr/trace"

KILLER = """
n=0
starts() {{ grep -v '"job"' /var/lib/emr/flows/{id}/states | grep -c RUNNING; }}
ended() {{ tail -n 1 /var/lib/emr/flows/{id}/states | grep -v '"job"' | grep -qE 'SUCCEEDED|FAILED'; }}
for pause in {pauses}; do
  until [ $(starts) -gt $n ] || ended; do sleep 0.1; done
  sleep $pause
  if ended; then break; fi
  systemctl kill -s KILL emr-flow@{id}.service && n=$((n+1))
done
echo $n
"""


@pytest.fixture(scope="module")
def bed(tmp_path_factory):
    with lab(tmp_path_factory.mktemp("flows"), "soakf", 136, 8036) as it:
        it.emrctl("create", str(small(it, NAME)), "--yes", timeout=1800)
        yield it


def small(bed, name: str) -> Path:
    """Spec of a cluster with one master and one slave."""
    return bed.spec(name, node_groups={"master": {"count": 1, "instance_types": ["ecs.c6.large"]},
                                       "slave": {"count": 1, "instance_types": ["ecs.c6.large"]}},
                    config={"hdfs-site": {"dfs.replication": 1}})


def flow(bed, name: str, jobs: dict, **more) -> str:
    """A flow file; jobs are (what the shell does, keys). Each writes `name begin time` and `name end time` to the trace."""
    def script(job: str, does: str) -> str:
        return f"echo {job} begin $(date +%s.%N) >> {TRACE}-{name}\n{does}\necho {job} end $(date +%s.%N) >> {TRACE}-{name}"

    document = {"name": name, **more, "jobs": {job: {"type": "SHELL", "args": [script(job, does)], **keys}
                                               for job, (does, keys) in jobs.items()}}
    path = bed.folder / f"{name}.yml"
    path.write_text(json.dumps(document))
    return str(path)


def trace(bed, name: str) -> list:
    """(job, begin or end, time) in the order in which they were written."""
    rows = bed.ssh(NAME, MASTER, f"cat {TRACE}-{name} || true").split("\n")
    return [(row.split()[0], row.split()[1], float(row.split()[2])) for row in rows if row.strip()]


def moments(bed, name: str) -> dict:
    """{job: (begin, end)}; a job that ran twice is an error."""
    rows = trace(bed, name)
    keys = [row[:2] for row in rows]
    assert len(set(keys)) == len(keys), f"a job ran twice: {rows}"
    found = {(job, what): moment for job, what, moment in rows}
    return {job: (found[job, "begin"], found.get((job, "end"))) for job, what in found if what == "begin"}


def states(found: dict) -> dict:
    return {row["name"]: row["state"] for row in found["jobs"]}


def show(bed, flow_id: str) -> dict:
    return bed.json("flow", "show", NAME, flow_id)


def test_jobs_start_after_those_before_them_and_run_side_by_side(bed):
    file = flow(bed, "order", {"a": ("sleep 2", {}), "b": ("sleep 6", {"after": "a"}), "c": ("sleep 6", {"after": "a"}),
                               "d": ("true", {"after": ["b", "c"]})})
    done = bed.emrctl("flow", "run", NAME, file, "--wait")
    assert "└─ a" in done.stdout and "d" in done.stdout and "(also after b)" in done.stdout, done.stdout
    ran = moments(bed, "order")
    assert ran["a"][1] <= min(ran["b"][0], ran["c"][0]) and max(ran["b"][1], ran["c"][1]) <= ran["d"][0], ran
    assert ran["b"][0] < ran["c"][1] and ran["c"][0] < ran["b"][1], f"b and c did not run side by side: {ran}"


def test_no_more_jobs_run_than_the_flow_allows(bed):
    file = flow(bed, "narrow", {name: ("sleep 2", {}) for name in "abc"}, parallel=1)
    bed.emrctl("flow", "run", NAME, file, "--wait")
    spans = sorted(moments(bed, "narrow").values())
    assert len(spans) == 3 and all(before[1] <= after[0] for before, after in pairwise(spans)), spans


def test_failures_stop_or_go_on_and_a_retry_runs_only_what_failed(bed):
    file = flow(bed, "fails", {
        "good": ("true", {}), "soft": ("exit 4", {"on_failure": "continue"}), "past": ("true", {"after": "soft"}),
        "bad": ("test -e /home/emr/mended || exit 3", {"after": ["good", "past"]}), "last": ("true", {"after": "bad"})})
    done = bed.emrctl("flow", "run", NAME, file, "--wait", "-o", "json", expect=5)
    found = json.loads(done.stdout)
    assert states(found) == {"good": "SUCCEEDED", "soft": "FAILED", "past": "SUCCEEDED", "bad": "FAILED", "last": "SKIPPED"}
    assert found["state"] == "FAILED" and "exit code 3" in done.stderr and f"emrctl flow retry NAME {found['id']}" in done.stderr
    before = trace(bed, "fails")
    bed.ssh(NAME, MASTER, "touch /home/emr/mended")
    bed.emrctl("flow", "retry", NAME, found["id"], "--wait")
    after = states(show(bed, found["id"]))
    assert after == {"good": "SUCCEEDED", "soft": "FAILED", "past": "SUCCEEDED", "bad": "SUCCEEDED", "last": "SUCCEEDED"}
    again = [row[:2] for row in trace(bed, "fails")[len(before):]]
    assert sorted(again) == [("bad", "begin"), ("bad", "end"), ("last", "begin"), ("last", "end"), ("soft", "begin")]
    logs = bed.json("flow", "logs", NAME, found["id"], "--job", "bad")["logs"]
    assert list(logs) == ["bad"] and logs["bad"]["state"] == "SUCCEEDED"


def test_a_runner_that_is_killed_again_and_again_runs_every_job_once(bed):
    chance = seeded(20)
    file = flow(bed, "killed", {f"j{n}": ("sleep 2", {"after": f"j{n - 1}"} if n else {}) for n in range(8)})
    flow_id = bed.json("flow", "run", NAME, file)["id"]
    # On the master, each kill at another moment after the next runner has come back, five times or until the flow has ended.
    loop = KILLER.format(id=flow_id, pauses=" ".join(f"{chance.uniform(0.0, 3.0):.2f}" for _ in range(5)))
    kills = int(bed.ssh(NAME, MASTER, loop, timeout=600).split()[-1])
    bed.emrctl("flow", "show", NAME, flow_id, "--wait")
    starts = [row for row in show(bed, flow_id)["history"] if row["state"] == "RUNNING" and not row.get("job")]
    assert kills >= 3 and len(starts) == kills + 1, (kills, starts)
    assert set(moments(bed, "killed")) == {f"j{n}" for n in range(8)}
    jobs = [row for row in bed.json("jobs", "list", NAME) if row["name"].startswith("killed.")]
    assert len(jobs) == 8 and {row["state"] for row in jobs} == {"SUCCEEDED"}


def test_a_flow_survives_a_reboot_of_the_master_and_so_does_who_waits_for_it(bed):
    file = flow(bed, "reboot", {
        "first": ("true", {}), "long": ("until test -e /home/emr/go; do sleep 1; done", {"after": "first", "retries": 3, "retry_interval": "1s"}),
        "last": ("true", {"after": "long"})})
    waiting = bed.start("flow", "run", NAME, file, "--wait")
    until(lambda: any(row[0] == "long" for row in trace(bed, "reboot")), "the long job runs", 180)
    instance = next(i["InstanceId"] for i in bed.instances(NAME) if i["InstanceName"] == MASTER)
    bed.ecs("RebootInstance", InstanceId=instance, ForceStop="true")
    until(lambda: bed.emrctl("ssh", NAME, MASTER, "--", "touch /home/emr/go", expect=None).returncode == 0, "the master is back", 300)
    output, _ = waiting.communicate(timeout=900)
    assert waiting.returncode == 0, output
    rows = [row[:2] for row in trace(bed, "reboot")]
    assert rows.count(("first", "begin")) == 1 and rows.count(("long", "end")) == 1 and rows.count(("last", "end")) == 1, rows
    assert rows.count(("long", "begin")) == 2, "the job that the reboot interrupted was tried again, as its retries say"


def test_a_killed_flow_ends_its_jobs_and_starts_nothing_more(bed):
    file = flow(bed, "kill", {"a": ("sleep 600", {}), "b": ("true", {"after": "a"})})
    flow_id = bed.json("flow", "run", NAME, file, "--token", "once")["id"]
    assert bed.json("flow", "run", NAME, file, "--token", "once")["id"] == flow_id, "the same token runs a flow once"
    until(lambda: trace(bed, "kill"), "the job runs", 120)
    bed.emrctl("flow", "kill", NAME, flow_id)
    found = show(bed, flow_id)
    assert found["state"] == "KILLED" and states(found) == {"a": "KILLED", "b": "SKIPPED"}
    assert "sleep 600" not in bed.ssh(NAME, MASTER, "ps -eo args")
    listed = {row["id"]: row for row in bed.json("flow", "list", NAME)}
    assert listed[flow_id]["state"] == "KILLED" and listed[flow_id]["done"] == 0


def test_wrong_flows_are_refused_before_anything_is_done(bed):
    before = bed.json("flow", "list", NAME)
    path = bed.folder / "wrong.yml"
    path.write_text("name: wrong\njobs:\n  a: {type: SHEL, args: x}\n  b: {type: SHELL, args: x, after: aa}\n")
    done = bed.emrctl("flow", "run", NAME, str(path), expect=3)
    assert "wrong.yml:3: jobs.a.type" in done.stderr and "Did you mean SHELL?" in done.stderr
    path.write_text("name: wrong\njobs:\n  a: {type: SHELL, files: not-there.sh}\n")
    assert "wrong.yml:3: jobs.a.files[0]: there is no file" in bed.emrctl("flow", "run", NAME, str(path), expect=3).stderr
    assert bed.json("flow", "list", NAME) == before


def runs(bed, schedule: str) -> list:
    return bed.json("schedule", "show", NAME, schedule)["runs"]


def test_a_schedule_fires_at_its_times_skips_what_overlaps_and_stays_through_a_converge(bed):
    quick = flow(bed, "quick", {"a": (f"echo ${{yyyy-MM-dd HH:mm:ss}} >> {TRACE}-times", {})})
    slow = flow(bed, "slow", {"a": ("sleep 45", {})})
    bed.emrctl("schedule", "add", NAME, quick, "--at", "*-*-* *:*:0/20", "--zone", "Asia/Shanghai")
    bed.emrctl("schedule", "add", NAME, slow, "--at", "*-*-* *:*:0/10")
    until(lambda: [row["state"] for row in runs(bed, "quick")].count("SUCCEEDED") >= 3, "the schedule has run three times", 300)
    rows = runs(bed, "quick")
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:(00|20|40) Asia/Shanghai", row["scheduled"]) for row in rows), rows
    assert len({row["scheduled"] for row in rows}) == len(rows), rows
    times = bed.ssh(NAME, MASTER, f"cat {TRACE}-times").split("\n")
    good = [row["scheduled"].rsplit(" ", 1)[0] for row in rows if row["state"] == "SUCCEEDED"]
    assert set(good) <= set(times), "the times in a job are those for which it was scheduled, in the schedule's zone"
    until(lambda: {row["result"] for row in runs(bed, "slow")} == {"started", "skipped"}, "a run is skipped while one goes on", 200)
    assert any("still runs" in row["why"] for row in runs(bed, "slow") if row["result"] == "skipped")
    begins = [row for row in trace(bed, "slow") if row[1] == "begin"]
    ends = [row for row in trace(bed, "slow") if row[1] == "end"]
    assert len(begins) - len(ends) <= 1, "never two at once"
    bed.emrctl("configure", NAME, "hdfs-site", "dfs.namenode.handler.count=12", "--yes", timeout=1200)
    count = len(runs(bed, "slow")) and runs(bed, "quick")[-1]["scheduled"]
    until(lambda: runs(bed, "quick")[-1]["scheduled"] != count, "it fires after the converge as well", 120)
    bed.emrctl("schedule", "remove", NAME, "slow")
    bed.emrctl("schedule", "pause", NAME, "quick")
    time.sleep(1)
    last = runs(bed, "quick")[-1]
    time.sleep(25)  # longer than from one time to the next: nothing may happen
    assert runs(bed, "quick")[-1]["scheduled"] == last["scheduled"]
    listed = bed.json("schedule", "list", NAME)
    assert [(row["name"], row["state"], row["next"]) for row in listed] == [("quick", "PAUSED", "")]
    bed.emrctl("schedule", "resume", NAME, "quick")
    until(lambda: runs(bed, "quick")[-1]["scheduled"] != last["scheduled"], "it fires again", 120)
    bed.emrctl("schedule", "remove", NAME, "quick")
    assert bed.ssh(NAME, MASTER, "ls /etc/systemd/system /etc/systemd/system/timers.target.wants").count("emr-schedule-") == 0


def test_a_time_that_passes_while_the_master_is_down_is_made_up_for_once_or_not_at_all(bed):
    file = flow(bed, "missed", {"a": ("true", {})})
    now = int(bed.ssh(NAME, MASTER, "date +%s"))
    at = time.strftime("%H:%M:%S", time.gmtime(now + 240))
    for policy in ("run", "skip"):
        bed.emrctl("schedule", "add", NAME, file, "--name", policy, "--at", at, "--zone", "UTC", "--missed", policy)
    instance = next(i["InstanceId"] for i in bed.instances(NAME) if i["InstanceName"] == MASTER)
    assert runs(bed, "run") == [] == runs(bed, "skip")
    bed.ecs("StopInstance", InstanceId=instance, ForceStop="true")
    until(lambda: time.time() > now + 245, "the time has passed", 400)
    bed.ecs("StartInstance", InstanceId=instance)
    until(lambda: bed.emrctl("ssh", NAME, MASTER, "--", "true", expect=None).returncode == 0, "the master is back", 300)
    until(lambda: [row["state"] for row in runs(bed, "run")] == ["SUCCEEDED"], "the missed run is made up for", 600)
    assert at in runs(bed, "run")[0]["scheduled"]
    assert runs(bed, "skip") == []
    for policy in ("run", "skip"):
        bed.emrctl("schedule", "remove", NAME, policy)


def zone_file(change: int, before: int, after: int) -> bytes:
    """A file of time zones (TZif, RFC 9636): so many seconds east of UTC before the change, and so many after it."""
    def head(*counts: int) -> bytes:
        return b"TZif2" + bytes(15) + struct.pack(">6l", *counts)

    old = head(0, 0, 0, 0, 1, 4) + struct.pack(">lBB", 0, 0, 0) + b"UTC\0"
    new = head(0, 0, 0, 2, 2, 8) + struct.pack(">2q2B", 0, change, 0, 1) + struct.pack(">lBBlBB", before, 1, 0, after, 0, 4) + b"SUM\0WIN\0"
    return old + new + f"\nWIN-{after // 3600:02d}:{after // 60 % 60:02d}\n".encode()


def test_what_is_due_while_clocks_go_back_runs_once(bed):
    """A zone of its own whose clocks go back by two minutes, in a few minutes from now."""
    change = (int(bed.ssh(NAME, MASTER, "date +%s")) // 60 + 4) * 60
    bed.ssh(NAME, MASTER, f"mkdir -p /usr/share/zoneinfo/Emr && echo {b64encode(zone_file(change, 3600, 3480)).decode()} | base64 -d "
            "> /usr/share/zoneinfo/Emr/Back")
    file = flow(bed, "back", {"a": (f"echo ${{yyyy-MM-dd HH:mm:ss}} >> {TRACE}-back", {})})
    clock = time.strftime("%H:%M", time.gmtime(change - 60 + 3600))
    made = bed.json("schedule", "add", NAME, file, "--name", "nightly", "--at", clock, "--zone", "Emr/Back")
    assert f"comes twice: runs that are due in it, such as {clock}, happen the first time" in made["turns"][0], made
    bed.emrctl("schedule", "add", NAME, file, "--name", "ticks", "--at", "*:*:0/20", "--zone", "Emr/Back")
    until(lambda: time.time() > change, "the clocks go back", 400)
    # Made anew within the second of the two hours, the timer elapses once more; the run that it is for has been.
    bed.emrctl("schedule", "pause", NAME, "nightly")
    bed.emrctl("schedule", "resume", NAME, "nightly")
    until(lambda: time.time() > change + 170, "the time has come twice", 300)
    found = bed.ssh(NAME, MASTER, "journalctl -o cat -u emr-schedule@nightly.service")
    assert "nightly: started" in found and "already" in found, found
    rows = runs(bed, "nightly")
    assert [row["state"] for row in rows] == ["SUCCEEDED"] and clock in rows[0]["scheduled"], rows
    kept = [json.loads(line) for line in bed.ssh(NAME, MASTER, "cat /var/lib/emr/schedules/ticks/runs").splitlines()]
    due = {row["scheduled"] for row in kept}
    assert {change - 40, change - 20, change + 120, change + 140} <= due, (change, due)
    assert not due & set(range(change, change + 120)), "in the second of the two nothing runs again"
    for name in ("nightly", "ticks"):
        bed.emrctl("schedule", "remove", NAME, name)


def test_parameters_name_each_other_and_misspelt_ones_are_refused(bed):
    file = flow(bed, "tree", {"a": (f"echo ${{dir}} ${{later}} >> {TRACE}-tree", {})},
                parameters={"dir": "/user/emr/tmp/${day}", "day": "${yyyyMMdd-1}", "later": "$${day}"})
    bed.emrctl("flow", "run", NAME, file, "--time", "2026-03-01", "--wait")
    bed.emrctl("flow", "run", NAME, file, "--time", "2026-03-01", "-p", "day=x", "--wait")
    written = bed.ssh(NAME, MASTER, f"grep ^/ {TRACE}-tree").split()
    assert written == ["/user/emr/tmp/20260228", "/user/emr/tmp/x"], written
    for command in (["flow", "run", NAME, file], ["schedule", "add", NAME, file, "--at", "daily"],
                    ["run-flow", str(small(bed, "never")), file, "--yes"]):
        done = bed.emrctl(*command, "-p", "dya=1", expect=3)
        assert "no parameter dya" in done.stderr and "Did you mean day?" in done.stderr, done.stderr
    assert not bed.instances("never") and bed.json("schedule", "list", NAME) == []
    done = bed.emrctl("submit", NAME, "--type", "SHELL", "--parameter", "dya=1", "--", "echo ${day}", expect=3)
    assert "Did you mean day?" in done.stderr
    done = bed.emrctl("submit", NAME, "--type", "SHELL", "--parameter", "a=${b}", "--parameter", "b=${a}", "--", "echo ${a}", expect=3)
    assert "name each other in a circle" in done.stderr
    job = bed.json("submit", NAME, "--type", "SHELL", "--parameter", "dir=/tmp/${day}", "--parameter", "day=1", "--wait", "--", "echo ${dir} '$${day}'")
    again = bed.json("jobs", "retry", NAME, job["id"], "--wait")
    for one in (job, again):
        assert bed.emrctl("jobs", "logs", NAME, one["id"]).stdout.strip() == "/tmp/1 ${day}"


def test_a_single_job_is_scheduled_and_wrong_times_are_refused(bed):
    done = bed.emrctl("schedule", "add", NAME, "--name", "wrong", "--type", "SHELL", "--at", "61 * * * *", "--", "true", expect=3)
    assert "minute: found '61', expected a number from 0 to 59" in done.stderr
    bed.emrctl("schedule", "add", NAME, "--name", "lone", "--type", "SHELL", "--at", "*:*:0/10", "--", f"date >> {TRACE}-lone")
    again = bed.emrctl("schedule", "add", NAME, "--name", "lone", "--type", "SHELL", "--at", "daily", "--", "true", expect=3)
    assert "--replace" in again.stderr
    for words in (["schedule", "add", NAME, "--name", "x", "--type", "SHELL", "--at", "*-02-30", "--", "true"],
                  ["schedule", "add", NAME, "--name", "x", "--type", "SHELL", "--at", "daily", "--zone", "Mars/Base", "--", "true"],
                  ["flow", "run", NAME, flow(bed, "skipped", {"a": ("true", {})}), "--time", "2027-03-28 02:30", "--zone", "Europe/Berlin"]):
        done = bed.emrctl(*words, expect=3)
        assert re.search(r"never comes|not known on this machine|does not exist in Europe/Berlin", done.stderr), done.stderr
    until(lambda: any(row["state"] == "SUCCEEDED" for row in runs(bed, "lone")), "the job has run", 120)
    bed.emrctl("schedule", "remove", NAME, "lone")
    assert bed.ssh(NAME, MASTER, f"cat {TRACE}-lone").strip()


def test_run_flow_goes_on_after_an_interruption_and_leaves_no_instance(bed):
    (bed.folder / "words.txt").write_text("one two three\n")
    file = bed.folder / "counting.yml"
    file.write_text(json.dumps({
        "name": "counting", "put": [{"from": "words.txt", "to": "/user/emr/in/words.txt"}], "get": [{"from": "/user/emr/out", "to": "out"}],
        "jobs": {"count": {"type": "SHELL", "args": "hdfs dfs -cat in/words.txt | wc -w > n && hdfs dfs -mkdir -p out && hdfs dfs -put n out/n "
                                                    "&& sleep 30"},
                 "tell": {"type": "SHELL", "args": "echo counted", "after": "count"}}}))
    arguments = ["run-flow", str(small(bed, "once")), str(file), "--yes"]
    output = kill_when(bed, arguments, signal.SIGINT, line_matches(r"flow f-\S+ (SUBMITTED|RUNNING)"), 3, limit=1500)
    assert "is still there and costs money" in output and "emrctl release once" in output, output
    assert len(bed.instances("once")) == 2
    flow_id = re.search(r"flow (f-\S+)", output)[1]
    done = bed.emrctl(*arguments, "-o", "json", timeout=1800)
    found = json.loads(done.stdout)
    assert found["flow"]["id"] == flow_id and found["flow"]["state"] == "SUCCEEDED" and not found["run"]["kept"]
    assert all(row["attempt"] == 1 for row in found["flow"]["jobs"]), "nothing ran twice"
    results = bed.folder / "counting-results"
    assert (results / "out" / "n").read_text().strip() == "3" and "counted" in (results / "logs" / "tell.log").read_text()
    assert json.loads((results / "logs" / "flow.json").read_text())["id"] == flow_id
    assert bed.instances("once") == []


def test_run_flow_releases_after_a_failed_flow_and_tells_it(bed):
    file = bed.folder / "failing.yml"
    file.write_text(json.dumps({"name": "failing", "jobs": {"bad": {"type": "SHELL", "args": "echo last words; exit 7"}}}))
    done = bed.emrctl("run-flow", str(small(bed, "once")), str(file), "--yes", expect=5, timeout=1800)
    assert "exit code 7" in done.stderr and "Cluster once is released" in done.stdout, done.stdout + done.stderr
    assert "last words" in (bed.folder / "failing-results" / "logs" / "bad.log").read_text()
    assert bed.instances("once") == []


def test_run_flow_releases_after_a_failed_deployment(bed):
    spec = small(bed, "once")
    (bed.folder / "broken.sh").write_text("#!/bin/sh\nexit 9\n")
    spec.write_text(spec.read_text() + "bootstrap: [{script: broken.sh, when: before_install}]\n")
    done = bed.emrctl("run-flow", str(spec), str(bed.folder / "failing.yml"), "--yes", expect=5, timeout=1800)
    assert "broken.sh" in done.stderr and "The flow did not start" in done.stdout, done.stdout + done.stderr
    assert bed.instances("once") == []


def test_run_flow_refuses_a_cluster_that_it_did_not_make(bed):
    file = bed.folder / "failing.yml"
    done = bed.emrctl("run-flow", str(small(bed, NAME)), str(file), "--yes", expect=3)
    assert "was not made for a flow alone" in done.stderr
    assert len(bed.instances(NAME)) == 2
