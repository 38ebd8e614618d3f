"""Flows on the control node: jobs that wait for each other (see flow_record and flow_run)."""
from __future__ import annotations

import os
import tarfile
import tempfile
import time

from ...domain.flows import timetable
from ...domain.flows.plan import SKIPPED, again
from ..common import NodeError, file_lock, read_text, wait_until, write_atomic
from ..jobs import operations as job
from ..jobs.record import settings
from .record import (
    FINAL,
    FLOWS,
    LOCK_S,
    create,
    folder_of,
    history,
    hold,
    ids,
    note,
    record,
    start,
    state_of,
)

FAILED = ("FAILED", "LOST")
# Seconds for the runner to notice that its flow was killed, and to end the jobs.
KILL_S = 180
# Bytes of the outputs of a flow's jobs together, and of each at least.
MOST_BYTES, LEAST_BYTES = 32 << 20, 16 << 10
# More than this of a flow is not told in lists.
BRIEF = ("id", "name", "state", "schedule", "who", "submitted", "time", "zone", "seconds", "failed")


def perform(params, check):
    """The operation on flows that ``op`` names."""
    op = params["op"]
    if op == "list":
        return {"changed": False, "flows": listing(params.get("limit") or 100)}
    if op == "run":
        return {"changed": True} if check else begin(params)
    if op == "logs":
        return logs(params)
    if op == "show" or check:
        return {"changed": False, "flow": watch(params["id"], params.get("seen"), params.get("wait_s") or 0)}
    if op == "kill":
        return kill(params)
    if op == "retry":
        return retry(params)
    raise NodeError(f"flow: unknown operation {op}")


def begin(params):
    """Put a flow on record and start it. With a token that is known: the flow that has it, retried when it did not succeed."""
    settings()
    with tempfile.TemporaryDirectory(prefix="emr-flow-") as folder:
        if params.get("archive"):
            unpack(params["archive"], folder)
        zone = params.get("zone") or host_zone()
        wanted = dict(params["flow"], who=params["who"], time=moment(params.get("time") or "", zone), zone=zone, schedule="",
                      token=params.get("token") or "")
        flow_id, new = create(wanted, folder if params.get("archive") else "")
    if not new and params.get("resume") and state_of(history(flow_id))[0] in FINAL[1:]:
        return retry({"id": flow_id, "who": params["who"]})
    if new or state_of(history(flow_id))[0] not in FINAL:
        start(flow_id)
    return {"changed": new, "flow": show(flow_id)}


def host_zone():
    """The time zone of this machine by name; UTC where none is set."""
    where = os.path.realpath("/etc/localtime")
    mark = "/zoneinfo/"
    found = where.split(mark, 1)[1] if mark in where else (read_text("/etc/timezone") or "UTC").strip()
    return found if timetable.ZONE.match(found) else "UTC"


def moment(text, zone):
    """Seconds since the epoch of a date, or date and time, in a zone; '' is now. Raises NodeError."""
    if not text:
        return round(time.time(), 3)
    for form in ("%Y-%m-%d", "%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"):
        try:
            return timetable.moment_of(text, form, zone)
        except timetable.Unreadable as error:
            raise NodeError(str(error), emr_refused=True)
        except ValueError:
            continue
    raise NodeError(f"{text!r} is not a date, expected one such as 2026-11-26 or '2026-11-26 02:30'", emr_refused=True)


def unpack(archive, folder):
    """The files of a flow from the archive that the controller sent; nothing but plain files below ``folder``."""
    with tarfile.open(archive) as tar:
        for member in tar:
            path = os.path.normpath(member.name)
            if not member.isreg() or path.startswith(("/", "..")):
                raise NodeError(f"{member.name}: not a plain file of the flow")
            target = f"{folder}/{path}"
            os.makedirs(os.path.dirname(target), exist_ok=True)
            with tar.extractfile(member) as source, open(target, "wb") as out:
                while True:
                    block = source.read(1 << 20)
                    if not block:
                        break
                    out.write(block)
            os.chmod(target, 0o755)


def show(flow_id):
    """What is known of a flow, its jobs in their order. Raises NodeError when there is none of this id."""
    found, rows = record(flow_id), history(flow_id)
    state, seen = state_of(rows)
    end = rows[-1]["time"] if rows and state in FINAL else time.time()
    jobs = [_job(name, asked, seen.get(name, {"state": "WAITING"})) for name, asked in found["jobs"].items()]
    return {"id": flow_id, "name": found["name"], "state": state, "schedule": found.get("schedule", ""), "who": found["who"],
            "submitted": _utc(found["submitted"]), "time": _utc(found["time"]), "zone": found.get("zone", ""),
            "parameters": found.get("parameters") or {}, "parallel": found["parallel"],
            "seconds": round(end - (begun(rows) or found["submitted"]), 1), "jobs": jobs,
            "failed": [row["name"] for row in jobs if row["state"] in ("FAILED", "LOST", "KILLED")],
            "history": rows}


def begun(rows):
    """When the flow was started last: at first, or by a retry; None when it was not yet."""
    starts = [row["time"] for row in rows if not row.get("job") and row["state"] in ("SUBMITTED", "RUNNING")]
    retries = [row["time"] for row in rows if row.get("again")]
    return retries[-1] if retries else starts[0] if starts else None


def _job(name, asked, row):
    told = {"name": name, "type": asked["type"], "after": asked["after"], "on_failure": asked["on_failure"], "state": row["state"],
            "attempt": row.get("attempt", 0), "job": row.get("job_id", ""), "exit_code": row.get("exit_code"),
            "reason": row.get("reason", ""), "seconds": row.get("seconds")}
    if told["job"] and told["state"] == "RUNNING":
        try:
            live = job.show(told["job"])
            told.update(state=live["state"], seconds=live["seconds"])
            if live.get("progress") is not None:
                told["progress"] = live["progress"]
        except NodeError as error:
            told["reason"] = str(error)
    elif told["job"] and told["state"] in FAILED:
        told["reason"] = _words(told["job"]) or told["reason"]
    return told


def _words(job_id):
    """What the job says of its failure; None as long as its supervisor looks for it."""
    try:
        return job.show(job_id).get("error")
    except NodeError:  # its record is gone
        return ""


def _utc(seconds):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def watch(flow_id, seen, wait_s):
    """The flow as soon as it is another than ``seen`` (the states that the caller knows), or ``wait_s`` seconds later.

    One that has ended is complete when its failed jobs have said why."""
    deadline = time.monotonic() + wait_s
    while True:
        found = show(flow_id)
        found["seen"] = [found["state"]] + [row["state"] for row in found["jobs"]]
        ended = found["state"] in FINAL
        heard = not ended or all(_words(row["job"]) is not None for row in found["jobs"] if row["job"] and row["state"] in FAILED)
        if (heard and (ended or found["seen"] != seen)) or time.monotonic() >= deadline:
            return found
        time.sleep(0.3)


def listing(limit):
    """The flows, the newest first, with their jobs counted."""
    rows = []
    for flow_id in ids()[:limit]:
        found = show(flow_id)
        done = sum(row["state"] == "SUCCEEDED" for row in found["jobs"])
        rows.append(dict({key: found[key] for key in BRIEF}, done=done, jobs=len(found["jobs"])))
    return rows


def logs(params):
    """Outputs of the flow's jobs, or of the one that ``job`` names: {name: {id, state, log}}."""
    found = show(params["id"])
    wanted = params.get("job")
    if wanted and wanted not in [row["name"] for row in found["jobs"]]:
        raise NodeError(f"the flow {params['id']} has no job {wanted}. Its jobs: {', '.join(row['name'] for row in found['jobs'])}")
    told, rows = {}, [row for row in found["jobs"] if row["job"] and wanted in (None, "", row["name"])]
    for row in rows:
        try:
            # The limit is that of all together.
            text = job.logs({"id": row["job"], "limit_bytes": max(LEAST_BYTES, (params.get("limit_bytes") or MOST_BYTES) // len(rows))})
        except NodeError as error:
            text = {"log": f"{error}\n"}
        told[row["name"]] = {"id": row["job"], "state": row["state"], "log": text["log"]}
    return {"changed": False, "flow": found, "logs": told}


def kill(params):
    """Stop a flow and the jobs of it that run, for good."""
    flow_id = params["id"]
    if state_of(history(flow_id))[0] in FINAL:
        return {"changed": False, "flow": show(flow_id)}
    write_atomic(f"{folder_of(flow_id)}/killed", f"{params.get('who') or 'root'}\n")
    # The runner is the only one that writes the record. Where none lives, this one ends the flow.
    start(flow_id)

    def going():
        state = state_of(history(flow_id))[0]
        return "" if state in FINAL else state
    wait_until(KILL_S, f"the flow {flow_id}", going, error=lambda seen: NodeError(
        f"the flow {flow_id} has been stopping for {KILL_S} s and is still {seen}. It goes on stopping. Next: emrctl flow show NAME {flow_id}",
        flow=show(flow_id)))
    return {"changed": True, "flow": show(flow_id)}


def retry(params):
    """Run an ended flow on from where it failed: what has succeeded stays as it is."""
    flow_id = params["id"]
    with file_lock(f"{FLOWS}/.lock", LOCK_S):
        state, seen = state_of(history(flow_id))
        jobs = record(flow_id)["jobs"]
        names = again(jobs, {name: row["state"] for name, row in seen.items()})
        if state not in FINAL:
            raise NodeError(f"the flow {flow_id} is {state}, so there is nothing to retry. Next: emrctl flow show NAME {flow_id}")
        if not names:
            return {"changed": False, "flow": show(flow_id)}
        _await_runner(flow_id)
        if os.path.exists(f"{FLOWS}/{flow_id}/killed"):
            os.unlink(f"{FLOWS}/{flow_id}/killed")
        note(flow_id, "SUBMITTED", again=names, by=params.get("who") or "root",
             left_out=[name for name in names if seen.get(name, {}).get("state") == SKIPPED])
    start(flow_id)
    return {"changed": True, "flow": show(flow_id)}


def _await_runner(flow_id):
    """Wait until the runner that wrote the flow's end is gone, or it would take the new start for its own."""
    def runs():
        handle = hold(flow_id)
        if handle is None:
            return "it runs"
        os.close(handle)
        return ""
    wait_until(30, f"the runner of the flow {flow_id}", runs, 0.1, lambda _seen: NodeError(
        f"the runner of the flow {flow_id} has not ended within 30 s. Next: run the command again"))
