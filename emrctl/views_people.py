"""Text forms of users and of what is deleted."""
from __future__ import annotations

from ansible_collections.emr.cluster.plugins.module_utils.domain.text.quantities import of_bytes
from emrctl.output import table


def users(cluster: str, found: list) -> str:
    """The users; space counts all copies, as the quota does."""
    if not found:
        return f"No users yet. Next: emrctl user add {cluster} alice"
    rows = [{"user": row["name"], "uid": row["uid"], "queue": row["queue"], "space": of_bytes(row.get("space_used")),
             "quota": of_bytes(row.get("space_quota")), "running": row.get("applications"), "note": _note(row)} for row in found]
    columns = ["user", "uid", "queue", "space", "quota", "running"] + (["note"] if any(r["note"] for r in rows) else [])
    return table(rows, columns)


def _note(row: dict) -> str:
    return row.get("note") or ("" if row.get("here", True) else "no account on the control node. Next: run emrctl apply")


def removed(what: str, cluster: str, data: dict, deleted: str | None, kept: str) -> str:
    """What a removal did with the data."""
    rows = [(node, row) for node, found in sorted((data.get("deleted") or {}).items()) for row in found]
    lines = [f"{what} is removed from cluster {cluster}."]
    if not deleted:
        lines.append(f"Data kept: {kept}")
    lines += [f"Deleted: {row['path']}" + (f" ({of_bytes(row['bytes'])})" if "bytes" in row else f" on {node}") for node, row in rows]
    return "\n".join(lines)
