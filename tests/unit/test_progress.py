import io
import json

import pytest

from emrctl import progress
from emrctl.output import duration
from emrctl.progress import Live, Plain, Timings


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


def event(kind, **data):
    return {"event": kind, "event_data": data}


def follow(watcher, clock, failed=False, finished=True):
    watcher.handle(event("playbook_on_play_start", name="Buy"))
    watcher.handle(event("playbook_on_task_start", task="Find"))
    clock.now += 3
    watcher.handle(event("playbook_on_task_start", task="Plan"))
    clock.now += 2
    watcher.handle(event("playbook_on_play_start", name="Nodes"))
    watcher.handle(event("playbook_on_task_start", role="emr.cluster.hdfs", task="Start"))
    clock.now += 20
    if failed:
        watcher.handle(event("runner_on_failed", host="n1", task="Start", res={}))
    if finished:
        watcher.handle(event("playbook_on_stats"))
    watcher.close()


def test_plain_lines_for_each_phase(tmp_path):
    stream, clock = io.StringIO(), Clock()
    follow(Plain("create", stream, Timings(tmp_path / "t.json"), clock), clock)
    lines = [line.split(" ", 1)[1] for line in stream.getvalue().splitlines()]
    assert lines == ["Buy: started", "Buy: done after 5.0s", "hdfs: started", "hdfs: done after 20s"]


def test_the_next_run_knows_what_to_expect(tmp_path):
    path, clock = tmp_path / "t.json", Clock()
    follow(Plain("create", io.StringIO(), Timings(path), clock), clock)
    assert json.loads(path.read_text())["create"]["hdfs"] == 20
    stream = io.StringIO()
    follow(Plain("create", stream, Timings(path), clock), clock)
    assert "hdfs: started, expected 20s" in stream.getvalue()


def test_a_failed_run_teaches_nothing_and_names_the_node(tmp_path):
    stream, clock, path = io.StringIO(), Clock(), tmp_path / "t.json"
    follow(Plain("create", stream, Timings(path), clock), clock, failed=True)
    assert not path.exists()
    assert "n1: failed: Start" in stream.getvalue() and "hdfs: stopped after 20s" in stream.getvalue()


def test_an_interrupted_run_teaches_nothing(tmp_path):
    stream, clock, path = io.StringIO(), Clock(), tmp_path / "t.json"
    follow(Plain("create", stream, Timings(path), clock), clock, finished=False)
    assert not path.exists() and "hdfs: stopped after 20s" in stream.getvalue()


def test_ignored_failures_are_not_told(tmp_path):
    stream = io.StringIO()
    watcher = Plain("x", stream, Timings(tmp_path / "t"), Clock())
    watcher.handle(event("runner_on_failed", host="n1", task="Try", ignore_errors=True))
    assert stream.getvalue() == "" and not watcher.failed


def test_notes_of_a_task_are_shown(tmp_path):
    stream = io.StringIO()
    watcher = Plain("x", stream, Timings(tmp_path / "t"), Clock())
    watcher.handle({"event": "verbose", "stdout": "emr: ecs.c6.large has no stock\nother text"})
    assert stream.getvalue().endswith(" ecs.c6.large has no stock\n")


def test_a_terminal_gets_one_redrawn_line_per_phase(tmp_path):
    stream, clock = io.StringIO(), Clock()
    follow(Live("create", stream, Timings(tmp_path / "t.json"), clock), clock)
    text = stream.getvalue()
    assert text.count("\n") == 2 and "\r\x1b[K" in text and "✓ hdfs" in text


def test_broken_timings_are_no_trouble(tmp_path):
    path = tmp_path / "t.json"
    path.write_text("not json")
    assert Timings(path).expected("create", "hdfs") is None


def test_form_follows_the_stream(monkeypatch, tmp_path):
    monkeypatch.setenv("EMR_CACHE", str(tmp_path))
    assert isinstance(progress.make("x", io.StringIO()), Plain)
    assert progress.make("x", quiet=True) is None


@pytest.mark.parametrize(("seconds", "text"), [(3.21, "3.2s"), (42.4, "42s"), (245, "4m05s")])
def test_durations(seconds, text):
    assert duration(seconds) == text


def test_the_tree_of_a_flow_is_redrawn_below_the_line_and_gone_at_the_end(tmp_path):
    stream, clock = io.StringIO(), Clock()
    watcher = Live("flow", stream, Timings(tmp_path / "t.json"), clock)
    watcher.handle(event("playbook_on_play_start", name="Run the flow"))
    watcher.handle(event("playbook_on_task_start", task="Run"))
    jobs = [{"name": "a", "after": [], "state": "SUCCEEDED", "job": "j-1", "seconds": 2.0, "on_failure": "stop", "progress": None},
            {"name": "b", "after": ["a"], "state": "RUNNING", "job": "j-2", "seconds": 1.0, "on_failure": "stop", "progress": 40}]
    watcher.handle({"event": "verbose", "stdout": progress.TREE + json.dumps(jobs)})
    drawn = stream.getvalue()
    assert "└─ a     SUCCEEDED" in drawn and "   └─ b  RUNNING 40%" in drawn and drawn.endswith("\x1b[2A")
    watcher.handle(event("playbook_on_stats"))
    watcher.close()
    assert "\r\x1b[J✓ Run the flow" in stream.getvalue()[len(drawn):] and "└─" not in stream.getvalue().rsplit("✓", 1)[1]
    plain = io.StringIO()
    quiet = Plain("flow", plain, Timings(tmp_path / "t.json"), clock)
    quiet.handle({"event": "verbose", "stdout": progress.TREE + json.dumps(jobs)})
    assert plain.getvalue() == ""
