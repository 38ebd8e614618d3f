"""Run one playbook of the collection through ansible-runner and gather its result.

ansible-runner keeps the environment (with the cloud keys) in an artifact, puts extra vars on the command line, takes
over signal handlers, switches host key checking off and blocks on slow event handlers. Here it gets a private folder of its own,
extra vars in a file, our signal handling, and a handler that only puts events in a queue.
"""
from __future__ import annotations

import json
import os
import shlex
import signal
import sys
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from queue import SimpleQueue

from emrctl import launch, paths, stream
from emrctl.failures import REFUSED, Failure, exit_code, fail

GRACE_SECONDS = 10  # from the first SIGINT until the playbook is killed
POLL_SECONDS = 0.3  # how often the runner looks for a cancel
HOMES = "EMR_SERVICES_PATH"  # folders with services of one's own (module_utils/services/registry.py)

# The settings of the project's ansible.cfg, so that they hold in any folder and in a wheel. The caller's own win.
SETTINGS = {
    "ANSIBLE_HOST_KEY_CHECKING": "True",
    "ANSIBLE_GATHERING": "explicit",
    "ANSIBLE_PYTHON_INTERPRETER": "/usr/bin/python3",
    "ANSIBLE_FORKS": "20",
    "ANSIBLE_PIPELINING": "True",
    "ANSIBLE_SSH_ARGS": "-C -o ControlMaster=auto -o ControlPersist=30m",
    "ANSIBLE_SSH_CONTROL_PATH_DIR": "~/.ansible/cp",
    "ANSIBLE_RETRY_FILES_ENABLED": "False",
    "ANSIBLE_LOCALHOST_WARNING": "False",
    "ANSIBLE_INVENTORY_UNPARSED_WARNING": "False",
    # Of what _write_inputs writes; each further plugin would be loaded, with its documentation, before it declines.
    "ANSIBLE_INVENTORY_ENABLED": "ini",
    "ANSIBLE_DEPRECATION_WARNINGS": "False",
    "ANSIBLE_NOCOLOR": "1",
}


@dataclass
class Result:
    """What a playbook run gave: merged ``emr_result`` data, failures, counters per host, the log's place, seconds."""

    playbook: str
    log: Path
    status: str = "unstarted"
    rc: int | None = None
    data: dict = field(default_factory=dict)
    failures: list[Failure] = field(default_factory=list)
    stats: dict = field(default_factory=dict)
    # Tasks whose results ansible-runner has dropped, since they were too large.
    lost: list[str] = field(default_factory=list)
    cancelled: bool = False
    seconds: float = 0.0
    cluster: str | None = None

    @property
    def ok(self) -> bool:
        return self.exit_code == 0

    @property
    def exit_code(self) -> int:
        return exit_code(self)


def merge(into: dict, new: dict) -> dict:
    """Merge ``new`` into ``into`` in place: dicts key by key at any depth, everything else is replaced."""
    for key, value in new.items():
        if isinstance(value, dict) and isinstance(into.get(key), dict):
            merge(into[key], value)
        else:
            into[key] = value
    return into


def run_playbook(name: str, extra_vars: dict | None = None, *, watch=None, inventory: str | None = None, reads=None) -> Result:
    """Run playbook ``name`` (``emr.cluster.<name>``, or a path) and return its Result; it does not raise for failures.

    ``watch`` is an object with ``handle(event: dict)`` and ``close()``; it is called in a thread of its own.
    ``reads`` takes what a task tells while it runs, line by line, in another thread of its own (emrctl/stream.py).
    SIGINT and SIGTERM cancel the run while it lasts; the caller's handlers are restored afterwards. Raises Refused, before anything
    runs, for homes of services in EMR_SERVICES_PATH that cannot be used.
    """
    import ansible_runner

    _look_for_homes()
    label = Path(name).stem
    run_dir = paths.new_run_dir(label)
    _write_inputs(run_dir, extra_vars or {}, inventory)
    result = Result(label, run_dir / "artifacts" / "run" / "stdout", cluster=(extra_vars or {}).get("emr_name"))
    events: SimpleQueue = SimpleQueue()
    drawer = threading.Thread(target=_draw, args=(events, watch), daemon=True)
    drawer.start()
    started = time.monotonic()
    # Bulk does not travel in events, which drop what is large: tasks give what they have found as files (plugin_utils/results.py).
    results = run_dir / "results"
    results.mkdir(mode=0o700)
    more = {"EMR_RESULTS": str(results), **({"EMR_LIVE": "1"} if getattr(watch, "LIVE", False) else {})}
    with _cancellation(run_dir / "pid") as cancel, _without_command_artifact(run_dir), stream.pipe(run_dir / "stream", reads) as named:
        more.update(named)
        run = ansible_runner.run(
            private_data_dir=str(run_dir), ident="run", binary=sys.executable, cmdline=_command_line(run_dir, name),
            envvars={**environment(), **more}, event_handler=lambda event: _take(event, result, events),
            cancel_callback=cancel.due, quiet=True, fact_cache_type="memory", suppress_env_files=True)
        result.cancelled = cancel.asked_at is not None
    result.status, result.rc, result.seconds = run.status, run.rc, time.monotonic() - started
    _gather(results, result.data)
    events.put(None)
    drawer.join()
    return result


def _gather(results: Path, data: dict) -> None:
    """Merge what the tasks have found, in the order of time, and let no copy of it stay."""
    for path in sorted(results.glob("*.json")):
        merge(data, json.loads(path.read_text(encoding="utf-8")))
        path.unlink()


def _look_for_homes() -> None:
    """Load people's own homes of services here first: Ansible would tell a fault in one as a bug of its own."""
    if os.environ.get(HOMES):
        import_module("ansible_collections.emr.cluster.plugins.module_utils.services.registry")


def environment() -> dict:
    """Environment for ansible-playbook: the project's settings below the caller's, ours of the collection on its path."""
    env = {key: os.environ.get(key, value) for key, value in SETTINGS.items()}
    own = os.environ.get("ANSIBLE_COLLECTIONS_PATH", "~/.ansible/collections:/usr/share/ansible/collections")
    env["ANSIBLE_COLLECTIONS_PATH"] = f"{paths.collections_root()}:{own}"
    if os.environ.get(HOMES):
        # ansible-playbook works in the run's own folder.
        env[HOMES] = os.pathsep.join(os.path.abspath(folder) for folder in os.environ[HOMES].split(os.pathsep) if folder)
    env["PATH"] = os.path.dirname(sys.executable) + os.pathsep + os.environ.get("PATH", os.defpath)
    return env


def _write_inputs(run_dir: Path, extra_vars: dict, inventory: str | None) -> None:
    env = run_dir / "env"
    env.mkdir(mode=0o700)
    broken = _not_utf8(extra_vars)
    if broken is not None:
        fail(f"{broken!r} is not UTF-8. Next: give it in UTF-8; rename a file that is called so", REFUSED)
    for name, content in (("settings", {"pexpect_timeout": POLL_SECONDS}), ("extravars", extra_vars)):
        handle = os.open(env / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as out:
            json.dump(content, out)
    # Playbooks find their own hosts; an empty inventory keeps /etc/ansible/hosts out and localhost implicit.
    (run_dir / "inventory").mkdir(mode=0o700)
    (run_dir / "inventory" / "hosts").write_text(inventory or "", encoding="utf-8")


def _not_utf8(value):
    """A text within ``value`` that came from bytes that are not UTF-8 (as in an old file name), or None."""
    if isinstance(value, str):
        return next((value for c in value if "\ud800" <= c <= "\udfff"), None)
    rows = [*value, *value.values()] if isinstance(value, dict) else value if isinstance(value, (list, tuple)) else ()
    return next((found for found in map(_not_utf8, rows) if found is not None), None)


def _command_line(run_dir: Path, name: str) -> str:
    playbook = name if os.sep in name else f"emr.cluster.{name}"
    return shlex.join(launch.command(str(run_dir / "pid"), ["ansible-playbook", playbook]))


@contextmanager
def _without_command_artifact(run_dir: Path):
    """Let the runner write its ``command`` artifact (which has the whole environment) into a pipe that we empty."""
    target = run_dir / "artifacts" / "run"
    target.mkdir(mode=0o700, parents=True)
    pipe = target / "command"
    os.mkfifo(pipe, 0o600)
    # Opened for both directions, so neither side ever waits for the other.
    fd = os.open(pipe, os.O_RDWR)
    reader = threading.Thread(target=_discard, args=(fd,), daemon=True)
    reader.start()
    try:
        yield
    finally:
        os.write(fd, b"\0")
        reader.join()
        os.close(fd)
        pipe.unlink(missing_ok=True)


def _discard(fd: int) -> None:
    while not os.read(fd, 65536).endswith(b"\0"):
        pass


def _take(event: dict, result: Result, events: SimpleQueue) -> bool:
    """Called by the runner for each event: keep what the result needs, pass it on, and leave no event file."""
    kind = event.get("event", "")
    data = event.get("event_data") or {}
    res = data.get("res")
    if isinstance(res, dict) and kind.startswith(("runner_on_", "runner_item_on_")):
        found = res.get("emr_result") or (res.get("ansible_facts") or {}).get("emr_result")
        if isinstance(found, dict):
            merge(result.data, found)
        # An empty result stands for one that was too large. What our own tasks have found is in files.
        if not res and kind.endswith("_ok") and not str(data.get("resolved_action") or "").startswith("emr.cluster."):
            result.lost.append(f"{data.get('task') or 'a task'} on {data.get('host', '?')}")
    if kind in ("runner_on_failed", "runner_on_unreachable") and not data.get("ignore_errors"):
        result.failures.append(Failure.from_event(data, unreachable=kind.endswith("unreachable")))
    elif kind == "playbook_on_stats":
        result.stats = {key: data.get(key) or {} for key in ("ok", "changed", "failures", "dark", "skipped", "rescued")}
    events.put(event)
    return False


def _draw(events: SimpleQueue, watch) -> None:
    """Hand events to ``watch`` until None comes. Trouble with drawing (a closed terminal) must not end the run."""
    broken = watch is None
    while (event := events.get()) is not None:
        if broken:
            continue
        try:
            watch.handle(event)
        except OSError:
            broken = True
    if not broken:
        watch.close()


class _Cancel:
    """SIGINT once: interrupt the playbook and let it end; again, or after GRACE_SECONDS: kill it."""

    def __init__(self, pidfile: Path):
        self.pidfile = pidfile
        self.asked_at: float | None = None
        self.count = 0
        self._sent = False

    def __call__(self, signum, frame) -> None:
        self.count += 1
        self.asked_at = self.asked_at or time.monotonic()

    def due(self) -> bool:
        """Polled by the runner: True when it shall kill the playbook's process group."""
        if self.asked_at is None:
            return False
        if not self._sent:
            self._sent = self._interrupt()
        return self.count > 1 or time.monotonic() - self.asked_at > GRACE_SECONDS

    def _interrupt(self) -> bool:
        try:
            os.kill(int(self.pidfile.read_text()), signal.SIGINT)
        except (OSError, ValueError):
            return False
        return True


@contextmanager
def _cancellation(pidfile: Path):
    cancel = _Cancel(pidfile)
    if threading.current_thread() is not threading.main_thread():
        yield cancel
        return
    before = {number: signal.signal(number, cancel) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield cancel
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
