"""What jobs have used: asked of YARN when a job ends, and of the history of its framework as soon as that has it; kept in the job's record."""
from __future__ import annotations

import json
import time

from ...domain import paths
from ...domain.jobs import usage as figures
from ...domain.jobs.slowness import reasons
from ...domain.waiting import wait
from ..common import read_text, write_atomic
from ..hadoop_http import ResourceManager
from ..services.hooks import hook
from . import record as store, yarn as job_yarn
from .record import apps, ended, history, record

# Seconds after a job's end until which its history may still come; seconds between two looks.
LATE_S, PAUSE_S = 900, 5


def used(job_id):
    """What a job has used, or None while it runs and where nothing is known. Asks once more while that is not complete."""
    found = _kept(job_id)
    last = history(job_id)[-1]
    if found and (found["complete"] or time.time() - found["looked"] < PAUSE_S):
        return found
    if not ended(last) or (not found and time.time() - last["time"] > LATE_S):
        return found
    return collect(job_id)


def settle(job_id, limit_s):
    """Ask until all is known, or so many seconds are over: histories come some seconds after the end."""
    def incomplete():
        found = used(job_id)
        return found and not found["complete"]
    wait(incomplete, limit_s, PAUSE_S)


def collect(job_id, quick=False):
    """Ask, and keep what is known now. ``quick``: of YARN alone, which knows it at once."""
    job, now, names = record(job_id), time.time(), {app["id"] for app in apps(job_id)}
    known, base = (store.settings(), manager()) if names else ({}, "")
    rows = job_yarn.measured(base, job_id, job["user"]) if names else []
    if rows is None:
        return _kept(job_id)
    before = _kept(job_id)
    if before and len(rows) < len(before["applications"]):
        # The ResourceManager forgets what ended long ago.
        before = dict(before, complete=True)
        write_atomic(f"{store.folder_of(job_id)}/usage", json.dumps(before) + "\n")
        return before
    late = now - history(job_id)[-1]["time"] > LATE_S
    found, whole = [], True
    for row in rows:
        facts = None if quick else _facts(known.get("histories") or [], row)
        whole = whole and facts is not None
        found.append(dict(figures.of_application(row), **facts or {}))
    result = dict(figures.together(found), complete=whole or late, looked=now)
    result["cost"] = _cost(base, result, now) if names else None
    if before and before.get("cost"):
        # The price and the cluster of when it ended.
        result["cost"] = before["cost"]
    write_atomic(f"{store.folder_of(job_id)}/usage", json.dumps(result) + "\n")
    return result


def why_slow(found, job):
    """Sentences on what made a job slow, with the settings that help."""
    if not found:
        return []
    remedies = {kind: row["remedies"] for row in _histories(found) for kind in row["types"]}
    types = {app["id"]: app.get("applicationType", "") for app in apps(job["id"])}
    return reasons(found, job, lambda app: remedies.get(types.get(app), {}))


def _histories(found):
    return store.settings().get("histories") or [] if found["applications"] else []


def prices():
    """What the cluster has cost per hour, since when: rows in order of time."""
    try:
        return json.loads(read_text(paths.PRICES) or "[]")
    except ValueError:
        return []


def _kept(job_id):
    try:
        return json.loads(read_text(f"{store.folder_of(job_id)}/usage") or "null")
    except ValueError:
        return None


def _facts(histories, row):
    """What the history of its framework has of an application; {} where there is none for it, None while it has not come."""
    for known in histories:
        if row.get("applicationType") in known["types"]:
            return hook(known["hook"], "HISTORIES")(known["url"], row) if known["url"] else {}
    return {}


def _cost(base, found, now):
    price = figures.at(prices(), now)
    if not price:
        return None
    room = capacity(base)
    return figures.cost(found, price, room["memory_mib"], room["vcores"])


def manager():
    """Where YARN answers."""
    return store.settings()["resourcemanager"]


def capacity(base):
    """{memory_mib, vcores} that YARN has now; 0 where nobody knows."""
    metrics = ((ResourceManager(base).look("/ws/v1/cluster/metrics", 5) or {}).get("clusterMetrics") or {}) if base else {}
    # totalVirtualCores is what is free and what is held, and more can be held than there is.
    whole = metrics.get("totalClusterResourcesAcrossPartition") or {}
    return {"memory_mib": whole.get("memory") or metrics.get("totalMB") or 0, "vcores": whole.get("vCores") or metrics.get("totalVirtualCores") or 0}
