"""The supervisor of a job: runs its program, follows its YARN applications, tries again, writes down what becomes of it.

It is what a job's unit runs, as root; the program itself runs as the job's user.
"""
from __future__ import annotations

import contextlib
import json
import os
import pwd
import signal
import time

from ...domain.jobs.retrying import again
from ...domain.jobs.states import alive, judge
from .. import hadoop_cli
from ..common import NodeError, read_text, run, write_atomic
from ..hadoop_http import NameNode
from ..oss import role_provider
from . import output as job_output, usage as job_usage, yarn as job_yarn
from .error import write_error
from .record import JOBS, apps as known_apps, ended, folder_of, history, hold, note, record, settings

SIGNALS = {signal.SIGTERM, signal.SIGCHLD}
# Seconds: between two looks at YARN; for a program to end after SIGTERM; for applications to end after they were killed.
LOOK_S, TERM_S, APPS_S = 3.0, 15.0, 25.0
# Seconds to wait for HDFS and YARN to answer: before a program is started, and while its applications are followed.
READY_S, FOLLOW_S = 300.0, 1800.0
# Logs of so many earlier attempts are kept.
OLD_LOGS = 5


class Stopped(Exception):
    """systemd stops the unit."""


class Supervisor:
    """One job of this master."""

    def __init__(self, job_id):
        self.id, self.folder = job_id, folder_of(job_id)
        self.record, self.settings = record(job_id), settings()
        self.base, self.user = self.settings["resourcemanager"], self.record["user"]
        self.child, self.output, self.deadline, self.looked, self.keyed = None, None, None, 0.0, 0.0
        rows = history(job_id, self.record.get("submitted", 0))
        self.last = rows[-1]
        self.attempt = max((row.get("attempt", 0) for row in rows), default=0)
        # Seconds that each attempt has lasted.
        self.lasted = [after["time"] - row["time"] for row, after in zip(rows, rows[1:]) if row["state"] == "RUNNING"]

    def run(self):
        """Bring the job to its end. Returns the exit code of the unit: 0 whatever has become of the job."""
        handle = hold(self.id)
        if ended(self.last) or handle is None:
            return 0
        signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
        try:
            self._attempts()
        except Stopped:
            if not ended(history(self.id)[-1]):
                self._stopped()
        return 0

    def _attempts(self):
        interrupted = self.last["state"] == "RUNNING"
        self._ready()
        result = self._taken_up() if interrupted else None
        while True:
            if result is None:
                begun = time.monotonic()
                result = self._one()
                self.lasted.append(round(time.monotonic() - begun, 1))
            delay = again(self.record, result["state"], self.lasted)
            if delay is None:
                break
            self._note("RETRYING", exit_code=result["exit_code"], reason=result["reason"], retry_in_s=delay)
            self._pause(delay, until_end=False)
            result = None
        self._finish(result)

    def _note(self, state, **more):
        note(self.id, state, attempt=self.attempt, **more)

    def _finish(self, result):
        self._note(result["state"], exit_code=result["exit_code"], reason=result["reason"])
        with contextlib.suppress(NodeError, OSError):
            job_usage.collect(self.id, quick=True)
        if result["state"] in ("FAILED", "LOST"):
            write_error(self.id)
            if self.record.get("on_failure"):
                self._on_failure(result)

    def _ready(self):
        """Wait until HDFS and YARN answer, which they do not right after a boot. What does not come, the program will tell."""
        deadline = time.monotonic() + READY_S
        namenode = self.settings["namenode"]
        while not ((not self.base or job_yarn.ready(self.base)) and (not namenode or _out_of_safe_mode(namenode))):
            if time.monotonic() > deadline:
                return
            self._pause(1.0, until_end=False)

    def _taken_up(self):
        """What has become of an attempt whose supervisor is gone: with the machine, or alone."""
        if self.record.get("keep_running"):
            self._note("RETRYING", reason="the master or the job's supervisor was restarted", retry_in_s=0)
            return None
        self.lasted.append(time.time() - self.last["time"])
        return self._settle(None)

    def _one(self):
        """Run the program once, after what an attempt before has left in YARN is ended. Returns its verdict."""
        left = job_yarn.end_all(self.base, self.id, self.user, READY_S) if self.base and self.attempt else ""
        if left:
            return {"state": "FAILED", "exit_code": None, "reason": left}
        self.attempt += 1
        if self.record.get("by_role"):
            try:
                self._key()
            except NodeError as error:
                return {"state": "FAILED", "exit_code": None, "reason": str(error)}
        self._close_output()
        self._rotate()
        limit = self.record.get("timeout_s") or 0
        self.deadline = time.monotonic() + limit if limit else None
        self._note("RUNNING")
        self.child = self._start(self._argv())
        while self.child.poll() is None:
            if self._over():
                return self._timed_out(limit)
            self._look()
            if self.record.get("by_role") and time.monotonic() - self.keyed > role_provider.EVERY_S:
                with contextlib.suppress(NodeError):  # the key that is there lives on for hours
                    self._key()
            self._pause(1.0)
        self.output.settle()
        return self._settle(self.child.returncode, limit)

    def _key(self):
        """Have the key of the node's role where the job's programs find it. Raises NodeError."""
        self.keyed = time.monotonic()
        role_provider.refresh(self.user, self.settings)

    def _argv(self):
        """The job's program, behind what has to be prepared for it."""
        if not self.record.get("prelude"):
            return self.record["command"]
        return ["bash", "-ec", self.record["prelude"] + '\nexec "$@"', "job", *self.record["command"]]

    def _settle(self, code, limit=0):
        """The program has ended: follow what it left in YARN, then judge."""
        deadline = time.monotonic() + FOLLOW_S
        while True:
            apps = self._look(now=True)
            if apps is not None and not alive(apps):
                break
            if apps is not None:
                deadline = time.monotonic() + FOLLOW_S
            if self._over():
                return self._timed_out(limit)
            if time.monotonic() > deadline:
                return {"state": "LOST", "exit_code": code,
                        "reason": f"the ResourceManager did not answer within {FOLLOW_S:.0f} s"}
            self._pause(1.0, until_end=False)
        return judge(self.record["type"], code, [app for app in apps if app["attempt"] == self.attempt])

    def _over(self):
        return self.deadline is not None and time.monotonic() > self.deadline

    def _timed_out(self, limit):
        self._end()
        return {"state": "FAILED", "exit_code": None, "reason": f"stopped after its limit of {limit} s"}

    def _start(self, argv, **more):
        user = pwd.getpwnam(self.user)
        self._close_output()
        limit = self.settings.get("output_mib", job_output.DEFAULT_MIB) << 20
        self.output = job_output.Output(self.folder, limit, (user.pw_uid, user.pw_gid))
        out, err = (self.output.ends[name] for name in job_output.NAMES)
        try:
            return hadoop_cli.start_for(user, argv, dict(self._environment(), **more), SIGNALS, cwd=f"{self.folder}/work", stdout=out, stderr=err)
        except OSError as error:
            os.write(err, f"{argv[0]}: {error.strerror}\n".encode())
            return _NotStarted(127)
        finally:
            self.output.started()

    def _close_output(self):
        """What an attempt before has left behind is heard no more: the files are those of the next."""
        if self.output:
            self.output.close()

    def _environment(self):
        user = pwd.getpwnam(self.user)
        kept = json.loads(read_text(f"{self.folder}/environment.json") or "{}")
        return {**self.settings["environment"], **kept, "HOME": user.pw_dir, "USER": user.pw_name, "LOGNAME": user.pw_name,
                "EMR_JOB_ID": self.id, "EMR_JOB_ATTEMPT": str(self.attempt)}

    def _look(self, now=False):
        """The job's applications, written down when something is new; None when the ResourceManager does not answer."""
        if not now and time.monotonic() - self.looked < LOOK_S:
            return None
        self.looked = time.monotonic()
        found = job_yarn.applications(self.base, self.id, self.user)
        if found is None:
            return None
        known = {app["id"]: app for app in known_apps(self.id)}
        fresh = dict(known, **{app["id"]: dict(app, attempt=known.get(app["id"], {}).get("attempt", self.attempt)) for app in found})
        if fresh != known:
            write_atomic(f"{self.folder}/apps", json.dumps([fresh[name] for name in sorted(fresh)]) + "\n")
        return [fresh[name] for name in sorted(fresh)]

    def _pause(self, seconds, until_end=True):
        """Wait; with ``until_end`` at most until the program ends. Raises Stopped."""
        deadline = time.monotonic() + seconds
        while True:
            left = deadline - time.monotonic()
            if left <= 0:
                return
            caught = signal.sigtimedwait(SIGNALS, left)
            if caught is not None and caught.si_signo == signal.SIGTERM:
                raise Stopped
            if caught is not None and until_end:
                return

    def _end(self):
        """End the program and its applications. Returns what went wrong, or ''."""
        if self.child and self.child.poll() is None:
            _signal_group(self.child.pid, signal.SIGTERM)
            deadline = time.monotonic() + TERM_S
            while self.child.poll() is None and time.monotonic() < deadline:
                signal.sigtimedwait({signal.SIGCHLD}, 0.5)
            _signal_group(self.child.pid, signal.SIGKILL)
            self.child.wait()
            self.output.settle()
        return job_yarn.end_all(self.base, self.id, self.user, APPS_S) if self.base else ""

    def _stopped(self):
        """The unit is stopped: because the machine goes down, then the job is taken up again at boot; else for good."""
        if run(["systemctl", "is-system-running"], check=False)[1].strip() == "stopping":
            return
        trouble = self._end()
        self._look(now=True)
        self._note("KILLED", reason=(read_text(f"{self.folder}/killed") or "its unit was stopped").strip() + (f"; {trouble}" if trouble else ""))

    def _rotate(self):
        """Put the logs of the attempt before aside."""
        for name in ("stdout.log", "stderr.log"):
            path = f"{self.folder}/{name}"
            if self.attempt > 1 and os.path.exists(path):
                os.rename(path, f"{path}.{self.attempt - 1}")
            if os.path.exists(f"{path}.{self.attempt - 1 - OLD_LOGS}"):
                os.unlink(f"{path}.{self.attempt - 1 - OLD_LOGS}")

    def _on_failure(self, result):
        """The command that the person who submitted the job wants to be run now, as the job's user."""
        self.child = self._start(["bash", "-c", self.record["on_failure"]], EMR_JOB_STATE=result["state"])
        deadline = time.monotonic() + 600
        while self.child.poll() is None and time.monotonic() < deadline:
            self._pause(1.0)
        if self.child.poll() is None:
            _signal_group(self.child.pid, signal.SIGKILL)


class _NotStarted:
    """Stands for a program that could not be started."""

    def __init__(self, code):
        self.returncode = code

    def poll(self):
        return self.returncode


def _out_of_safe_mode(namenode):
    beans = (NameNode(namenode).look("/jmx?qry=Hadoop:service=NameNode,name=NameNodeInfo", 5) or {}).get("beans") or [{}]
    return beans[0].get("Safemode") == ""


def _signal_group(pid, number):
    try:
        os.killpg(pid, number)
    except ProcessLookupError:
        pass


def supervise(job_id):
    """What a job's unit runs."""
    os.makedirs(JOBS, exist_ok=True)
    return Supervisor(job_id).run()
