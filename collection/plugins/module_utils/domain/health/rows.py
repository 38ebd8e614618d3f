"""Rows of findings, and what the node where the control plane lives has seen."""
from __future__ import annotations


def row(state: str, detail: str, node: str = "-", then: str = "") -> dict:
    """One finding."""
    return {"node": node, "state": state, "detail": detail, "next": then}


def from_first(seen: dict) -> dict:
    """What the control node's check returned; {} when it could not be looked at."""
    return (seen["nodes"].get(seen["control"]) or {}).get("check") or {}
