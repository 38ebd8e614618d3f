"""What the containers of this node use, by application and program: Spark's executors and drivers, tasks of MapReduce, all that YARN runs.

Every process of a container has its container's id in its environment, and that names the application. There is one series for each program of an
application on each node, and it ends with the application; a series for each container would stay behind by the thousands.
"""
from __future__ import annotations

import contextlib
import json
import os
import pwd
import re
import time

from ...domain import paths
from ..common import read_text, write_atomic
from . import jvm

PROC = "/proc"
# What each process had used when it was looked at last; it need not outlive a boot. After so many seconds it tells nothing.
LAST, OLD_S = f"{paths.RUN}/programs.json", 600
# Programs that are told one by one, those with the most memory; all others are one.
MOST, OTHERS = 20, ("others", "", "")
# Name of a figure -> what of a process it is the growth of, for each second since the last look.
RATES = {"application_cpus": "cpu_s", "application_gc_seconds_per_second": "gc_s", "application_disk_read_bytes_per_second": "read_bytes",
         "application_disk_written_bytes_per_second": "written_bytes"}
_CONTAINER = re.compile(rb"(?:^|\0)CONTAINER_ID=(container_(?:e\d+_)?(\d{6,20})_(\d{4,12})_\d+_\d+)(?:\0|$)")
_USER = re.compile(rb"(?:^|\0)USER=([a-z_][a-z0-9_.-]{0,31})(?:\0|$)")
_CLASS = re.compile(r"[A-Za-z_][\w.$]{0,199}")


def rows():
    """(name, labels, value) of all programs here, and of the others, which are there when nothing runs as well."""
    now, before = time.monotonic(), _before()
    processes = [found for pid in os.listdir(PROC) if pid.isdigit() for found in [_process(pid)] if found]
    os.makedirs(os.path.dirname(LAST), exist_ok=True)
    write_atomic(LAST, json.dumps({"at": now, "used": {row["key"]: row["used"] for row in processes}}) + "\n")
    passed = now - before.get("at", now)
    return told(processes, before.get("used", {}), passed if passed < OLD_S else 0)


def told(processes, before, passed_s):
    """The rows of these processes. ``before``: {key of a process: what it had used} so many seconds ago; without a look before no rate is told."""
    containers = {}
    for row in processes:
        fresh = {"application": row["application"], "user": row["user"], "program": "", "memory": 0, "used": dict.fromkeys(RATES.values(), 0.0)}
        found = containers.setdefault(row["container"], fresh)
        found["program"] = found["program"] or row["program"]
        found["memory"] += row["memory"]
        for kind, value in row["used"].items():
            # A process that was not there at the last look has used all that it has since then.
            found["used"][kind] += max(0.0, value - before.get(row["key"], {}).get(kind, 0.0))
    programs = {}
    for found in containers.values():
        key = (found["application"], found["user"], found["program"])
        programs.setdefault(key, []).append(found)
    order = sorted(programs, key=lambda key: (-sum(row["memory"] for row in programs[key]), key))
    rest = [row for key in order[MOST:] for row in programs[key]]
    made = []
    for key, found in [*((key, programs[key]) for key in order[:MOST]), (OTHERS, rest)]:
        labels = dict(zip(("application", "user", "program"), key))
        made += [("application_memory_bytes", labels, sum(row["memory"] for row in found)), ("application_containers", labels, len(found))]
        if passed_s > 0:
            made += [(name, labels, round(sum(row["used"][kind] for row in found) / passed_s, 3)) for name, kind in RATES.items()]
    return made


def _process(pid):
    """What is known of a process of a container; None for any other, and for one that has just ended."""
    try:
        environ = _read(pid, "environ")
        match = _CONTAINER.search(environ)
        if not match:
            return None
        words, user = _read(pid, "stat").decode(errors="replace").rpartition(")")[2].split(), _USER.search(environ)
        return {"container": match.group(1).decode(), "application": f"application_{match.group(2).decode()}_{match.group(3).decode()}",
                "user": user.group(1).decode() if user else "", "program": main_class(_read(pid, "cmdline").decode(errors="replace").split("\0")),
                "key": f"{pid}-{words[19]}", "memory": int(words[21]) * os.sysconf("SC_PAGE_SIZE"),
                "used": {"cpu_s": (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK"), "gc_s": _gc(pid), **_disk(pid)}}
    except (OSError, IndexError):
        return None


def _gc(pid):
    """Seconds that a JVM stood still for garbage collections; 0 for one that does not tell, and for any other program."""
    with contextlib.suppress(OSError, KeyError):
        # The JVM names the folder by whom it runs as, and the file by how it is called where it runs: it may have a name space of its own.
        own = re.search(rb"(?m)^NSpid:.*?(\d+)$", _read(pid, "status"))
        folder = pwd.getpwuid(os.stat(f"{PROC}/{pid}").st_uid).pw_name
        return jvm.gc_seconds(f"{PROC}/{pid}/root/tmp/hsperfdata_{folder}/{int(own.group(1)) if own else pid}") or 0.0
    return 0.0


def _disk(pid):
    """Bytes that a process has had read from disks and written to them, as far as its kernel tells."""
    with contextlib.suppress(OSError, KeyError, ValueError):
        rows = dict(line.split(b": ") for line in _read(pid, "io").splitlines())
        return {"read_bytes": int(rows[b"read_bytes"]), "written_bytes": int(rows[b"write_bytes"])}
    return {"read_bytes": 0, "written_bytes": 0}


def main_class(words):
    """The class that a command of Java runs, or '' for another command."""
    if os.path.basename(words[0]) != "java":
        return ""
    skip = False
    for word in words[1:]:
        if not skip and not word.startswith("-"):
            return word if _CLASS.fullmatch(word) else ""
        skip = word in ("-cp", "-classpath", "--class-path")
    return ""


def _read(pid, name):
    with open(f"{PROC}/{pid}/{name}", "rb") as handle:
        return handle.read()


def _before():
    with contextlib.suppress(ValueError, OSError):
        return json.loads(read_text(LAST) or "{}")
    return {}
