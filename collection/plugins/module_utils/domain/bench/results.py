"""Results of benchmarks: what follows from the seconds of a run, and how two runs compare. Pure judgement.

A result has ``id``, ``kind``, ``scale``, ``streams``, ``rounds``, ``label``, ``started``, ``seconds`` (of what was measured), ``steps`` ({name:
{seconds: [of each round and stream], answer}}), ``hourly`` and ``currency`` (the price of all nodes), and what the cluster was.
"""
from __future__ import annotations

import math

from ..errors import Refused

# What an answer is called when it is the judge's.
SAME = "same"


def summary(result: dict) -> dict:
    """{steps: {name: best seconds}, total_s, geometric_mean_s, cost, answers} of a run: the best of its rounds counts."""
    best = {name: min(step["seconds"]) for name, step in result["steps"].items() if step["seconds"]}
    judged = [step["answer"] for step in result["steps"].values() if step.get("answer")]
    return {"steps": best, "total_s": round(sum(best.values()), 3),
            "geometric_mean_s": round(math.exp(sum(math.log(max(s, 0.001)) for s in best.values()) / len(best)), 3) if best else None,
            "cost": cost(result), "answers": {"judged": len(judged), "same": judged.count(SAME)}}


def cost(result: dict):
    """{amount, currency}: all nodes of the cluster for as long as it was measured; None where no price is known."""
    if not result.get("hourly"):
        return None
    return {"amount": round(result["hourly"] / 3600 * result["seconds"], 6), "currency": result.get("currency", "")}


def comparison(before: dict, after: dict) -> dict:
    """{rows: [{step, before_s, after_s, ratio}], …} of two runs; a ratio above 1 means that the second is faster. Raises Refused."""
    if (before["kind"], before["scale"]) != (after["kind"], after["scale"]):
        raise Refused(f"{before['id']} is {before['kind']} at scale {before['scale']:g}, {after['id']} is {after['kind']} at scale {after['scale']:g}",
                      "Compare runs of the same benchmark and scale")
    one, two = summary(before), summary(after)
    rows = [{"step": name, "before_s": one["steps"][name], "after_s": two["steps"][name], "ratio": _ratio(one["steps"][name], two["steps"][name])}
            for name in one["steps"] if name in two["steps"]]
    return {"before": brief(before), "after": brief(after), "rows": rows, "total_ratio": _ratio(one["total_s"], two["total_s"]),
            "geometric_mean_ratio": _ratio(one["geometric_mean_s"], two["geometric_mean_s"])}


def _ratio(before, after):
    return round(before / after, 3) if before and after else None


def brief(result: dict) -> dict:
    """A run as one row of a list."""
    found = summary(result)
    return {"id": result["id"], "kind": result["kind"], "scale": result["scale"], "label": result.get("label", ""), "started": result["started"],
            "streams": result.get("streams", 1), "seconds": result["seconds"], "geometric_mean_s": found["geometric_mean_s"],
            "answers": f"{found['answers']['same']}/{found['answers']['judged']}" if found["answers"]["judged"] else "-",
            "cost": found["cost"], "nodes": result.get("nodes", "")}


def same(expected: list, found: list) -> str:
    """SAME when two answers agree, else what differs first.

    Texts have to be equal, numbers up to a millionth: DuckDB has averages as binary fractions, Spark as decimal ones with six digits. Rows
    that an ORDER BY leaves equal may stand in any order.
    """
    if len(expected) != len(found):
        return f"{len(found)} rows, expected {len(expected)}"
    if _differs(expected, found):
        expected, found = sorted(expected, key=_key), sorted(found, key=_key)
    return _differs(expected, found) or SAME


def _key(row):
    return [f"{value:030.2f}" if isinstance(value, (int, float)) else str(value) for value in row]


def _differs(expected, found) -> str:
    for number, (want, have) in enumerate(zip(expected, found), 1):
        if len(want) != len(have):
            return f"row {number} has {len(have)} columns, expected {len(want)}"
        for column, (one, two) in enumerate(zip(want, have), 1):
            if not _equal(one, two):
                return f"row {number}, column {column}: {two!r}, expected {one!r}"
    return ""


def _equal(one, two) -> bool:
    if isinstance(one, (int, float)) and isinstance(two, (int, float)):
        return abs(one - two) <= 1e-6 * max(1.0, abs(one))
    return one == two
