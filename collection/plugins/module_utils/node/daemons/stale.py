"""Which running daemons lag behind the files of their node. The one judge of that.

The unit of a daemon copies the digests of what it is about to read to /run when it starts, and removes its marker.
"""
from __future__ import annotations

import os
import time

from ...domain import paths
from ..common import read_text, unit_states, write_atomic

DIGESTS = paths.DIGESTS
MARKS = paths.RESTART_MARKS
RUNNING = ("active", "activating", "reloading")


def wants_restart(name):
    """Whether a running daemon has to restart: it read other files than there are, or a marker asks for it."""
    read, wanted = read_text(f"{paths.RUN}/{name}/config-digest"), read_text(f"{DIGESTS}/{name}")
    return (read or "").strip() != (wanted or "").strip() or os.path.exists(f"{MARKS}/{name}")


def wants_refresh(name):
    """Names of the refreshes that a running daemon lacks."""
    has, wanted = _rows(f"{paths.RUN}/{name}/refresh-digest"), _rows(f"{DIGESTS}/{name}.refresh")
    return sorted(key for key in wanted if has.get(key) != wanted[key])


def note_refreshed(name, refresh, digest):
    """Record that a running daemon has taken over these settings."""
    path = f"{paths.RUN}/{name}/refresh-digest"
    rows = dict(_rows(path), **{refresh: digest})
    write_atomic(path, "".join(f"{key} {value}\n" for key, value in sorted(rows.items())))


def wanted_digest(name, refresh):
    """Digest that the files stand for now; '' when the daemon has no such refresh."""
    return _rows(f"{DIGESTS}/{name}.refresh").get(refresh, "")


def _rows(path):
    return dict(line.split(" ", 1) for line in (read_text(path) or "").splitlines() if " " in line)


def mark(names):
    """Ask for a restart of these daemons. The asking outlives this process, the operation and a reboot."""
    os.makedirs(MARKS, mode=0o755, exist_ok=True)
    for name in names:
        write_atomic(f"{MARKS}/{name}", time.strftime("%Y-%m-%dT%H:%M:%SZ\n", time.gmtime()))


def stale_parts(names):
    """{"restart": [name...], "refresh": {name: [refresh...]}, "idle": [name...]} of these daemons, in their order.

    Idle ones do not run: a start reads everything there is.
    """
    states = unit_states([f"emr-{name}" for name in names])
    running = [name for name in names if states.get(f"emr-{name}", {}).get("ActiveState") in RUNNING]
    restart = [name for name in running if wants_restart(name)]
    lacking = {name: wants_refresh(name) for name in running if name not in restart}
    return {"restart": restart, "refresh": {name: rows for name, rows in lacking.items() if rows},
            "idle": [name for name in names if name not in running]}
