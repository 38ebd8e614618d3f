"""Writes this node's own figures where its exporter reads them: what no daemon tells of itself.

Daemons without figures are asked whether they serve. The control node adds its jobs, flows and schedules, the node of the backups
how those stand. A timer starts it; the file appears by one rename.
"""
from __future__ import annotations

import contextlib
import json
import os
import threading
import time

from ...domain import paths
from ..backup.operations import GRACE_S, summary
from ..common import NodeError, read_text, run, say, unit_states, write_atomic
from ..daemons.health import namenode, probe
from ..services import metastore, zookeeper
from . import containers, work

# The hooks of daemons without figures, which belong to this program's package.
HOOKS = (metastore, zookeeper)
FILE = f"{paths.FIGURES}/emr.prom"
BOOT = f"{paths.STATE}/boot.json"
BOOT_ID = "/proc/sys/kernel/random/boot_id"
# Seconds for each look at a daemon.
LOOK_S = 5.0
# Seconds after which an answer counts as none.
LIMIT_S = 6.0


def main(words):
    """Write the figures, or with ``alerts`` tell the alerts of now as JSON. Returns the exit code."""
    if words == ["alerts"]:
        return _tell_alerts()
    settings = json.loads(read_text(paths.FIGURES_SETTINGS) or "{}")
    rows = [("boot_first_seen_seconds", {}, boot()), *daemons(settings.get("daemons", [])), *failed_units(), *backup(), *containers.rows()]
    rows += [("store_bytes", {}, sum(map(folder_bytes, settings["stores"])))] if settings.get("stores") else []
    if settings.get("namenode"):
        rows += safe_mode(settings["namenode"])
    if settings.get("control"):
        rows += work.rows()
    os.makedirs(paths.FIGURES, exist_ok=True)
    write_atomic(FILE, text(rows))
    return 0


def _tell_alerts():
    from . import alerts

    try:
        say(json.dumps(alerts.now()))
    except NodeError as error:
        say(json.dumps({"failed": True, "msg": str(error)}))
        return 1
    return 0


def text(rows):
    """Rows of (name, labels, value) in Prometheus' format; the lines of a name stand together."""
    lines = []
    for name, labels, value in sorted(rows, key=lambda row: (row[0], sorted(row[1].items()))):
        inner = ",".join(f'{key}="{_escaped(labels[key])}"' for key in sorted(labels))
        lines.append(f"emr_{name}{{{inner}}} {value}" if inner else f"emr_{name} {value}")
    return "".join(f"{line}\n" for line in lines)


def _escaped(value):
    return str(value).replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')


def boot():
    """When this boot was seen first. The kernel's own time of boot is the machine's, where a host is a container."""
    boot_id = (read_text(BOOT_ID) or "").strip()
    known = {}
    with contextlib.suppress(ValueError):
        known = json.loads(read_text(BOOT) or "{}")
    if known.get("id") != boot_id:
        known = {"id": boot_id, "time": int(time.time())}
        write_atomic(BOOT, json.dumps(known) + "\n")
    return known["time"]


def daemons(rows):
    """How often systemd has restarted each daemon, and whether those serve that have no figures."""
    states = unit_states([row["unit"] for row in rows])
    serves = limited({row["name"]: (_serves, row["health"]) for row in rows if row["health"]})
    found = []
    for row in rows:
        state = states.get(row["unit"], {})
        found.append(("daemon_restarts", {"daemon": row["name"]}, int(state.get("NRestarts") or 0)))
        if row["health"]:
            found.append(("daemon_up", {"daemon": row["name"]}, int(state.get("ActiveState") == "active" and bool(serves.get(row["name"])))))
    return found


def limited(asked):
    """{name: answer} of {name: (function, argument)}, all asked at once; without those that have not answered in time.

    A daemon that hangs takes a connection and says nothing: whoever waits for it must not keep the other figures back.
    """
    answers = {}

    def ask(name, function, argument):
        answers[name] = function(argument)

    threads = [threading.Thread(target=ask, args=(name, *call), daemon=True) for name, call in asked.items()]
    for thread in threads:
        thread.start()
    deadline = time.monotonic() + LIMIT_S
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    return dict(answers)


def _serves(health):
    try:
        return probe(health, LOOK_S)[0]
    except (ImportError, KeyError):
        # A hook of a service from outside the collection is not here: its unit runs.
        return True


def failed_units():
    """The units of this node that have failed, by name, and their number."""
    out = run(["systemctl", "list-units", "--state=failed", "--plain", "--no-legend", "--no-pager"], check=False)[1]
    names = [line.split()[0] for line in out.splitlines() if line.split()]
    return [("units_failed", {}, len(names)), *(("unit_failed", {"unit": name}, 1) for name in names)]


def backup():
    """How backups stand, on the node that makes them."""
    found = summary()
    if not found:
        return []
    return [("backup_last_good_seconds", {}, int(time.time()) - found["age_s"]), ("backup_every_seconds", {}, found["every_s"]),
            ("backup_failed", {}, int(bool(found["error"]))), ("backup_copies", {}, found["copies"]), ("backup_grace_seconds", {}, GRACE_S)]


def safe_mode(base):
    """Whether HDFS is in safe mode, which the NameNode's figures do not say; nothing when it does not answer."""
    info = limited({"namenode": (lambda base: namenode(base, LOOK_S)["NameNodeInfo"], base)}).get("namenode")
    return [("hdfs_safe_mode", {}, int(bool(info.get("Safemode"))))] if info else []


def folder_bytes(path):
    """What a folder takes on the disk."""
    found = 0
    for folder, _folders, files in os.walk(path):
        for name in files:
            # Prometheus makes and deletes files meanwhile.
            with contextlib.suppress(OSError):
                found += os.lstat(os.path.join(folder, name)).st_blocks * 512
    return found
