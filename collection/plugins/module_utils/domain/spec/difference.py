"""What differs between two specs, key by key."""
from __future__ import annotations

# They say nothing about the cluster: where files come from, and which revision a document was made of.
_SILENT = ("mirrors", "revision")


def difference(before: dict, after: dict) -> list:
    """Rows {key, from, to} of two specs as plain data (Spec.to_dict), sorted by key; None stands for: not set."""
    old, new = _flat(before or {}), _flat(after or {})
    return [{"key": ".".join(path), "from": old.get(path), "to": new.get(path)} for path in sorted(set(old) | set(new))
            if old.get(path) != new.get(path)]


def _flat(data, path: tuple = ()) -> dict:
    """{path of keys: value}; lists are values. A key of a file (dfs.replication) stays one part of the path."""
    if not isinstance(data, dict) or not data:
        return {path: data} if path and data not in (None, {}, []) else {}
    found: dict = {}
    for key, value in data.items():
        if path or key not in _SILENT:
            found.update(_flat(value, (*path, str(key))))
    return found


def sentences(rows, most: int = 20) -> list:
    """The rows for people, one line each; the rest is counted."""
    lines = [f"{row['key']}: {_text(row['from'])} -> {_text(row['to'])}" for row in rows[:most]]
    return lines + ([f"and {len(rows) - most} more"] if len(rows) > most else [])


def _text(value) -> str:
    if value is None:
        return "(not set)"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(str(v) for v in value) + "]"
    return str(value)
