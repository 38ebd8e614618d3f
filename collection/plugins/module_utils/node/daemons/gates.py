"""What must hold before a daemon goes down and after it came back, asked from NameNode and ResourceManager.

A gate returns '' when it is open, else what it waits for. Times are seconds.
"""
from __future__ import annotations

import time

from ..common import NodeError, wait_until
from ..hadoop_http import ResourceManager
from .health import listed, namenode

# Copies that nobody makes any more are explained: a file wants more of them than there are DataNodes.
SETTLED_S = 15
# A node that the NameNode has heard of within this time is back.
CONTACT_S = 10


def wait(what, gate, limit_s, remedy, pause_s=0.3):
    """Ask ``gate()`` until it is open. Raises NodeError that says what was waited for and what was seen last."""
    wait_until(limit_s, what, gate, pause_s, lambda said: NodeError(f"{what}: {said}, for {limit_s} s now. {remedy}", gate=said))


def namenode_beans(base):
    """(NameNodeInfo, FSNamesystem and FSNamesystemState as one dict) or None when the NameNode does not answer."""
    beans = namenode(base)
    return (beans["NameNodeInfo"], dict(beans["FSNamesystemState"], **beans["FSNamesystem"])) if beans["NameNodeInfo"] else None


class Blocks:
    """Gate: every block can be read and has its copies, so a DataNode may go down.

    CorruptBlocks counts blocks of which one copy is bad; those without a good one are among the missing. HDFS replaces bad
    copies, but those of a file that is being written only when it is closed, which may be in days.
    """

    def __init__(self, base):
        self.base, self.seen, self.since = base, None, 0.0

    def __call__(self):
        found = namenode_beans(self.base)
        if not found:
            return f"the NameNode does not answer at {self.base}"
        info, system = found
        if info.get("Safemode"):
            return "HDFS is in safe mode"
        if system.get("MissingBlocks"):
            return f"HDFS has {system['MissingBlocks']} missing blocks"
        lacking, bad = system.get("UnderReplicatedBlocks", 0), system.get("CorruptBlocks", 0)
        work = system.get("PendingReplicationBlocks", 0) + system.get("ScheduledReplicationBlocks", 0)
        now = time.monotonic()
        if (lacking, bad, work) != self.seen or work:
            self.seen, self.since = (lacking, bad, work), now
        if (lacking or bad) and now - self.since < SETTLED_S:
            return f"{lacking} blocks have too few copies, {bad} have a bad copy, {work} are being copied"
        return ""


def files_open(base):
    """Number of files that are being written now; 0 when the NameNode does not answer."""
    found = namenode_beans(base)
    return int(found[1].get("NumFilesUnderConstruction", 0)) if found else 0


def live_datanodes(base):
    """{host name: seconds since its last heartbeat} of the live DataNodes, or None when the NameNode does not answer."""
    found = namenode_beans(base)
    if not found:
        return None
    return {name: int(row.get("lastContact", 999)) for name, row in listed(found[0], "LiveNodes").items()}


def datanode_back(base, host):
    """Gate: the NameNode hears this DataNode."""
    live = live_datanodes(base)
    if live is None:
        return f"the NameNode does not answer at {base}"
    if live.get(host, 999) > CONTACT_S:
        return f"the NameNode gets no heartbeat from the DataNode of {host}" + (" yet" if host in live else ": it is not live")
    return ""


def datanodes_back(base, hosts):
    """Gate: the NameNode has left safe mode and hears all of these DataNodes."""
    found = namenode_beans(base)
    if not found:
        return f"the NameNode does not answer at {base}"
    if found[0].get("Safemode"):
        return "HDFS is in safe mode: " + found[0]["Safemode"].split(".")[0]
    lost = sorted(set(hosts) - set(live_datanodes(base) or ()))
    return f"the DataNodes of {', '.join(lost[:5])} have not come back ({len(lost)} of {len(hosts)})" if lost else ""


def yarn_nodes(base):
    """{host name: row of the ResourceManager} of all NodeManagers, or None when it does not answer."""
    answer = ResourceManager(base).look("/ws/v1/cluster/nodes")
    if not isinstance(answer, dict) or "nodes" not in answer:
        return None
    return {row.get("nodeHostName", ""): row for row in (answer["nodes"] or {}).get("node", [])}


def nodemanager_back(base, hosts, since):
    """Gate: the ResourceManager has this node (known by one of ``hosts``) running, with a report newer than ``since``."""
    nodes = yarn_nodes(base)
    if nodes is None:
        return f"the ResourceManager does not answer at {base}"
    row = next((nodes[host] for host in hosts if host in nodes), None)
    if row is None:
        return "the ResourceManager does not know this NodeManager"
    if row.get("state") != "RUNNING":
        return f"the ResourceManager sees this NodeManager {row.get('state')} ({row.get('healthReport', '')})"
    if row.get("lastHealthUpdate", 0) < since * 1000:
        return "the new NodeManager has not registered with the ResourceManager"
    return ""


def nodemanagers_back(base, hosts):
    """Gate: the ResourceManager has all of these nodes running."""
    nodes = yarn_nodes(base)
    if nodes is None:
        return f"the ResourceManager does not answer at {base}"
    lost = sorted(host for host in hosts if nodes.get(host, {}).get("state") != "RUNNING")
    return f"the NodeManagers of {', '.join(lost[:5])} have not come back ({len(lost)} of {len(hosts)})" if lost else ""


def running_nodes(base):
    """Names of the NodeManagers that run, [] when the ResourceManager does not answer."""
    return [host for host, row in (yarn_nodes(base) or {}).items() if row.get("state") == "RUNNING"]


def running_apps(base):
    """Ids of the running applications, [] when the ResourceManager does not answer."""
    answer = ResourceManager(base).look("/ws/v1/cluster/apps?states=RUNNING") or {}
    return [row["id"] for row in (answer.get("apps") or {}).get("app", [])]


class Applications:
    """Gate: the applications that ran go on, or have ended well. ``lost`` are those that have not."""

    def __init__(self, base, ids):
        self.base, self.ids, self.lost = base, list(ids), {}

    def __call__(self):
        for name in list(self.ids):
            app = (ResourceManager(self.base).look(f"/ws/v1/cluster/apps/{name}") or {}).get("app", {})
            if app.get("state") == "RUNNING" or app.get("finalStatus") == "SUCCEEDED":
                self.ids.remove(name)
            elif app.get("state") in ("FAILED", "KILLED", "FINISHED"):
                self.lost[name] = f"{app.get('finalStatus')}: {str(app.get('diagnostics', '')).strip()[:300]}"
                self.ids.remove(name)
        return f"{', '.join(self.ids[:5])} did not go on yet" if self.ids else ""


def fewer(what, count, wanted, there):
    """The sentence that ``count`` of the ``wanted`` nodes are there, with the names of those that are not."""
    away = [name for name in wanted if name not in there]
    return f"{count} of {len(wanted)} {what}, without {', '.join(away[:5])}{' and others' if away[5:] else ''}"
