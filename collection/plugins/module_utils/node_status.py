"""The state of a node's daemons, read only. Runs on Python 3.8 and newer."""
from __future__ import annotations

from .node_common import log_tail, read_text, unit_states
from .node_health import hdfs_summary, probe, yarn_summary


def status(params):
    """{components: [row...], hdfs, yarn}; a row has component, state, since, detail.

    state: running, starting (up, but does not serve yet), stopped, failed, restarting or missing (no such unit).
    """
    states = unit_states([c["unit"] for c in params["components"]])
    rows = [_row(component, states.get(component["unit"], {})) for component in params["components"]]
    return {"changed": False, "components": rows,
            "hdfs": hdfs_summary(params["namenode"]) if params["namenode"] else None,
            "yarn": yarn_summary(params["resourcemanager"]) if params["resourcemanager"] else None}


def _row(component, state):
    name, detail = _state(component, state)
    row = {"component": component["name"], "state": name, "since": state.get("ActiveEnterTimestamp", ""),
           "restarts": int(state.get("NRestarts") or 0), "detail": detail}
    if name == "running" and _stale(component["name"]):
        row["detail"] = "runs with an older configuration: run create, apply or start"
    if name in ("failed", "restarting"):
        row["log"] = log_tail(component["unit"], component["log_file"], 5)
    return row


def _stale(name):
    read, wanted = (read_text(path) for path in (f"/run/emr/{name}/config-digest", f"/etc/emr/digest/{name}"))
    return read != wanted


def _state(component, state):
    active = state.get("ActiveState", "")
    if state.get("LoadState") in ("not-found", None):
        return "missing", "no such unit: run create"
    if active == "active":
        ready, said = probe(component["health"])
        return ("running" if ready else "starting"), said
    if active == "activating":
        return "restarting", f"ended with status {state.get('ExecMainStatus')}, comes back by itself"
    if active == "failed":
        return "failed", f"ended with status {state.get('ExecMainStatus')} ({state.get('Result')})"
    return "stopped", ""
