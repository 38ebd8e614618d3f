"""Jobs on a master: each is a detached unit with a record of its own (see job_record).

Used by the module on the node, by the program emr-jobs and by flows, all in the same way: submit, show, kill, listing.
"""
from __future__ import annotations

import calendar
import fnmatch
import json
import os
import shutil
import time

from ...domain.jobs.request import RESOURCES, remote
from ...domain.jobs.states import FINAL
from ..common import NodeError, read_text, run, write_atomic
from . import admission as job_admit, logs as job_logs, usage as job_usage, yarn as job_yarn
from .progress import progress
from .record import (
    JOBS,
    apps,
    ended,
    folder_of,
    forget_tokens,
    history,
    ids,
    note,
    record,
    settings,
    size,
    supervised,
    unit,
)
from .submit import JOB_USER, Refusal, submit as take

__all__ = ["FINAL", "JOB_USER", "Refusal", "kill", "listing", "logs", "perform", "prune", "retry", "show", "submit", "wait", "watch"]
# Records are kept for so many seconds, and so many of them, unless somebody says otherwise.
KEEP_S, KEEP = 90 * 86400, 1000
# Share of the disk that the records of all jobs may have, with their outputs and files.
KEEP_SHARE = 0.2
# What a list of jobs leaves out.
NOT_LISTED = ("history", "command", "args", "prelude", "digest", "secrets", "need_mib", "slow")


def perform(params, check):
    """The operation on jobs that ``op`` names."""
    op = params["op"]
    if op not in OPERATIONS:
        raise NodeError(f"jobs: unknown operation {op}")
    if check and op in CHANGING:
        return {"changed": True}
    return OPERATIONS[op](params)


def submit(params):
    """Put a job into the queue; see domain/jobs/request.py for what may be asked for. Returns {changed, job}; with ``wait`` after
    it has ended. Raises Refusal before anything is changed."""
    job_id, new = take(params)
    if params.get("wait"):
        wait(job_id, params.get("wait_limit_s") or 86400)
    return {"changed": new, "job": show(job_id)}


def wait(job_id, limit_s):
    """Wait until the job has ended. The job goes on when this process is killed or the limit is over."""
    deadline = time.monotonic() + limit_s
    while True:
        job = show(job_id)
        if job["state"] in FINAL and (job["state"] in ("SUCCEEDED", "KILLED") or "error" in job):
            return job
        if time.monotonic() > deadline or os.getppid() == 1:
            raise NodeError(f"job {job_id} still runs after {limit_s} s; it goes on. Next: emrctl jobs show NAME {job_id}", job=job)
        time.sleep(0.4)


def watch(job_id, for_s, seen):
    """The job as soon as its state or progress is another than ``seen`` (its key ``mark``), at the latest after so many seconds.

    With ``progress``, what YARN and Spark say of its applications, and for one that waits how many wait before it.
    """
    deadline = time.monotonic() + for_s
    while True:
        job = show(job_id)
        job["progress"] = progress(job, settings()) if job["state"] not in FINAL else []
        job["mark"] = f"{job['state']} {job['attempts']} {' '.join(job['progress'])}"
        complete = job["state"] not in FINAL or job["state"] in ("SUCCEEDED", "KILLED") or "error" in job
        if (job["mark"] != seen and complete) or time.monotonic() > deadline:
            return job
        time.sleep(0.3)


def show(job_id):
    """What is known of a job. Raises NodeError when there is none of this id."""
    found = record(job_id)
    rows = history(job_id, found.get("submitted", 0))
    last = rows[-1]
    if not ended(last) and not supervised(job_id, last):
        # The supervisor writes the last state before it ends: read again, else the machine took it away.
        last = history(job_id, found.get("submitted", 0))[-1]
        if not ended(last):
            last = {"state": "LOST", "time": last["time"], "exit_code": None, "reason": "its supervisor is gone"}
            rows.append(last)
    job = dict(found, state=last["state"], exit_code=last.get("exit_code"), reason=last.get("reason", ""), history=rows,
               attempts=max((row.get("attempt", 0) for row in rows), default=0),
               seconds=round((last["time"] if ended(last) else time.time()) - rows[0]["time"], 1),
               applications=[app["id"] for app in apps(job_id)])
    job["submitted"] = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(found.get("submitted", 0)))
    error = read_text(f"{JOBS}/{job_id}/error") if job["state"] in ("FAILED", "LOST") else None
    if error is not None:
        job["error"] = error.rstrip()
    if ended(last):
        job["usage"] = job_usage.used(job_id)
        job["slow"] = job_usage.why_slow(job["usage"], job)
    return job


def listing(limit=200, whole=False, **filters):
    """Jobs, the newest first, without arguments and history; with ``whole`` with all that is known of what they used. ``filters``: state, type, user
    (each one or several), name (with * and ?), since (seconds of the epoch)."""
    found = []
    for job_id in ids():
        if len(found) >= limit or (filters.get("since") and not _since(job_id, filters["since"])):
            break
        job = show(job_id)
        if _fits(job, filters):
            row = {key: value for key, value in job.items() if key not in NOT_LISTED}
            if whole:
                row["queued_s"] = _queued(job["history"])
            elif row.get("usage"):
                row["usage"] = {key: value for key, value in row["usage"].items() if key != "applications"}
            found.append(row)
    return found


def _queued(rows):
    """Seconds until a job ran, or ended before it did."""
    return round(rows[1]["time"] - rows[0]["time"], 1) if len(rows) > 1 else 0


def _fits(job, filters):
    for key in ("state", "type", "user"):
        wanted = filters.get(key)
        if wanted and job[key] not in ([wanted] if isinstance(wanted, str) else wanted):
            return False
    return not filters.get("name") or fnmatch.fnmatch(job["name"], filters["name"])


def _since(job_id, moment):
    """Whether the job was submitted after the moment; its id tells."""
    return calendar.timegm(time.strptime(job_id[2:17], "%Y%m%d-%H%M%S")) >= int(moment)


def logs(params):
    """Output of a job; see job_logs."""
    return job_logs.logs(params, show(params["id"]))


def kill(params):
    """Stop a job and its YARN applications, for good."""
    job_id = params["id"]
    job = show(job_id)
    if job["state"] in FINAL and job["state"] != "LOST":
        return {"changed": False, "job": job}
    write_atomic(f"{JOBS}/{job_id}/killed", f"killed by {params.get('who') or 'the cluster'}\n")
    if not job_admit.leave_queue(job_id):
        run(["systemctl", "stop", f"{unit(job_id)}.service"], check=False, limit_s=100)
    last = history(job_id, 0)[-1]
    if not ended(last):
        # It waited, or nobody looked after it.
        trouble = job_yarn.end_all(settings()["resourcemanager"], job_id, job["user"], 25)
        note(job_id, "KILLED", reason="; ".join(filter(None, ("killed before it ran" if last["state"] == "SUBMITTED" else "", trouble))))
        job_admit.release(job_id)
    return {"changed": True, "job": show(job_id)}


def retry(params):
    """Submit a job that has ended once more, with the same request and files. Returns {changed, job}."""
    before = show(params["id"])
    folder = folder_of(params["id"])
    if before["state"] not in FINAL:
        raise Refusal(f"job {before['id']} is {before['state']}: only a job that has ended can be retried. Next: emrctl jobs kill NAME {before['id']}")
    request = json.loads(read_text(f"{folder}/request.json") or "null")
    if not request:
        raise Refusal(f"job {before['id']} has no recorded request. Next: submit it again")
    if request.get("secrets"):
        raise Refusal(f"job {before['id']} had credentials of its own, which were deleted when it ended. Next: "
                      f"{request['secrets'].get('again') or 'submit it again'}")
    for kind in RESOURCES:
        request[kind] = [row if remote(row) else f"{folder}/work/{row}" for row in request[kind]]
    packed = request["python_env"]
    request.update(token=params.get("token") or "", who=params.get("who") or "", retry_of=before["id"], wait=params.get("wait"),
                   python_env=f"{folder}/work/{packed}" if packed and not remote(packed) else packed)
    return submit(request)


def prune(params):
    """Delete the records of jobs that ended ``older_s`` seconds ago or more, and those beyond the newest ``keep``.

    Returns {changed, pruned: their ids}. Without either, what the cluster keeps by itself counts; then the newest records also have no
    more than KEEP_SHARE of the disk together.
    """
    older, keep, room = params.get("older_s"), params.get("keep"), None
    if older is None and keep is None:
        older, keep = KEEP_S, KEEP
        disk = os.statvfs(JOBS) if os.path.isdir(JOBS) else None
        room = disk and disk.f_frsize * disk.f_blocks * KEEP_SHARE
    pruned, now, held = [], time.time(), 0
    for at, job_id in enumerate(ids()):
        last = history(job_id, 0)[-1]
        held += size(job_id) if room else 0
        if ended(last) and ((older is not None and now - last["time"] >= older) or (keep is not None and at >= keep)
                            or (room and at and held > room)):
            pruned.append(job_id)
    for job_id in pruned:
        # Renamed first: what is half deleted is not a job.
        os.rename(f"{JOBS}/{job_id}", f"{JOBS}/.old-{job_id}")
        shutil.rmtree(f"{JOBS}/.old-{job_id}", ignore_errors=True)
    forget_tokens()
    return {"changed": bool(pruned), "pruned": pruned}


OPERATIONS = {
    "submit": submit, "kill": kill, "logs": logs, "page": job_logs.page, "retry": retry, "prune": prune,
    "list": lambda params: {"changed": False, "jobs": listing(params.get("limit") or 200, **params.get("filters") or {})},
    "show": lambda params: {"changed": False, "job": show(params["id"])},
    "watch": lambda params: {"changed": False, "job": watch(params["id"], params.get("for_s") or 0, params.get("seen") or "")},
}
CHANGING = ("submit", "kill", "retry", "prune")
