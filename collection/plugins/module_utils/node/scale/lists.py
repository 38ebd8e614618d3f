"""The lists of nodes that daemons admit or drain, and telling these daemons of a change.

A list is newer than what a daemon knows when the file was renamed into place after the daemon began to start and after the
last refresh began. So a run that is killed between writing a list and refreshing loses nothing: the next one notices.
"""
from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor

from ...domain import paths
from .. import hadoop_cli
from ..common import NodeError, file_lock, read_text, unit_states, write_atomic
from ..services.node_lists import LISTS

CONF = paths.HADOOP_CONF
RUN_DIR = paths.RUN
# Held by all who change a list of excluded nodes: configure, drain, the reclaim service.
EXCLUDE_LOCK = paths.EXCLUDE_LOCK
LIMIT_S = 180


def files_of(daemon):
    """The list files of a daemon: those it admits, those it drains."""
    return [f"{CONF}/{name}" for name in LISTS[daemon]["files"]]


def exclude_path(daemon):
    """The list of nodes that this daemon drains."""
    return files_of(daemon)[1]


def excluded():
    """{daemon: set of names in its exclude list}."""
    return {daemon: set((read_text(exclude_path(daemon)) or "").split()) for daemon in LISTS}


def change(add=None, remove=()):
    """Add names to the exclude lists ({daemon: names}), or remove names from both. Returns whether a file changed."""
    changed = False
    with file_lock(EXCLUDE_LOCK, 60):
        for daemon, before in excluded().items():
            after = (before | set((add or {}).get(daemon, ()))) - set(remove)
            if after != before:
                write_atomic(exclude_path(daemon), "".join(f"{name}\n" for name in sorted(after)))
                changed = True
    return changed


def stale():
    """Daemons that run here and know an older state of their lists than the files have."""
    states = unit_states([f"emr-{daemon}" for daemon in LISTS])
    up = [d for d in LISTS if states.get(f"emr-{d}", {}).get("ActiveState") in ("active", "activating", "reloading")]
    return [daemon for daemon in up if _age_of_lists(daemon) >= _known(daemon)]


def _age_of_lists(daemon):
    times = [_mtime(path) for path in files_of(daemon)]
    return max(times) if times else 0.0


def _known(daemon):
    """When the daemon last read its lists: at its start, or at the last refresh (epoch seconds)."""
    return max(_mtime(f"{RUN_DIR}/{daemon}/config-digest"), _mtime(_marker(daemon)))


def _mtime(path):
    try:
        return os.stat(path).st_mtime
    except FileNotFoundError:
        return 0.0


def _marker(daemon):
    return f"{RUN_DIR}/{daemon}.lists"


def refresh(daemons, drain_s):
    """Have these daemons read their lists again, side by side; raises NodeError when one does not.

    Work on nodes that are drained gets ``drain_s`` seconds, which the daemon counts itself.
    """
    if not daemons:
        return []
    with ThreadPoolExecutor(len(daemons)) as pool:
        list(pool.map(lambda daemon: _refresh(daemon, drain_s), daemons))
    return [f"{daemon}: read its lists of nodes" for daemon in daemons]


def _refresh(daemon, drain_s):
    row = LISTS[daemon]
    before = _marker(daemon) + ".begun"
    write_atomic(before, "")
    words = [*row["words"], *(word.format(seconds=int(drain_s)) for word in row["timed"] if excluded()[daemon])]
    code, out, error = hadoop_cli.run(row["service"], words, row["service"], {"HADOOP_LOG_DIR": "/tmp", "HADOOP_CONF_DIR": CONF}, limit_s=LIMIT_S, check=False)
    if code:
        raise NodeError(f"the {daemon} did not read its lists of nodes again ({' '.join(words)} ended with {code}): "
                        + hadoop_cli.last_words(out, error, 5))
    os.rename(before, _marker(daemon))


def settle(drain_s, check=False):
    """Refresh what is stale. Returns what was (or would be) done, as texts."""
    found = stale()
    if check:
        return [f"{daemon}: reads its lists of nodes" for daemon in found]
    return refresh(found, drain_s)
