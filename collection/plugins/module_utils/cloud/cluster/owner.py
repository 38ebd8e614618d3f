"""Who holds a lock: a process, by a text that is no other's, as long as it lives."""
from __future__ import annotations

import getpass
import hashlib
import os
import re
import socket

_OWNER = re.compile(r"(?P<who>\S+) pid (?P<pid>\d+) start (?P<start>\d+) on (?P<machine>[0-9a-f]{12})")


def _read(path: str) -> str:
    try:
        with open(path, encoding="utf-8") as stream:
            return stream.read().strip()
    except OSError:
        return ""


def start_time(pid: int) -> int:
    """When a process started (clock ticks after boot), 0 where that cannot be known, -1 when there is none."""
    stat = _read(f"/proc/{pid}/stat")
    if stat:
        fields = stat.rpartition(")")[2].split()
        return -1 if fields[0] == "Z" else int(fields[19])
    if os.path.isdir("/proc/self"):
        return -1
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return -1
    except PermissionError:
        pass
    return 0


def _machine() -> str:
    """Tells apart the places where a process id means something: machine, boot and container."""
    try:
        namespace = os.readlink("/proc/self/ns/pid")
    except OSError:
        namespace = ""
    text = socket.gethostname() + _read("/proc/sys/kernel/random/boot_id") + namespace
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def owner_name(pid: int) -> str:
    """The text that stands for a process in the tag: user, host, process and machine."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = str(os.getuid())
    who = re.sub(r"[^A-Za-z0-9@._-]", "_", f"{user[:24]}@{socket.gethostname()[:32]}")
    return f"{who} pid {pid} start {start_time(pid)} on {_machine()}"


def is_dead(owner: str) -> bool:
    """Whether the owner is a process of this machine that is gone."""
    match = _OWNER.fullmatch(owner)
    if not match or match["machine"] != _machine():
        return False
    return start_time(int(match["pid"])) != int(match["start"])
