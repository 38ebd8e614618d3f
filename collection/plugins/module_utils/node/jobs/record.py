"""Records of jobs on a master.

/var/lib/emr/jobs/ID/ holds job.json (what was asked for), environment.json (for root alone: values may be secrets), states
(one JSON line per change), apps (YARN applications), error, stdout.log and stderr.log of the last attempt (those of
attempts before have their number behind their names), conf/ and work/ (the job's files; its working directory). Only
work/ belongs to the job's user. Beside the jobs lie .queue (one file for each that waits), .slots (one for each that
runs) and .tokens.
"""
from __future__ import annotations

import contextlib
import json
import os
import re
import time

from ...domain import paths
from ...domain.jobs.states import FINAL
from ..common import NodeError, read_text, unit_states, write_atomic
from . import journal

JOBS = paths.JOBS
SETTINGS = paths.JOBS_SETTINGS
BOOT_UNIT = "emr-jobs"
ID = re.compile(r"^j-\d{8}-\d{6}-[0-9a-f]{4}$")
# Seconds after which a job that waits and is in no queue, or runs without a supervisor, is taken for lost.
GRACE_S = 5
# Seconds after which a token without a job is left over.
TOKEN_S = 3600


def settings():
    """What this master knows of its cluster. Raises NodeError where the operation configure has not been."""
    text = read_text(SETTINGS)
    if text is None:
        raise NodeError("this master cannot run jobs yet: the programs for it are missing. Next: emrctl apply with the cluster's "
                        "spec (emrctl export NAME gives it)")
    return json.loads(text)


def folder_of(job_id):
    """Folder of a job's record. Raises NodeError when there is none of this id."""
    folder = f"{JOBS}/{job_id}"
    if not ID.match(job_id) or not os.path.isdir(folder):
        raise NodeError(f"there is no job {job_id} on this cluster. Next: emrctl jobs list NAME")
    return folder


def ids():
    """Ids of all jobs on record, the newest first."""
    return journal.newest(JOBS, ID)


def record(job_id):
    """What was asked for."""
    return json.loads(read_text(f"{folder_of(job_id)}/job.json") or "{}")


def unit(job_id):
    """Name of the job's unit, without its ending."""
    return f"emr-job@{job_id}"


def note(job_id, state, **more):
    """Write down that a job is in this state now. Survives a crash of the machine."""
    journal.append(f"{JOBS}/{job_id}/states", {"state": state, "exit_code": None, **more})


def history(job_id, submitted=0.0):
    """All changes of state, the first being SUBMITTED."""
    return [{"state": "SUBMITTED", "time": submitted}, *journal.changes(f"{JOBS}/{job_id}/states")]


def apps(job_id):
    """YARN's applications as they were seen last, in order of their birth: {id, state, finalStatus, attempt, …}."""
    try:
        return json.loads(read_text(f"{JOBS}/{job_id}/apps") or "[]")
    except ValueError:
        return []


def hold(job_id):
    """The lock that a job's supervisor holds while it lives, as a file descriptor; None when another one has it."""
    return journal.hold(f"{JOBS}/{job_id}/lock")


def queued(job_id):
    """Whether the job waits for its turn."""
    return any(name.endswith(job_id) for name in names(f"{JOBS}/.queue"))


def names(folder):
    """Sorted names in a folder; none where there is no folder."""
    try:
        return sorted(name for name in os.listdir(folder) if not name.startswith("."))
    except FileNotFoundError:
        return []


def supervised(job_id, last):
    """Whether somebody looks after a job that has not ended; ``last`` is its last change of state."""
    handle = hold(job_id)
    if handle is None:
        return True
    os.close(handle)
    if queued(job_id) or time.time() - last["time"] < GRACE_S:
        return True
    found = unit_states([unit(job_id), BOOT_UNIT])
    # Before the boot unit has run, nobody knows what the reboot has left.
    return (found.get(unit(job_id), {}).get("ActiveState") in ("active", "activating", "deactivating", "reloading")
            or found.get(BOOT_UNIT, {}).get("ActiveState") in ("activating", "inactive"))


def ended(row):
    """Whether a change of state is the last one."""
    return row["state"] in FINAL


def tail(path, limit_bytes):
    """The last bytes of a file as text; '' when there is none."""
    try:
        with open(path, "rb") as handle:
            handle.seek(max(0, os.path.getsize(path) - limit_bytes))
            return handle.read().decode(errors="replace")
    except FileNotFoundError:
        return ""


def size(job_id):
    """Bytes that a record takes on the disk; of one that has ended it is counted once."""
    path = f"{JOBS}/{job_id}/size"
    known = read_text(path)
    if known:
        return int(known)
    found = 0
    for folder, _folders, files in os.walk(f"{JOBS}/{job_id}"):
        for name in files:
            # A job that runs makes and deletes files meanwhile.
            with contextlib.suppress(OSError):
                found += os.lstat(os.path.join(folder, name)).st_blocks * 512
    if ended(history(job_id)[-1]):
        write_atomic(path, str(found))
    return found


def forget_tokens():
    """Delete the tokens of jobs that are on record no more: they count for nothing."""
    for name in names(f"{JOBS}/.tokens"):
        path = f"{JOBS}/.tokens/{name}"
        job_id = (read_text(path) or "").partition(" ")[0]
        # A token is written before its job appears.
        if not os.path.isdir(f"{JOBS}/{job_id}") and time.time() - os.stat(path).st_mtime > TOKEN_S:
            os.unlink(path)
