"""The only way from our code on a node to a program of Hadoop's or Spark's, and to another user: account, environment, ticket, limit.

What such a program makes has the modes of our own: the module and each program of ours set their umask.
"""
from __future__ import annotations

import os
import shlex
import signal
import subprocess

from ..domain import paths
from .common import NodeError, run as run_system

PROGRAMS = {name: f"{paths.HADOOP_BIN}/{name}" for name in ("hadoop", "hdfs", "mapred", "yarn")}
LAST_LINES = 15


def _no_ticket(_user):
    return {}


class _Hook:
    ticket = staticmethod(_no_ticket)


def with_tickets(ticket):
    """Have ``ticket(user)`` (a user's name, '' for this process's own) give what the environment of each program gets to prove who it is."""
    _Hook.ticket = staticmethod(ticket)


def as_user(argv, user):
    """The command that runs ``argv`` as this user; as this process's own when it is ''."""
    return ["runuser", "-u", user, "--", *argv] if user else list(argv)


def command(program, words, user=""):
    """The command that runs a program (hdfs, yarn …) with these words as this user."""
    return as_user([PROGRAMS[program], *(str(word) for word in words)], user)


def environment(user="", more=None, only=None):
    """What a program's environment is: this process's own, or ``only``, with ``more`` and the user's ticket."""
    return {**(os.environ if only is None else only), **(more or {}), **_Hook.ticket(user)}


def run(program, words, user="", more=None, only=None, limit_s=120, check=True):
    """Run a program to its end: (exit code, stdout, stderr). Raises NodeError for one that does not end in time, and with its last words
    when ``check`` and it fails."""
    code, out, err = run_system(command(program, words, user), limit_s=limit_s, check=False, env=environment(user, more, only), cwd="/")
    if check and code:
        raise NodeError(f"{program} {' '.join(map(str, words))} ended with {code}: {last_words(out, err)}")
    return code, out, err


def last_words(out, err, lines=LAST_LINES):
    """The end of what a program said: of its errors, where there are any."""
    return "\n".join((err or out).strip().splitlines()[-lines:])


def start(program, words, user="", more=None, only=None, **streams):
    """Start a program, to be read while it runs. Returns the subprocess; who starts it sees to its end."""
    streams.setdefault("stdin", subprocess.DEVNULL)
    return subprocess.Popen(command(program, words, user), env=environment(user, more, only), **streams)


def start_for(account, argv, more, unblock=(), **streams):
    """Start a job's own command as the account (of pwd) that it belongs to, in a session of its own. ``unblock``: signals."""
    def become():
        os.initgroups(account.pw_name, account.pw_gid)
        os.setgid(account.pw_gid)
        os.setuid(account.pw_uid)
        os.umask(0o022)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, unblock)

    # preexec_fn, since its replacements came with Python 3.9; the supervisor has no other thread.
    return subprocess.Popen(argv, env={**more, **_Hook.ticket(account.pw_name)}, stdin=subprocess.DEVNULL, start_new_session=True,
                            preexec_fn=become, **streams)  # noqa: PLW1509


def start_unit(unit, program, words, user, group, more, log, run_s):
    """Start a program as a unit of systemd, which goes on without its caller; it ends after ``run_s`` seconds. What it says is in ``log``."""
    settings = [f"--setenv={key}={value}" for key, value in sorted({**more, **_Hook.ticket(user)}.items())]
    # Redirected by a shell: systemd before 240 cannot append to a file. Without --collect the exit code can be read afterwards.
    line = f"exec {shlex.join(command(program, words))} >{shlex.quote(log)} 2>{shlex.quote(log + '.err')}"
    run_system(["systemd-run", "--quiet", f"--unit={unit}", f"--uid={user}", f"--gid={group}", "-p", f"RuntimeMaxSec={int(run_s)}",
                *settings, "/bin/sh", "-c", line])
