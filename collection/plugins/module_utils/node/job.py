"""Jobs on a master: each is a detached unit with a record of its own (see job_record). Runs on Python 3.8 and newer.

Used by the module on the node, by the program emr-jobs and by flows, all in the same way: submit, show, kill, listing.
"""
from __future__ import annotations

import json
import os
import pwd
import shutil
import time
import uuid

from ..domain import admission
from ..domain.job_command import SPARK, TYPES, command, trouble
from ..domain.verdict import FINAL
from . import job_admit, job_yarn
from .common import NodeError, file_lock, read_text, run, write_atomic
from .job_queue import check_queue, queue_environment
from .job_record import (
    JOBS,
    apps,
    ended,
    folder_of,
    history,
    ids,
    note,
    record,
    settings,
    supervised,
    tail,
    unit,
)
from .people import members

__all__ = ["FINAL", "TYPES", "kill", "listing", "logs", "perform", "show", "submit", "wait"]
JOB_USER = "emr"
HADOOP = "/opt/emr/hadoop/bin"
# What a caller need not say.
DEFAULTS = {"type": "SHELL", "name": "", "args": [], "files": [], "user": JOB_USER, "queue": "", "who": "", "environment": {},
            "retries": 0, "retry_interval_s": 30, "timeout_s": 0, "on_failure": "", "keep_running": False, "wait": False,
            "wait_limit_s": 86400, "secrets": None}
# Those of them that the record keeps; a copy of the environment is for root alone.
KEPT = ("type", "args", "user", "queue", "who", "retries", "retry_interval_s", "timeout_s", "on_failure", "keep_running", "secrets")


def perform(params, check):
    """The operation on jobs that ``op`` names."""
    op = params["op"]
    if op == "submit":
        return {"changed": True} if check else submit(params)
    if op == "list":
        return {"changed": False, "jobs": listing()}
    if op == "logs":
        return logs(params)
    if op == "show" or check:
        return {"changed": False, "job": show(params["id"])}
    if op == "kill":
        return kill(params)
    raise NodeError(f"jobs: unknown operation {op}")


def submit(params):
    """Put a job into the queue, and start it when there is room. Returns {changed, job}; with ``wait`` after it has ended."""
    params = dict(DEFAULTS, **{key: value for key, value in params.items() if value is not None})
    user = _user(params["user"])
    names = [os.path.basename(path) for path in params["files"]]
    wrong = trouble(params["type"], params["args"], names)
    if wrong:
        raise NodeError(wrong)
    if params["queue"]:
        check_queue(params["queue"])
    argv = command(params["type"], params["args"], names)
    if argv[0].startswith(SPARK) and not os.path.exists(argv[0]):
        raise NodeError("Spark is not installed on this cluster. Next: emrctl service add NAME spark")
    known = settings()
    job_id = time.strftime("j-%Y%m%d-%H%M%S-", time.gmtime()) + uuid.uuid4().hex[:4]
    draft = f"{JOBS}/.new-{job_id}"
    os.makedirs(draft, mode=0o750)
    os.chown(draft, 0, user.pw_gid)
    kept = dict({key: params[key] for key in KEPT}, id=job_id, name=params["name"] or params["type"].lower(), files=names,
                submitted=time.time(), command=argv, cluster=known["cluster"])
    _fill(draft, params, kept, user)
    with file_lock(f"{JOBS}/.lock", job_admit.LOCK_S):
        os.rename(draft, f"{JOBS}/{job_id}")
    job_admit.enqueue(job_id, admission.need(params["type"], "", ""))
    job_admit.admit()
    if params["wait"]:
        wait(job_id, params["wait_limit_s"])
    return {"changed": True, "job": show(job_id)}


def _fill(draft, params, kept, user):
    """Write all of a new record."""
    work, job_id = f"{draft}/work", kept["id"]
    os.mkdir(work, 0o750)
    for path, name in zip(params["files"], kept["files"]):
        shutil.copyfile(path, f"{work}/{name}")
        os.chmod(f"{work}/{name}", 0o755)
    for top in [work] + [f"{work}/{name}" for name in kept["files"]]:
        os.chown(top, user.pw_uid, user.pw_gid)
    overlay = queue_environment(draft, f"{JOBS}/{job_id}", {
        "tag": job_yarn.tag(job_id), "queue": params["queue"], "hadoop": {}, "spark": {}})
    write_atomic(f"{draft}/environment.json", json.dumps(dict(params["environment"], **overlay)) + "\n", 0o600)
    write_atomic(f"{draft}/job.json", json.dumps(kept) + "\n", 0o640, 0, user.pw_gid)
    for name in ("stdout.log", "stderr.log"):
        write_atomic(f"{draft}/{name}", "", 0o640, 0, user.pw_gid)


def _user(name):
    """The account that a job runs as: never one of the system or of a daemon."""
    allowed = [JOB_USER] + members()
    if name not in allowed:
        raise NodeError(f"no job runs as {name}: it is no user of the cluster. Its users: {', '.join(allowed)}. Next: emrctl user "
                        "add NAME USER")
    try:
        return pwd.getpwnam(name)
    except KeyError:
        raise NodeError(f"there is no user {name} on this node to run jobs as")


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


def show(job_id):
    """What is known of a job. Raises NodeError when there is none of this id."""
    found = record(job_id)
    rows = history(job_id, found.get("submitted", 0))
    last = rows[-1]
    if not ended(last) and not supervised(job_id, last):
        # The supervisor writes the last state before it ends: read again, else the machine took it away.
        last = history(job_id, found.get("submitted", 0))[-1]
        if not ended(last):
            last = {"state": "LOST", "time": last["time"], "exit_code": None, "reason": "nobody looks after it any more"}
            rows.append(last)
    job = dict(found, state=last["state"], exit_code=last.get("exit_code"), reason=last.get("reason", ""), history=rows,
               attempts=max((row.get("attempt", 0) for row in rows), default=0),
               seconds=round((last["time"] if ended(last) else time.time()) - rows[0]["time"], 1),
               applications=[app["id"] for app in apps(job_id)])
    job["submitted"] = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(found.get("submitted", 0)))
    error = read_text(f"{JOBS}/{job_id}/error") if job["state"] in ("FAILED", "LOST") else None
    if error is not None:
        job["error"] = error.rstrip()
    return job


def listing(limit=200):
    """All jobs, the newest first, without arguments and history."""
    jobs = [show(job_id) for job_id in ids()[:limit]]
    return [{key: value for key, value in job.items() if key not in ("history", "command")} for job in jobs]


def logs(params):
    """Output of a job: stdout and stderr (their last bytes), and with ``yarn`` the containers' logs."""
    folder, job = folder_of(params["id"]), show(params["id"])
    limit = params.get("limit_bytes") or 1 << 20
    out, err = tail(f"{folder}/stdout.log", limit), tail(f"{folder}/stderr.log", limit)
    parts = [err, out]
    if params.get("yarn"):
        env = dict(os.environ, **settings()["environment"])
        for application in job["applications"]:
            text = run([f"{HADOOP}/yarn", "logs", "-applicationId", application], check=False, user=job["user"], env=env)[1]
            parts.append(text[-limit:])
    if job.get("error"):
        # What people look for stands at the end.
        parts.append(f"\n== {job['state']}\n{job['error']}\n")
    return {"changed": False, "job": job, "stdout": out, "stderr": err, "log": "".join(parts)}


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
