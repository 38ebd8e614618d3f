"""Rows of findings, and what the node where the control plane lives has seen."""
from __future__ import annotations


def row(state: str, detail: str, node: str = "-", then: str = "") -> dict:
    """One finding."""
    return {"node": node, "state": state, "detail": detail, "next": then}


def from_first(seen: dict) -> dict:
    """What the control node's check returned; {} when it could not be looked at."""
    return (seen["nodes"].get(seen["control"]) or {}).get("check") or {}


def standing(found: dict, what: str, name: str) -> list:
    """Rows on those of several daemons that neither are active nor stand by. ``what``: a daemon, as people call it."""
    return [row("warn", f"the {what} does not stand by ({told['state']}): the others have less to lose", told["node"], f"emrctl repair {name}")
            for told in found.get("standing") or [] if told["state"] not in ("active", "standby")]
