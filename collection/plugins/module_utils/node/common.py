"""Things that every module does on a node: lock, files, commands, units."""
from __future__ import annotations

import contextlib
import errno
import fcntl
import grp
import hashlib
import os
import pwd
import subprocess
import sys
import tempfile

from ..domain import paths
from ..domain.waiting import wait

LOCK_PATH = paths.NODE_LOCK


class NodeError(Exception):
    """Work on this node failed; the message is for people and says what to do. ``extra`` goes into the result."""

    def __init__(self, message, **extra):
        super().__init__(message)
        self.extra = extra


def say(text, err=False):
    """Write a line to whoever started this program, at once; with ``err`` where errors go."""
    stream = sys.stderr if err else sys.stdout
    stream.write(f"{text}\n")
    stream.flush()


def wait_until(limit_s, what, look, pause_s=0.3, error=None):
    """Call ``look()`` until it returns '' instead of what it saw. Raises NodeError with what is waited for and what was seen last.

    ``error(seen)``: makes the error to raise instead.
    """
    seen = wait(look, limit_s, pause_s)
    if seen:
        raise error(seen) if error else NodeError(f"{what}: {seen}, for {limit_s} s now")


def held(handle):
    """Whether another process has the lock of an open file. If not, it is ours now."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return False
    except OSError as error:
        if error.errno not in (errno.EAGAIN, errno.EACCES):
            raise
        return True


@contextlib.contextmanager
def node_lock(owner, limit_s=300):
    """Hold this node's lock. Raises NodeError when another operation keeps it longer than ``limit_s`` seconds.

    A controller that is killed leaves its modules running, so two operations can meet on a node.
    """
    os.makedirs(os.path.dirname(LOCK_PATH), exist_ok=True)
    handle = os.open(LOCK_PATH, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    if wait(lambda: held(handle), limit_s, 0.2):
        holder = os.pread(handle, 200, 0).decode(errors="replace").strip()
        os.close(handle)
        raise NodeError(f"another operation has been working on this node for more than {limit_s} s: {holder}. "
                        "Run the command again when it has ended.")
    try:
        os.ftruncate(handle, 0)
        os.pwrite(handle, f"{owner} pid {os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(handle)


@contextlib.contextmanager
def file_lock(path, limit_s):
    """Hold flock on a file for a short while. Raises NodeError when somebody keeps it longer than ``limit_s`` seconds."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        if wait(lambda: held(handle), limit_s, 0.1):
            raise NodeError(f"{path} has been held by another process for more than {limit_s} s")
        yield
    finally:
        os.close(handle)


def run(argv, limit_s=120, check=True, env=None, cwd=None):
    """Run a command and return (exit code, stdout, stderr). Raises NodeError when ``check`` and it fails."""
    try:
        done = subprocess.run(argv, capture_output=True, text=True, timeout=limit_s, env=env, errors="replace",
                              stdin=subprocess.DEVNULL, cwd=cwd, check=False)
    except subprocess.TimeoutExpired:
        raise NodeError(f"{' '.join(argv)} did not end within {limit_s} s")
    except FileNotFoundError:
        raise NodeError(f"{argv[0]} is not installed on this node")
    if check and done.returncode:
        tail = (done.stderr or done.stdout).strip().splitlines()[-15:]
        raise NodeError(f"{' '.join(argv)} ended with {done.returncode}: " + "\n".join(tail))
    return done.returncode, done.stdout, done.stderr


def read_text(path):
    """Content of a file, or None when there is none."""
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as handle:
            return handle.read()
    except FileNotFoundError:
        return None


def owner_ids(owner, group):
    """(uid, gid) of these names. Raises NodeError for one that does not exist."""
    try:
        return pwd.getpwnam(owner).pw_uid, grp.getgrnam(group).gr_gid
    except KeyError as error:
        raise NodeError(f"{error.args[0]} on this node: the role emr.cluster.host makes the accounts, run it first")


def stage(path, content, mode=0o644, uid=0, gid=0):
    """Write ``content`` to a temporary file beside ``path`` and return its name: rename makes it real."""
    folder = os.path.dirname(path)
    os.makedirs(folder, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=folder, prefix="." + os.path.basename(path) + ".")
    with os.fdopen(handle, "w", encoding="utf-8", errors="surrogateescape") as out:
        out.write(content)
        out.flush()
        os.fchmod(out.fileno(), mode)
        os.fchown(out.fileno(), uid, gid)
    return name


def write_atomic(path, content, mode=0o644, uid=0, gid=0):
    """Replace a file in one step, so that no reader ever sees half of it."""
    os.rename(stage(path, content, mode, uid, gid), path)


def ensure_directory(path, owner, group, mode, check=False):
    """Make a directory with its owner and mode. Returns what was (or would be) changed, as text, or ''."""
    uid, gid = (0, 0) if check and not _known(owner, group) else owner_ids(owner, group)
    wanted = int(mode, 8)
    try:
        found = os.stat(path)
    except FileNotFoundError:
        if not check:
            os.makedirs(path, exist_ok=True)
            os.chown(path, uid, gid)
            os.chmod(path, wanted)
        return f"{path}: made"
    if (found.st_uid, found.st_gid, found.st_mode & 0o7777) == (uid, gid, wanted):
        return ""
    if not check:
        os.chown(path, uid, gid)
        os.chmod(path, wanted)
    return f"{path}: owner or mode"


def _known(owner, group):
    try:
        owner_ids(owner, group)
    except NodeError:
        return False
    return True


def digest_of(path, algorithm):
    """The digest of a file as hex, by an algorithm of hashlib."""
    digest = hashlib.new(algorithm)
    with open(path, "rb") as handle:
        for block in iter(lambda: handle.read(1 << 20), b""):
            digest.update(block)
    return digest.hexdigest()


def unit_states(units):
    """{unit: {ActiveState, SubState, NRestarts, Result, ...}} with one call of systemctl."""
    if not units:
        return {}
    names = [f"{unit}.service" for unit in units]
    wanted = "Id,LoadState,ActiveState,SubState,NRestarts,Result,ExecMainStatus,MainPID,ActiveEnterTimestamp"
    out = run(["systemctl", "show", "-p", wanted, "--"] + names, check=False)[1]
    states = {}
    for block in out.strip().split("\n\n"):
        fields = dict(line.split("=", 1) for line in block.splitlines() if "=" in line)
        if fields.get("Id"):
            states[fields["Id"][:-len(".service")]] = fields
    return states


def log_tail(unit, log_file, lines=15):
    """The last log lines of a daemon: its own file first, else what systemd caught."""
    text = ""
    if log_file and os.path.exists(log_file):
        with open(log_file, "rb") as handle:
            handle.seek(max(0, os.path.getsize(log_file) - 16384))
            text = handle.read().decode(errors="replace")
    if not text.strip():
        text = run(["journalctl", "-u", f"{unit}.service", "-n", str(lines), "--no-pager", "-o", "cat"], check=False)[1]
    return text.strip().splitlines()[-lines:]
