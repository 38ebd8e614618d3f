"""The API server as a process: start it detached, wait until it answers, find it again, end it.

It and its children carry an environment variable with the state folder, so they are found even when every record of
them is lost.
"""
from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

from emrctl.local.settings import Settings, cache_dir
from emrctl.local.shell import DriverError

MARK = "EMR_LOCAL_SERVER_OF"
# Servers with hosts also carry the prefix, which is theirs alone on the machine; API-only ones may share it.
MARK_PREFIX = "EMR_LOCAL_HOSTS_OF"
MODULE = "emrctl.local.server"


def _marked(settings: Settings) -> list[int]:
    """Processes that the server of this state folder is or started."""
    marks = {f"{MARK}={settings.state}".encode()}
    if not settings.api_only:
        marks.add(f"{MARK_PREFIX}={settings.prefix}".encode())
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                if marks.intersection((entry / "environ").read_bytes().split(b"\0")):
                    found.append(int(entry.name))
            except OSError:
                continue
    return found


def find(settings: Settings) -> int | None:
    """Process id of the running server."""
    for pid in _marked(settings):
        try:
            if MODULE.encode() in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0"):
                return pid
        except OSError:
            continue
    return None


def answers(port: int) -> bool:
    """Whether something speaks HTTP on the port."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/_local/faults", timeout=2):
            return True
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False


def start(settings: Settings, limit: float = 30.0) -> int:
    """Start the server unless it runs, and wait until it answers. limit: seconds. Raises DriverError; returns its id."""
    launched, end = False, time.monotonic() + limit
    while True:
        pid = find(settings)
        # One that was found may have been on its way out: killed, and not gone yet.
        if pid is None and not launched:
            pid, launched = _launch(settings), True
        if pid and answers(settings.port):
            return pid
        if pid is None or time.monotonic() > end:
            lines = (settings.folder / "server.log").read_text(errors="replace").strip().splitlines()[-5:]
            raise DriverError("the server does not answer; the last lines of its log:\n  " + "\n  ".join(lines))
        time.sleep(0.05)


def _launch(settings: Settings) -> int:
    """Start the server. Returns its process id."""
    argv = [sys.executable, "-m", MODULE, "--state", settings.state, "--subnet", settings.subnet,
            "--port", str(settings.port), "--listen", "127.0.0.1"]
    argv += ["--memory-mib", str(settings.memory_mib)] if settings.memory_mib else []
    argv += ["--api-only"] if settings.api_only else ["--listen", settings.gateway]
    package_root = str(Path(__file__).resolve().parents[2])
    path = os.pathsep.join(filter(None, [package_root, os.environ.get("PYTHONPATH")]))
    marks = {MARK: settings.state, **({} if settings.api_only else {MARK_PREFIX: settings.prefix})}
    with (settings.folder / "server.log").open("ab") as output:
        return subprocess.Popen(
            argv, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True, cwd="/",
            env={**os.environ, **marks, "PYTHONPATH": path, "EMR_CACHE": str(cache_dir())}).pid


def stop(settings: Settings, grace: float = 5.0) -> None:
    """End the server and everything that it is still running. grace: seconds for an orderly end. Raises DriverError."""
    pid = find(settings)
    if pid:
        _signal(pid, signal.SIGTERM)
        end = time.monotonic() + grace
        while find(settings) and time.monotonic() < end:
            time.sleep(0.05)
    end = time.monotonic() + 10
    while pids := _marked(settings):
        if time.monotonic() > end:
            raise DriverError(f"processes {pids} of the server do not end")
        for each in pids:
            _signal(each, signal.SIGKILL)
        time.sleep(0.05)


def _signal(pid: int, number: int) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        pass

