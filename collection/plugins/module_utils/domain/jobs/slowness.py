"""Why a job was slow: sentences from what its frameworks counted, each with what helps.

Pure judgement over the facts of domain/jobs/usage.py. What helps is a service's own word: ``remedies`` of its home, {cause: text}.
"""
from __future__ import annotations

from ..text.quantities import of_bytes

# A loss of time is told from so many seconds and such a share of the job's time on.
LEAST_S, SHARE = 5.0, 0.1
# The slowest task against the median; the time of collecting garbage against all time of tasks; how often each record went to disk; MiB spilled
# against MiB worked on, and in all.
SKEWED, GARBAGE, WRITTEN, SPILLED, SPILLED_MIB = 2.5, 0.1, 1.5, 0.5, 32


def reasons(found, job, remedies):
    """[{cause, text, helps, lost_s}], what cost the most time first; ``lost_s`` is None where nobody can tell. ``remedies(application)``: those of its
    framework."""
    rows = _attempts(job)
    for app in found["applications"]:
        helps = remedies(app["id"])
        rows += _of_application(app, helps)
        for stage in app.get("stages") or ():
            for judge in (_skew, _wait, _spill, _garbage, _failed):
                rows += [dict(row, helps=helps.get(row["cause"], "")) for row in judge(stage)]
    least = max(LEAST_S, SHARE * (job.get("seconds") or 0))
    kept = [row for row in rows if row["lost_s"] is None or row["lost_s"] >= least]
    return sorted(kept, key=lambda row: -(row["lost_s"] or 0))


def _attempts(job):
    number = job.get("attempts") or 0
    before = [after["time"] - row["time"] for row, after in zip(job.get("history", ()), job.get("history", ())[1:])
              if row["state"] in ("RUNNING", "RETRYING") and row.get("attempt", number) < number]
    if number < 2 or not before:
        return []
    return [{"cause": "attempts", "lost_s": round(sum(before), 1), "text": f"It took {number} attempts: those before the last one took {_s(sum(before))}.",
             "helps": "See why they failed: emrctl jobs logs NAME JOB --attempt 1."}]


def _of_application(app, helps):
    rows = []
    if app.get("wait_s"):
        rows.append({"cause": "queue", "lost_s": app["wait_s"],
                     "text": f"{app['id']} waited {_s(app['wait_s'])} in the queue {app.get('queue') or 'default'} for its first container.",
                     "helps": "Give the queue a larger share (`queues` in the spec), or the cluster more nodes: emrctl scale NAME."})
    if app.get("preempted_mib_s"):
        rows.append({"cause": "preempted", "lost_s": None, "text": f"YARN took containers of {app['id']} away for other queues.",
                     "helps": "Give its queue a larger `capacity` in the spec: what is above it can be taken back."})
    if app.get("lost"):
        rows.append({"cause": "lost", "lost_s": None, "text": f"{_n(app['lost'], 'executor')} of {app['id']} died while they worked.",
                     "helps": helps.get("lost", "")})
    return rows


def _skew(stage):
    median, longest = stage.get("median_s") or 0, stage.get("max_s") or 0
    if stage["tasks"] < 2 or longest < SKEWED * max(median, 0.1):
        return []
    text = f"{_title(stage)}: the slowest of {stage['tasks']:,} tasks took {_s(longest)}, half of them {_s(median)} or less"
    if (stage.get("max_bytes") or 0) > 2 * (stage.get("median_bytes") or 0) and stage["max_bytes"] > 1 << 16:
        return [{"cause": "skew", "lost_s": round(longest - median, 1),
                 "text": f"{text}. It had {of_bytes(stage['max_bytes'])} to read, the median task {of_bytes(stage.get('median_bytes') or 0)}."}]
    # As much data as others: a slow node, or work that differs.
    return [{"cause": "straggler", "lost_s": round(longest - median, 1), "text": f"{text}, with no more data than others."}]


def _wait(stage):
    if not stage.get("wait_s"):
        return []
    return [{"cause": "containers", "lost_s": round(stage["wait_s"], 1), "text": f"{_title(stage)} waited {_s(stage['wait_s'])} until its first task ran."}]


def _spill(stage):
    times, spilled, worked = stage.get("spill_times") or 0, stage.get("spilled_mib") or 0, stage.get("written_mib") or 0
    if times > WRITTEN and worked >= SPILLED_MIB:
        return [{"cause": "spill", "lost_s": None, "text": f"{_title(stage)} wrote each record to disk {times:g} times: their buffers were too small."}]
    if spilled >= SPILLED_MIB and spilled > SPILLED * worked:
        return [{"cause": "spill", "lost_s": None, "text": f"{_title(stage)} spilled {of_bytes(spilled << 20)} to disk, to work on {of_bytes(worked << 20)}."}]
    return []


def _garbage(stage):
    share = stage["gc_s"] / stage["run_s"] if stage.get("run_s") else 0
    if share < GARBAGE or stage["gc_s"] < LEAST_S:
        return []
    return [{"cause": "garbage", "lost_s": None, "text": f"{_title(stage)}: {share:.0%} of the time of tasks went into collecting garbage."}]


def _failed(stage):
    if not stage.get("failed"):
        return []
    return [{"cause": "failed", "lost_s": None, "text": f"{_title(stage)}: {_n(stage['failed'], 'attempt')} failed and ran again."}]


def _title(stage):
    return stage["name"][:1].upper() + stage["name"][1:]


def _n(number, word):
    return f"{number:,} {word}{'' if number == 1 else 's'}"


def _s(seconds):
    return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:,.0f} s" if seconds < 600 else f"{seconds / 60:,.0f} min"
