"""HDFS by DataNode, YARN by node and queue, as NameNode and ResourceManager see them."""
from __future__ import annotations

import json
from urllib.parse import urlsplit

from ...domain import paths
from ..common import read_text
from ..daemons.health import NODE_STATES, listed, namenode, summarize, yarn_summary
from ..hadoop_http import NameNode, ResourceManager


def hdfs_details(base):
    """``hdfs_summary`` with ``datanodes``: one row for each, dead and decommissioning ones too. None: no answer."""
    beans = namenode(base)
    found = summarize(beans)
    return None if found is None else dict(found, **datanodes(beans["NameNodeInfo"]), **standing(NameNode(base)))


def standing(daemon):
    """{standing: [{node, state}]} of a daemon that runs on several nodes, of which one is active; {} of one that does not."""
    if len(daemon.addresses) == 1:
        return {}
    try:
        names = {row["address"]: row["name"] for row in json.loads(read_text(paths.NODES) or "{}").get("nodes", [])}
    except ValueError:
        names = {}
    return {"standing": [{"node": names.get(urlsplit(address).hostname, address), "state": state} for address, state in daemon.states().items()]}


def datanodes(info):
    """{datanodes, sole_copies} of NameNodeInfo. ``sole_copies``: blocks that only nodes which are leaving hold."""
    leaving = listed(info, "DecomNodes")
    rows = [{"node": name, "state": _state(row), "capacity_bytes": row.get("capacity", 0),
             "used_bytes": row.get("used", 0), "free_bytes": row.get("remaining", 0), "blocks": row.get("numBlocks", 0), "version": row.get("version", ""),
             "failed_volumes": row.get("volfails", 0), "last_contact_s": row.get("lastContact", 0),
             "blocks_to_move": leaving.get(name, {}).get("underReplicatedBlocks", 0)}
            for name, row in sorted(listed(info, "LiveNodes").items())]
    rows += [{"node": name, "state": "dead", "capacity_bytes": 0, "used_bytes": 0, "free_bytes": 0, "blocks": 0,
              "failed_volumes": 0, "last_contact_s": row.get("lastContact", 0), "blocks_to_move": 0}
             for name, row in sorted(listed(info, "DeadNodes").items())]
    return {"datanodes": rows, "sole_copies": sum(row.get("decommissionOnlyReplicas", 0) for row in leaving.values())}


def _state(row):
    """in service, decommissioning, decommissioned, in maintenance …, in the words of the NameNode."""
    return str(row.get("adminState") or "In Service").lower().replace("decommission in progress", "decommissioning")


def yarn_details(base):
    """``yarn_summary`` with ``nodes`` and ``queues``, or None when nobody answers."""
    found = yarn_summary(base)
    if found is None:
        return None
    manager = ResourceManager(base)
    return dict(found, nodes=yarn_nodes(manager.look(f"/ws/v1/cluster/nodes?states={NODE_STATES}")),
                queues=yarn_queues(manager.look("/ws/v1/cluster/scheduler")), **standing(manager))


def yarn_nodes(answer):
    """One row for each node that the ResourceManager knows."""
    rows = ((answer or {}).get("nodes") or {}).get("node") or []
    return sorted(({"node": row.get("nodeHostName", ""), "state": str(row.get("state", "")).lower(),
                    "containers": row.get("numContainers", 0), "memory_used_mib": row.get("usedMemoryMB", 0),
                    "memory_mib": row.get("usedMemoryMB", 0) + row.get("availMemoryMB", 0),
                    "vcores_used": row.get("usedVirtualCores", 0),
                    "vcores": row.get("usedVirtualCores", 0) + row.get("availableVirtualCores", 0),
                    "report": str(row.get("healthReport") or "")} for row in rows), key=lambda row: row["node"])


def yarn_queues(answer):
    """Every queue below root with its share and use in percent of the cluster, parents before children."""
    scheduler = ((answer or {}).get("scheduler") or {}).get("schedulerInfo") or {}
    return [row for queue in _below(scheduler) for row in _queue(queue)]


def _below(queue):
    return (queue.get("queues") or {}).get("queue") or []


def _queue(queue):
    row = {"queue": str(queue.get("queuePath") or queue.get("queueName") or "").replace("root.", "", 1),
           "state": str(queue.get("state", "")).lower(), "capacity_percent": _number(queue.get("absoluteCapacity")),
           "most_percent": _number(queue.get("absoluteMaxCapacity")),
           "used_percent": _number(queue.get("absoluteUsedCapacity")),
           "apps_running": queue.get("numActiveApplications", 0),
           "apps_pending": queue.get("numPendingApplications", 0)}
    return [row, *(child for below in _below(queue) for child in _queue(below))]


def _number(value):
    return round(float(value or 0), 1)
