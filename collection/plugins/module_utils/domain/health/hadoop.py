"""Findings of HDFS and YARN, as NameNode and ResourceManager tell, and of the work done for real. Pure Python."""
from __future__ import annotations


def _row(state: str, detail: str, node: str = "-", then: str = "") -> dict:
    return {"node": node, "state": state, "detail": detail, "next": then}


def _first(seen: dict) -> dict:
    """What the first master's check returned; {} when it could not be looked at."""
    return (seen["nodes"].get(seen["first"]) or {}).get("check") or {}


def hdfs(seen: dict) -> list:
    """Blocks, DataNodes, space."""
    name, first = seen["cluster"], _first(seen)
    if not first.get("namenode"):
        return []
    found = first.get("hdfs")
    if not found:
        return [_row("fail", "the NameNode does not answer", seen["first"], f"emrctl repair {name}")]
    rows = []
    if found["safe_mode"]:
        rows.append(_row("fail", "HDFS is in safe mode: " + found["safe_mode"].split(".")[0],
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
            rows.append(_row(state, f"{found[key]} {what}", then=then))
    for node in found["datanodes"]:
        if node["state"] == "dead":
            rows.append(_row("fail", f"the DataNode is dead for {node['last_contact_s']} s", node["node"],
                             f"emrctl repair {name}"))
        if node["failed_volumes"]:
            rows.append(_row("fail", f"{node['failed_volumes']} of its disks failed", node["node"],
                             f"emrctl repair {name} --node {node['node']}"))
    if found["capacity_bytes"] and found["free_bytes"] < 0.1 * found["capacity_bytes"]:
        rows.append(_row("warn", f"{found['free_bytes'] / found['capacity_bytes']:.0%} of HDFS is free",
                         then=f"emrctl scale {name} slave=N"))
    return rows or [_row("ok", f"{found['live']} DataNodes live, {found['blocks']} blocks, none missing, damaged or "
                         "under-replicated")]


def yarn(seen: dict) -> list:
    """NodeManagers."""
    name, first = seen["cluster"], _first(seen)
    if not first.get("resourcemanager"):
        return []
    found = first.get("yarn")
    if not found:
        return [_row("fail", "the ResourceManager does not answer", seen["first"], f"emrctl repair {name}")]
    known = set(seen["nodes"])
    rows = []
    for node in found["nodes"]:
        if node["state"] in ("unhealthy", "lost", "rebooted") and node["node"] in known:
            said = f": {node['report']}" if node["report"] else ""
            rows.append(_row("fail", f"the NodeManager is {node['state']}{said}", node["node"],
                             f"emrctl repair {name}"))
    return rows or [_row("ok", f"{found['active']} NodeManagers are active and healthy")]


def computed(seen: dict) -> list:
    """A file written, read and compared; a program run."""
    first, rows = _first(seen), []
    for key, done in (("storage", "a file was written, read back and compared"),
                      ("computation", "a MapReduce program ran")):
        found = first.get(key)
        if found is None:
            continue
        if found.get("error"):
            rows.append(_row("fail", found["error"], seen["first"], f"emrctl status {seen['cluster']}"))
        else:
            rows.append(_row("ok", f"{done} in {found['seconds']:.1f} s"))
    if not first:
        rows.append(_row("fail", "nothing could be written or computed: the first master was not examined",
                         seen["first"], f"emrctl repair {seen['cluster']}"))
    if len(rows) == 2 and all(row["state"] == "ok" for row in rows):
        rows = [_row("ok", f"{rows[0]['detail']}; {rows[1]['detail']}")]
    return rows
