"""Text forms of what status, check and repair return."""
from __future__ import annotations

from ansible_collections.emr.cluster.plugins.module_utils.domain.text.quantities import of_bytes
from emrctl.failures import named
from emrctl.output import duration, table


def status(data: dict, name: str = "") -> str:
    """Component by node, what is wrong in words, then HDFS and YARN."""
    parts = [_matrix(data), *_notes(data["components"], name), *([f"Release: {data['release']}"] if data.get("release") else [])]
    parts += [part for part in (_hdfs(data.get("hdfs")), _backup(data.get("backup")), _yarn(data.get("yarn")), _work(data)) if part]
    return "\n\n".join(parts)


def _work(data: dict) -> str:
    """Jobs, flows and schedules: those that go on as rows, those that have ended as numbers."""
    found = data.get("work") or {}
    if "jobs" not in found:
        return f"Jobs: {found['error']}" if found else ""
    lines = []
    for kind, command in (("jobs", "jobs list"), ("flows", "flow list")):
        going, done = found[kind]["going"], found[kind]["ended"]
        if not going and not done:
            continue
        ended = ", ".join(f"{number} {state}" for state, number in sorted(done.items())) or "none"
        lines.append(f"{kind.capitalize()}: {len(going)} going on; ended within a day: {ended} (emrctl {command} {data.get('name', 'NAME')})")
        if going:
            rows = [dict(row, seconds=f"{float(row['seconds']):.0f}") for row in going]
            lines.append(table(rows, list(rows[0])))
    if found["schedules"]:
        lines += [f"Schedules: {len(found['schedules'])} (emrctl schedule list {data.get('name', 'NAME')})",
                  table([dict(row, next=row["next"] or "-", last=row["last"] or "-") for row in found["schedules"]], ["name", "state", "next", "last"])]
    return "\n".join(lines)


def _matrix(data: dict) -> str:
    """One line for each node, one column for each component that runs anywhere."""
    columns = list(dict.fromkeys(row["component"] for row in data["components"] if row["component"] != "-"))
    roles = {node["name"]: node["role"] for node in data.get("nodes", [])}
    lines: dict = {}
    for row in data["components"]:
        line = lines.setdefault(row["node"], {"node": row["node"], "role": roles.get(row["node"], "")})
        if row["component"] == "-":
            line.update({column: row["state"] for column in columns[:1]}, node=row["node"])
        else:
            line[row["component"]] = row["state"] + ("*" if row.get("stale") else "")
    return table(list(lines.values()), ["node", "role", *columns])


def _notes(rows: list, name: str) -> list:
    """What the matrix cannot say: why something does not run, and what is stale."""
    told = [{"node": row["node"], "component": row["component"], "state": row["state"], "detail": named(row.get("detail", ""), name)}
            for row in rows if row["state"] != "running" or row.get("stale")]
    return [table(told, ["node", "component", "state", "detail"])] if told else []


def _hdfs(found: dict | None) -> str:
    if not found:
        return ""
    summary = (
        f"HDFS: {found['live']} DataNodes live, {found['dead']} dead, {found['decommissioning']} decommissioning; "
        f"{of_bytes(found['used_bytes'])} of {of_bytes(found['capacity_bytes'])} used; {found['files']:,} files, "
        f"{found['blocks']:,} blocks, {found['under_replicated_blocks']:,} under-replicated, "
        f"{found['missing_blocks']:,} missing, {found['corrupt_blocks']:,} with a bad copy")
    lines = [summary + (f"; {found['safe_mode']}" if found.get("safe_mode") else ""), *_standing(found, "NameNodes")]
    lines += ["HDFS: an upgrade is not finalised"] if found.get("upgrade_since_ms") else []
    rows = [{"datanode": row["node"], "state": row["state"], "used": of_bytes(row["used_bytes"]),
             "free": of_bytes(row["free_bytes"]), "capacity": of_bytes(row["capacity_bytes"]), "blocks": row["blocks"],
             "to_move": row["blocks_to_move"],
             "failed_disks": row["failed_volumes"]} for row in found.get("datanodes", [])]
    if rows:
        wanted = ["datanode", "state", "used", "free", "capacity", "blocks"]
        wanted += [key for key in ("to_move", "failed_disks") if any(row[key] for row in rows)]
        lines.append(table(rows, wanted))
    return "\n".join(lines)


def _standing(found: dict, what: str) -> list:
    """Who of several is active, and who stands by."""
    rows = found.get("standing") or []
    return [f"{what}: " + ", ".join(f"{row['node']} {row['state']}" for row in rows)] if rows else []


def _backup(found: dict | None) -> str:
    """How backups of the NameNode's metadata stand."""
    if not found:
        return ""
    last = found.get("last")
    text = (f"last good {duration(found['age_s'])} ago (transaction {last['txid']}), {found['copies']} kept" if last
            else "none yet")
    return f"Backup on {found['node']}: {text}" + (f"; the last attempt failed: {found['error']}" if found["error"] else "")


def _yarn(found: dict | None) -> str:
    if not found:
        return ""
    summary = (
        f"YARN: {found['active']} nodes active, {found['unhealthy']} unhealthy, {found['lost']} lost; "
        f"{found['memory_used_mib']:,} of {found['memory_mib']:,} MiB and {found['vcores_used']} of {found['vcores']} "
        f"vcores used; {found['apps_running']} applications run, {found['apps_pending']} wait")
    lines = [summary, *_standing(found, "ResourceManagers")]
    if found.get("nodes"):
        lines.append(table(found["nodes"], ["node", "state", "containers", "memory_used_mib", "memory_mib",
                                            "vcores_used", "vcores"]))
        lines += [f"{row['node']}: {row['report']}" for row in found["nodes"] if row["report"]]
    if found.get("queues"):
        lines.append(table(found["queues"], ["queue", "state", "capacity_percent", "most_percent", "used_percent",
                                             "apps_running", "apps_pending"]))
    return "\n".join(lines)


def findings(data: dict) -> str:
    """What fails and what to run for it, then what is fine, and the sum."""
    counts, lines = data["counts"], []
    for row in data["findings"]:
        if row["state"] != "ok":
            where = "" if row["node"] == "-" else f" {row['node']}:"
            lines += [f"{row['state'].upper()}  {row['check']}:{where} {row['detail']}", f"      next: {row['next']}"]
    fine = [row for row in data["findings"] if row["state"] == "ok"]
    parts = ["\n".join(lines)] * bool(lines) + [table(fine, ["check", "state", "detail"])] * bool(fine)
    verdict = "needs attention" if counts["fail"] or counts["warn"] else "is healthy"
    parts.append(f"Cluster {data['name']} {verdict}: {counts['ok']} checks ok, {counts['warn']} warnings, "
                 f"{counts['fail']} failures.")
    return "\n\n".join(parts)


def repair_plan(found: dict) -> str:
    """What a repair would do."""
    if found.get("empty", True):
        return "Every node works. Repair removes drift, if there is any."
    lines = [f"Stopped; will be started: {', '.join(found['start'])}"] * bool(found["start"])
    lines += [f"Running, but not answering: {', '.join(found['silent'])}"] * bool(found["silent"])
    if found["start"] or found["silent"]:
        lines.append("Nodes that do not come back are released, if HDFS has their blocks elsewhere, and bought again.")
    lines += [f"Daemons to start on {node}: {', '.join(down)}" for node, down in sorted(found["daemons"].items())]
    lines += [f"To buy for group {group}: {count}" for group, count in sorted(found["missing"].items())]
    lines += [f"{found['healing']:,} blocks of HDFS have too few copies"] * bool(found["healing"])
    return "\n".join(lines)


def changed(result) -> bool:
    """Whether a run changed anything anywhere."""
    return any(result.stats.get("changed", {}).values())


def repaired(name: str, result, seconds: str) -> str:
    """What a repair did."""
    data = result.data
    lines = [f"{title}: {', '.join(data[key])}" for title, key in (("Started", "started"), ("Released", "replaced"))
             if data.get(key)]
    lines += [f"Bought: {row['count']} x {row['instance_type']} for group {row['group']}"
              for row in data.get("bought") or []]
    hdfs = data.get("hdfs")
    if hdfs:
        lines.append(f"HDFS: {hdfs['live']} DataNodes live, {hdfs['under_replicated_blocks']:,} blocks with too few "
                     f"copies, {hdfs['missing_blocks']:,} missing")
    lines.append(f"Repaired cluster {name} in {seconds}." if changed(result)
                 else f"Cluster {name} needed no repair.")
    return "\n".join(lines)


def bundled(data: dict) -> str:
    """Where the archive is, and who is not in it."""
    lines = [f"{data['file']}: {of_bytes(data['bytes'])} of {len(data['nodes'] or {})} nodes.",
             "Secrets are masked; still, read it before you pass it on."]
    lines += [f"Not in it: {node} ({why})" for node, why in sorted((data.get("silent") or {}).items())]
    return "\n".join(lines)
