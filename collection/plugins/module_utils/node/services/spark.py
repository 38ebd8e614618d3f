"""Spark on a node: what its history server knows of an application that has ended, in the words of domain/jobs/usage.py."""
from __future__ import annotations

import calendar
import re
import time

from ..hadoop_http import Daemon

LIMIT_S = 10
# Stages that are looked at closely: those that ran longest.
CLOSELY = 8
QUANTILES = "0.5,0.95,1.0"
_FOLDER = re.compile(r" /\S*/(?=[^/\s]+$)")


def history(base, application):
    """Facts of an application, or None while the history server does not have all of it."""
    server = Daemon(base, name="history server of Spark")
    path = f"/api/v1/applications/{application['id']}"
    attempts = (server.look(path, LIMIT_S) or {}).get("attempts") or [{}]
    last = attempts[0]
    if not last.get("completed"):
        return None
    if last.get("attemptId"):
        path += f"/{last['attemptId']}"
    stages, executors = server.look(f"{path}/stages", LIMIT_S), server.look(f"{path}/allexecutors", LIMIT_S)
    if not isinstance(stages, list) or not isinstance(executors, list):
        return None
    asked = _asked(server, path)
    rows = [_stage(row) for row in stages if row.get("status") not in ("SKIPPED", "PENDING")]
    for row in sorted(rows, key=lambda row: -row["run_s"])[:CLOSELY]:
        row.update(_closely(server, path, row))
    for row in rows:
        row.update(asked_mib=asked)
    return {"read_bytes": sum(row.get("inputBytes", 0) for row in stages), "written_bytes": sum(row.get("outputBytes", 0) for row in stages),
            "cpu_s": sum(row.get("executorCpuTime", 0) for row in stages) / 1e9, "gc_s": sum(row["gc_s"] for row in rows),
            "peak_mib": max([_peak(row) for row in executors if row.get("id") != "driver"], default=0), "asked_mib": asked,
            # An executor that was taken away as idle has an end too.
            "lost": sum(1 for row in executors if _lost(row)),
            "stages": sorted(rows, key=lambda row: -row["run_s"])[:CLOSELY]}


def _stage(row):
    # count at /path/of/x.py:5 -> count at x.py:5
    text = _FOLDER.sub(" ", (row.get("name") or "").split("\n")[0])
    begun, first = _seconds(row.get("submissionTime")), _seconds(row.get("firstTaskLaunchedTime"))
    return {"id": f"{row['stageId']}/{row['attemptId']}", "name": f"stage {row['stageId']} ({text})", "tasks": row.get("numTasks", 0),
            "failed": row.get("numFailedTasks", 0), "killed": row.get("numKilledTasks", 0), "run_s": row.get("executorRunTime", 0) / 1000.0,
            "gc_s": row.get("jvmGcTime", 0) / 1000.0, "cpu_s": row.get("executorCpuTime", 0) / 1e9,
            "wait_s": max(0.0, first - begun) if begun and first else 0.0, "spilled_mib": row.get("diskBytesSpilled", 0) >> 20,
            "written_mib": (row.get("inputBytes", 0) + row.get("shuffleReadBytes", 0)) >> 20}


def _closely(server, path, row):
    """How the tasks of a stage differ."""
    found = server.look(f"{path}/stages/{row['id']}/taskSummary?quantiles={QUANTILES}", LIMIT_S)
    if not isinstance(found, dict):
        return {}
    median, most, longest = (value / 1000.0 for value in found.get("duration") or (0, 0, 0))
    read = found.get("shuffleReadMetrics", {}).get("readBytes") or (0, 0, 0)
    if not read[2]:
        read = found.get("inputMetrics", {}).get("bytesRead") or (0, 0, 0)
    return {"median_s": round(median, 2), "p95_s": round(most, 2), "max_s": round(longest, 2), "median_bytes": int(read[0]), "max_bytes": int(read[2])}


def _asked(server, path):
    """MiB of an executor with what it has beside its heap."""
    rows = dict((server.look(f"{path}/environment", LIMIT_S) or {}).get("sparkProperties") or [])
    heap = _mib(rows.get("spark.executor.memory", "1g"))
    beside = _mib(rows["spark.executor.memoryOverhead"]) if rows.get("spark.executor.memoryOverhead") else max(384, heap // 10)
    return heap + beside


def _mib(text):
    """A size as Spark writes it; what has no unit is MiB."""
    text = str(text).strip().lower().rstrip("b")
    units = {"k": 1.0 / 1024, "m": 1, "g": 1024, "t": 1 << 20}
    try:
        return int(float(text[:-1]) * units[text[-1]]) if text[-1:] in units else int(text)
    except ValueError:
        return 0


def _peak(row):
    """MiB of memory of an executor at most: of its processes where that was measured, else of its JVM."""
    found = row.get("peakMemoryMetrics") or {}
    processes = found.get("ProcessTreeJVMRSSMemory", 0) + found.get("ProcessTreePythonRSSMemory", 0)
    return (processes or found.get("JVMHeapMemory", 0) + found.get("JVMOffHeapMemory", 0)) >> 20


def _lost(row):
    reason = (row.get("removeReason") or "").lower()
    return any(word in reason for word in ("killed by yarn", "exited with", "lost", "heartbeat", "oom", "memory")) and "idle" not in reason


def _seconds(text):
    """Seconds of the epoch of a time such as 2026-11-29T23:09:47.123GMT; 0.0 for none."""
    try:
        return calendar.timegm(time.strptime(text[:19], "%Y-%m-%dT%H:%M:%S")) + float("0" + text[19:23])
    except (TypeError, ValueError):
        return 0.0


HISTORIES = {"applications": history}
