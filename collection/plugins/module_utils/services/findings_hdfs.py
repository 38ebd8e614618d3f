"""Findings of HDFS: what its NameNode tells, and the backups of its metadata."""
from __future__ import annotations

import time

from ..domain.health import backup as backups
from ..domain.health.rows import from_first, row, standing


def hdfs(seen: dict) -> list:
    """Blocks, DataNodes, space."""
    name, first = seen["cluster"], from_first(seen)
    if "hdfs" not in first.get("asked", ()):
        return []
    found = first.get("hdfs")
    if not found:
        return [row("fail", "the NameNode does not answer", seen["control"], f"emrctl repair {name}")]
    rows = standing(found, "NameNode", name)
    if found["safe_mode"]:
        rows.append(row("fail", "HDFS is in safe mode: " + found["safe_mode"].split(".")[0],
                        then=f"emrctl status {name}"))
    files = "hdfs fsck / -list-corruptfileblocks names the files"
    heals = f"emrctl repair {name} waits until HDFS has healed"
    for key, state, what, then in (
            ("missing_blocks", "fail", "blocks are missing: no DataNode that lives has them",
             f"start their nodes again; {files}"),
            # HDFS replaces such a copy, in a file that is being written when that is closed; one without a good copy is missing.
            ("corrupt_blocks", "warn", "blocks have a bad copy besides good ones", heals),
            ("under_replicated_blocks", "warn", "blocks have too few copies", heals)):
        if found.get(key):
            rows.append(row(state, f"{found[key]} {what}", then=then))
    rows += _upgrade(found, name)
    for node in found["datanodes"]:
        if node["state"] == "dead":
            rows.append(row("fail", f"the DataNode is dead for {node['last_contact_s']} s", node["node"],
                            f"emrctl repair {name}"))
        if node["failed_volumes"]:
            rows.append(row("fail", f"{node['failed_volumes']} of its disks failed", node["node"],
                            f"emrctl repair {name} --node {node['node']}"))
    if found["capacity_bytes"] and found["free_bytes"] < 0.1 * found["capacity_bytes"]:
        rows.append(row("warn", f"{found['free_bytes'] / found['capacity_bytes']:.0%} of HDFS is free",
                        then=f"emrctl scale {name} slave=N"))
    return rows or [row("ok", f"{found['live']} DataNodes live, {found['blocks']} blocks, none missing, damaged or "
                        "under-replicated")]


def _upgrade(found: dict, name: str) -> list:
    """An upgrade that nobody has finalised, or that has not reached all daemons."""
    others = sorted(node["node"] for node in found["datanodes"] if node.get("version") not in (None, "", found.get("version")))
    rows = [row("warn", f"the NameNode runs {found['version']}, and the DataNodes of {', '.join(others[:5])} do not: a change of the release was interrupted",
                then=f"run the same upgrade again; the last one is in: emrctl history {name}")] if others else []
    if found.get("upgrade_since_ms") and not others:
        since = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(found["upgrade_since_ms"] / 1000))
        rows.append(row("warn", f"an upgrade of {since} is not finalised: files that are deleted keep their space in HDFS",
                        then=f"keep it: emrctl upgrade {name} --finalize; or take it back: emrctl upgrade {name} --rollback"))
    return rows


def backup(seen: dict) -> list:
    """Backups of the metadata, where the spec wants them."""
    spec = seen.get("spec") or {}
    wanted = bool(spec) and (spec.get("backup") or {}).get("enabled", True) and bool({"hdfs", "hadoop"} & set(spec["services"]))
    states = {name: found["check"] for name, found in sorted(seen["nodes"].items()) if found.get("check")}
    return [row(*values) for values in backups.findings(seen["cluster"], wanted, states)] or [row("ok", "backups are switched off")]
