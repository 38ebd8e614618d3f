"""How far a job is, as YARN and Spark's history server say."""
from __future__ import annotations

import re

from ...domain.jobs.states import alive
from ..hadoop_http import Daemon
from . import yarn as job_yarn
from .record import JOBS, names


def progress(job, known):
    """Lines for people: one for each application that lives, or why the job waits."""
    if job["state"] == "SUBMITTED":
        before = names(f"{JOBS}/.queue")
        place = next((at for at, name in enumerate(before) if name.endswith(job["id"])), None)
        return [] if place is None else [f"waits for memory on the master, place {place + 1} of {len(before)} in its queue"]
    if job["state"] == "RETRYING":
        last = job["history"][-1]
        return [f"attempt {job['attempts']} failed, again after {last.get('retry_in_s', 0)} s"]
    found = job_yarn.applications(known["resourcemanager"], job["id"], job["user"]) or []
    return [line(app, tasks(known.get("spark_history"), app)) for app in alive(found)]


def line(app, done):
    """One application: its state, and how much of it is done."""
    if app["state"] == "ACCEPTED":
        # [Sun Nov 29 09:56:14 +0000 2026] Application is added to the scheduler and is not yet activated. Queue's AM … exceeded.  Details : …
        why = re.sub(r"^\[[^\]]*\] *|\s+Details ?:.*", "", app.get("diagnostics") or "", flags=re.DOTALL).strip().rstrip(".")
        return f"{app['id']} waits in the queue {app.get('queue', 'default')}" + (f": {why}" if why else "")
    if app["state"] != "RUNNING":
        return f"{app['id']} {app['state']}"
    if done:
        return f"{app['id']} RUNNING, {done[0]} of {done[1]} tasks of Spark"
    # Spark tells YARN a constant 10 %.
    share = "" if app.get("applicationType") == "SPARK" else f", {app.get('progress', 0):.0f} %"
    return f"{app['id']} RUNNING{share}"


def tasks(base, app):
    """(done, known so far) of the tasks of a Spark application; None while the history server does not have it."""
    if not base or app.get("applicationType") != "SPARK":
        return None
    rows = Daemon(base, name="history server of Spark").look(f"/api/v1/applications/{app['id']}/jobs", 2)
    if not isinstance(rows, list) or not rows:
        return None
    return sum(row.get("numCompletedTasks", 0) for row in rows), sum(row.get("numTasks", 0) for row in rows)
