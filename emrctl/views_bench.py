"""Text forms of benchmarks: one run, a list of runs, and two runs beside each other as a table and a chart."""
from __future__ import annotations

import shutil

from ansible_collections.emr.cluster.plugins.module_utils.domain.bench import results
from emrctl.output import table
from emrctl.views_metrics import plain
from emrctl.views_usage import money


def result(name: str, found: dict) -> str:
    """One run: a row for each step, then what it comes to."""
    summary, best = results.summary(found), results.summary(found)["steps"]
    rows = [{"step": step, "seconds": best.get(step, "-"), **({"mb_s": row["mb_s"]} if row.get("mb_s") else {}), "answer": plain(row.get("answer") or ""),
             "native": "{} of {}".format(*row["native"]) if row.get("native") else ""}
            for step, row in found["steps"].items()]
    native = any((row.get("native") or [0])[0] for row in found["steps"].values())
    columns = ["step", "seconds", *(["mb_s"] if any("mb_s" in row for row in rows) else []), *(["native"] if native else []), "answer"]
    facts = [("benchmark", f"{found['kind']}, scale {found['scale']:g}, {found.get('engine', '')}"), ("label", plain(found.get("label") or "")),
             ("nodes", plain(found.get("nodes") or "")), ("streams", found["streams"] if found.get("streams", 1) > 1 else ""),
             ("sum of best", f"{summary['total_s']:,.1f} s"),
             ("geometric mean", f"{summary['geometric_mean_s']:,.3f} s" if summary["geometric_mean_s"] else ""),
             ("measured", f"{found['seconds']:,.1f} s"), ("data made in", f"{found['made_s']:,.1f} s" if found.get("made_s", 0) > 1 else ""),
             ("answers", f"{summary['answers']['same']} of {summary['answers']['judged']} are the judge's" if summary["answers"]["judged"] else ""),
             ("cost", f"{money(summary['cost'])} (all nodes, while it was measured)" if summary["cost"] else "the price of the nodes is not known")]
    shown = [{"run": key, found["id"]: value} for key, value in facts if value != ""]
    return f"{table(rows, columns)}\n\n{table(shown, ['run', found['id']], {found['id']: found['id']})}\n\nCompare: emrctl bench {name} compare {found['id']} RUN"


def listing(found: list) -> str:
    """All runs as a table."""
    if not found:
        return "No run has left a result yet. Measure: emrctl bench NAME tpch"
    rows = [{**row, "label": plain(row["label"]), "cost": money(row["cost"])} for row in map(results.brief, found)]
    return table(rows, ["id", "kind", "scale", "label", "started", "seconds", "geometric_mean_s", "answers", "cost"])


def comparison(found: dict) -> str:
    """Two runs beside each other."""
    before, after = found["before"], found["after"]
    runs = table([{"": word, **row, "label": plain(row["label"]), "cost": money(row["cost"])} for word, row in (("before", before), ("after", after))],
                 ["", "id", "label", "started", "seconds", "geometric_mean_s", "answers", "cost", "nodes"])
    rows = [*found["rows"], {"step": "geometric mean", "before_s": before["geometric_mean_s"], "after_s": after["geometric_mean_s"],
                             "ratio": found["geometric_mean_ratio"]}]
    return f"{runs}\n\n{table(rows, ['step', 'before_s', 'after_s', 'ratio'])}\n\n{chart(found['rows'])}"


def chart(rows: list, width: int | None = None) -> str:
    """Seconds of each step of both runs, as bars one above the other: light ones before, full ones after."""
    if not rows:
        return ""
    columns = width or min(120, shutil.get_terminal_size((100, 30)).columns)
    names, most = max(len(row["step"]) for row in rows), max(max(row["before_s"], row["after_s"]) for row in rows)
    room = max(10, columns - names - 12)
    lines = [f"{'░' * 4} before  {'█' * 4} after, seconds"]
    for row in rows:
        for name, seconds, block in ((row["step"], row["before_s"], "░"), ("", row["after_s"], "█")):
            lines.append(f"{name:<{names}}  {block * max(1, round(room * seconds / most))} {seconds:.2f}")
    return "\n".join(lines)
