"""What the control node has to do for people: its jobs, flows and schedules in short."""
from __future__ import annotations

import time

from ..common import NodeError, read_text
from ..flows import operations as flow, schedule
from . import operations as job
from .record import SETTINGS, ended, history, ids

DAY_S = 86400
# Rows that are told of those that go on, and looked through of those that have ended.
ROWS, RECENT = 20, 200
BRIEF = ("id", "name", "type", "state", "user", "seconds")


def workload():
    """{jobs: {going: [row …], ended: {state: number within a day}}, flows: the same, schedules: [row …]}; None where there are none."""
    if read_text(SETTINGS) is None:
        return None
    try:
        return {"jobs": _jobs(), "flows": _flows(), "schedules": [row for name in schedule.names() for row in _schedule(name)]}
    except NodeError as error:
        return {"error": str(error)}


def _jobs():
    since, going, done = time.time() - DAY_S, [], {}
    for job_id in ids():
        last = history(job_id)[-1]
        if not ended(last):
            found = job.show(job_id)
            if len(going) < ROWS:
                going.append({key: found[key] for key in BRIEF})
        elif last["time"] > since:
            done[last["state"]] = done.get(last["state"], 0) + 1
    return {"going": going, "ended": done}


def _flows():
    rows = flow.listing(RECENT)
    done, since = {}, time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - DAY_S))
    for row in rows:
        if row["state"] in flow.FINAL and row["submitted"] > since:
            done[row["state"]] = done.get(row["state"], 0) + 1
    return {"going": [{key: row[key] for key in ("id", "name", "state", "done", "jobs", "seconds")} for row in rows
                      if row["state"] not in flow.FINAL][:ROWS], "ended": done}


def _schedule(name):
    """The schedule as a row; none when it is removed at this moment."""
    try:
        found = schedule.show(name)
    except NodeError:
        return []
    last = found["last"] or {}
    return [{"name": name, "state": found["state"], "next": found["next"], "last": last.get("state") or last.get("result") or ""}]
