"""What a job has used and what that cost: sums over its applications, and the price.

Facts of an application, as the hooks in node/services/ give them: {read_bytes, written_bytes, cpu_s, gc_s, peak_mib, asked_mib, stages}. A stage is a
group of tasks that do the same: {name, tasks, failed, killed, run_s, gc_s, cpu_s, wait_s, median_s, p95_s, max_s, median_bytes, max_bytes, spill_times or
spilled_mib, written_mib, peak_mib, asked_mib}, as far as its history has them. ``run_s`` are seconds of all its tasks together; ``wait_s`` until its
first one ran.
"""
from __future__ import annotations

# What applications of YARN say of themselves, and ours of it.
YARN = {"memorySeconds": "memory_mib_s", "vcoreSeconds": "vcore_s", "preemptedMemorySeconds": "preempted_mib_s"}
SUMS = ("memory_mib_s", "vcore_s", "preempted_mib_s", "wait_s", "read_bytes", "written_bytes", "cpu_s", "gc_s", "lost")
MOST = ("peak_mib", "asked_mib")


def spread(seconds):
    """{median_s, p95_s, max_s} of durations; {} of none."""
    rows = sorted(seconds)
    if not rows:
        return {}
    return {"median_s": round(rows[(len(rows) - 1) // 2], 2), "p95_s": round(rows[int((len(rows) - 1) * 0.95)], 2), "max_s": round(rows[-1], 2)}


def of_application(row):
    """What YARN says of an application: its memory and cores, and how long it waited for its first container."""
    found = {name: max(0, row.get(key) or 0) for key, name in YARN.items()}
    begun, launched, ended = (row.get(key) or 0 for key in ("startedTime", "launchTime", "finishedTime"))
    # One that ended without a container waited until then.
    found["wait_s"] = round(max(0, (launched or ended or begun) - begun) / 1000.0, 1)
    return dict(found, id=row["id"], queue=(row.get("queue") or "").rpartition(".")[2])


def together(applications):
    """The sums over applications, each with its own facts in it."""
    found = {name: round(sum(row.get(name) or 0 for row in applications), 1) for name in SUMS}
    found.update({name: max([row.get(name) or 0 for row in applications], default=0) for name in MOST})
    found.update({name: int(found[name]) for name in ("memory_mib_s", "vcore_s", "preempted_mib_s", "read_bytes", "written_bytes", "lost")})
    return dict(found, applications=applications)


def cost(used, price, memory_mib, vcores):
    """The price of a job in the currency of ``price``, or None where something is not known.

    amount = hourly / 3600 x (memory_mib_s / memory_mib + vcore_s / vcores) / 2

    ``hourly``: the price of all nodes of the cluster, masters and disks included, when the job ended; ``memory_mib`` and ``vcores``: what YARN gave to
    containers then. Memory and cores carry half of the price each, so that jobs which fill the cluster for an hour cost together what the cluster costs
    in an hour, and what nobody used is not theirs.
    """
    if not price or not memory_mib or not vcores:
        return None
    share = (used["memory_mib_s"] / memory_mib + used["vcore_s"] / vcores) / 2
    return {"amount": round(price["hourly"] / 3600 * share, 6), "currency": price.get("currency", "")}


def at(prices, moment):
    """The price that held at a moment, of rows {since, hourly, currency} in order of time; the first one counts for all before it; None of none."""
    found = None
    for row in prices:
        if found is None or row["since"] <= moment:
            found = row
    return found


def spent(prices, begin, end):
    """What the cluster cost from one moment to another, as far back as its prices are known."""
    total = 0.0
    for row, after in zip(prices, [*prices[1:], None]):
        from_, to = max(begin, row["since"]), min(end, after["since"] if after else end)
        total += row["hourly"] / 3600 * max(0.0, to - from_)
    return total
