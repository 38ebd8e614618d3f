"""YARN's part of a drain: what runs on nodes, and whether nothing does any more on one that leaves."""
from __future__ import annotations

from ..daemons.health import NODE_STATES
from ..hadoop_http import ResourceManager

# What is told of a node that runs no containers.
ROW = {"yarn": "-", "containers": 0}
# What the ResourceManager calls a node on which nothing runs any more.
GONE = ("DECOMMISSIONED", "LOST", "SHUTDOWN", "REBOOTED")


def load(base, _copies_over, _limit_s):
    """{nodes: what each runs}, or None when the ResourceManager does not answer."""
    found = nodes(base)
    return None if found is None else {"nodes": found}


def nodes(base):
    """{node: {state, containers, memory_mib}} of the ResourceManager, None when it does not answer."""
    answer = ResourceManager(base).look(f"/ws/v1/cluster/nodes?states={NODE_STATES}", 10)
    if answer is None:
        return None
    rows = (answer.get("nodes") or {}).get("node") or []
    # A node that came back is listed a second time as it was before: what lives counts.
    rows = sorted(rows, key=lambda row: (row.get("state") not in GONE, row.get("lastHealthUpdate", 0)))
    return {row.get("nodeHostName", ""): {"state": row.get("state", ""), "containers": row.get("numContainers", 0),
                                          "memory_mib": row.get("usedMemoryMB", 0)} for row in rows}


def empty(row, seen, node, _before):
    """Fill YARN's part of a node's row; whether nothing runs there any more. ``seen``: by ``nodes``."""
    if seen is None:
        row["yarn"] = "unknown"
        return False
    found = seen.get(node["name"]) or seen.get(node["address"])
    if found is None:
        row["yarn"] = "not there"
        return True
    row["yarn"], row["containers"] = found["state"].lower(), 0 if found["state"] in GONE else found["containers"]
    return found["state"] in GONE
