"""HDFS's part of a drain: what DataNodes hold, and whether every block of one that leaves has its copies elsewhere."""
from __future__ import annotations

import re
import socket
import time

from ..common import NodeError
from ..daemons.health import listed, namenode
from ..hadoop_http import NameNode

# What is told of a node that stores nothing.
ROW = {"hdfs": "-", "left": 0, "blocks": 0}
# Files that a framework deletes at the end of its job, with more copies than data has, so that all nodes find them.
TRANSIENT = re.compile(r"/\.(staging|sparkStaging)/")
_FILE = re.compile(rb"^(/.*) \d+ bytes, replicated: replication=(\d+),")


def load(base, copies_over, limit_s):
    """What the nodes hold, with how many copies files are stored at most; None when the NameNode does not answer."""
    found = hdfs_nodes(base)
    if found is not None and copies_over:
        found["replication"] = most_copies(base, copies_over, limit_s)
    return found


def hdfs_nodes(base):
    """What the NameNode says of its DataNodes, by name; None when it does not answer. Sizes are bytes."""
    beans = namenode(base, 10)
    info, system = beans["NameNodeInfo"], beans["FSNamesystem"]
    if not info:
        return None
    nodes = {}
    leaving = listed(info, "DecomNodes")
    for name, row in listed(info, "LiveNodes").items():
        left = leaving.get(name, {}).get("underReplicatedBlocks", 0)
        nodes[name] = {"alive": True, "state": row.get("adminState", ""), "blocks": row.get("numBlocks", 0),
                       "bytes": row.get("usedSpace", 0), "free": row.get("remaining", 0),
                       "capacity": row.get("capacity", 0), "left": left}
    for name, row in listed(info, "DeadNodes").items():
        nodes[name] = {"alive": False, "state": row.get("adminState", ""), "blocks": 0, "bytes": 0, "free": 0,
                       "capacity": 0, "left": 0}
    return {"nodes": nodes, "safe_mode": info.get("Safemode", ""), "missing_blocks": system.get("MissingBlocks", 0),
            "under_replicated": system.get("UnderReplicatedBlocks", 0), "pending": system.get("PendingReplicationBlocks", 0)}


def most_copies(base, over, limit_s):
    """{most, files, example, whole}: files with more copies than ``over``, staging files apart, as the NameNode's fsck lists them.

    ``whole`` is false when the listing was not finished within ``limit_s`` seconds. Raises NodeError when there is no answer.
    """
    deadline = time.monotonic() + limit_s
    found = {"most": 0, "files": 0, "example": "", "whole": True}
    with NameNode(base).fsck(max(1, limit_s), path="/", files=1) as answer:
        for line in answer:
            _count(line, over, found)
            if time.monotonic() > deadline:
                found["whole"] = False
                break
    return found


def _count(line, over, found):
    match = _FILE.match(line)
    copies = int(match.group(2)) if match else 0
    if copies <= over:
        return
    path = match.group(1).decode(errors="replace")
    if TRANSIENT.search(path):
        return
    found["files"] += 1
    if copies > found["most"]:
        found["most"], found["example"] = copies, path


def before_drain(base):
    """{blocks: {node: how many it holds}, copying: how many have too few copies}, before anything changes."""
    found = hdfs_nodes(base)
    if found is None:
        return {"blocks": {}, "copying": 0}
    return {"blocks": {name: row["blocks"] for name, row in found["nodes"].items()}, "copying": found["under_replicated"]}


def check_drain(names):
    """Raises NodeError for a DataNode whose name has no address here: reading its lists the NameNode would forget it, not drain it."""
    for name in names:
        try:
            socket.getaddrinfo(name, None)
        except OSError as error:
            raise NodeError(f"{name} cannot be drained: its name has no address on this node ({error}), so HDFS would lose what it holds "
                            "instead of copying it. Put a line with it into /etc/hosts here and run the command again.")


def empty(row, seen, node, before):
    """Fill HDFS's part of a node's row; whether every block has its copies elsewhere. ``seen``: by ``hdfs_nodes``, ``before``: by ``before_drain``."""
    if seen is None or seen.get("safe_mode"):
        # A NameNode that has just started misses no block yet, and takes for dead who has not reported again.
        row["hdfs"] = "unknown"
        return False
    found = seen["nodes"].get(node["name"]) or seen["nodes"].get(node["address"])
    if found is None or not found["alive"]:
        # What a dead node held has its other copies elsewhere, or is missing; nobody but the NameNode can tell.
        row["hdfs"] = "dead" if found else "not there"
        row["left"] = seen["missing_blocks"]
        if found is None and (before.get("blocks") or {}).get(node["name"]):
            # It held blocks when the drain began, and HDFS has forgotten it since: no word of that node's will say that they are copied.
            row["left"] += max(0, seen["under_replicated"] - before["copying"])
        return not row["left"]
    row.update(hdfs=found["state"].lower(), left=found["left"], blocks=found["blocks"])
    return found["state"] == "Decommissioned"
