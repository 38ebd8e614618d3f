"""Text forms, for people, of what apply, configure, revert, history and export return."""
from __future__ import annotations

from emrctl import views
from emrctl.output import duration, table, to_yaml


def plan(data: dict) -> str:
    """What leaves, which settings change in which file of which node group, what restarts; then the plan."""
    found = data.get("plan", data)
    lines = [f"To drain and release: {', '.join(found['leave'])}"] if found.get("leave") else []
    rows = settings(found)
    if rows:
        lines += ["Settings that change:", table(rows, ["group", "file", "key", "from", "to"])]
    lines += [f"To {verb}: {component} on {', '.join(nodes)}" for verb, component, nodes in daemon_changes(found)]
    text = views.plan({"plan": {**found, "changes": [c for c in found.get("changes") or [] if not _told(c, found)]}})
    if lines or (data.get("difference") and not found.get("empty", True)):
        # The first sentence speaks of the cloud alone.
        text = "\n".join(line for line in text.splitlines() if not line.startswith("Nothing to buy"))
    return "\n".join([*lines, *_of_spec(data, found, lines), text])


def _of_spec(data: dict, found: dict, lines: list) -> list:
    """Changes of the spec that are not told as settings or as nodes."""
    rows = data.get("difference") or []
    if lines or found.get("buy"):
        rows = [row for row in rows if not row["key"].startswith(("config.", "node_groups."))]
    return ["Changes of the spec:", table(rows, ["key", "from", "to"])] if rows else []


def _told(change: str, found: dict) -> bool:
    """Whether a sentence is about nodes whose changes are shown in full."""
    names = {row["node"] for row in found.get("nodes") or [] if row["does"] in ("change", "start", "release")}
    return change.partition(": ")[0].split(", ")[0] in names


def settings(found: dict) -> list:
    """{group, file, key, from, to}: each changed setting once for each node group."""
    rows: dict = {}
    for node in found.get("nodes") or []:
        for row in node["settings"]:
            key = (_group(node["node"], found), row["file"], row["key"], row["from"], row["to"])
            rows.setdefault(key, {"group": key[0], **row})
    return _short([rows[key] for key in sorted(rows, key=str)])


def _short(rows: list, most: int = 8) -> list:
    """The rows; of a file of which many settings are only new, or only gone, on a group just their number."""
    parts: dict = {}
    for row in rows:
        parts.setdefault((row["group"], row["file"]), []).append(row)
    short = []
    for (group, file), found in parts.items():
        one_side = len(found) > most and (all(r["from"] is None for r in found) or all(r["to"] is None for r in found))
        verb = "set" if found[0]["from"] is None else "unset"
        short += [{"group": group, "file": file, "key": f"({len(found)} settings)", "to": verb}] if one_side else found
    return short


def daemon_changes(found: dict) -> list:
    """(verb, component, nodes) of what happens to running daemons."""
    rows: dict = {}
    for node in found.get("nodes") or []:
        for verb in ("restart", "start", "stop"):
            for component in node[f"{verb}s"]:
                rows.setdefault((verb, component), []).append(node["node"])
        for row in node.get("refreshes") or []:
            rows.setdefault(("refresh", f"{row['name']} of {row['component']}"), []).append(node["node"])
    return [(verb, component, nodes) for (verb, component), nodes in rows.items()]


def _group(node: str, found: dict) -> str:
    return node.rpartition("-")[0].removeprefix(f"{found.get('cluster')}-")


def changed(data: dict, seconds: float) -> str:
    """What was done, and what the cluster is now."""
    name = data.get("name") or "NAME"
    number = (data.get("kept") or data.get("revision") or {}).get("number")
    lines = [f"Cluster {name} is as its spec wants it after {duration(seconds)}" + (f" (revision {number})." if number else ".")]
    lines += [f"Bought: {row['count']} x {row['instance_type']} (group {row['group']})" for row in data.get("bought") or []]
    if data.get("released"):
        lines.append(f"Released: {', '.join(data['released'])}")
    lines += [f"Note: {warning}" for warning in (data.get("plan") or {}).get("warnings") or []]
    if data.get("hdfs"):
        lines.append(f"Now: {data['hdfs'].get('live')} DataNodes, {(data.get('yarn') or {}).get('active')} NodeManagers")
    return "\n".join([*lines, f"Next: emrctl status {name}"])


def history(rows: list) -> str:
    """The revisions, the newest first."""
    columns = ["number", "when", "who", "why"]
    return table(sorted(rows, key=lambda r: -r["number"]), columns) if rows else "No revisions."


def exported(spec: dict, revision: dict) -> str:
    """The spec as YAML: what says nothing is left out, and the key revision tells apply what it is based on."""
    data = {"name": spec["name"], "revision": revision["number"],
            **{k: v for k, v in spec.items() if k not in ("name", "revision") and v not in (None, {}, [])}}
    data["node_groups"] = {name: {k: v for k, v in group.items() if v is not None and v not in ({}, []) or k == "spot" and v == {}}
                           for name, group in spec["node_groups"].items()}
    note = f"# Revision {revision['number']} of cluster {spec['name']}: {revision['why']} ({revision['who']}, {revision['when']})."
    return f"{note}\n{to_yaml(data)}"
