"""What the page tells of jobs and flows, and of the price: read from the records of the control node.

Records are for their users and root alone, and the page's server is neither. So systemd starts this program as root whenever the server
connects to its socket. It reads no word of what comes, tells what is in lists anyway, and ends.
"""
from __future__ import annotations

import json
import statistics
import sys
import time

from ..common import NodeError
from ..flows import operations as flows, record as flow_record
from ..jobs import record as jobs
from ..jobs.usage import prices

# Seconds that a timeline shows; records that are looked at, jobs and flows that are told.
SHOWN_S, LOOKED_AT, TOLD = 86400, 1000, 400
# Runs of the same name from which a usual duration is told.
LEAST_RUNS = 3
_LONG = 200


def main(_argv):
    """Tell all on stdout. Returns the exit code."""
    sys.stdout.write(json.dumps(digest(time.time())) + "\n")
    return 0


def digest(now):
    """{jobs, flows, price} of the day before ``now``."""
    return {"jobs": told_jobs(now), "flows": told_flows(now), "price": (prices() or [{}])[-1]}


def told_jobs(now):
    """Jobs of the last day, the newest first, each with how long its like took before."""
    rows, usual = [], {}
    for job_id in jobs.ids()[:LOOKED_AT]:
        try:
            row = _job(job_id, now)
        except (NodeError, OSError, ValueError, KeyError, TypeError):
            continue  # It is being deleted, or its record is damaged: the others are told.
        if row["end"] is None or row["end"] > now - SHOWN_S:
            rows.append(row)
        if row["state"] == "SUCCEEDED":
            usual.setdefault((row["name"], row["type"]), []).append((row["start"], row["seconds"]))
    for row in rows[:TOLD]:
        before = [seconds for start, seconds in usual.get((row["name"], row["type"]), ()) if start < row["start"]]
        row["usual"] = round(statistics.median(before), 1) if len(before) >= LEAST_RUNS else None
        row["runs"] = len(before)
    return rows[:TOLD]


def _job(job_id, now):
    asked = jobs.record(job_id)
    changes = jobs.history(job_id, asked.get("submitted", 0))
    last = changes[-1]
    ended = jobs.ended(last)
    began = next((row["time"] for row in changes if row["state"] != "SUBMITTED"), None)
    return {"id": job_id, "name": _short(asked.get("name")), "type": _short(asked.get("type")), "user": _short(asked.get("user")),
            "queue": _short(asked.get("queue")), "state": last["state"], "reason": _short(last.get("reason")),
            "submitted": changes[0]["time"], "start": began or changes[0]["time"], "waits": began is None, "end": last["time"] if ended else None,
            "seconds": round((last["time"] if ended else now) - (began or changes[0]["time"]), 1),
            "applications": [_short(app.get("id")) for app in jobs.apps(job_id)][:20]}


def told_flows(now):
    """Flows of the last day, the newest first, with the states of their jobs."""
    rows = []
    for flow_id in flow_record.ids()[:LOOKED_AT]:
        try:
            found = flows.show(flow_id)
        except (NodeError, OSError, ValueError, KeyError, TypeError):
            continue
        ended = found["state"] in flow_record.FINAL
        last = max((row["time"] for row in found["history"]), default=now)
        if ended and last < now - SHOWN_S:
            continue
        start = flows.begun(found["history"]) or (found["history"][0]["time"] if found["history"] else now)
        rows.append({"id": flow_id, "name": _short(found["name"]), "state": found["state"], "schedule": _short(found["schedule"]),
                     "who": _short(found["who"]), "start": start, "end": last if ended else None, "seconds": found["seconds"],
                     "jobs": [{"name": _short(row["name"]), "state": row["state"], "job": row["job"]} for row in found["jobs"]][:100]})
        if len(rows) >= TOLD:
            break
    return rows


def _short(text):
    return str(text or "")[:_LONG]
