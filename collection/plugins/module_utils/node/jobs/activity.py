"""When this cluster last worked, asked on the control node."""
from __future__ import annotations

import calendar
import json
import time

from ...domain import paths
from ...domain.maintain.idle import advance
from ..common import read_text, write_atomic
from ..scale.lists import excluded
from ..services.hooks import asked, module
from . import budget
from .operations import FINAL, listing

RECORD = paths.ACTIVITY


def activity(params, check):
    """{changed, activity: the record, with what is ``unknown`` and the ``budget`` (budget.py), excluded: names on the lists of excluded nodes}.

    The record is kept.
    """
    now = time.time()
    record = _kept()
    told = asked(params["answers"], "activity", record["seen"] if record else 0)
    unknown = [f"the {module(service).DAEMON.NAME} does not answer" for service, part in told.items() if part is None]
    record = advance(record, {**told, "jobs": {**jobs(), "words": "jobs"}, "unknown": unknown}, now)
    if not check and not params["look_only"]:
        write_atomic(RECORD, json.dumps(record) + "\n")
    return {"changed": False, "activity": dict(record, unknown=unknown, budget=budget.state()),
            "excluded": sorted(set().union(*excluded().values()))}


def _kept():
    """The record of the look before, or None when there is none that can be read."""
    try:
        record = json.loads(read_text(RECORD) or "null")
        return record if record and {"active", "why", "seen"} <= set(record) else None
    except (ValueError, TypeError):
        return None


def jobs():
    """{running, ended, what} of the jobs on record here."""
    found = listing()
    ended = [(job["history_end"], job["id"]) for job in map(_ended, found) if job]
    last = max(ended, default=(0, ""))
    return {"running": sum(job["state"] not in FINAL for job in found), "ended": last[0], "what": last[1]}


def _ended(job):
    """The job with the moment at which it ended, or None while it runs."""
    if job["state"] not in FINAL:
        return None
    begun = calendar.timegm(time.strptime(job["submitted"], "%Y-%m-%dT%H:%M:%SZ"))
    return dict(job, history_end=begun + job["seconds"])
