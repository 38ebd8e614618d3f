"""Findings of YARN, as its ResourceManager tells."""
from __future__ import annotations

from ..domain.health.rows import from_first, row, standing


def yarn(seen: dict) -> list:
    """NodeManagers."""
    name, first = seen["cluster"], from_first(seen)
    if "yarn" not in first.get("asked", ()):
        return []
    found = first.get("yarn")
    if not found:
        return [row("fail", "the ResourceManager does not answer", seen["control"], f"emrctl repair {name}")]
    known = set(seen["nodes"])
    rows = standing(found, "ResourceManager", name)
    for node in found["nodes"]:
        if node["state"] in ("unhealthy", "lost", "rebooted") and node["node"] in known:
            said = f": {node['report']}" if node["report"] else ""
            rows.append(row("fail", f"the NodeManager is {node['state']}{said}", node["node"],
                            f"emrctl repair {name}"))
    return rows or [row("ok", f"{found['active']} NodeManagers are active and healthy")]
