"""Faults that the local ECS injects, so that clients meet what the cloud does on its bad days.

Set over ``POST /_local/faults`` (merged into what is set), read with GET, cleared with DELETE. Kept in the state
folder. All fields are optional:

    throttle          share of calls refused with Throttling.User, 0 to 1 (drawn from ``seed``)
    seed              seed of the draws (default 0)
    visibility_delay  seconds until new instances and tag changes are seen: a number or [least, most]; default [1, 2]
    no_stock          instance types that are sold out
    slow_boot         seconds added to the boot of every instance
    region_failure    regions in which every call answers ServiceUnavailable
    latency           seconds added to every call
    denied            actions (patterns such as ``Run*`` or ``ecs:Run*``) for which the caller has no permission
    role_denied       {role: [actions]}: the same for calls with credentials of a role
    no_default_vpc    regions in which the account has no VPC and no vSwitch from the start
    quota             number of instances that the account may have
    token_seconds     temporary credentials live so long, whatever was asked for (0: as asked)
    die               ids or names (patterns) of instances whose host is killed once it runs: they become Stopped;
                      {"instance": pattern, "released": true} releases them instead. Used up when something matched
    spot_notice       ids or names (patterns) of spot instances that get notice and are then taken back; used up too
    spot_notice_seconds  time from notice to release (default 300)
    errors            list of {action, code, times, status, after}: the next ``times`` calls of the action fail with
                      the code; with ``after`` the action is done first and only its answer is lost. The code
                      ``Disconnect`` closes the connection instead of answering; for OSS, with ``bytes``, after so
                      many bytes of the object, sent or received
"""
from __future__ import annotations

import json
import os
import random
import threading
import time
from fnmatch import fnmatchcase
from pathlib import Path

from .api.errors import ApiError

DEFAULTS = {"throttle": 0.0, "seed": 0, "visibility_delay": [1.0, 2.0], "no_stock": [], "slow_boot": 0.0,
            "region_failure": [], "latency": 0.0, "denied": [], "quota": 0, "errors": [],
            "no_default_vpc": [], "role_denied": {}, "token_seconds": 0.0, "die": [], "spot_notice": [], "spot_notice_seconds": 300.0}


class FaultError(ValueError):
    """A fault setting is not understood."""


class Faults:
    """Current faults; thread-safe."""

    def __init__(self, path: Path | None = None):
        self._path = path
        self._lock = threading.Lock()
        self._values = dict(DEFAULTS)
        self._random = random.Random(0)
        if path and path.exists():
            self.set(json.loads(path.read_text()))

    def get(self) -> dict:
        """All settings."""
        with self._lock:
            return json.loads(json.dumps(self._values))

    def set(self, changes: dict) -> dict:
        """Merge changes and return all settings. Raises FaultError for names or values that make no sense."""
        if not isinstance(changes, dict):
            raise FaultError("faults are a JSON object")
        for name, value in changes.items():
            _check(name, value)
        with self._lock:
            self._values.update(changes)
            if "seed" in changes or "throttle" in changes:
                self._random = random.Random(self._values["seed"])
            self._save()
        return self.get()

    def clear(self) -> dict:
        """Back to the defaults."""
        with self._lock:
            self._values = dict(DEFAULTS)
            self._random = random.Random(0)
            self._save()
        return self.get()

    def _save(self) -> None:
        if self._path:
            temporary = self._path.with_suffix(".tmp")
            temporary.write_text(json.dumps(self._values))
            os.replace(temporary, self._path)

    def before(self, action: str, region: str) -> None:
        """Delay or refuse a call before it is done. Raises ApiError."""
        with self._lock:
            latency = self._values["latency"]
            throttled = self._values["throttle"] and self._random.random() < self._values["throttle"]
            failed = region in self._values["region_failure"]
            code = None if throttled or failed else self._take(action, after=False)
        if latency:
            time.sleep(latency)
        if failed:
            raise ApiError("ServiceUnavailable")
        if throttled:
            raise ApiError("Throttling.User")
        if code:
            detail = {"bytes": code["bytes"]} if "bytes" in code else None
            raise ApiError(code["code"], status=code.get("status", 0), detail=detail)

    def after(self, action: str) -> None:
        """Lose the answer of a call that was done. Raises ApiError."""
        with self._lock:
            code = self._take(action, after=True)
        if code:
            raise ApiError(code["code"], status=code.get("status", 0))

    def _take(self, action: str, after: bool):
        """The next planned error of this action, used up; None when there is none."""
        for entry in self._values["errors"]:
            if bool(entry.get("after")) == after and entry["action"] == action and entry.get("times", 1) > 0:
                entry["times"] = entry.get("times", 1) - 1
                self._save()
                return entry
        return None

    def consume(self, name: str, entry) -> None:
        """Take an entry that has had its effect out of a list."""
        with self._lock:
            self._values[name] = [other for other in self._values[name] if other != entry]
            self._save()

    def denied(self, action: str, role: str = "") -> bool:
        """Whether the caller, with credentials of this role if any, has no permission for the action."""
        with self._lock:
            patterns = self._values["denied"] + (self._values["role_denied"].get(role, []) if role else [])
            return any(fnmatchcase(action, pattern.rpartition(":")[2]) for pattern in patterns)

    def visible_after(self) -> float:
        """Seconds until a change made now is seen."""
        with self._lock:
            delay = self._values["visibility_delay"]
            return self._random.uniform(*delay) if isinstance(delay, list) else float(delay)

    def sold_out(self, instance_type: str) -> bool:
        """Whether the type is sold out by a fault."""
        with self._lock:
            return instance_type in self._values["no_stock"]

    def value(self, name: str):
        """One setting."""
        with self._lock:
            return self._values[name]


def _check(name: str, value) -> None:
    """Raises FaultError unless the value is of the kind that the setting needs."""
    if name not in DEFAULTS:
        raise FaultError(f"unknown fault {name!r}; known: {', '.join(sorted(DEFAULTS))}")
    if name in ("no_stock", "no_default_vpc", "region_failure", "denied", "spot_notice"):
        good = _texts(value)
    elif name == "role_denied":
        good = isinstance(value, dict) and all(_texts(v) for v in value.values())
    elif name == "die":
        good = isinstance(value, list) and all(
            isinstance(v, str) or isinstance(v, dict) and isinstance(v.get("instance"), str) for v in value)
    elif name == "errors":
        good = isinstance(value, list) and all(
            isinstance(v, dict) and {"action", "code"} <= set(v) and _whole(v.get("bytes", 0)) for v in value)
    elif name == "visibility_delay" and isinstance(value, list):
        good = len(value) == 2 and all(_seconds(v) for v in value) and value[0] <= value[1]
    elif name in ("seed", "quota"):
        good = _whole(value)
    else:
        good = _seconds(value) and (name != "throttle" or value <= 1)
    if not good:
        raise FaultError(f"fault {name} cannot be {value!r}")


def _texts(value) -> bool:
    return isinstance(value, list) and all(isinstance(v, str) for v in value)


def _whole(value) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _seconds(value) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and value >= 0
