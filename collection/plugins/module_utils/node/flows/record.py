"""Records of flows on a master.

/var/lib/emr/flows/ID/ holds flow.json (what was asked for, for root alone: values of variables may matter), files/JOB/KEY/ (what its
jobs bring along), states (one JSON line per change, of the flow or of one of its jobs), killed (who killed it) and lock (held by the
runner while it lives). Beside the flows lies .lock, held while one is made.
"""
from __future__ import annotations

import json
import os
import re
import shutil
import time
import uuid

from ...domain import paths
from ...domain.flows.plan import FAILED, KILLED, RUNNING, SUCCEEDED, WAITING
from ..common import NodeError, file_lock, read_text, run, unit_states, write_atomic
from ..jobs import budget, journal

FLOWS = paths.FLOWS
ID = re.compile(r"^f-\d{8}-\d{6}-[0-9a-f]{4}$")
FINAL = (SUCCEEDED, FAILED, KILLED)
LOCK_S = 60
# So many flows are kept on record; older ones go when they have ended.
KEEP = 500


def unit(flow_id):
    """Name of the flow's unit, without its ending."""
    return f"emr-flow@{flow_id}"


def ids():
    """Ids of all flows on record, the newest first."""
    return journal.newest(FLOWS, ID)


def folder_of(flow_id):
    """Folder of a flow's record. Raises NodeError when there is none of this id."""
    if not ID.match(flow_id) or not os.path.isdir(f"{FLOWS}/{flow_id}"):
        raise NodeError(f"there is no flow {flow_id} on this cluster. Next: emrctl flow list NAME")
    return f"{FLOWS}/{flow_id}"


def record(flow_id):
    """What was asked for."""
    return json.loads(read_text(f"{folder_of(flow_id)}/flow.json") or "{}")


def note(flow_id, state, **more):
    """Write down a change, of a job when ``job`` names one. Survives a crash of the machine."""
    journal.append(f"{FLOWS}/{flow_id}/states", dict(more, state=state))


def history(flow_id):
    """All changes, the oldest first."""
    return journal.changes(f"{FLOWS}/{flow_id}/states")


def state_of(rows):
    """(state of the flow, {job: its last change}) after these changes. A retry sets its jobs back."""
    state, jobs = "SUBMITTED", {}
    for row in rows:
        if row.get("job"):
            jobs[row["job"]] = row
        else:
            state = row["state"]
            for name in row.get("again", ()):
                jobs[name] = {"state": WAITING, "attempt": jobs.get(name, {}).get("attempt", 0)}
    return state, jobs


def ended(flow_id):
    """Whether a flow has come to its end."""
    return state_of(history(flow_id))[0] in FINAL


def hold(flow_id):
    """The lock that a flow's runner holds while it lives, as a file descriptor; None when another one has it."""
    return journal.hold(f"{FLOWS}/{flow_id}/lock")


def create(wanted, files=""):
    """Put a flow on record, once for each token. Returns (id, whether it is new). ``files``: folder that is taken over. Raises NodeError beyond a budget."""
    os.makedirs(FLOWS, mode=0o755, exist_ok=True)
    with file_lock(f"{FLOWS}/.lock", LOCK_S):
        if wanted.get("token"):
            found = next((flow_id for flow_id in ids() if record(flow_id).get("token") == wanted["token"]), "")
            if found:
                return found, False
        beyond = budget.refusal()
        if beyond:
            raise NodeError(beyond, emr_refused=True)
        flow_id = time.strftime("f-%Y%m%d-%H%M%S-", time.gmtime()) + uuid.uuid4().hex[:4]
        draft = f"{FLOWS}/.new-{flow_id}"
        os.makedirs(draft, mode=0o750)
        if files:
            shutil.copytree(files, f"{draft}/files", copy_function=_link)
        write_atomic(f"{draft}/flow.json", json.dumps(dict(wanted, id=flow_id, submitted=round(time.time(), 3))) + "\n", 0o600)
        # The record appears as a whole; a draft that a kill leaves is swept by the next boot.
        os.rename(draft, f"{FLOWS}/{flow_id}")
        for old in ids()[KEEP:]:
            forget(old)
    return flow_id, True


def _link(source, target):
    """One more name for a file that nobody changes; a copy where the file system has no links."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def start(flow_id):
    """Start the flow's runner, without waiting for it."""
    run(["systemctl", "reset-failed", f"{unit(flow_id)}.service"], check=False)
    run(["systemctl", "start", "--no-block", f"{unit(flow_id)}.service"])


def boot():
    """Take up the flows that a boot or a kill has interrupted. Returns their ids."""
    for name in os.listdir(FLOWS) if os.path.isdir(FLOWS) else ():
        if name.startswith(".new-") and time.time() - os.stat(f"{FLOWS}/{name}").st_mtime > 3600:
            shutil.rmtree(f"{FLOWS}/{name}", ignore_errors=True)
    unfinished = [flow_id for flow_id in ids() if not ended(flow_id)]
    states = unit_states([unit(flow_id) for flow_id in unfinished])
    gone = [flow_id for flow_id in unfinished
            if states.get(unit(flow_id), {}).get("ActiveState") not in ("active", "activating", "deactivating")]
    for flow_id in gone:
        start(flow_id)
    return gone


def forget(flow_id):
    """Take an ended flow off the record; its jobs stay on theirs."""
    if ended(flow_id):
        shutil.rmtree(folder_of(flow_id), ignore_errors=True)


__all__ = ["FAILED", "FINAL", "FLOWS", "KILLED", "RUNNING", "SUCCEEDED", "boot", "create", "ended", "folder_of", "forget",
           "history", "hold", "ids", "note", "record", "start", "state_of", "unit"]
