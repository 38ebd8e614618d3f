"""Text forms of flows and schedules, for people. Programs take -o json."""
from __future__ import annotations

from emrctl.output import duration, table


def flow(cluster: str, found: dict) -> str:
    """A flow as a tree of its jobs with their states, and what to do next."""
    name, flow_id = found["name"], found["id"]
    head = f"{name}  {flow_id}  {found['state']}  {duration(float(found['seconds']))}"
    lines = [head, *tree(found["jobs"])]
    for row in found["jobs"]:
        if row["state"] in ("FAILED", "LOST", "KILLED"):
            code = "no exit code" if row.get("exit_code") is None else f"exit code {row['exit_code']}"
            lines.append(f"{row['name']}: {row.get('reason') or code}")
    if found["state"] in ("FAILED", "KILLED"):
        lines += [f"Next: emrctl flow logs {cluster} {flow_id}", f"      emrctl flow retry {cluster} {flow_id}      (from what failed)"]
    elif found["state"] != "SUCCEEDED":
        lines.append(f"Next: emrctl flow show {cluster} {flow_id} --wait")
    else:
        lines.append(f"Output: emrctl flow logs {cluster} {flow_id}")
    return "\n".join(lines)


def tree(jobs: list) -> list:
    """Lines of the jobs, each below the last of those that it waits for; others that it waits for are named."""
    below: dict = {}
    for row in jobs:
        below.setdefault(_parent(row, jobs), []).append(row)
    rows: list = []
    _branch("", below, "", rows)
    widths = [max((len(row[i]) for row in rows), default=0) for i in range(3)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, [*widths, 0], strict=True)).rstrip() for row in rows]


def _parent(row: dict, jobs: list) -> str:
    """Of the jobs that it waits for, the one that stands last in the file: it is drawn below that."""
    order = [other["name"] for other in jobs]
    return max(row["after"], key=order.index) if row["after"] else ""


def _branch(name: str, below: dict, indent: str, rows: list) -> None:
    children = below.get(name, [])
    for row in children:
        last = row is children[-1]
        seconds = duration(float(row["seconds"])) if row.get("seconds") is not None else ""
        others = [before for before in row["after"] if before != name]
        rows.append((f"{indent}{'└─' if last else '├─'} {row['name']}", _state(row), seconds,
                     "  ".join(filter(None, [row["job"], f"(also after {', '.join(others)})" if others else ""]))))
        _branch(row["name"], below, indent + ("   " if last else "│  "), rows)


def _state(row: dict) -> str:
    text = row["state"]
    if row.get("progress") is not None:
        text += f" {row['progress']}%"
    if row["state"] in ("FAILED", "LOST") and row["on_failure"] == "continue":
        text += ", goes on"
    return text


def flows(found: list) -> str:
    """The list of flows."""
    if not found:
        return "No flows yet."
    rows = [dict(row, jobs=f"{row['done']}/{row['jobs']}", seconds=duration(float(row["seconds"]))) for row in found]
    return table(rows, ["id", "name", "state", "jobs", "seconds", "submitted", "schedule"])


def logs(found: dict) -> str:
    """Outputs of the flow's jobs, each with a headline."""
    parts = []
    for name, row in (found.get("logs") or {}).items():
        parts += [f"==> {name} ({row['id']}, {row['state']})", row["log"].rstrip("\n")]
    return "\n".join(parts) or "No job of the flow has run yet."


def schedules(found: list) -> str:
    """The list of schedules."""
    if not found:
        return "No schedules."
    return table(found, ["name", "flow", "at", "missed", "state", "next", "last", "result"])


def schedule(cluster: str, found: dict) -> str:
    """One schedule with its last runs."""
    if found["state"] == "REMOVED":
        return f"Removed schedule {found['name']}; flows that it has started go on."
    missed = "made up for once" if found["missed"] == "run" else "left out"
    lines = [f"{found['name']}  {found['state']}  flow {found['flow']} at {found['at']} ({found['zone']})",
             f"Next run: {found['next'] or '-'}", f"Runs that are missed while the master is down are {missed}.",
             *[f"Clock change in {found['zone']}: {turn}." for turn in found.get("turns", ())]]
    if found["runs"]:
        lines += ["", table(found["runs"], ["scheduled", "result", "flow", "state", "why"])]
        last = next((row["flow"] for row in reversed(found["runs"]) if row["flow"]), "")
        if last:
            lines += ["", f"Next: emrctl flow show {cluster} {last}"]
    return "\n".join(lines)
