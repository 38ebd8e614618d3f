"""Schedules on the control node: a timer of systemd for each, which starts a flow.

/var/lib/emr/schedules/NAME/ holds schedule.json (when, which flow), files/ (what its jobs bring along), runs (one JSON line for each
time it was due) and lock. The timer is /etc/systemd/system/emr-schedule-NAME.timer; it starts emr-schedule@NAME.service, which is
``emr-flow fire NAME``.
"""
from __future__ import annotations

import json
import os
import re
import shutil
import tempfile
import time

from ...domain import paths
from ...domain.flows import timetable
from ..common import NodeError, file_lock, read_text, run, write_atomic
from ..jobs import journal
from ..jobs.record import settings
from . import record as flow_record
from .operations import host_zone, unpack

SCHEDULES = paths.SCHEDULES
UNIT_DIR = paths.UNITS
STAMPS = "/var/lib/systemd/timers"
NAME = re.compile(r"^[A-Za-z][A-Za-z0-9_-]{0,39}$")
# The record keeps so many of a schedule's flows and lines of runs.
KEEP, KEEP_LINES = 50, 1000
LOCK_S = 60


def perform(params, check):
    """The operation on schedules that ``op`` names."""
    op = params["op"]
    if op == "list":
        return {"changed": False, "schedules": [_brief(show(name)) for name in names()]}
    if op == "show" or (check and op != "add"):
        return {"changed": False, "schedule": show(params["name"])}
    if op == "add":
        return add(params, check)
    if op == "remove":
        return remove(params["name"])
    if op in ("pause", "resume"):
        return pause(params["name"], op == "pause", params.get("who") or "root")
    raise NodeError(f"schedule: unknown operation {op}")


def names():
    """Names of all schedules."""
    try:
        return sorted(name for name in os.listdir(SCHEDULES) if NAME.match(name))
    except FileNotFoundError:
        return []


def folder_of(name):
    """Folder of a schedule. Raises NodeError when there is none of this name."""
    if not NAME.match(name) or not os.path.isdir(f"{SCHEDULES}/{name}"):
        raise NodeError(f"there is no schedule {name} on this cluster. It has: {', '.join(names()) or 'none'}. Next: emrctl schedule "
                        "list NAME")
    return f"{SCHEDULES}/{name}"


def timer(name):
    """Name of the schedule's timer."""
    return f"emr-schedule-{name}.timer"


def _read(name):
    return json.loads(read_text(f"{folder_of(name)}/schedule.json") or "{}")


def add(params, check):
    """Make a schedule, or make it anew with ``replace``. The same once more changes nothing."""
    known, name = settings(), params["name"]
    try:
        table = timetable.parse(params["at"], params.get("zone") or host_zone())
        upcoming = timetable.following(table, time.time())
    except timetable.Unreadable as error:
        raise NodeError(str(error), emr_refused=True)
    if upcoming is None:
        raise NodeError(f"{params['at']!r} never comes: there is no such day", emr_refused=True)
    for line in timetable.on_calendar(table):
        run(["systemd-analyze", "calendar", line])
    wanted = {"name": name, "at": params["at"], "table": table, "missed": params["missed"], "flow": params["flow"],
              "digest": params["digest"]}
    before = _read(name) if os.path.isdir(f"{SCHEDULES}/{name}") else None
    same = before is not None and all(before.get(key) == value for key, value in wanted.items())
    if before is not None and not same and not params.get("replace"):
        raise NodeError(f"another schedule {name} exists already: {before['at']}, flow {before['flow']['name']}. Next: "
                        "the same command with --replace, or another name", emr_refused=True)
    if same or check:
        return {"changed": not same, "schedule": show(name) if same else dict(wanted, next=timetable.words(upcoming, table["zone"]))}
    _keep(dict(wanted, who=params["who"], made=round(time.time(), 3), paused=bool(before and before["paused"])), params.get("archive"))
    _write_timer(known["cluster"], wanted)
    if not (before and before["paused"]):
        _switch(name, on=True)
    return {"changed": True, "schedule": show(name)}


def _keep(schedule, archive):
    """Write the schedule's folder; runs of one that was there before stay on record."""
    os.makedirs(SCHEDULES, mode=0o755, exist_ok=True)
    final = f"{SCHEDULES}/{schedule['name']}"
    with tempfile.TemporaryDirectory(prefix=".new-", dir=SCHEDULES) as draft:
        os.mkdir(f"{draft}/files", 0o750)
        if archive:
            unpack(archive, f"{draft}/files")
        os.makedirs(final, mode=0o750, exist_ok=True)
        with file_lock(f"{final}/lock", LOCK_S):
            shutil.rmtree(f"{final}/files", ignore_errors=True)
            os.rename(f"{draft}/files", f"{final}/files")
            write_atomic(f"{final}/schedule.json", json.dumps(schedule) + "\n", 0o600)


def _write_timer(cluster, schedule):
    lines = "".join(f"OnCalendar={line}\n" for line in timetable.on_calendar(schedule["table"]))
    persistent = "true" if schedule["missed"] == "run" else "false"
    write_atomic(f"{UNIT_DIR}/{timer(schedule['name'])}", f"""[Unit]
Description=Schedule {schedule['name']} of cluster {cluster}

[Timer]
{lines}Persistent={persistent}
AccuracySec=100ms
Unit=emr-schedule@{schedule['name']}.service

[Install]
WantedBy=timers.target
""")
    run(["systemctl", "daemon-reload"])


def _switch(name, on):
    """Let the timer run, from now and from every boot on; or not. What was due while it did not run is not made up for."""
    link = f"{UNIT_DIR}/timers.target.wants/{timer(name)}"
    if on:
        stamp = f"{STAMPS}/stamp-{timer(name)}"
        if os.path.exists(stamp):
            os.utime(stamp)
        os.makedirs(os.path.dirname(link), exist_ok=True)
        if not os.path.lexists(link):
            os.symlink(f"{UNIT_DIR}/{timer(name)}", link)
        run(["systemctl", "restart", timer(name)])
        return
    if os.path.lexists(link):
        os.unlink(link)
    run(["systemctl", "stop", timer(name)], check=False)


def remove(name):
    """Take a schedule away. Flows that it has started go on."""
    folder = folder_of(name)
    _switch(name, on=False)
    for path in (f"{UNIT_DIR}/{timer(name)}", f"{STAMPS}/stamp-{timer(name)}"):
        if os.path.exists(path):
            os.unlink(path)
    run(["systemctl", "daemon-reload"])
    found = _read(name)
    shutil.rmtree(folder)
    return {"changed": True, "schedule": {"name": name, "at": found.get("at", ""), "state": "REMOVED"}}


def pause(name, paused, who):
    """Switch a schedule off for a while, or on again."""
    found = _read(name)
    changed = found["paused"] != paused
    if changed:
        write_atomic(f"{folder_of(name)}/schedule.json", json.dumps(dict(found, paused=paused, changed_by=who)) + "\n", 0o600)
    _switch(name, on=not paused)
    return {"changed": changed, "schedule": show(name)}


def runs(name):
    """What became of each time the schedule was due, the oldest first: {scheduled, time, result, flow, why}."""
    return journal.changes(f"{SCHEDULES}/{name}/runs")


def show(name):
    """What is known of a schedule: when it was due last and is due next, in its own time zone, and its last runs."""
    found, rows = _read(name), runs(name)
    zone = found["table"]["zone"]
    told = []
    for row in rows[-10:]:
        state = _state_of(row.get("flow", ""))
        told.append({"scheduled": timetable.words(row["scheduled"], zone), "result": row["result"], "flow": row.get("flow", ""),
                     "state": state, "why": row.get("why", "")})
    active, elapses = _of_systemd(name)
    upcoming = None if found["paused"] else elapses or timetable.following(found["table"], time.time())
    state = "PAUSED" if found["paused"] else "ACTIVE" if active else "OFF: its timer does not run. Next: emrctl schedule resume"
    return {"name": name, "flow": found["flow"]["name"], "at": found["at"], "zone": zone, "missed": found["missed"], "state": state,
            "next": timetable.words(upcoming, zone), "last": told[-1] if told else None, "who": found["who"], "runs": told,
            "calendar": timetable.on_calendar(found["table"]), "turns": timetable.turns(found["table"], time.time()),
            "jobs": list(found["flow"]["jobs"])}


def _of_systemd(name):
    """(whether the schedule's timer runs, the moment at which it elapses next or None)."""
    env = dict(os.environ, TZ="UTC", LC_ALL="C")
    told = run(["systemctl", "show", "-p", "ActiveState", "-p", "NextElapseUSecRealtime", timer(name)], check=False, env=env)[1]
    values = dict(line.split("=", 1) for line in told.splitlines() if "=" in line)
    try:
        elapses = timetable.moment_of(values.get("NextElapseUSecRealtime", ""), "%a %Y-%m-%d %H:%M:%S UTC", "UTC")
    except ValueError:
        elapses = 0
    # While its service starts, a timer still names the moment that has just come.
    return values.get("ActiveState") == "active", elapses if elapses > time.time() else None


def _brief(found):
    last = found["last"] or {}
    return {"name": found["name"], "flow": found["flow"], "at": found["at"], "zone": found["zone"], "missed": found["missed"],
            "state": found["state"], "next": found["next"], "last": last.get("scheduled", ""),
            "result": last.get("state") or last.get("result") or ""}


def _state_of(flow_id):
    try:
        return flow_record.state_of(flow_record.history(flow_id))[0] if flow_id and flow_record.folder_of(flow_id) else ""
    except NodeError:
        return ""


def fire(name):
    """The schedule is due: start its flow, unless the one before still runs. Returns a sentence.

    The token holds the moment for which this is, so a timer that fires twice for it starts one flow.
    """
    found = _read(name)
    with file_lock(f"{SCHEDULES}/{name}/lock", LOCK_S):
        now = time.time()
        moment = timetable.latest(found["table"], now)
        moment = int(now) if moment is None else moment
        rows = runs(name)
        # A time that comes twice, where summer time ends, is run once, whichever of the two systemd has chosen.
        if {row["scheduled"] for row in rows} & set(timetable.same_clock(moment, found["table"]["zone"])):
            return f"{name} was already started for {moment}"
        last = next((row["flow"] for row in reversed(rows) if row.get("flow")), "")
        if last and _state_of(last) not in flow_record.FINAL + ("",):
            row = {"result": "skipped", "why": f"{last} still runs"}
        else:
            wanted = dict(found["flow"], who=found["who"], time=moment, zone=found["table"]["zone"], schedule=name,
                          token=f"schedule.{name}.{found['made']}.{moment}")
            flow_id, _new = flow_record.create(wanted, f"{SCHEDULES}/{name}/files")
            flow_record.start(flow_id)
            row = {"result": "started", "flow": flow_id}
        _write_run(name, rows, dict(row, scheduled=moment, time=round(now, 3)))
    _forget_old(name, rows)
    return f"{name}: {row['result']} {row.get('flow') or row['why']}"


def _write_run(name, rows, row):
    lines = [json.dumps(line) + "\n" for line in (rows + [row])[-KEEP_LINES:]]
    write_atomic(f"{SCHEDULES}/{name}/runs", "".join(lines), 0o644)


def _forget_old(name, rows):
    """The record of a schedule's old flows is taken away; a schedule must not fill the disk by itself."""
    mine = [row["flow"] for row in rows if row.get("flow")]
    for flow_id in mine[:-KEEP]:
        if os.path.isdir(f"{flow_record.FLOWS}/{flow_id}"):
            flow_record.forget(flow_id)
