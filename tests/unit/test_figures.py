"""Figures of a node's own, and the alerts that emrctl shows."""
from __future__ import annotations

import json
import os
import shutil
import struct
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace

import pytest

from ansible_collections.emr.cluster.plugins.module_utils.domain import paths
from ansible_collections.emr.cluster.plugins.module_utils.node.common import NodeError
from ansible_collections.emr.cluster.plugins.module_utils.node.figures import alerts, containers, jvm, program, work
from ansible_collections.emr.cluster.plugins.module_utils.node.flows import record as flow_record, schedule
from ansible_collections.emr.cluster.plugins.module_utils.node.jobs import record as job_record
from emrctl.alerts import text
from tests.lab import until


@pytest.fixture
def here(tmp_path, monkeypatch):
    """The records of a control node, in a folder of the test's."""
    for module, name in ((job_record, "JOBS"), (flow_record, "FLOWS"), (schedule, "SCHEDULES")):
        monkeypatch.setattr(module, name, str(tmp_path / name.lower()))
        (tmp_path / name.lower()).mkdir()
    monkeypatch.setattr(work, "SEEN", str(tmp_path / "seen.json"))
    monkeypatch.setattr(work, "write_atomic", lambda path, content: Path(path).write_text(content))
    return tmp_path


def put(folder, states, asked=None, name="job.json"):
    folder.mkdir()
    (folder / name).write_text(json.dumps(asked or {}))
    (folder / "states").write_text("".join(json.dumps(row) + "\n" for row in states))


def value(rows, figure, **labels):
    found = [row[2] for row in rows if row[0] == figure and row[1] == labels]
    assert len(found) == 1, (figure, labels, rows)
    return found[0]


def test_jobs_are_counted_and_the_last_failure_is_told(here):
    put(here / "jobs" / "j-20261129-120000-aaaa", [{"state": "RUNNING", "time": 100}, {"state": "FAILED", "time": 160}])
    put(here / "jobs" / "j-20261129-120000-bbbb", [{"state": "RUNNING", "time": 100}, {"state": "SUCCEEDED", "time": 190}])
    put(here / "jobs" / "j-20261129-120000-cccc", [{"state": "RUNNING", "time": 100, "attempt": 1}, {"state": "RETRYING", "time": 150, "attempt": 1},
                                                  {"state": "RUNNING", "time": 151, "attempt": 2}], {"keep_running": True, "name": 'clicks "new"'})
    rows = work.rows()
    assert value(rows, "jobs", state="FAILED") == value(rows, "jobs", state="RUNNING") == 1 and value(rows, "jobs", state="LOST") == 0
    assert value(rows, "job_last_failure_seconds") == 160
    assert value(rows, "stream_attempts", id="j-20261129-120000-cccc", name='clicks "new"') == 2
    assert '{id="j-20261129-120000-cccc",name="clicks \\"new\\""} 2\n' in program.text(rows)


def test_what_has_ended_is_read_once_and_what_goes_on_again(here, monkeypatch):
    states = here / "jobs" / "j-20261129-120000-aaaa" / "states"
    put(states.parent, [{"state": "RUNNING", "time": 100}])
    assert value(work.rows(), "jobs", state="RUNNING") == 1
    read = []
    monkeypatch.setattr(work, "_job", lambda job_id: read.append(job_id) or ("FAILED", 200))
    assert value(work.rows(), "jobs", state="RUNNING") == 1 and not read
    states.write_text(states.read_text() + json.dumps({"state": "FAILED", "time": 200}) + "\n")
    assert value(work.rows(), "job_last_failure_seconds") == 200 and read


def test_a_schedule_fails_with_its_last_flow_and_stops_with_its_timer(here, monkeypatch):
    put(here / "flows" / "f-20261129-120000-aaaa", [{"state": "RUNNING", "time": 1}, {"state": "FAILED", "time": 9}], name="flow.json")
    for name, paused in (("bad", False), ("rests", True)):
        (here / "schedules" / name).mkdir()
        (here / "schedules" / name / "schedule.json").write_text(json.dumps({"paused": paused}))
    (here / "schedules" / "bad" / "runs").write_text(json.dumps({"flow": "f-20261129-120000-aaaa", "result": "started"}) + "\n"
                                                     + json.dumps({"result": "skipped", "why": "still runs"}) + "\n")
    monkeypatch.setattr(work, "run", lambda *_a, **_k: (3, "inactive\ninactive\n", ""))
    rows = work.rows()
    assert value(rows, "schedule_failed", schedule="bad") == 1 and value(rows, "schedule_failed", schedule="rests") == 0
    assert value(rows, "schedule_stopped", schedule="bad") == 1 and value(rows, "schedule_stopped", schedule="rests") == 0
    assert value(rows, "flow_last_failure_seconds") == 9


def test_a_boot_keeps_the_time_at_which_it_was_seen_first(tmp_path, monkeypatch):
    (tmp_path / "id").write_text("one\n")
    monkeypatch.setattr(program, "BOOT_ID", str(tmp_path / "id"))
    monkeypatch.setattr(program, "BOOT", str(tmp_path / "boot.json"))
    monkeypatch.setattr(program, "write_atomic", lambda path, content: Path(path).write_text(content))
    clock = iter((1000, 2000))
    monkeypatch.setattr(program, "time", SimpleNamespace(time=lambda: next(clock)))
    assert program.boot() == program.boot() == 1000
    (tmp_path / "id").write_text("two\n")
    assert program.boot() == 2000
    (tmp_path / "boot.json").write_text("{half")


def test_daemons_without_figures_are_asked(monkeypatch):
    monkeypatch.setattr(program, "unit_states", lambda units: {"emr-a": {"ActiveState": "active", "NRestarts": "3"}, "emr-b": {"ActiveState": "active"}})
    asked = {"kind": "http", "url": "http://127.0.0.1:1/"}
    rows = program.daemons([{"name": "a", "unit": "emr-a", "health": None}, {"name": "b", "unit": "emr-b", "health": asked},
                            {"name": "c", "unit": "emr-c", "health": {"kind": "other.probe", "url": "tcp://127.0.0.1:1"}}])
    assert value(rows, "daemon_restarts", daemon="a") == 3 and not [row for row in rows if row[0] == "daemon_up" and row[1]["daemon"] == "a"]
    assert value(rows, "daemon_up", daemon="b") == 0 and value(rows, "daemon_up", daemon="c") == 0


def test_a_daemon_that_hangs_keeps_nothing_back(monkeypatch):
    monkeypatch.setattr(program, "LIMIT_S", 0.3)
    hangs, begun = threading.Event(), time.monotonic()
    assert program.limited({"a": (lambda _x: hangs.wait(30), 0), "b": (lambda x: x + 1, 1)}) == {"b": 2}
    assert time.monotonic() - begun < 10
    hangs.set()


ANSWERS = {
    "/api/v1/alerts": {"status": "success", "data": {"alerts": [
        {"labels": {"alertname": "YarnNodesLost", "severity": "warning"}, "annotations": {"means": "m", "help": "h"}, "state": "firing", "activeAt": "2026-11-29T10:00:00.5Z"},
        {"labels": {"alertname": "HdfsFull", "severity": "warning"}, "annotations": {}, "state": "pending", "activeAt": "2026-11-29T10:00:00Z"},
        {"labels": {"alertname": "NodeDown", "severity": "critical", "node": "s1", "role": "slave"}, "annotations": {"means": "s1 is \x1b[31mdown.", "help": "emrctl repair x"},
         "state": "firing", "activeAt": "2026-11-29T09:59:00Z"}]}},
    "/api/v1/rules?type=alert": {"status": "success", "data": {"groups": [{"rules": [
        {"name": "NodeDown", "labels": {"severity": "critical"}}, {"name": "HdfsFull", "labels": {"severity": "warning"}},
        {"name": "Own", "labels": {}}, {"name": "Watchdog", "labels": {"severity": "watchdog"}}]}]}},
    "/api/v2/alerts": [{"labels": {"alertname": "YarnNodesLost", "severity": "warning"}, "fingerprint": "f2", "status": {"inhibitedBy": ["f1"], "silencedBy": []}},
                       {"labels": {"alertname": "NodeDown", "severity": "critical", "node": "s1", "role": "slave"}, "fingerprint": "f1", "status": {"inhibitedBy": [], "silencedBy": []}}]}


class Daemons(BaseHTTPRequestHandler):
    """Answers as Prometheus and Alertmanager do."""

    def do_GET(self):
        body = json.dumps(ANSWERS[self.path]).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_words):
        pass


def known(monkeypatch, folder, address: str) -> None:
    """Let a node know these daemons as the cluster's."""
    (folder / "settings.json").write_text(json.dumps({"store": address, "alertmanager": address}))
    monkeypatch.setattr(paths, "MONITORING_SETTINGS", str(folder / "settings.json"))


@pytest.fixture
def daemons(monkeypatch, tmp_path):
    server = ThreadingHTTPServer(("127.0.0.1", 0), Daemons)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    known(monkeypatch, tmp_path, f"http://127.0.0.1:{server.server_port}")
    yield
    server.shutdown()
    server.server_close()


def test_alerts_are_told_with_what_explains_them(daemons):
    found = alerts.now()
    assert [row["alert"] for row in found["alerts"]] == ["NodeDown", "YarnNodesLost", "HdfsFull"] and found["rules"] == 3 and found["passed_on"]
    assert found["alerts"][1]["quiet"] == "follows from NodeDown" and found["alerts"][0]["labels"] == {"role": "slave"}
    shown = text(found["alerts"], 3, 1795946460)
    assert "critical  NodeDown       s1    2m00s ago" in shown and "\x1b" not in shown and "follows from NodeDown" in shown and "emrctl repair x" in shown
    assert text([], 3, 0) == "No alert; 3 rules are watched."


def test_without_prometheus_it_says_what_to_do(monkeypatch, capsys, tmp_path):
    known(monkeypatch, tmp_path, "http://127.0.0.1:1")
    with pytest.raises(NodeError, match="emrctl repair"):
        alerts.now()
    assert program.main(["alerts"]) == 1 and json.loads(capsys.readouterr().out)["failed"]


def contained(environment: dict, *command: str, **more):
    """A process with this environment."""
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True, **more)


def test_processes_of_containers_are_found_by_their_environment(tmp_path, monkeypatch):
    monkeypatch.setattr(containers, "LAST", str(tmp_path / "last.json"))
    monkeypatch.setattr(containers, "write_atomic", lambda path, text: Path(path).write_text(text))
    busy = "print('begun', flush=True)\nwhile True: pass"
    mine = {"CONTAINER_ID": "container_e07_1796045317179_0042_01_000002", "USER": "alice"}
    with contained(mine, sys.executable, "-c", busy) as first, contained({**mine, "CONTAINER_ID": "container_x"}, sys.executable, "-c", busy) as second:
        try:
            assert first.stdout.readline() == second.stdout.readline() == "begun\n"
            ours = {"application": "application_1796045317179_0042", "user": "alice", "program": ""}

            def found():
                return {name: value for name, labels, value in containers.rows() if labels == ours}
            assert found()["application_containers"] == 1 and found()["application_memory_bytes"] > 1 << 20
            until(lambda: found().get("application_cpus", 0) > 0, "it uses CPU", 30)
        finally:
            first.kill()
            second.kill()
    assert not found(), "what has ended is not told any more"


GARBAGE = """
public class Garbage {
    static byte[] kept;
    public static void main(String[] words) throws Exception {
        java.nio.file.Files.write(java.nio.file.Path.of(words[0]), new byte[1 << 20], java.nio.file.StandardOpenOption.CREATE, java.nio.file.StandardOpenOption.SYNC);
        for (int i = 0; i < 3000; i++) { kept = new byte[1 << 20]; if (i % 100 == 0) { System.gc(); } }
        System.out.println("made");
        System.in.read();
    }
}
"""


def test_a_jvm_tells_its_garbage_collections_and_any_process_its_disk(tmp_path, monkeypatch):
    monkeypatch.setattr(containers, "LAST", str(tmp_path / "last.json"))
    monkeypatch.setattr(containers, "write_atomic", lambda path, text: Path(path).write_text(text))
    source, ours = tmp_path / "Garbage.java", {"CONTAINER_ID": "container_1796045317179_0043_01_000002", "USER": "alice"}
    source.write_text(GARBAGE)

    def rates():
        return {name: value for name, labels, value in containers.rows() if labels["application"] == "application_1796045317179_0043"}
    rates()
    command = (shutil.which("java"), "-Xmx64m", "-XX:+UseSerialGC", str(source), str(tmp_path / "written"))
    with contained(ours, *command, stdin=subprocess.PIPE) as child:
        try:
            assert child.stdout.readline() == "made\n"
            found = rates()
            assert found["application_gc_seconds_per_second"] > 0 and found["application_disk_written_bytes_per_second"] > 0, found
            assert rates()["application_gc_seconds_per_second"] == 0, "it rests"
        finally:
            child.kill()


def test_counters_of_a_jvm_are_numbers_whatever_somebody_wrote(tmp_path):
    longs = {b"sun.os.hrt.frequency": 1000, b"sun.gc.collector.0.time": 1500, b"sun.gc.collector.1.time": 500, b"sun.gc.cause": 7}
    rows = b"".join(struct.pack("<iiiBBBBi", 64, 20, 0, ord("J"), 0, 0, 0, 56) + name.ljust(36, b"\0") + struct.pack("<q", value) for name, value in longs.items())
    head = b"\xca\xfe\xc0\xc0" + bytes([1, 2, 0, 1]) + struct.pack("<iiqii", 0, 0, 0, 32, len(longs))
    assert jvm.told(head + rows) == 2.0
    assert jvm.told(head[:4] + bytes([0, 2, 0, 1]) + head[8:] + rows) is None, "the other order of bytes"
    cut = [jvm.told((head + rows)[:size]) for size in range(len(head + rows))]
    assert set(cut) <= {None, 2.0} and cut[0] is None
    endless = struct.pack("<iiiBBBBi", 0, 20, 0, 0, 0, 0, 0, 0)
    assert jvm.told(head[:28] + struct.pack("<i", 2**31 - 1) + endless) is None
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("/proc/self/environ")
    assert jvm.gc_seconds(tmp_path / "pipe") is None
    with pytest.raises(OSError, match="link"):
        jvm.gc_seconds(tmp_path / "link")


@pytest.mark.parametrize(("command", "program"), [
    ("java -server -Xmx1g -cp /a:/b org.apache.spark.executor.YarnCoarseGrainedExecutorBackend --driver-url x", "org.apache.spark.executor.YarnCoarseGrainedExecutorBackend"),
    ("/usr/lib/jvm/bin/java -Dx=y org.apache.hadoop.mapred.YarnChild 10.0.0.1", "org.apache.hadoop.mapred.YarnChild"),
    ("java -jar /x.jar", ""), ("python3 -m org.apache.Fake", ""), ("java", ""), ("", "")])
def test_a_program_is_the_class_that_java_runs(command, program):
    assert containers.main_class(command.split(" ")) == program


def test_small_programs_are_told_together():
    rows = [{"container": f"c{number}", "application": f"a{number:02}", "user": "u", "program": "p", "key": f"{number}-1", "used": {"cpu_s": 5.0 + number}, "memory": 100 - number}
            for number in range(25)]
    told = {(name, labels["application"]): value for name, labels, value in containers.told(rows, {"0-1": {"cpu_s": 4.0}}, 10.0)}
    assert told["application_memory_bytes", "a00"] == 100 and told["application_cpus", "a00"] == 0.1 and told["application_cpus", "a01"] == 0.6
    assert told["application_containers", "others"] == 5 and told["application_memory_bytes", "others"] == sum(100 - number for number in range(20, 25))
    assert ("application_memory_bytes", "a20") not in told and ("application_memory_bytes", "a19") in told
    empty = containers.told([], {}, 0)
    assert [(name, value) for name, _labels, value in empty] == [("application_memory_bytes", 0), ("application_containers", 0)]
