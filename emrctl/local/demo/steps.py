"""Runs emrctl as a person would, shows each command, and keeps the time of each phase."""
from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
import time
from contextlib import contextmanager

from emrctl.output import duration, table


class Steps:
    """One walk through the demo. Commands get ``env``; ``phases`` holds (title, seconds)."""

    def __init__(self):
        self.env = dict(os.environ)
        self.phases: list[tuple[str, float]] = []

    @contextmanager
    def phase(self, title: str):
        """Print the title, then the time that the block took."""
        say(f"\n== {title}")
        started = time.monotonic()
        yield
        self.phases.append((title, time.monotonic() - started))

    def emrctl(self, *args: str, show: bool = True) -> str:
        """Run emrctl and return its stdout; progress and errors go to our stderr. Leaves when it fails."""
        if show:
            say(f"$ {shlex.join(['emrctl', *args])}")
        done = subprocess.run([sys.executable, "-m", "emrctl", *args], env=self.env, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, text=True, check=False)
        if done.returncode:
            say(done.stdout)
            raise SystemExit(done.returncode)
        return done.stdout

    def lines(self, *args: str):
        """Run emrctl and yield the lines of its stdout as they come."""
        with subprocess.Popen([sys.executable, "-m", "emrctl", *args], env=self.env, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, text=True) as process:
            yield from (line.rstrip("\n") for line in process.stdout)

    def json(self, *args: str, show: bool = True):
        """Like ``emrctl`` with ``-o json``, decoded."""
        at = args.index("--") if "--" in args else len(args)
        return json.loads(self.emrctl(*args[:at], "-o", "json", *args[at:], show=show))

    def use_local_ecs(self) -> None:
        """Take over what ``emrctl local env`` exports."""
        for line in self.emrctl("local", "env", show=False).splitlines():
            match = re.match(r"export (\w+)=(.*)$", line)
            if match:
                self.env[match[1]] = shlex.split(match[2])[0]

    def summary(self) -> str:
        """The phases with their times, and the sum."""
        rows = [{"phase": title, "time": duration(seconds)} for title, seconds in self.phases]
        rows.append({"phase": "together", "time": duration(sum(seconds for _, seconds in self.phases))})
        return table(rows, ["phase", "time"])


def say(text: str) -> None:
    """Print and flush, so that our lines and those of the commands come in order."""
    print(text, flush=True)


def checked(what: str, found, expected) -> None:
    """Say that a result is right, or leave saying where it is not."""
    if found == expected:
        say(f"✓ {what}: the same as computed here from the CSV file")
        return
    say(f"✗ {what}: differs from what was computed here from the CSV file")
    if isinstance(found, dict) and isinstance(expected, dict):
        wrong = [k for k in {**found, **expected} if found.get(k) != expected.get(k)]
        say("\n".join(f"  {k}: cluster {found.get(k)}, here {expected.get(k)}" for k in wrong[:5]))
    raise SystemExit(1)
