"""MapReduce on a node: how it shows that it computes, and what its history server knows of an application that has ended, in the words of
domain/jobs/usage.py.
"""
from __future__ import annotations

import re

from ...domain.jobs.usage import spread
from .. import hadoop_cli
from ..common import NodeError
from ..hadoop_http import Daemon

# Tasks that are looked at one by one; of larger jobs the sums must do.
MOST_TASKS = 20000
LIMIT_S = 10
KINDS = (("map", "MAP", "Map", "map"), ("reduce", "REDUCE", "Reduce", "reduce"))


def prove(proof):
    """Run a small MapReduce program in one container: client, ResourceManager, NodeManager and HDFS all take part."""
    # Uber mode runs the tasks inside the application master, but only where they ask for no more memory than it has.
    options = {"mapreduce.job.ubertask.enable": "true", "mapreduce.map.memory.mb": "256", "mapreduce.reduce.memory.mb": "256"}
    words = ["jar", proof["jar"], "pi",
             *(word for key, value in options.items() for word in ("-D", f"{key}={value}")), "2", "100"]
    _code, out, err = hadoop_cli.run("yarn", words, proof["user"], proof["environment"], limit_s=proof["limit_s"])
    match = re.search(r"Estimated value of Pi is ([\d.]+)", out)
    if not match:
        raise NodeError("the computation gave no result: " + "\n".join((err or out).splitlines()[-15:]))
    application = re.search(r"application_\d+_\d+", err)
    return {"pi": float(match.group(1)), "application": application.group(0) if application else ""}


def history(base, application):
    """Facts of an application, or None while the history server does not have it."""
    server = Daemon(base, name="JobHistoryServer")
    job = application["id"].replace("application_", "job_")
    path = f"/ws/v1/history/mapreduce/jobs/{job}"
    about = (server.look(path, LIMIT_S) or {}).get("job")
    groups = ((server.look(f"{path}/counters", LIMIT_S) or {}).get("jobCounters") or {}).get("counterGroup")
    if not about or groups is None:
        return None
    counted = _counters(groups)
    few = about.get("mapsTotal", 0) + about.get("reducesTotal", 0) <= MOST_TASKS
    tasks = (((server.look(f"{path}/tasks", LIMIT_S) or {}).get("tasks") or {}).get("task") or []) if few else []
    stages = [row for row in (_stage(kind, about, counted, tasks, lambda task: _bytes(server, path, task)) for kind in KINDS) if row]
    return {"read_bytes": _moved(groups, "_BYTES_READ"), "written_bytes": _moved(groups, "_BYTES_WRITTEN"),
            "cpu_s": counted("CPU_MILLISECONDS") / 1000.0, "gc_s": counted("GC_TIME_MILLIS") / 1000.0,
            "peak_mib": max([row["peak_mib"] for row in stages], default=0), "asked_mib": max([row["asked_mib"] for row in stages], default=0),
            "stages": stages}


def _counters(groups):
    """A look-up: (name, map or reduce or total) -> number."""
    found = {}
    for group in groups:
        for row in group.get("counter") or []:
            for which in ("total", "map", "reduce"):
                found.setdefault((row["name"], which), row.get(f"{which}CounterValue", 0))
    return lambda name, which="total": found.get((name, which), 0)


def _moved(groups, end):
    """Bytes of all file systems but the nodes' own disks."""
    return sum(row.get("totalCounterValue", 0) for group in groups if group.get("counterGroupName", "").endswith("FileSystemCounter")
               for row in group.get("counter") or [] if row["name"].endswith(end) and not row["name"].startswith("FILE_"))


def _stage(kind, about, counted, tasks, bytes_of):
    name, upper, title, which = kind
    number = about.get(f"{name}sTotal", 0)
    if not number:
        return None
    ended = sorted((row for row in tasks if row.get("type") == upper and row.get("state") == "SUCCEEDED"), key=lambda row: row["elapsedTime"])
    millis, mb = counted(f"MILLIS_{upper}S"), counted(f"MB_MILLIS_{upper}S")
    records = counted("MAP_OUTPUT_RECORDS" if name == "map" else "REDUCE_INPUT_RECORDS", which)
    combined = counted("COMBINE_OUTPUT_RECORDS", which)
    begun = min([row["startTime"] for row in tasks if row.get("startTime")], default=0)
    row = {"name": f"{name} tasks", "tasks": number, "failed": about.get(f"failed{title}Attempts", 0),
           "killed": about.get(f"killed{title}Attempts", 0), "run_s": millis / 1000.0,
           "gc_s": counted("GC_TIME_MILLIS", which) / 1000.0, "cpu_s": counted("CPU_MILLISECONDS", which) / 1000.0,
           "peak_mib": counted(f"{upper}_PHYSICAL_MEMORY_BYTES_MAX") >> 20, "asked_mib": mb // millis if millis else 0,
           "wait_s": max(0.0, (begun - about.get("startTime", 0)) / 1000.0) if name == "map" and begun else 0.0,
           # Each record is written once at least.
           "spill_times": round(counted("SPILLED_RECORDS", which) / float(min(records, combined) if combined else records), 1) if records else 0.0,
           "written_mib": (counted("MAP_OUTPUT_BYTES") if name == "map" else counted("REDUCE_SHUFFLE_BYTES")) >> 20}
    row.update(spread([task["elapsedTime"] / 1000.0 for task in ended]))
    if len(ended) > 1 and ended[-1]["elapsedTime"] > 2 * row["median_s"] * 1000:
        row.update(max_bytes=bytes_of(ended[-1]["id"]), median_bytes=bytes_of(ended[len(ended) // 2]["id"]))
    return row


def _bytes(server, path, task):
    """What a task had to work on."""
    groups = ((server.look(f"{path}/tasks/{task}/counters", LIMIT_S) or {}).get("jobTaskCounters") or {}).get("taskCounterGroup") or []
    found = {row["name"]: row["value"] for group in groups for row in group.get("counter") or []}
    return found.get("REDUCE_SHUFFLE_BYTES") or sum(value for name, value in found.items() if name.endswith("_BYTES_READ"))


HISTORIES = {"applications": history}
