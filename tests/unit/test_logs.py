"""Log lines of many nodes as one stream: files and journal on a node, the merge on the controller, the pipe to emrctl."""
from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
import threading
import time

import pytest

from ansible_collections.emr.cluster.plugins.action import logs as action
from ansible_collections.emr.cluster.plugins.module_utils.domain.errors import Refused
from ansible_collections.emr.cluster.plugins.module_utils.domain.logs.lines import (
    RECORD_CHARS,
    Newest,
    Wanted,
    goes_on,
    head,
)
from ansible_collections.emr.cluster.plugins.module_utils.node.logs.files import LogFiles
from ansible_collections.emr.cluster.plugins.plugin_utils.log_streams import Followed, Gathered
from emrctl import stream
from emrctl.logs import text

MODULE = "ansible_collections.emr.cluster.plugins.module_utils.node.logs.program"
PROGRAM = [sys.executable, "-c", f"import sys; from {MODULE} import main; sys.exit(main([]))"]
NOON = time.mktime((2026, 11, 29, 12, 0, 0, -1, -1, -1))
TRACE = "java.io.IOException: no\n\tat a.B.c(B.java:1)\nCaused by: java.net.ConnectException\n\t... 3 more"


def stamp(moment: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(moment)) + f",{round(moment * 1000) % 1000:03d}"


def log(path, rows) -> None:
    path.write_text("".join(f"{stamp(moment)} {level} {words}\n" for moment, level, words in rows))


@pytest.fixture
def journalctl(tmp_path, monkeypatch):
    """A journal: entries as JSON lines in a file."""
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "journalctl").write_text(f"#!/bin/sh\ncat {tmp_path}/journal 2>/dev/null; case \" $* \" in *' -f '*) sleep 60;; esac\n")
    (folder / "journalctl").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")

    def write(*rows):
        (tmp_path / "journal").write_text("".join(json.dumps(
            {"__REALTIME_TIMESTAMP": str(int(moment * 1e6)), "_SYSTEMD_UNIT": unit, "PRIORITY": priority, "MESSAGE": words}) + "\n"
            for moment, unit, priority, words in rows))
    return write


def request(tmp_path, **more) -> dict:
    return {"components": {"namenode": {"unit": "emr-namenode", "path": str(tmp_path / "namenode.log")}}, "system": True, "since": NOON - 60,
            "level": "", "grep": "", "regex": False, "most": 1000, "follow": False, **more}


@pytest.mark.parametrize(("line", "found"), [
    ("2026-11-29 12:00:00,250 WARN a.B: x", (NOON + 0.25, "WARN", "a.B: x")), ("26/11/29 12:00:00 INFO A: y", (NOON, "INFO", "A: y")),
    ("2026-11-29 12:00:00,000 something", (NOON, "", "something")), ("\tat a.B", None), ("2026-13-41 99:00:00 INFO x", None), ("", None)])
def test_the_head_of_a_line(line, found):
    got = head(line)
    # A day that there is not is some other moment to the C library, never an error.
    assert got == found or (found is None and "13-41" in line)


def test_what_goes_on():
    assert all(map(goes_on, TRACE.split("\n"))) and not goes_on("Starting NameNode")


def test_a_trace_stays_with_its_line_and_the_newest_are_kept(tmp_path):
    log(tmp_path / "d.log", [(NOON, "INFO", "a"), (NOON + 1, "ERROR", f"b\n{TRACE}"), (NOON + 2, "INFO", "c")])
    files = LogFiles("d", str(tmp_path / "d.log"), NOON)
    rows = [*files.whole(), *files.flush()]
    assert [row[2:] for row in rows] == [["INFO", "a"], ["ERROR", f"b\n{TRACE}"], ["INFO", "c"]]
    newest = Newest(2)
    for row in rows:
        newest.add(row)
    assert [row[3][0] for row in newest.rows] == ["b", "c"] and newest.left_out == 1
    assert [row[3][0] for row in rows if Wanted("WARN")(row)] == ["b"]
    assert [row[3][0] for row in rows if Wanted(grep="B.java:1)")(row)] == ["b"] and not any(Wanted(grep="B.java.1")(row) for row in rows)
    assert [row[3][0] for row in rows if Wanted(grep="B.java.1", regex=True)(row)] == ["b"]


def test_a_record_without_end_is_cut(tmp_path):
    log(tmp_path / "d.log", [(NOON, "INFO", "x" * 200000), (NOON + 1, "INFO", "next")])
    files = LogFiles("d", str(tmp_path / "d.log"), 0)
    rows = [*files.whole(), *files.flush()]
    assert [len(row[3]) < 3 * RECORD_CHARS for row in rows] == [True, True] and rows[1][3] == "next"


def test_old_files_come_first_and_what_is_too_old_is_not_read(tmp_path):
    path = tmp_path / "d.log"
    for end, begin in ((".2", 0), (".1", 5000), ("", 10000)):
        log(tmp_path / f"d.log{end}", [(NOON + at, "INFO", f"line {at} {'.' * 80}") for at in range(begin, begin + 5000)])
        os.utime(tmp_path / f"d.log{end}", (NOON + begin + 5000,) * 2)
    files, read = LogFiles("d", str(path), NOON + 9000), []
    inner = files._take
    files._take = lambda line: (read.append(line), inner(line))[1]
    rows = [*files.whole(), *files.flush()]
    assert [row[0] - NOON for row in rows] == list(range(9000, 15000))
    # Found by halves: little is read in vain.
    assert len(read) < 6000 + 1500


def test_files_are_followed_over_a_rotation(tmp_path):
    path = tmp_path / "d.log"
    log(path, [(NOON, "INFO", "a")])
    files = LogFiles("d", str(path), NOON)
    assert [*files.whole()] == []
    with path.open("a") as out:
        out.write(f"{stamp(NOON + 1)} INFO b\n")
    path.rename(tmp_path / "d.log.1")
    log(path, [(NOON + 2, "INFO", "c")])
    rows = [*files.more(), *files.more()]
    files.seen -= 5
    assert [row[3] for row in [*rows, *files.more()]] == ["a", "b", "c"]


def test_a_daemon_that_has_no_log_yet(tmp_path):
    files = LogFiles("d", str(tmp_path / "d.log"), NOON)
    assert [*files.whole(), *files.more()] == []
    log(tmp_path / "d.log", [(NOON, "INFO", "a"), (NOON + 1, "INFO", "b")])
    assert [row[3] for row in files.more()] == ["a"]


def gathered(tmp_path, count=1, **more):
    found = Gathered({f"n{at}": PROGRAM for at in range(count)}, request(tmp_path, **more))
    return list(found), found


def test_a_node_tells_files_and_journal_in_order(tmp_path, journalctl):
    log(tmp_path / "namenode.log", [(NOON + at, "INFO", f"line {at}") for at in range(4)])
    journalctl((NOON + 0.5, "sshd.service", "3", "{{ 1 }}"), (NOON + 1.5, "emr-namenode.service", "6", "26/11/29 12:00:01 ERROR X: gone"),
               *((NOON + 1.6, "emr-namenode.service", "6", line) for line in TRACE.split("\n")), (NOON + 2.5, "emr-namenode.service", "6", "Stopped"))
    rows, found = gathered(tmp_path)
    assert [(row[1], row[2], row[3], row[4]) for row in rows] == [
        ("n0", "namenode", "INFO", "line 0"), ("n0", "sshd", "ERROR", "{{ 1 }}"), ("n0", "namenode", "INFO", "line 1"),
        ("n0", "namenode", "ERROR", f"X: gone\n{TRACE}"), ("n0", "namenode", "INFO", "line 2"), ("n0", "namenode", "INFO", "Stopped"),
        ("n0", "namenode", "INFO", "line 3")]
    assert found.silent == {} and found.left_out == 0
    assert [row[4] for row in gathered(tmp_path, system=False, level="ERROR")[0]] == [f"X: gone\n{TRACE}"]


def test_what_a_daemon_printed_long_ago_stands_where_it_was_printed(tmp_path, journalctl):
    """It came at the end: whether its record went on was known only when it printed again, or not at all."""
    journalctl((NOON, "emr-namenode.service", "6", "Starting"), *((NOON + 10 + at, "sshd.service", "6", f"other {at}") for at in range(20)),
               (NOON + 40, "emr-namenode.service", "6", "Stopping"), (NOON + 50, "sshd.service", "6", "the last"))
    rows, _found = gathered(tmp_path, most=10)
    assert [row[4] for row in rows] == [*(f"other {at}" for at in range(12, 20)), "Stopping", "the last"]
    rows, _found = gathered(tmp_path)
    assert rows[0][4] == "Starting" and [row[0] for row in rows] == sorted(row[0] for row in rows) and len(rows) == 23


def test_nodes_are_merged_and_what_is_cut_is_counted(tmp_path, journalctl):
    journalctl()
    log(tmp_path / "namenode.log", [(NOON + at, "INFO", f"line {at}") for at in range(500)])
    rows, found = gathered(tmp_path, 3, most=300)
    assert len(rows) == 900 and found.left_out == 600
    assert [row[0] for row in rows] == sorted(row[0] for row in rows) and {row[1] for row in rows} == {"n0", "n1", "n2"}


def test_a_silent_node_does_not_hold_up_the_others(tmp_path, journalctl):
    journalctl()
    log(tmp_path / "namenode.log", [(NOON, "INFO", "here")])
    found = Gathered({"a": PROGRAM, "b": ["sh", "-c", "echo no route >&2; exit 255"], "c": ["sh", "-c", "exit 127"]}, request(tmp_path))
    assert [row[4] for row in found] == ["here"]
    assert found.silent["b"] == "no route" and "emrctl apply" in found.silent["c"]


def test_nodes_are_followed(tmp_path, journalctl):
    journalctl()
    path = tmp_path / "namenode.log"
    log(path, [(time.time() - 1, "INFO", "before")])
    found = Followed({"a": PROGRAM, "b": PROGRAM}, request(tmp_path, since=time.time() - 60, follow=True))
    seen, begun = [], time.monotonic()
    try:
        for row in found:
            seen += [row] if row else []
            if len(seen) == 2 and "now" not in path.read_text():
                with path.open("a") as out:
                    out.write(f"{stamp(time.time())} WARN now\n{TRACE}\n")
            if len(seen) == 4 or time.monotonic() - begun > 60:
                break
    finally:
        for one in found.streams:
            one.stop()
    assert [(row[3], row[4]) for row in seen] == [("INFO", "before")] * 2 + [("WARN", f"now\n{TRACE}")] * 2
    assert {row[1] for row in seen} == {"a", "b"}


def test_a_program_ends_with_its_reader(tmp_path, journalctl):
    journalctl()
    child = subprocess.Popen(PROGRAM, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    child.stdin.write(json.dumps(request(tmp_path, follow=True)).encode() + b"\n")
    child.stdin.flush()
    child.stdout.readline()
    child.stdin.close()
    assert child.wait(20) == 0
    child.stdout.close()


def test_followed_records_wait_for_slow_nodes_but_not_for_long():
    now = [100.0]
    found = Followed({}, {"follow": True}, clock=lambda: now[0])
    found.until = {"a": 0.0, "b": 0.0}

    def told(node, message):
        return [row[4] if isinstance(row, list) else row for row in itertools.chain(found.take(node, message), found.due())]
    assert told("a", {"rows": [[5.0, "c", "INFO", "later"]], "until": 9.0}) == []
    assert told("b", {"rows": [[4.0, "c", "INFO", "earlier"]], "until": 4.5}) == ["earlier"]
    assert told("b", {"until": 6.0}) == ["later"]
    assert told("a", {"rows": [[8.0, "c", "INFO", "kept"]], "until": 9.0}) == []
    now[0] += 60
    assert told("a", {}) == ["kept"]
    assert told("b", {"ended": "gone"}) == ["b: gone"] and told("b", {"ended": "gone"}) == []
    assert told("a", {"rows": [[9.0, "c", "INFO", "alone"]], "until": 10.0}) == ["alone"]
    assert told("b", {"until": 11.0}) == ["b: is followed again"]


@pytest.mark.parametrize("given", [{"level": "LOUD"}, {"component": ["namnode"]}, {"grep": "(", "regex": True}, {"since": "yesterdayish"}])
def test_what_cannot_be_is_refused(given):
    with pytest.raises(Refused):
        action.asked(given, False)


def test_the_request_keeps_what_a_person_writes():
    found = action.asked({"grep": "{{ 7 }} $(x) .*", "component": ["namenode", "system"], "level": "warn", "since": "2h"}, False, lambda: 10000.0)
    assert found["grep"] == "{{ 7 }} $(x) .*" and list(found["components"]) == ["namenode"] and found["system"] and found["level"] == "WARN"
    assert found["since"] == 10000.0 - 7200 and action.asked({"grep": "("}, True, lambda: 100.0)["since"] == 40.0


def test_lines_reach_emrctl_while_the_task_runs(tmp_path):
    got, first = [], threading.Event()

    def reads(line):
        got.append(json.loads(line))
        first.set()
    with stream.pipe(tmp_path / "p", reads) as named, action.Stream(named["EMR_STREAM"]) as out:
        out.record(1.0, "n", "c", "INFO", "ünï\ud800")
        assert first.wait(20)
        out.note("later")
    assert [row.get("text") or row["note"] for row in got] == ["ünï\ud800", "later"]
    assert not (tmp_path / "p").exists()


def test_a_log_cannot_steer_the_terminal():
    assert text({"time": "t", "node": "n", "component": "c", "level": "INFO", "text": "a\x1b[2Jb\n\tat c"}) == "t n c INFO a [2Jb\n\tat c"
