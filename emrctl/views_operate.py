"""Text forms of what restart, start and stop return."""
from __future__ import annotations

from emrctl.output import duration, table


def restarted(name: str, data: dict, seconds: float) -> str:
    """How many nodes took their turn, in which order."""
    turns = data.get("turns") or []
    if not turns:
        return f"No daemon of cluster {name} waits for a restart."
    shown = ", ".join("+".join(turn) for turn in turns[:12]) + (f" and {len(turns) - 12} more turns" if len(turns) > 12 else "")
    return f"Restarted on {sum(map(len, turns))} nodes of cluster {name} in {duration(seconds)}: {shown}"


def stopped(name: str, part: dict, instances: str, data: dict) -> str:
    """What stands still now, and what it costs."""
    if part:
        return f"These daemons of cluster {name} are stopped. Next: emrctl start {name} with the same options"
    if instances == "no":
        return f"The daemons of cluster {name} are stopped; its instances still run and cost money. Next: emrctl start {name}"
    lines = [f"Cluster {name} is stopped. Next: emrctl start {name}"]
    if data.get("charging"):
        lines.append(f"Stopped, but still paid in full: {', '.join(data['charging'])}")
    return "\n".join(lines)


def standing(data: dict) -> str:
    """A stopped cluster: its instances, what they cost, and how to start it."""
    price = data.get("price") or {}
    lines = [f"Cluster {data['name']} is stopped.", table(data["nodes"], ["name", "state", "stopped_mode", "instance_type"])]
    if price:
        lines.append(f"Price in this state: {price['hourly']} {price['currency']} per hour")
    if data.get("charging"):
        lines.append(f"Stopped, but still paid in full: {', '.join(data['charging'])}")
    return "\n".join([*lines, f"Next: emrctl start {data['name']}"])


def failed_over(data: dict) -> str:
    """Who was active before, and who is now."""
    return "\n".join(f"{service}: {row['to'] or 'nobody yet'} is active, before {row['from'] or 'nobody'}" for service, row in data["active"].items())
