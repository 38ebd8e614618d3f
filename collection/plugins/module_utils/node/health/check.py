"""Look at a node closely: daemons, drift, disks, crashes; on the control node also write, read and compute.

Nothing is changed but a small file in HDFS, which is deleted again. What is wrong is part of the result and no failure,
so that one bad part hides no other.
"""
from __future__ import annotations

import glob
import os
import re
import time

from ...domain import paths
from ..common import NodeError, read_text, unit_states
from ..config import configure as node_configure
from ..daemons import status as node_status
from . import verify as node_verify

TAIL_BYTES = 1 << 20
# A trace of a crash is told for so long.
RECENT_S = 86400
MOMENT = re.compile(rb"^(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d),", re.MULTILINE)
CRASH = re.compile(rb"java\.lang\.OutOfMemoryError[^\r\n]{0,120}")


def check(params, _check=False):
    """Everything that the options ask for. Returns the module's result."""
    result = {"changed": False, **node_status.status(params), "asked": sorted(params["answers"]), "drift": drift(params["configure"]),
              "disks": disks(params["paths"]), "strays": [u for u in params["strays"] if _enabled(u)],
              "without_native": without_native(params["components"]),
              "crashes": [row for component in params["components"] for row in crashes(component)]}
    result.update((proof["name"], attempt(proof)) for proof in params["work"])
    return result


def drift(options):
    """What ``configure`` would change."""
    if not options:
        return {}
    try:
        found = node_configure.configure(options, True)
    except NodeError as error:
        return {"error": str(error)}
    wanted = ("changed_files", "changed_keys", "changes", "installed", "links")
    return {key: found[key] for key in wanted if found.get(key)}


def attempt(proof):
    """Let a service show that it works: {seconds, …} or {error}."""
    begun = time.monotonic()
    try:
        found = node_verify.prove(proof)
    except (NodeError, OSError, ValueError, KeyError) as error:
        return {"error": str(error)}
    return dict(found, seconds=round(time.monotonic() - begun, 2))


def disks(paths):
    """Use of the file systems on which these paths lie, each once: {mount, used_share, inodes_share, read_only}."""
    found = {}
    for path in paths:
        while not os.path.exists(path):
            path = os.path.dirname(path)
        device = os.stat(path).st_dev
        if device in found:
            continue
        numbers = os.statvfs(path)
        # What is reserved for root counts as used: daemons cannot have it.
        usable = numbers.f_blocks - numbers.f_bfree + numbers.f_bavail
        found[device] = {
            "mount": _mount(path), "free_bytes": numbers.f_bavail * numbers.f_frsize,
            "used_share": round(1 - numbers.f_bavail / usable, 4) if usable else 0.0,
            "inodes_share": round(1 - numbers.f_favail / numbers.f_files, 4) if numbers.f_files else 0.0,
            "read_only": bool(numbers.f_flag & os.ST_RDONLY)}
    return list(found.values())


def _mount(path):
    path = os.path.realpath(path)
    while not os.path.ismount(path):
        path = os.path.dirname(path)
    return path


def without_native(components):
    """Names of the daemons whose JVM lacks Hadoop's native library although it is to have it; one that does not run is another finding."""
    wanted = {c["unit"]: c["name"] for c in components if c["native"]}
    return [wanted[unit] for unit, state in unit_states(list(wanted)).items() if not native_loaded(state.get("MainPID") or 0)]


def native_loaded(pid):
    """Whether the process has the library among its files; True when there is no such process."""
    maps = read_text(f"/proc/{pid}/maps")
    return maps is None or "/libhadoop.so" in maps


def _enabled(unit):
    return os.path.lexists(f"{paths.UNITS}/{unit}.service")


def crashes(component):
    """Signs that a JVM died or ran out of memory: in the end of its logs, and the files that a crash leaves."""
    folder, rows = os.path.dirname(component["log_file"]), []
    for path in (component["log_file"], os.path.splitext(component["log_file"])[0] + ".out"):
        text = _tail(path)
        match = next(reversed(list(CRASH.finditer(text))), None)
        if match and not _old(text[:match.start()]):
            rows.append({"component": component["name"], "file": path, "what": match.group(0).decode(errors="replace")})
    for path in sorted(glob.glob(os.path.join(folder, "hs_err_pid*.log")))[-3:]:
        if time.time() - os.path.getmtime(path) < RECENT_S:
            rows.append({"component": component["service"], "file": path, "what": "a JVM crashed"})
    return rows


def _old(text):
    """Whether the last moment that a log tells before some place is longer ago than what is worth a warning."""
    moments = MOMENT.findall(text)
    if not moments:
        return False
    return time.time() - time.mktime(time.strptime(moments[-1].decode(), "%Y-%m-%d %H:%M:%S")) > RECENT_S


def _tail(path):
    try:
        with open(path, "rb") as handle:
            handle.seek(max(0, os.path.getsize(path) - TAIL_BYTES))
            return handle.read()
    except OSError:
        return b""
