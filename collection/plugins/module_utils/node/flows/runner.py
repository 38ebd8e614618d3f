"""The runner of a flow: starts its jobs when those before them have ended, writes down what becomes of them.

It is what a flow's unit runs. It keeps nothing in mind: killed at any moment, the next one goes on from the record. A job is
submitted with a token made of flow, job and attempt, so that none is submitted twice.
"""
from __future__ import annotations

import os
import time

from ...domain.flows import timetable
from ...domain.flows.plan import ENDED, SKIPPED, WAITING, decide
from ...domain.jobs.options import IN_FLOWS
from ...domain.jobs.request import RESOURCES
from ..common import NodeError, read_text
from ..jobs import operations as job
from .record import FINAL, FLOWS, folder_of, history, hold, note, record, state_of

# Seconds between two looks at the jobs that run.
LOOK_S = 0.5
KEYS = tuple(option.request_key for option in IN_FLOWS if option.name not in (*RESOURCES, "python_env"))


def supervise(flow_id):
    """What a flow's unit runs. Returns 0 whatever has become of the flow."""
    folder_of(flow_id)
    handle = hold(flow_id)
    if handle is None or state_of(history(flow_id))[0] in FINAL:
        return 0
    note(flow_id, "RUNNING")
    runner = Runner(flow_id)
    while not runner.step():
        time.sleep(LOOK_S)
    return 0


def iso(seconds, zone):
    """A moment as a text with its offset, which is understood without knowing the zone, and the zone behind it."""
    with timetable.in_zone(zone):
        text = time.strftime("%Y-%m-%dT%H:%M:%S%z", time.localtime(seconds))
    return f"{text[:-2]}:{text[-2:]}[{zone}]"


class Runner:
    """One flow of this master."""

    def __init__(self, flow_id):
        self.id, self.record = flow_id, record(flow_id)
        self.jobs = self.record["jobs"]
        self.seen = state_of(history(flow_id))[1]

    def step(self):
        """Look at what runs, start what may, and write the end. Whether the flow has ended."""
        self._follow()
        killed = os.path.exists(f"{FLOWS}/{self.id}/killed")
        if killed:
            self._kill()
        states = {name: row["state"] for name, row in self.seen.items()}
        start, skip, end = decide(self.jobs, states, self.record["parallel"], killed)
        for name in skip:
            self._note(name, SKIPPED)
        for name in start:
            self._start(name)
        if end:
            note(self.id, end, **({"by": (read_text(f"{FLOWS}/{self.id}/killed") or "").strip()} if killed else {}))
        return bool(end)

    def _note(self, name, state, **more):
        note(self.id, state, job=name, **more)
        self.seen[name] = dict(more, job=name, state=state, time=time.time())

    def _running(self):
        return [(name, row) for name, row in self.seen.items() if row["state"] not in (WAITING,) + ENDED]

    def _follow(self):
        """Write down what has ended. What was about to be submitted when the runner was killed is submitted (again)."""
        for name, row in self._running():
            if not row.get("job_id"):
                self._submit(name, row["attempt"])
                continue
            try:
                found = job.show(row["job_id"])
            except NodeError as error:
                found = {"state": "LOST", "reason": str(error)}
            if found["state"] in job.FINAL:
                self._note(name, found["state"], job_id=row["job_id"], attempt=row["attempt"], exit_code=found.get("exit_code"),
                           reason=found.get("reason") or "", seconds=found.get("seconds"))

    def _start(self, name):
        attempt = self.seen.get(name, {}).get("attempt", 0) + 1
        self._note(name, "STARTING", attempt=attempt)
        self._submit(name, attempt)

    def _submit(self, name, attempt):
        try:
            found = job.submit(self._request(name, attempt))["job"]
        except (NodeError, ValueError) as error:
            self._note(name, "FAILED", attempt=attempt, exit_code=None, reason=str(error))
            return
        self._note(name, "RUNNING", attempt=attempt, job_id=found["id"])

    def _request(self, name, attempt):
        """The request of a job, as job.submit wants it."""
        asked = self.jobs[name]
        request = {key: asked[key] for key in KEYS if asked.get(key) not in (None, "", {}, [])}
        for key in RESOURCES:
            if asked.get(key):
                request[key] = [self._place(path) for path in asked[key]]
        if asked.get("python_env"):
            request["python_env"] = self._place(asked["python_env"])
        return dict(request, name=f"{self.record['name']}.{name}", who=self.record["who"], token=f"{self.id}.{name}.{attempt}",
                    time=iso(self.record["time"], self.record["zone"]), parameters=self.record.get("parameters") or {})

    def _place(self, path):
        return path if "://" in path else f"{FLOWS}/{self.id}/files/{path}"

    def _kill(self):
        for name, row in self._running():
            if row.get("job_id"):
                job.kill({"id": row["job_id"], "who": f"the flow {self.id}"})
            else:
                self._note(name, "KILLED", attempt=row["attempt"], reason="killed before it was submitted")
        self._follow()
