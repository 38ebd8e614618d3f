"""The state of a node's daemons, read only."""
from __future__ import annotations

from ..backup.operations import pending, summary as backup_summary
from ..common import log_tail, read_text, unit_states
from ..config.configure import SPEC_DIR, newest_revision
from ..jobs.workload import workload
from ..services.hooks import asked
from .health import probe
from .stale import wants_refresh, wants_restart


def status(params, _check=False):
    """{components: [row...], what each service of ``answers`` tells, spec_text, backup, restored, work}; a row has component, state, since, detail.

    state: running, starting (up, but does not serve yet), stopped, failed, restarting or missing (no such unit).
    """
    states = unit_states([c["unit"] for c in params["components"]])
    rows = [_row(component, states.get(component["unit"], {})) for component in params["components"]]
    return {"changed": False, "components": rows,
            **asked(params["answers"], "details"), "spec_text": _spec_text() if params["control"] else "", "backup": backup_summary(), "restored": pending(),
            "work": workload() if params["control"] else None}


def _spec_text():
    """Text of the newest revision of the spec, which tells how many nodes there should be; '' when none is kept."""
    newest = newest_revision()
    return (read_text(f"{SPEC_DIR}/{newest['number']:06d}.yml") or "") if newest else ""


def _row(component, state):
    name, detail = _state(component, state)
    row = {"component": component["name"], "state": name, "since": state.get("ActiveEnterTimestamp", ""),
           "restarts": int(state.get("NRestarts") or 0), "detail": detail}
    if name == "running" and wants_restart(component["name"]):
        row.update(stale=True, detail="waits for a restart: run emrctl restart NAME --continue")
    elif name == "running" and wants_refresh(component["name"]):
        row.update(stale=True, detail="has not loaded its new settings: run emrctl restart NAME --continue")
    if name in ("failed", "restarting"):
        row["log"] = log_tail(component["unit"], component["log_file"], 5)
    return row


def _state(component, state):
    active = state.get("ActiveState", "")
    if state.get("LoadState") in ("not-found", None):
        return "missing", "no such unit: run create"
    if active == "active":
        ready, said = probe(component["health"])
        return ("running" if ready else "starting"), said
    if active == "activating":
        return "restarting", f"ended with status {state.get('ExecMainStatus')}, restarts by itself"
    if active == "failed":
        return "failed", f"ended with status {state.get('ExecMainStatus')} ({state.get('Result')})"
    return "stopped", ""
