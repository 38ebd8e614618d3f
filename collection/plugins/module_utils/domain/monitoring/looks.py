"""What one look at a cluster asks for, and the rows that people see of it: hosts, and the tables that services have in their homes."""
from __future__ import annotations

from ...services.registry import HOMES

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
}
# {title of a table: it}
TABLES = {table.title: table for home in HOMES.values() for table in home.figures}


def queries() -> dict:
    """{name: PromQL} of all that a look asks; those of tables are called title.column."""
    return {**QUERIES, **{f"{title}.{name}": query for title, table in TABLES.items() for name, query, _unit in table.columns}}


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


def tables(look: dict) -> dict:
    """{title: rows} of the tables of services, without those that nobody told anything for."""
    found = {}
    for title, table in TABLES.items():
        columns = {name: by(look["figures"].get(f"{title}.{name}", []), table.by) for name, _query, _unit in table.columns}
        keys = sorted({key for values in columns.values() for key in values})
        if keys:
            found[title] = [{**({table.by: key} if table.by else {}), **{name: values.get(key) for name, values in columns.items()}} for key in keys]
    return found


def applications(look: dict) -> list:
    """Rows of applications that run or wait, the largest first."""
    rows = [{"application": row["id"], "user": row["user"], "queue": row["queue"], "state": row["state"], "progress_percent": row.get("progress") or 0,
             "memory_mib": max(0, row.get("allocatedMB") or 0), "vcores": max(0, row.get("allocatedVCores") or 0),
             "seconds": (row.get("elapsedTime") or 0) / 1000, "name": row.get("name") or ""} for row in look.get("applications", [])]
    return sorted(rows, key=lambda row: (-row["memory_mib"], row["application"]))


def share(part, whole):
    """Percent of the whole; None where one is not known."""
    return 100 * part / whole if whole and part is not None else None
