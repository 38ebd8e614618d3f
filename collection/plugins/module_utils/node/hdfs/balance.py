"""HDFS's balancer as a unit of its own on the control node, so that it goes on without its caller."""
from __future__ import annotations

import os
import re

from ...domain import paths
from ...domain.waiting import wait as poll
from .. import hadoop_cli
from ..common import NodeError, read_text, run, unit_states
from .drain import hdfs_nodes

UNIT = "emr-balancer"
LOG = f"{paths.LOG}/hdfs/balancer.out"
# Exit codes of org.apache.hadoop.hdfs.server.balancer.ExitStatus, as a shell sees them.
SAID = {0: "the blocks are spread evenly", 255: "another balancer runs already", 254: "no block can be moved further",
        253: "it makes no progress", 252: "HDFS could not be reached", 251: "wrong arguments", 250: "it was interrupted",
        249: "an upgrade is not finalised"}
FINE = (0, 254)
# Time, iteration, moved already, left to move, being moved (and, since 3.3, which NameNode).
_ROW = re.compile(r"^\S.* (\d+) +(-?[\d.]+ ?[KMGTPE]?B) +(-?[\d.]+ ?[KMGTPE]?B) +(-?[\d.]+ ?[KMGTPE]?B)(?: .*)?$")


def perform(params, check):
    """op start, wait or stop. Returns the module's result."""
    if check:
        return {"changed": params["op"] != "wait", "running": False}
    if params["op"] == "stop":
        return stop(params)
    changed = start(params) if params["op"] == "start" else False
    return dict(wait(params), changed=changed)


def _state():
    return unit_states([UNIT]).get(UNIT, {})


def _runs(state):
    return state.get("ActiveState") in ("active", "activating", "deactivating")


def start(params):
    """Start it, unless one runs; whether it was started. Its output goes to LOG."""
    if hdfs_nodes(params["namenode"]) is None:
        raise NodeError(f"the NameNode at {params['namenode']} does not answer. Look with: emrctl status")
    if _runs(_state()):
        return False
    run(["systemctl", "reset-failed", f"{UNIT}.service"], check=False)
    hadoop_cli.start_unit(UNIT, "hdfs", ["balancer", "-threshold", int(params["threshold"]), "-idleiterations", 3], "hdfs", "hadoop",
                          params["environment"], LOG, params["run_s"])
    return True


def stop(params):
    """End it."""
    runs = _runs(_state())
    if runs:
        run(["systemctl", "stop", f"{UNIT}.service"], limit_s=120)
    return {"changed": runs, "running": False, "exit_code": None, "row": {}, "said": "stopped" if runs else "no balancer runs",
            "spread": spread(params["namenode"])}


def wait(params):
    """Wait up to ``limit_s`` seconds for its end. {running, exit_code, row: the last line of its table, said, spread}."""
    poll(lambda: _runs(_state()), params["limit_s"], 0.5)
    state = _state()
    text = read_text(LOG) or ""
    found = {"running": _runs(state), "row": last_row(text), "exit_code": None, "said": "", "spread": []}
    if not found["running"]:
        found.update(_ended(state, text), spread=spread(params["namenode"]))
    return found


def _ended(state, text):
    """Exit code and what it means. A unit that ended well is forgotten by systemd at once, so the log decides then."""
    if state.get("Result") == "timeout":
        return {"exit_code": None, "said": "it was ended at its time limit; run it again to go on", "ok": True}
    code = int(state.get("ExecMainStatus") or 0)
    if state.get("LoadState") in (None, "not-found") and "Balancing took" not in text and "is balanced" not in text:
        return {"exit_code": None, "said": "its end was not seen: " + " ".join(text.split()[-12:]), "ok": False}
    return {"exit_code": code, "said": SAID.get(code, f"it ended with {code}"), "ok": code in FINE}


def last_row(text):
    """The last row of the balancer's table: {iteration, moved, left, moving} as it prints them, or {}."""
    for line in reversed(text.splitlines()):
        match = _ROW.match(line.strip())
        if match:
            return dict(zip(("iteration", "moved", "left", "moving"), match.groups()))
    return {}


def spread(base):
    """How full each living DataNode is: [{node, percent, capacity}] (bytes)."""
    seen = hdfs_nodes(base) or {"nodes": {}}
    return [{"node": name, "capacity": row["capacity"],
             "percent": round(100.0 * row["bytes"] / row["capacity"], 3) if row["capacity"] else 0.0}
            for name, row in sorted(seen["nodes"].items()) if row["alive"]]


def environment():
    """What the balancer's JVM needs besides hadoop-env.sh."""
    return {"HADOOP_CONF_DIR": paths.HADOOP_CONF, "HADOOP_LOG_DIR": os.path.dirname(LOG), "LANG": "C.UTF-8"}
