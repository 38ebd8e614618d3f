"""Nodes that were found a short while ago, for operations that only need a way to the master and are asked for again and again.

Finding nodes costs some calls of the API and the import of its client, which is most of what submitting a job costs. Only what
``found`` returns is kept, for this user alone; a change of the cluster from this machine forgets it. A way that leads
nowhere any more is an unreachable host, never a wrong one: host keys are checked.
"""
from __future__ import annotations

import hashlib
import json
import os
import time
from pathlib import Path


def _path(operation, arguments: dict) -> Path:
    parts = [operation.name, operation.client.region, operation.client.credentials.identity, os.environ.get("ALIBABA_CLOUD_ECS_ENDPOINT", ""),
             arguments.get("address"), arguments.get("user"), arguments.get("private_key_file")]
    root = Path(os.environ.get("EMR_CACHE") or Path.home() / ".cache" / "emr")
    return root / "nodes" / f"{hashlib.sha256(json.dumps(parts, default=str).encode()).hexdigest()[:32]}.json"


def recall(operation, arguments: dict):
    """The result of a look that is at most ``remember_s`` old; None without one."""
    try:
        found = json.loads(_path(operation, arguments).read_text(encoding="utf-8"))
        return found["result"] if 0 <= time.time() - found["at"] <= arguments["remember_s"] else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def keep(operation, arguments: dict, result: dict) -> None:
    """Remember a result; a folder that cannot be written is no error."""
    path = _path(operation, arguments)
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = path.with_suffix(f".{os.getpid()}")
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as out:
            json.dump({"at": time.time(), "result": result}, out)
        draft.replace(path)
    except OSError:
        pass


def forget(operation, arguments: dict) -> None:
    """Forget the cluster's nodes: they change."""
    try:
        _path(operation, arguments).unlink()
    except OSError:
        pass
