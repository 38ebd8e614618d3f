"""Take nodes out of YARN and HDFS so that nothing is lost: what they hold, beginning, and how far it is.

Runs on the control node and asks the NameNode's JMX and the ResourceManager's REST. No call here waits long: the action
plugin calls again and tells people in between. Nodes are {name, address, stores, computes, drains}.
"""
from __future__ import annotations

import re
import socket
import time

from ..common import NodeError
from ..daemons.health import NODE_STATES, listed, namenode
from ..hadoop_http import NameNode, ResourceManager
from . import lists as node_lists, services

# What the ResourceManager calls a node on which nothing runs any more.
GONE = ("DECOMMISSIONED", "LOST", "SHUTDOWN", "REBOOTED")
# Files that a framework deletes at the end of its job, with more copies than data has, so that all nodes find them.
TRANSIENT = re.compile(r"/\.(staging|sparkStaging)/")
_FILE = re.compile(rb"^(/.*) \d+ bytes, replicated: replication=(\d+),")


def perform(params, check):
    """One step: op look, begin, wait. Returns the module's result."""
    if params["op"] == "look":
        return dict(look(params), changed=False)
    if params["op"] == "begin" and check:
        return {"changed": True, "nodes": [], "done": True}
    if params["op"] == "begin":
        before = held(params)
        changed = begin(params)
        return dict(progress(dict(params, before=before)), changed=changed, before=before)
    return dict(wait(params), changed=False)


def look(params):
    """{loads: {hdfs, yarn}}: what each node holds and runs, and with how many copies files are stored at most."""
    hdfs = hdfs_nodes(params["namenode"]) if params["namenode"] else None
    if hdfs is not None and params["copies_over"]:
        hdfs["replication"] = most_copies(params["namenode"], params["copies_over"], params["limit_s"])
    yarn = yarn_nodes(params["resourcemanager"]) if params["resourcemanager"] else None
    return {"loads": {"hdfs": hdfs, "yarn": None if yarn is None else {"nodes": yarn}}}


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


def yarn_nodes(base):
    """{node: {state, containers, memory_mib}} of the ResourceManager, None when it does not answer."""
    answer = ResourceManager(base).look(f"/ws/v1/cluster/nodes?states={NODE_STATES}", 10)
    if answer is None:
        return None
    rows = (answer.get("nodes") or {}).get("node") or []
    # A node that came back is listed a second time as it was before: what lives counts.
    rows = sorted(rows, key=lambda row: (row.get("state") not in GONE, row.get("lastHealthUpdate", 0)))
    return {row.get("nodeHostName", ""): {"state": row.get("state", ""), "containers": row.get("numContainers", 0),
                                          "memory_mib": row.get("usedMemoryMB", 0)} for row in rows}


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


def held(params):
    """{blocks: {node: how many it holds}, copying: how many have too few copies}, before anything changes."""
    hdfs = hdfs_nodes(params["namenode"]) if params["namenode"] else None
    if hdfs is None:
        return {"blocks": {}, "copying": 0}
    return {"blocks": {name: row["blocks"] for name, row in hdfs["nodes"].items()}, "copying": hdfs["under_replicated"]}


def begin(params):
    """Put the nodes into the lists of those to be drained and have the daemons read them. Whether something changed."""
    add = {"namenode": [n["name"] for n in params["nodes"] if n["stores"]] if params["namenode"] else [],
           "resourcemanager": [n["name"] for n in params["nodes"] if n["computes"]] if params["resourcemanager"] else []}
    _check_names(add["namenode"])
    changed = node_lists.change(add)
    # Also when the lists were there before: an interrupted run may not have come to the refresh.
    stale = node_lists.stale()
    node_lists.refresh(stale, params["drain_s"])
    told = [services.begin(drain) for node in params["nodes"] for drain in node.get("drains", ())]
    return changed or bool(stale) or any(told)


def _check_names(names):
    """Raises NodeError for a DataNode whose name has no address here: reading its lists the NameNode would forget it, not drain it."""
    for name in names:
        try:
            socket.getaddrinfo(name, None)
        except OSError as error:
            raise NodeError(f"{name} cannot be drained: its name has no address on this node ({error}), so HDFS would lose what it holds "
                            "instead of copying it. Put a line with it into /etc/hosts here and run the command again.")


def wait(params):
    """Progress, as soon as all nodes are done or the picture has changed, at latest after ``limit_s`` seconds."""
    deadline = time.monotonic() + params["limit_s"]
    found = first = progress(params)
    while not found["done"] and time.monotonic() < deadline and not _finished_more(first, found):
        time.sleep(0.5)
        found = progress(params)
    return found


def _finished_more(before, after):
    return sum(row["done"] for row in after["nodes"]) > sum(row["done"] for row in before["nodes"])


def progress(params):
    """{done, nodes: [{name, done, yarn, containers, hdfs, left, why}], missing_blocks}. Raises nothing: a daemon that does not
    answer makes its part "unknown", since it may be restarting."""
    hdfs = hdfs_nodes(params["namenode"]) if params["namenode"] else {"nodes": {}, "missing_blocks": 0}
    yarn = yarn_nodes(params["resourcemanager"]) if params["resourcemanager"] else {}
    rows = [_row(node, hdfs, yarn, params) for node in params["nodes"]]
    return {"done": all(row["done"] for row in rows), "nodes": rows,
            "missing_blocks": (hdfs or {}).get("missing_blocks", 0), "answers": hdfs is not None and yarn is not None}


def _row(node, hdfs, yarn, params):
    row = {"name": node["name"], "yarn": "-", "containers": 0, "hdfs": "-", "left": 0, "blocks": 0}
    calm = stored = True
    if node["computes"] and params["resourcemanager"]:
        calm = _computes(row, yarn, node)
    if node["stores"] and params["namenode"]:
        stored = _stores(row, hdfs, node, params.get("before") or {})
    held = {drain["component"]: services.left(drain) for drain in node.get("drains", ())}
    return dict(row, done=calm and stored and not any(left != 0 for left in held.values()), **({"services": held} if held else {}))


def _computes(row, yarn, node):
    """Fill the part of YARN; whether nothing runs there any more."""
    if yarn is None:
        row["yarn"] = "unknown"
        return False
    seen = yarn.get(node["name"]) or yarn.get(node["address"])
    if seen is None:
        row["yarn"] = "not there"
        return True
    row["yarn"], row["containers"] = seen["state"].lower(), 0 if seen["state"] in GONE else seen["containers"]
    return seen["state"] in GONE


def _stores(row, hdfs, node, before):
    """Fill the part of HDFS; whether every block has its copies elsewhere."""
    if hdfs is None:
        row["hdfs"] = "unknown"
        return False
    if hdfs.get("safe_mode"):
        # A NameNode that has just started misses no block yet, and takes for dead who has not reported again.
        row["hdfs"] = "unknown"
        return False
    seen = hdfs["nodes"].get(node["name"]) or hdfs["nodes"].get(node["address"])
    if seen is None or not seen["alive"]:
        # What a dead node held has its other copies elsewhere, or is missing; nobody but the NameNode can tell.
        row["hdfs"] = "dead" if seen else "not there"
        row["left"] = hdfs["missing_blocks"]
        if seen is None and (before.get("blocks") or {}).get(node["name"]):
            # It held blocks when the drain began, and HDFS has forgotten it since: no word of that node's will say that they are copied.
            row["left"] += max(0, hdfs["under_replicated"] - before["copying"])
        return not row["left"]
    row.update(hdfs=seen["state"].lower(), left=seen["left"], blocks=seen["blocks"])
    return seen["state"] == "Decommissioned"
