"""Gathers what a report on the use of a cluster is made of: its jobs on record, and what ran past them."""
from __future__ import annotations

import re
import time

from ...domain.jobs import report as judgement
from ...domain.jobs.usage import of_application, together
from ..daemons.health import is_server
from ..hadoop_http import ResourceManager
from . import budget, usage as job_usage
from .operations import listing
from .record import ids, settings

# Jobs that are looked at, and applications that ran past them.
JOBS_MOST, APPLICATIONS_MOST = 5000, 5000
# The token of a flow's job: the run of the flow, the job's name in it, the attempt.
_OF_FLOW = re.compile(r"f-\d{8}-\d{6}-[0-9a-f]{4}\.(.+)\.\d+")
_TAG = re.compile(r"emr-(j-\d{8}-\d{6}-[0-9a-f]{4})")


def report(params):
    """{report, cut} since the moment ``since``; ``cut``: whether there were more jobs than are looked at."""
    known, base, now, since = settings(), job_usage.manager(), time.time(), float(params["since"])
    # The last one of what was done before may still have run.
    jobs = listing(JOBS_MOST, since=since, whole=True)
    rows = [_of_job(row) for row in jobs]
    if base:
        rows += _others(base, since)
    histories = known.get("histories") or []
    remedies = {kind: row["remedies"] for row in histories for kind in (*row["types"], *row.get("jobs", ()))}
    found = judgement.report(rows, job_usage.prices(), since, now, job_usage.capacity(base), remedies)
    return {"changed": False, "report": dict(found, name=known["cluster"], budget=budget.state()), "cut": len(jobs) >= JOBS_MOST}


def _of_job(row):
    used = row.get("usage")
    queues = [app["queue"] for app in (used or {}).get("applications") or () if app.get("queue")]
    flow = _OF_FLOW.fullmatch(row.get("token") or "")
    name = row["name"]
    return {"id": row["id"], "name": name, "type": row["type"], "user": row["user"], "queue": next(iter(queues), row.get("queue") or ""),
            "flow": name[:-len(flow.group(1)) - 1] if flow and name.endswith(f".{flow.group(1)}") else "", "state": row["state"],
            "seconds": row["seconds"], "waited_s": round(row.get("queued_s", 0) + ((used or {}).get("wait_s") or 0), 1), "usage": used}


def _others(base, since):
    """Rows of applications that no job on record has started."""
    answer = ResourceManager(base).look(f"/ws/v1/cluster/apps?states=FINISHED,FAILED,KILLED&finishedTimeBegin={int(since * 1000)}&limit={APPLICATIONS_MOST}"
                                        "&deSelects=resourceRequests,timeouts,appNodeLabelExpression,amNodeLabelExpression,resourceInfo", 30)
    mine, rows = set(ids()), []
    for app in ((answer or {}).get("apps") or {}).get("app") or []:
        tag = _TAG.search(app.get("applicationTags") or "")
        if is_server(app) or (tag and tag.group(1) in mine):
            continue
        used = together([of_application(app)])
        state = {"SUCCEEDED": "SUCCEEDED", "KILLED": "KILLED"}.get(app.get("finalStatus"), "FAILED")
        rows.append({"id": app["id"], "name": app.get("name") or app["id"], "type": app.get("applicationType", ""), "user": app.get("user", ""),
                     "queue": used["applications"][0]["queue"], "flow": "", "state": state, "seconds": (app.get("elapsedTime") or 0) / 1000.0,
                     "waited_s": used["wait_s"], "usage": used})
    return rows
