"""Empty daemons that drain themselves when they are told so by HTTP (``drain`` of a component's home).

A row is {component, base, path}.
"""
from __future__ import annotations

import time

from ..hadoop_http import Daemon, HttpError

# A daemon that is restarting answers again within so many seconds; one that does not has nothing to give away any more.
PAUSE_S, TRIES = 1.0, 4


def begin(row):
    """Tell a daemon to drain. Whether it was there, and had not drained yet."""
    daemon = Daemon(row["base"], name=row["component"])
    before = daemon.look(row["path"])
    if before is None:
        return False
    try:
        daemon.ask(row["path"], "PUT", data=b"")
    except HttpError:
        return False
    return not before.get("done")


def left(row):
    """How much a daemon still holds; 0 when it is done, or gone; None when it has begun and does not say."""
    daemon = Daemon(row["base"], name=row["component"])
    for attempt in range(TRIES):
        if attempt:
            time.sleep(PAUSE_S)
        found = daemon.look(row["path"])
        if found is not None:
            return 0 if found.get("done") else found.get("left")
    return 0
