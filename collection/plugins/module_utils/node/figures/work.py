"""Figures of jobs, flows and schedules, from their records on the control node.

Records that have ended are read once: what is known of them stays in a file, and counts as long as their journal is the same.
"""
from __future__ import annotations

import contextlib
import json
import os
import time

from ...domain import paths
from ...domain.jobs.states import FINAL
from ..common import NodeError, read_text, run, write_atomic
from ..flows import record as flow_record, schedule
from ..jobs import budget, record as job_record

SEEN = f"{paths.STATE}/figures.json"
FAILED = ("FAILED", "LOST")
JOB_STATES = ("SUBMITTED", "RUNNING", "RETRYING", *FINAL)
FLOW_STATES = ("SUBMITTED", "RUNNING", *flow_record.FINAL)


def rows():
    """(name, labels, value) of all of them."""
    seen = {}
    with contextlib.suppress(ValueError):
        seen = json.loads(read_text(SEEN) or "{}")
    jobs = _states(job_record.JOBS, job_record.ids(), _job, seen.get("jobs", {}))
    flows = _states(flow_record.FLOWS, flow_record.ids(), _flow, seen.get("flows", {}))
    if {"jobs": jobs, "flows": flows} != seen:
        write_atomic(SEEN, json.dumps({"jobs": jobs, "flows": flows}) + "\n")
    return [*_counts("jobs", JOB_STATES, jobs), *_counts("flows", FLOW_STATES, flows),
            ("job_last_failure_seconds", {}, _last_failure(jobs)), ("flow_last_failure_seconds", {}, _last_failure(flows)),
            ("job_longest_wait_seconds", {}, max((int(time.time() - row[2]) for row in jobs.values() if row[1] == "SUBMITTED"), default=0)),
            *_streams(jobs), *_schedules(), *_budget()]


def _states(folder, ids, read, seen):
    """{id: [stamp of its journal, state, time of the last change]}."""
    found = {}
    for name in ids:
        try:
            stamp = os.stat(f"{folder}/{name}/states").st_mtime_ns
        except FileNotFoundError:
            stamp = 0
        known = seen.get(name)
        found[name] = known if known and known[0] == stamp and stamp else [stamp, *read(name)]
    return found


def _job(job_id):
    row = job_record.history(job_id)[-1]
    if not row["time"]:
        row = {**row, "time": os.stat(f"{job_record.JOBS}/{job_id}").st_mtime}
    return row["state"], int(row["time"])


def _flow(flow_id):
    changes = flow_record.history(flow_id)
    return flow_record.state_of(changes)[0], int(changes[-1]["time"]) if changes else int(time.time())


def _counts(name, states, found):
    return [(name, {"state": state}, sum(row[1] == state for row in found.values())) for state in states]


def _last_failure(found):
    return max((row[2] for row in found.values() if row[1] in FAILED), default=0)


def _streams(jobs):
    """How often each job that shall run on and on was started."""
    found = []
    for name, row in jobs.items():
        if row[1] in ("RUNNING", "RETRYING"):
            # A job may be taken off the record at any time.
            with contextlib.suppress(NodeError):
                asked = job_record.record(name)
                if asked.get("keep_running"):
                    attempts = max((change.get("attempt", 0) for change in job_record.history(name)), default=0)
                    found.append(("stream_attempts", {"id": name, "name": asked.get("name", "")}, attempts))
    return found


def _budget():
    """How far this month's budget is spent, and whether that is near its end."""
    found = budget.state()
    return [("budget_share", {}, found["share"]), ("budget_warns", {}, int(found["warns"]))] if found else []


def _schedules():
    """Whether the last run of each schedule has failed, and whether its timer runs as it shall."""
    names = schedule.names()
    timers = [schedule.timer(name) for name in names]
    states = run(["systemctl", "is-active", "--", *timers], check=False)[1].split() if timers else []
    found = []
    for name, state in zip(names, states):
        last = next((row for row in reversed(schedule.runs(name)) if row.get("flow")), {})
        failed = ""
        with contextlib.suppress(NodeError):
            failed = flow_record.state_of(flow_record.history(last["flow"]))[0] if last and flow_record.folder_of(last["flow"]) else ""
        paused = json.loads(read_text(f"{schedule.SCHEDULES}/{name}/schedule.json") or "{}").get("paused")
        found += [("schedule_failed", {"schedule": name}, int(failed in FAILED)),
                  ("schedule_stopped", {"schedule": name}, int(not paused and state not in ("active", "activating")))]
    return found
