"""When this cluster last worked, asked on the control node."""
from __future__ import annotations

import calendar
import json
import time

from ...domain import paths
from ...domain.maintain.idle import advance
from ..common import read_text, write_atomic
from ..daemons.health import is_server, namenode
from ..hadoop_http import ResourceManager
from ..scale.lists import excluded
from .operations import FINAL, listing

RECORD = paths.ACTIVITY
# Calls of clients that read or write the content of files. Listings are left out: history servers list all the time.
OPERATIONS = ("CreateFileOps", "FilesAppended", "AddBlockOps", "GetBlockLocations")
RUNNING = "NEW,NEW_SAVING,SUBMITTED,ACCEPTED,RUNNING"


def activity(params, check):
    """{changed, activity: the record, excluded: names on the lists of excluded nodes}. The record is kept."""
    now = time.time()
    record = _kept()
    seen = {"jobs": jobs(), "unknown": []}
    if params["resourcemanager"]:
        seen["yarn"] = applications(params["resourcemanager"], record["seen"] if record else 0)
        if seen["yarn"] is None:
            seen["unknown"].append("the ResourceManager does not answer")
    if params["namenode"]:
        seen["hdfs"] = operations(params["namenode"])
        if seen["hdfs"] is None:
            seen["unknown"].append("the NameNode does not answer")
    record = advance(record, seen, now)
    if not check and not params["look_only"]:
        write_atomic(RECORD, json.dumps(record) + "\n")
    return {"changed": False, "activity": dict(record, unknown=seen["unknown"]),
            "excluded": sorted(set().union(*excluded().values()))}


def _kept():
    """The record of the look before, or None when there is none that can be read."""
    try:
        record = json.loads(read_text(RECORD) or "null")
        return record if record and {"active", "why", "seen"} <= set(record) else None
    except (ValueError, TypeError):
        return None


def applications(base, since):
    """{running, ended, what} of YARN's applications; what ended before ``since`` is old news. None: no answer."""
    fields = "deSelects=resourceRequests,timeouts,appNodeLabelExpression,amNodeLabelExpression,resourceInfo"
    manager, path = ResourceManager(base), f"/ws/v1/cluster/apps?{fields}"
    running = manager.look(f"{path}&states={RUNNING}", 20)
    ended = manager.look(f"{path}&states=FINISHED,FAILED,KILLED&finishedTimeBegin={int(since * 1000)}", 20)
    if running is None or ended is None:
        return None
    ended = [row for row in _rows(ended) if not is_server(row)]
    last = max(((a.get("finishedTime", 0) / 1000.0, a.get("id", "")) for a in ended), default=(0, ""))
    return {"running": sum(not is_server(row) for row in _rows(running)), "ended": last[0], "what": last[1]}


def _rows(answer):
    return (answer.get("apps") or {}).get("app") or []


def operations(base):
    """{started, operations} of the NameNode since it was started, and how many files are ``open`` for writing; None when it
    does not answer."""
    beans = namenode(base, 20)
    counted, info = beans["NameNodeActivity"], beans["NameNodeInfo"]
    if not counted or not info:
        return None
    system = dict(beans["FSNamesystemState"], **beans["FSNamesystem"])
    return {"started": info.get("NNStartedTimeInMillis", 0), "open": int(system.get("NumFilesUnderConstruction", 0)),
            "operations": sum(int(counted.get(name, 0)) for name in OPERATIONS)}


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
