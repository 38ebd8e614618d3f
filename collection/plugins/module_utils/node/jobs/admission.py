"""The queue of a master's jobs: as many run at once as its memory carries.

.queue/ has a file for each job that waits, named by its time of arrival; .slots/ one for each that may run. Their
content is the memory that the job's program needs, in MiB. Every submit, every end of a job and every boot looks.
"""
from __future__ import annotations

import os
import time

from ...domain.jobs import admission
from ..common import file_lock, read_text, run, unit_states, write_atomic
from ..transfer.secrets import forget
from .record import JOBS, ended, history, ids, names, queued, record, settings, unit

LOCK_S = 60


def enqueue(job_id, need_mib):
    """Let a job wait for its turn."""
    write_atomic(f"{JOBS}/.queue/{time.time_ns():020d}-{job_id}", str(need_mib))


def admit():
    """Start the jobs whose turn it is. Returns their ids."""
    with _lock():
        waiting = [(name[21:], int(read_text(f"{JOBS}/.queue/{name}") or 0), name) for name in names(f"{JOBS}/.queue")]
        if not waiting:
            return []
        running = [int(read_text(f"{JOBS}/.slots/{name}") or 0) for name in names(f"{JOBS}/.slots")]
        chosen = admission.pick(settings()["memory_mib"], running, [row[:2] for row in waiting])
        for job_id, need_mib, name in waiting[:len(chosen)]:
            # In this order a crash in between starts it once more, which does nothing when it runs already.
            write_atomic(f"{JOBS}/.slots/{job_id}", str(need_mib))
            start(job_id)
            os.unlink(f"{JOBS}/.queue/{name}")
        return chosen


def start(job_id):
    """Start the job's unit, without waiting for it."""
    run(["systemctl", "start", "--no-block", f"{unit(job_id)}.service"])


def leave_queue(job_id):
    """Take a job out of the queue; False when it is not in there."""
    with _lock():
        found = [name for name in names(f"{JOBS}/.queue") if name.endswith(job_id)]
        for name in found:
            os.unlink(f"{JOBS}/.queue/{name}")
        return bool(found)


def release(job_id):
    """A job's unit has ended: give its place to the next, unless the unit comes back for a job that goes on."""
    if ended(history(job_id)[-1]):
        with _lock():
            if os.path.exists(f"{JOBS}/.slots/{job_id}"):
                os.unlink(f"{JOBS}/.slots/{job_id}")
        kept = record(job_id).get("secrets")
        if kept:
            forget(kept)
    return admit()


def boot():
    """Take up the jobs that a boot, or a kill, has interrupted, then admit others. Returns the ids of the former."""
    open_jobs = [job_id for job_id in ids() if not ended(history(job_id)[-1])]
    with _lock():
        for name in names(f"{JOBS}/.slots"):
            if name not in open_jobs:
                os.unlink(f"{JOBS}/.slots/{name}")
    states = unit_states([unit(job_id) for job_id in open_jobs])
    gone = [job_id for job_id in open_jobs if not queued(job_id)
            and states.get(unit(job_id), {}).get("ActiveState") not in ("active", "activating", "deactivating")]
    for job_id in gone:
        start(job_id)
    admit()
    return gone


def _lock():
    for name in (".queue", ".slots"):
        os.makedirs(f"{JOBS}/{name}", mode=0o755, exist_ok=True)
    return file_lock(f"{JOBS}/.lock", LOCK_S)
