"""Text forms, for people, of what scale and balance return."""
from __future__ import annotations

from emrctl import views
from emrctl.output import duration


def plan(data: dict) -> str:
    """The plan, the leaving nodes first."""
    found = data.get("plan", data)
    lines = [f"To drain and release: {', '.join(found['leave'])}"] if found.get("leave") else []
    return "\n".join([*lines, views.plan(data)])


def scaled(name: str, data: dict, seconds: float) -> str:
    """What was bought, drained and released, and what the cluster has now."""
    lines = [f"Cluster {name} is scaled after {duration(seconds)}."]
    lines += [f"Bought: {row['count']} x {row['instance_type']} (group {row['group']})" for row in data.get("bought") or []]
    if data.get("released"):
        lines.append(f"Released: {', '.join(data['released'])}")
    if data.get("hdfs"):
        lines.append(f"Now: {data['hdfs'].get('live')} DataNodes, {(data.get('yarn') or {}).get('active')} NodeManagers")
    if data.get("balance"):
        lines.append(balanced(data))
    if any(row["role"] == "slave" for row in data.get("bought") or []) and not data.get("balance"):
        lines.append(f"Next: emrctl balance {name}      (new DataNodes are empty until then)")
    return "\n".join(lines)


def balanced(data: dict) -> str:
    """How it ended and how even the nodes are."""
    found = data.get("balance") or {}
    spread = found.get("spread") or []
    lines = [f"Balancer: {found.get('said', 'did not run')}"]
    lines += [f"  {row['node']:<32} {row['percent']:6.2f} % of {row['capacity'] / 2 ** 30:,.1f} GiB" for row in spread]
    return "\n".join(lines)
