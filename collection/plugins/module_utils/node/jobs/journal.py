"""What records of jobs, flows and schedules have in common: a journal, a line of JSON per change, and a lock of who looks after one."""
from __future__ import annotations

import json
import os
import time

from ..common import held, read_text


def newest(folder, pattern):
    """Names in a folder that match, the last in order first; none where there is no folder."""
    try:
        return sorted((name for name in os.listdir(folder) if pattern.match(name)), reverse=True)
    except FileNotFoundError:
        return []


def append(path, row):
    """Write down a change with its time. Survives a crash of the machine."""
    line = json.dumps({"time": round(time.time(), 3), **row}) + "\n"
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
    try:
        os.write(handle, line.encode())
        os.fsync(handle)
    finally:
        os.close(handle)


def changes(path):
    """All changes, the oldest first. A line that a crash cut off counts for nothing."""
    rows = []
    for line in (read_text(path) or "").splitlines():
        try:
            rows.append(json.loads(line))
        except ValueError:
            continue
    return rows


def hold(path):
    """Take the lock of who looks after a record, as a file descriptor; None when another one has it."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    if held(handle):
        os.close(handle)
        return None
    return handle
