"""Ask daemons whether they serve, the way their homes say."""
from __future__ import annotations

import json

from ..hadoop_http import Daemon, HttpError, NameNode, ResourceManager, base_of, connect
from ..services.hooks import hook

# Tag in YARN of the cluster's own servers; see services/spark_server.py.
SERVER_TAG = "emr-server"
NAMENODE_BEANS = ("NameNodeInfo", "NameNodeActivity", "FSNamesystem", "FSNamesystemState")
# Every state in which the ResourceManager knows a node; without the list it leaves out those that are gone.
NODE_STATES = "NEW,RUNNING,UNHEALTHY,DECOMMISSIONING,DECOMMISSIONED,LOST,REBOOTED,SHUTDOWN"


def probe(health, limit_s=3.0):
    """(ready, text) of one daemon. ``health``: {kind, url}; any kind but http and tcp is a hook, ``service.probe``, in node/services/."""
    kind, url = health["kind"], health["url"]
    if kind == "tcp":
        return _tcp(url, limit_s)
    if url.startswith("tcp:"):
        return hook(kind, "SOCKETS")(url, limit_s)
    address, path = base_of(url)
    if kind == "http":
        return _answers(Daemon(address), url, path, limit_s)
    answer = Daemon(address).look(path, limit_s)
    return hook(kind, "READERS")(answer) if answer is not None else (False, f"no answer from {url}")


def _answers(daemon, url, path, limit_s):
    try:
        daemon.ask(path, limit_s=limit_s)
    except HttpError:
        return False, f"no answer from {url}"
    return True, "answers"


def bean(answer, name):
    """One bean of a JMX answer, by the ``name=`` of its object name; {} when it is missing."""
    for row in (answer or {}).get("beans", []):
        if f"name={name}" in row.get("name", "").split(":", 1)[-1].split(","):
            return row
    return {}


def _tcp(url, limit_s):
    try:
        with connect(url, limit_s):
            return True, "listens"
    except OSError as error:
        return False, f"no answer from {url}: {error}"


def namenode(base, limit_s=5.0):
    """{bean: its fields} that the NameNode at ``base`` (one or several of http://host:port) has in JMX; all are empty when it does not answer."""
    answer = NameNode(base).look("/jmx?qry=Hadoop:service=NameNode,name=*", limit_s)
    return {name: bean(answer, name) for name in NAMENODE_BEANS}


def listed(info, key):
    """{node name: fields} of one of the JSON texts in NameNodeInfo, whose own keys are host:port."""
    return {name.rsplit(":", 1)[0]: row for name, row in json.loads(info.get(key) or "{}").items()}


def hdfs_summary(base):
    """Numbers of HDFS from the NameNode at ``base``, or None when it does not answer."""
    return summarize(namenode(base))


def summarize(beans):
    """Numbers of HDFS in what ``namenode`` gave, or None when it did not answer."""
    info, system, state = (beans[name] for name in ("NameNodeInfo", "FSNamesystem", "FSNamesystemState"))
    if not info:
        return None
    going = info.get("RollingUpgradeStatus") or {}
    return {"safe_mode": info.get("Safemode", ""), "version": info.get("SoftwareVersion", ""), "upgrade_since_ms": going.get("startTime", 0),
            "cluster_id": info.get("ClusterId", ""),
            # The number counts a released node until its heartbeat is missed; the list has those that are admitted.
            "live": len(json.loads(info["LiveNodes"])) if info.get("LiveNodes") else state.get("NumLiveDataNodes", 0),
            "dead": state.get("NumDeadDataNodes", 0), "decommissioning": state.get("NumDecommissioningDataNodes", 0),
            "capacity_bytes": info.get("Total", 0), "used_bytes": info.get("Used", 0),
            "free_bytes": info.get("Free", 0), "files": system.get("FilesTotal", 0),
            "blocks": system.get("BlocksTotal", 0), "missing_blocks": system.get("MissingBlocks", 0),
            "corrupt_blocks": system.get("CorruptBlocks", 0),
            # A block that is being copied has left the queue of those with too few copies.
            "under_replicated_blocks": system.get("UnderReplicatedBlocks", 0) + system.get("PendingReplicationBlocks", 0),
            "copying_blocks": system.get("PendingReplicationBlocks", 0) + system.get("ScheduledReplicationBlocks", 0)}


def yarn_summary(base):
    """Numbers of YARN from the ResourceManager at ``base``, or None when it does not answer."""
    metrics = (ResourceManager(base).look("/ws/v1/cluster/metrics") or {}).get("clusterMetrics")
    if not metrics:
        return None
    return {"active": metrics.get("activeNodes", 0), "lost": metrics.get("lostNodes", 0),
            "unhealthy": metrics.get("unhealthyNodes", 0), "decommissioned": metrics.get("decommissionedNodes", 0),
            "memory_mib": metrics.get("totalMB", 0), "memory_used_mib": metrics.get("allocatedMB", 0),
            "memory_asked_mib": metrics.get("pendingMB", 0),
            "vcores": metrics.get("totalVirtualCores", 0), "vcores_used": metrics.get("allocatedVirtualCores", 0),
            "apps_running": metrics.get("appsRunning", 0), "apps_pending": metrics.get("appsPending", 0)}


def is_server(application):
    """Whether an application of YARN is a daemon of the cluster, and nobody's work."""
    return SERVER_TAG in str(application.get("applicationTags") or "").split(",")


def waiting_application(base):
    """What one of the cluster's own applications (Spark's servers) waits for in YARN at ``base``, as a sentence; '' when none waits."""
    alive = (ResourceManager(base).look("/ws/v1/cluster/apps?states=NEW,NEW_SAVING,SUBMITTED,ACCEPTED,RUNNING") or {}).get("apps") or {}
    rows = alive.get("app") or []
    mine = next((row for row in rows if is_server(row) and row["state"] != "RUNNING"), None)
    numbers = yarn_summary(base)
    if mine is None or numbers is None:
        return ""
    held = ", ".join(f"{row['id']} of {row['user']} {max(0, row.get('allocatedMB', 0))} MiB" for row in sorted(
        rows, key=lambda row: -row.get("allocatedMB", 0)) if row.get("allocatedMB", 0) > 0 and row is not mine)
    return (f"YARN has not begun {mine['id']} in the queue {mine['queue'].split('.')[-1]} yet: {numbers['memory_used_mib']} of "
            f"{numbers['memory_mib']} MiB are taken ({held or 'by no application'}), and {numbers['memory_asked_mib']} MiB are asked for. "
            f"Wait for their end, stop one (emrctl jobs kill), or add a node "
            "(emrctl scale)")
