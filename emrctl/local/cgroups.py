"""Each host's own control group: its memory limit, and the one reliable list of its processes.

Works with cgroup v1, v2 and the hybrid of both. A host gets a group in the hierarchy that limits memory and in those that
its systemd uses itself; without the latter, the systemds of all hosts would share one tree.
"""
from __future__ import annotations

import os
import signal
import time
from pathlib import Path

from emrctl.local.shell import DriverError

TOP = "emr-local"


def hierarchies() -> dict[str, Path]:
    """Mount points by use: "memory", and "systemd" or "unified" for the hosts' own systemd."""
    found: dict[str, Path] = {}
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        left, _, right = line.partition(" - ")
        kind, _, options = right.split(" ", 2)
        point = Path(left.split()[4])
        if kind == "cgroup2":
            found["unified"] = point
        elif kind == "cgroup" and "memory" in options.split(","):
            found["memory"] = point
        elif kind == "cgroup" and "name=systemd" in options.split(","):
            found["systemd"] = point
    if "memory" not in found and "unified" in found and "memory" in _read(found["unified"] / "cgroup.controllers").split():
        found["memory"] = found["unified"]
    return found


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""


def _groups(prefix: str, host_id: str) -> list[Path]:
    return sorted({point / TOP / prefix / host_id for point in hierarchies().values()})


def make(prefix: str, host_id: str, memory_mib: int) -> list[Path]:
    """Create the host's groups with its memory limit; returns their folders. Raises DriverError."""
    points = hierarchies()
    if "memory" not in points:
        raise DriverError("this machine has no memory control group; hosts cannot be limited to their type's memory")
    try:
        if points["memory"] == points.get("unified"):
            for above in (points["memory"], points["memory"] / TOP, points["memory"] / TOP / prefix):
                above.mkdir(exist_ok=True)
                (above / "cgroup.subtree_control").write_text("+memory")
        for group in _groups(prefix, host_id):
            group.mkdir(parents=True, exist_ok=True)
        group = points["memory"] / TOP / prefix / host_id
        limit = str(memory_mib * 2**20)
        if points["memory"] == points.get("unified"):
            limits = {"memory.max": limit, "memory.swap.max": "0"}
        else:
            limits = {"memory.limit_in_bytes": limit, "memory.memsw.limit_in_bytes": limit}
        for name, value in limits.items():
            # Hosts have no swap, as in the cloud; kernels without swap accounting lack the file.
            if "swap" not in name and "memsw" not in name or (group / name).exists():
                (group / name).write_text(value)
    except OSError as error:
        raise DriverError(f"{host_id}: control group: {error}") from error
    return _groups(prefix, host_id)


def processes(prefix: str, host_id: str) -> list[int]:
    """Ids of all live processes of a host, its systemd-nspawn included."""
    return sorted({pid for top in _groups(prefix, host_id) for pid in _members(top)})


def _members(top: Path) -> set[int]:
    found: set[int] = set()
    for folder, _, _ in os.walk(top):
        found.update(int(pid) for pid in _read(Path(folder, "cgroup.procs")).split())
    return found - {0}


def command(pid: int) -> str:
    """Short name of a process, "" when it is gone."""
    return _read(Path(f"/proc/{pid}/comm")).strip()


def children(pid: int) -> list[int]:
    """Ids of a process's children; none when it is gone."""
    return [int(child) for child in _read(Path(f"/proc/{pid}/task/{pid}/children")).split()]


def kill(prefix: str, host_id: str, limit: float = 20.0) -> None:
    """SIGKILL everything in the group until nothing is left. limit: seconds. Raises DriverError."""
    end = time.monotonic() + limit
    while pids := processes(prefix, host_id):
        if time.monotonic() > end:
            raise DriverError(f"{host_id}: processes {pids} do not end (waiting for a disk?)")
        _kill(pids)
        time.sleep(0.02)


def _kill(pids: list[int]) -> None:
    for pid in pids:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass


def remove(prefix: str, host_id: str) -> None:
    """Remove the host's groups, innermost first. Raises DriverError when one stays busy for 5 s.

    Who enters a group meanwhile is ended too: the launcher of a host outlives a killed starter, and joins late.
    """
    for top in _groups(prefix, host_id):
        _remove_tree(top)


def _remove_tree(top: Path) -> None:
    end = time.monotonic() + 5
    while top.exists():
        _kill(sorted(_members(top)))
        for folder, _, _ in os.walk(top, topdown=False):
            try:
                os.rmdir(folder)
            except OSError:
                pass
        if top.exists():
            if time.monotonic() > end:
                raise DriverError(f"control group {top} stays busy")
            time.sleep(0.02)


def known(prefix: str) -> list[str]:
    """Ids of the hosts of this prefix that have a group, whether or not there is a record of them."""
    found = set()
    for point in hierarchies().values():
        top = point / TOP / prefix
        if top.is_dir():
            found.update(entry.name for entry in top.iterdir() if entry.is_dir())
    return sorted(found)


def remove_prefix(prefix: str) -> None:
    """Remove the prefix's (then empty) parent groups; the shared one goes with its last user."""
    for point in set(hierarchies().values()):
        _remove_tree(point / TOP / prefix)
        try:
            (point / TOP).rmdir()
        except OSError:
            pass
