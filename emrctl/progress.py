"""Progress of a playbook run on stderr: phases with elapsed and expected time.

A phase is a role, a task that follows the roles of its play, or a play without roles. On a terminal one line is redrawn in
place; otherwise each phase gives a plain line when it starts and when it ends. Expected times are those of the last good
run on this machine.
"""
from __future__ import annotations

import json
import os
import shutil
import sys
import threading
import time

from emrctl import paths
from emrctl.output import duration

REDRAW_SECONDS = 0.5
NOTE = "emr: "
# The jobs of a flow as JSON, for a tree that is drawn while they run; only sent to who can draw it.
TREE = "emr-flow: "


def make(playbook: str, stream=None, quiet: bool = False):
    """The watcher for this stream: redrawn line on a terminal, plain lines elsewhere, None when quiet."""
    stream = stream or sys.stderr
    if quiet:
        return None
    live = stream.isatty() and os.environ.get("TERM", "dumb") != "dumb"
    return (Live if live else Plain)(playbook, stream, Timings())


class Timings:
    """Seconds that each phase of each playbook took last time, in ``~/.cache/emr/timings.json``."""

    def __init__(self, path=None):
        self.path = path or paths.cache_dir() / "timings.json"
        try:
            self.seconds = json.loads(self.path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            self.seconds = {}

    def expected(self, playbook: str, phase: str) -> float | None:
        """Expected seconds, or None when this phase never ran to its end here."""
        value = self.seconds.get(playbook, {}).get(phase)
        return float(value) if isinstance(value, (int, float)) else None

    def save(self, playbook: str, phases: list) -> None:
        """Remember (phase, seconds) pairs; a file that cannot be written is not an error."""
        self.seconds.setdefault(playbook, {}).update({name: round(secs, 2) for name, secs in phases})
        temporary = self.path.with_suffix(f".{os.getpid()}")
        try:
            temporary.write_text(json.dumps(self.seconds), encoding="utf-8")
            temporary.replace(self.path)
        except OSError:
            pass


class Watcher:
    """Follows events and knows the phases; subclasses draw."""

    def __init__(self, playbook: str, stream, timings: Timings, clock=time.monotonic):
        self.playbook, self.stream, self.timings, self.clock = playbook, stream, timings, clock
        self.phases: list[tuple[str, float]] = []
        self.phase = self.task = ""
        self.since = self.began = clock()
        self.failed = self.finished = False
        self.play = ""

    def handle(self, event: dict) -> None:
        """Take one runner event."""
        kind, data = event.get("event", ""), event.get("event_data") or {}
        if kind == "playbook_on_play_start":
            self.play, self.roles_seen = data.get("name") or data.get("play") or "", False
        elif kind == "playbook_on_task_start":
            task = data.get("task") or ""
            role = _short(data.get("role"))
            self.roles_seen |= bool(role)
            # What follows the roles of a play, such as the verification, is a phase of its own.
            self._enter(role or (task if self.roles_seen else self.play), task)
        elif kind in ("runner_on_failed", "runner_on_unreachable") and not data.get("ignore_errors"):
            self.failed = True
            self.trouble(data.get("host", "?"), data.get("task", ""))
        elif kind == "playbook_on_stats":
            self.finished = True
        elif kind == "verbose":
            self._note_lines(event.get("stdout") or "")

    def _note_lines(self, text: str) -> None:
        """Tasks on the controller tell what they do in lines that begin with ``emr: ``."""
        for line in text.splitlines():
            if line.startswith(NOTE):
                self.note(line[len(NOTE):])
            elif line.startswith(TREE):
                self.tree(json.loads(line[len(TREE):]))

    def _enter(self, phase: str, task: str) -> None:
        self.task = task
        if phase == self.phase or not phase:
            return
        self._leave()
        self.phase, self.since = phase, self.clock()
        self.started()

    def _leave(self) -> None:
        if not self.phase:
            return
        seconds = self.clock() - self.since
        self.phases.append((self.phase, seconds))
        self.ended(self.phase, seconds)
        self.phase = ""

    def close(self) -> None:
        """The run has ended; one that gave no statistics was interrupted."""
        self.failed = self.failed or not self.finished
        self._leave()
        if not self.failed and self.phases:
            total: dict[str, float] = {}
            for name, seconds in self.phases:
                total[name] = total.get(name, 0.0) + seconds
            self.timings.save(self.playbook, list(total.items()))

    def expected(self) -> str:
        """`` of about 12s``, or nothing when unknown."""
        seconds = self.timings.expected(self.playbook, self.phase)
        return f" of about {duration(seconds)}" if seconds and seconds >= 1 else ""

    def say(self, line: str) -> None:
        self.stream.write(line + "\n")
        self.stream.flush()

    def started(self) -> None: ...
    def ended(self, phase: str, seconds: float) -> None: ...
    def trouble(self, node: str, task: str) -> None: ...
    def note(self, text: str) -> None: ...
    def tree(self, jobs: list) -> None: ...


class Plain(Watcher):
    """One line at each start and end: for logs, pipes and CI."""

    def started(self) -> None:
        self.say(f"{_now()} {self.phase}: started{self.expected().replace(' of about', ', expected')}")

    def ended(self, phase: str, seconds: float) -> None:
        self.say(f"{_now()} {phase}: {'stopped' if self.failed else 'done'} after {duration(seconds)}")

    def trouble(self, node: str, task: str) -> None:
        self.say(f"{_now()} {node}: failed: {task}")

    def note(self, text: str) -> None:
        self.say(f"{_now()} {text}")


class Live(Watcher):
    """One line that is redrawn while a phase lasts, with the tree of a flow below it, and a line that stays for each finished phase."""

    LIVE = True

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self._lock = threading.RLock()
        self._stop = threading.Event()
        self._tree: list = []
        self._lines = 1
        self._thread = threading.Thread(target=self._tick, daemon=True)
        self._thread.start()

    def _tick(self) -> None:
        while not self._stop.wait(REDRAW_SECONDS):
            with self._lock:
                self._redraw()

    def _redraw(self) -> None:
        if not self.phase:
            return
        text = f"  {self.phase:<22} {duration(self.clock() - self.since)}{self.expected()}  {self.task}"
        width, height = shutil.get_terminal_size()
        lines = [text, *self._tree][:max(1, height - 1)]
        # The cursor goes back to the first line: whatever is written next clears from there on.
        back = f"\x1b[{len(lines) - 1}A" if len(lines) > 1 else ""
        self._write(self._wipe() + "\n".join(line[:width - 1] for line in lines) + back)
        self._lines = len(lines)

    def _wipe(self) -> str:
        """Clears what was drawn last."""
        return "\r\x1b[J" if self._lines > 1 else "\r\x1b[K"

    def tree(self, jobs: list) -> None:
        from emrctl import views_flow

        self._tree = [f"    {line}" for line in views_flow.tree(jobs)]
        self._redraw()

    def _write(self, text: str) -> None:
        try:
            self.stream.write(text)
            self.stream.flush()
        except OSError:
            self._stop.set()

    def handle(self, event: dict) -> None:
        with self._lock:
            super().handle(event)

    def started(self) -> None:
        self._redraw()

    def ended(self, phase: str, seconds: float) -> None:
        self._write(f"{self._wipe()}{'x' if self.failed else '✓'} {phase:<22} {duration(seconds)}\n")
        self._tree, self._lines = [], 1

    def trouble(self, node: str, task: str) -> None:
        self._write(f"{self._wipe()}! {node}: {task}\n")

    def note(self, text: str) -> None:
        self._write(f"{self._wipe()}  {text}\n")

    def close(self) -> None:
        self._stop.set()
        self._thread.join()
        super().close()


def _short(role) -> str:
    return str(role).rsplit(".", 1)[-1] if role else ""


def _now() -> str:
    return time.strftime("%H:%M:%S")
