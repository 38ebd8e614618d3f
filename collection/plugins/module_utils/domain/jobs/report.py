"""How a cluster was used over some days, and what that cost: pure judgement over its jobs and applications.

A row is a piece of work: {id, name, type, user, queue, flow, state, begun, seconds, waited_s, usage}; ``usage`` as in domain/jobs/usage.py, or None.
"""
from __future__ import annotations

from .usage import cost, spent

KEYS = ("user", "queue", "flow", "name")
# The most that each table has, and what a wasteful job has at least: shares of what it had asked for that nobody used, of its price.
ROWS, WASTEFUL, WASTED = 20, 10, 0.3
# A suggestion leaves a quarter beside the peak, in steps of so many MiB.
BESIDE, STEP = 1.25, 256
# Part of a container that is its heap.
HEAP = 0.8
HOUR_S = 3600.0


def report(rows, prices, begin, end, capacity, remedies):
    """{since, until, cluster, jobs, by: {user, queue, flow, name}, wasteful}. ``prices`` as in usage.spent; ``capacity``: {memory_mib, vcores} of YARN now;
    ``remedies``: {type of job: {cause: text}}."""
    price = prices[-1] if prices else None
    for row in rows:
        row["cost"] = _cost(row, price, capacity)
    known = [row for row in rows if row["cost"] is not None]
    alive = max(0.0, end - max(begin, prices[0]["since"] if prices else begin))
    whole, theirs = spent(prices, begin, end), sum(row["cost"] for row in known)
    return {"since": begin, "until": end, "currency": price.get("currency", "") if price else "",
            "cluster": {"hours": round(alive / HOUR_S, 2), "cost": round(whole, 4), "work_cost": round(theirs, 4),
                        "unused_cost": round(max(0.0, whole - theirs), 4),
                        "memory_share": _share(sum(_of(row, "memory_mib_s") for row in rows), capacity.get("memory_mib"), alive),
                        "vcore_share": _share(sum(_of(row, "vcore_s") for row in rows), capacity.get("vcores"), alive)},
            "jobs": _states(rows), "by": {key: _by(rows, key, theirs) for key in KEYS}, "wasteful": _wasteful(rows, remedies)}


def _cost(row, price, capacity):
    found = (row.get("usage") or {}).get("cost")
    if found:
        return found["amount"]
    # What ran past emrctl has no record with the price of its time.
    now = cost(row["usage"], price, capacity.get("memory_mib"), capacity.get("vcores")) if row.get("usage") else None
    return now["amount"] if now else None


def _of(row, key):
    return (row.get("usage") or {}).get(key) or 0


def _share(used, capacity, seconds):
    return round(used / (capacity * seconds), 4) if capacity and seconds else None


def _states(rows):
    states: dict = {}
    for row in rows:
        states[row["state"]] = states.get(row["state"], 0) + 1
    waited = sorted(row["waited_s"] for row in rows)
    return {"number": len(rows), "states": states, "seconds": round(sum(row["seconds"] for row in rows), 1),
            "waited_median_s": waited[(len(waited) - 1) // 2] if waited else 0, "waited_most_s": waited[-1] if waited else 0}


def _by(rows, key, whole):
    """Sums for each value of a key, the most expensive first; work without one, such as a job of no flow, has no row."""
    groups: dict = {}
    for row in rows:
        if not row.get(key):
            continue
        sums = groups.setdefault(row[key], {key: row[key], "jobs": 0, "failed": 0, "seconds": 0, "waited_s": 0, "memory_mib_s": 0, "vcore_s": 0, "cost": 0.0})
        sums["jobs"] += 1
        sums["failed"] += row["state"] in ("FAILED", "LOST")
        for name in ("seconds", "waited_s"):
            sums[name] = round(sums[name] + row[name], 1)
        for name in ("memory_mib_s", "vcore_s"):
            sums[name] += _of(row, name)
        sums["cost"] += row["cost"] or 0
    for sums in groups.values():
        sums["share"] = round(sums["cost"] / whole, 4) if whole else None
        sums["cost"] = round(sums["cost"], 6)
    return sorted(groups.values(), key=lambda sums: (-sums["cost"], -sums["memory_mib_s"], sums[key]))[:ROWS]


def _wasteful(rows, remedies):
    found = []
    for row in rows:
        used = used_share(row.get("usage"))
        if used and row["cost"] and 1 - used["share"] >= WASTED:
            helps = remedies.get(row["type"], {})
            found.append({"id": row["id"], "name": row["name"], "user": row["user"], "cost": round(row["cost"], 6),
                          "wasted": round(row["cost"] * (1 - used["share"]), 6),
                          "memory_used": used["memory"], "cpu_used": used["cpu"], "asked_mib": used["asked_mib"], "peak_mib": used["peak_mib"],
                          "suggestion": suggestion(used, helps)})
    return sorted(found, key=lambda row: -row["wasted"])[:WASTEFUL]


def used_share(usage):
    """{share, memory, cpu, asked_mib, peak_mib}: which part of its containers' memory (at its peak) and cores a job used; None where that is not known.

    Of several kinds of tasks the one that held the most memory for the longest counts.
    """
    stages = [stage for app in (usage or {}).get("applications") or () for stage in app.get("stages") or ()]
    if not stages or not usage["vcore_s"]:
        return None
    main = max(stages, key=lambda stage: (stage.get("asked_mib") or 0) * (stage.get("run_s") or 0))
    asked, peak = main.get("asked_mib") or usage.get("asked_mib") or 0, main.get("peak_mib") or usage.get("peak_mib") or 0
    memory = min(1.0, peak / asked) if asked and peak else None
    cpu = min(1.0, (usage.get("cpu_s") or 0) / usage["vcore_s"])
    parts = [part for part in (memory, cpu) if part is not None]
    return {"share": sum(parts) / len(parts), "memory": memory if memory is None else round(memory, 3), "cpu": round(cpu, 3), "asked_mib": asked,
            "peak_mib": peak}


def suggestion(used, helps):
    """What to ask for instead; '' where nothing better is known."""
    least = helps.get("least_heap_mib", 0) / HEAP
    wanted = -(-int(max(used["peak_mib"] * BESIDE, least)) // STEP) * STEP if used["peak_mib"] else 0
    if wanted and used["asked_mib"] >= 1.5 * wanted and helps.get("memory"):
        return (f"asks for {used['asked_mib']:,} MiB in a container and used {used['peak_mib']:,} at most: "
                + helps["memory"].format(wanted=wanted, heap=int(wanted * HEAP)))
    if used["cpu"] < 0.3:
        return "its cores mostly wait: for data, for tasks, or for one slow task. See why: emrctl jobs show NAME JOB"
    return ""
