"""Nodes that were found a short while ago, for operations that only need a way to the master and are asked for again and again.

Finding nodes costs some calls of the API and the import of its client, which is most of what submitting a job costs. Only what
emr.cluster.nodes returns is kept, for this user alone; a change of the cluster from this machine forgets it. A way that leads
nowhere any more is an unreachable host, never a wrong one: host keys are checked.
"""
from __future__ import annotations

import hashlib
import json
import os
import time
from pathlib import Path

from ..module_utils.cloud.credentials.chain import default_region, find_credentials
from ..module_utils.cloud.install.dist_cache import cache_root
from ..module_utils.domain.errors import EmrError


def _path(name: str, region: str, identity: str, arguments: dict) -> Path:
    parts = [name, region, identity, os.environ.get("ALIBABA_CLOUD_ECS_ENDPOINT", ""),
             arguments.get("login")]
    return cache_root() / "nodes" / f"{hashlib.sha256(json.dumps(parts, default=str).encode()).hexdigest()[:32]}.json"


def _place(operation, arguments: dict) -> Path:
    return _path(operation.name, operation.client.region, operation.client.credentials.identity, arguments)


def recall(arguments: dict):
    """The result of a look that is at most ``remember_s`` old, or None: without one, and where the answer must be fresh."""
    if not arguments.get("remember_s") or not arguments.get("name") \
            or any(arguments.get(key) for key in ("lock", "may_be_stopped", "may_be_missing", "spec", "spec_file")):
        return None
    try:
        credentials = find_credentials()
        region = arguments.get("region") or credentials.region or default_region()
        found = json.loads(_path(arguments["name"], region, credentials.identity, arguments).read_text(encoding="utf-8"))
        return found["result"] if 0 <= time.time() - found["at"] <= arguments["remember_s"] else None
    except (OSError, ValueError, KeyError, TypeError, EmrError):
        # What is wrong with the credentials is said where they are needed.
        return None


def keep(operation, arguments: dict, result: dict) -> None:
    """Remember a result; a folder that cannot be written is not an error."""
    path = _place(operation, arguments)
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
        _place(operation, arguments).unlink()
    except OSError:
        pass
