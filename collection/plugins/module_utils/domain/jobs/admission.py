"""Which waiting jobs may start, so that their programs fit into a master's memory."""
from __future__ import annotations

# MiB that the program of a job takes on the master when nothing else is said: a JVM that submits, or a shell with one.
CLIENT_MIB = 384
# Heap of Spark's driver when nobody says anything, and what a JVM needs beside its heap.
DRIVER_MIB, OVERHEAD = 1024, 1.25


def pick(budget_mib, running, waiting):
    """Ids of the jobs to start now. ``running``: MiB of those that run; ``waiting``: (id, MiB) in order of arrival.

    Nobody overtakes, so that large jobs get their turn. Where nothing runs the first one starts, whatever it needs.
    """
    used, chosen = sum(running), []
    for job_id, need in waiting:
        if used + need > budget_mib and (running or chosen):
            break
        used += need
        chosen.append(job_id)
    return chosen


def need(kind, deploy_mode, driver_memory):
    """MiB that a job's program takes on the master. ``driver_memory``: as Spark writes it ("2g"), '' for its default."""
    if kind in ("SPARK", "PYSPARK", "SPARK_SQL", "SPARK_STREAMING") and deploy_mode != "cluster":
        return int((mebibytes(driver_memory) or DRIVER_MIB) * OVERHEAD)
    return CLIENT_MIB


def mebibytes(text):
    """MiB of a size as the JVM and Spark write it: 512m, 2g, 1048576k, 1t; without a unit MiB. 0 when it is none."""
    text = str(text or "").strip().lower()
    text = text[:-1] if text.endswith("b") and text[:-1] else text
    factor = {"k": 1 / 1024, "m": 1, "g": 1024, "t": 1024 * 1024}.get(text[-1:], 0)
    number = text[:-1] if factor else text
    return int(int(number) * (factor or 1)) if number.isdigit() else 0
