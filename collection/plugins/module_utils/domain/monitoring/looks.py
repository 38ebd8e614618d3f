"""What one look at a cluster asks for, and the rows that people see of it. Figures of hosts alone; a service's own are in its home's panels."""
from __future__ import annotations

# Seconds over which rates are taken: four scrapes, so that one that fails leaves no hole.
RANGE = "1m"

QUERIES = {
    "cpu": f'100 * (1 - avg by (node) (rate(node_cpu_seconds_total{{mode=~"idle|iowait|steal"}}[{RANGE}])))',
    "memory_used": "node_memory_MemTotal_bytes - node_memory_MemAvailable_bytes",
    "memory": "node_memory_MemTotal_bytes",
    "disk_used": "sum by (node) (node_filesystem_size_bytes - node_filesystem_avail_bytes)",
    "disk": "sum by (node) (node_filesystem_size_bytes)",
    "received": f"sum by (node) (rate(node_network_receive_bytes_total[{RANGE}]))",
    "sent": f"sum by (node) (rate(node_network_transmit_bytes_total[{RANGE}]))",
    "load": "node_load1",
    "daemons": "sum by (node) (up)",
    "daemons_wanted": "count by (node) (up)",
    "role": "max by (node, role) (up)",
    "hdfs_used": "sum(fs_namesystem_capacity_used)",
    "hdfs": "sum(fs_namesystem_capacity_total)",
    "hdfs_missing": "sum(fs_namesystem_missing_blocks)",
    "hdfs_under_replicated": "sum(fs_namesystem_under_replicated_blocks)",
    "queue_memory_used": 'sum by (queue) (queue_metrics_allocated_mb{user=""})',
    "queue_memory": 'sum by (queue) (queue_metrics_allocated_mb{user=""} + queue_metrics_available_mb{user=""})',
    "queue_running": 'sum by (queue) (queue_metrics_apps_running{user=""})',
    "queue_pending": 'sum by (queue) (queue_metrics_apps_pending{user=""})',
}


def by(series, label: str) -> dict:
    """{value of the label: number} of the newest values."""
    return {row["labels"].get(label, ""): float(row["values"][-1][1]) for row in series}


def nodes(look: dict) -> list:
    """Rows of nodes: shares in percent, rates in bytes a second."""
    figures = {name: by(look["figures"].get(name, []), "node") for name in QUERIES}
    roles = {row["labels"].get("node", ""): row["labels"].get("role", "") for row in look["figures"].get("role", [])}
    alerts: dict = {}
    for alert in look.get("alerts", []):
        alerts[alert["node"]] = alerts.get(alert["node"], 0) + 1
    return [{"node": node, "role": roles[node], "cpu_percent": figures["cpu"].get(node),
             "memory_percent": share(figures["memory_used"].get(node), figures["memory"].get(node)),
             "disk_percent": share(figures["disk_used"].get(node), figures["disk"].get(node)),
             "received_bytes_s": figures["received"].get(node), "sent_bytes_s": figures["sent"].get(node), "load": figures["load"].get(node),
             "daemons": f"{figures['daemons'].get(node, 0):.0f}/{figures['daemons_wanted'].get(node, 0):.0f}", "alerts": alerts.get(node, 0)}
            for node in sorted(roles)]


def queues(look: dict) -> list:
    """Rows of queues that have no queues below them."""
    figures = {name: by(look["figures"].get(name, []), "queue") for name in QUERIES if name.startswith("queue_")}
    names = sorted(figures["queue_memory"])
    return [{"queue": name, "memory_used_mib": figures["queue_memory_used"].get(name, 0), "memory_mib": figures["queue_memory"][name],
             "running": figures["queue_running"].get(name, 0), "waiting": figures["queue_pending"].get(name, 0)}
            for name in names if not any(other.startswith(f"{name}.") for other in names)]


def hdfs(look: dict) -> dict:
    """Numbers of the file system; empty where nobody told any."""
    found = {name: next(iter(by(look["figures"].get(name, []), "").values()), None) for name in ("hdfs_used", "hdfs", "hdfs_missing", "hdfs_under_replicated")}
    if found["hdfs"] is None:
        return {}
    return {"used_bytes": found["hdfs_used"], "capacity_bytes": found["hdfs"], "missing_blocks": found["hdfs_missing"],
            "under_replicated_blocks": found["hdfs_under_replicated"]}


def applications(look: dict) -> list:
    """Rows of applications that run or wait, the largest first."""
    rows = [{"application": row["id"], "user": row["user"], "queue": row["queue"], "state": row["state"], "progress_percent": row.get("progress") or 0,
             "memory_mib": max(0, row.get("allocatedMB") or 0), "vcores": max(0, row.get("allocatedVCores") or 0),
             "seconds": (row.get("elapsedTime") or 0) / 1000, "name": row.get("name") or ""} for row in look.get("applications", [])]
    return sorted(rows, key=lambda row: (-row["memory_mib"], row["application"]))


def share(part, whole):
    """Percent of the whole; None where one is not known."""
    return 100 * part / whole if whole and part is not None else None
