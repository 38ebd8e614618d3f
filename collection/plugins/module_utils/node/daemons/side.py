"""Side units: small systemd units on a node that are no daemons of the catalogue.

A row is {unit, wanted, files}; ``files`` holds the unit's own file and all that comes with it. Services, timers and sockets.
"""
from __future__ import annotations

import os

from ...domain import paths
from ..common import run

UNIT_DIR = paths.UNITS


def wanted_files(rows):
    """The files of the units that shall be there; some share modules."""
    return list({file["path"]: file for row in rows if row["wanted"] for file in row["files"]}.values())


def settle(rows, changed, check):
    """Enable, start, restart or remove the units after their files were written; returns what was done, as texts.

    ``changed``: paths of the files that were (in check mode: would be) written.
    """
    notes = _removed([row for row in rows if not row["wanted"]], check)
    wanted = [row for row in rows if row["wanted"]]
    if not wanted:
        return notes
    links = [link for row in wanted for link in [_link(row["unit"])] if not os.path.lexists(link)]
    stale = {row["unit"] for row in wanted if any(file["path"] in changed for file in row["files"])}
    answers = run(["systemctl", "is-active", "--"] + [row["unit"] for row in wanted], check=False)[1].split()
    idle = {row["unit"] for row, state in zip(wanted, answers) if state not in ("active", "activating")}
    if not check:
        for link in links:
            os.makedirs(os.path.dirname(link), exist_ok=True)
            os.symlink(f"{UNIT_DIR}/{os.path.basename(link)}", link)
        if stale | idle:
            run(["systemctl", "restart", "--"] + sorted(stale | idle))
    return notes + [f"{unit}: {'restarted' if unit not in idle else 'started'}" for unit in sorted(stale | idle)]


def _link(unit):
    """The link that makes a unit start at boot."""
    target = {"timer": "timers.target", "socket": "sockets.target"}.get(unit.rpartition(".")[2], "multi-user.target")
    return f"{UNIT_DIR}/{target}.wants/{unit}"


def _removed(rows, check):
    """Stop units that are there and shall not be, and delete their files. Looks at one path for each."""
    found = [row for row in rows if os.path.exists(f"{UNIT_DIR}/{row['unit']}")]
    if found and not check:
        run(["systemctl", "stop", "--"] + [row["unit"] for row in found])
        for row in found:
            for path in [file["path"] for file in row["files"]] + [_link(row["unit"])]:
                if os.path.lexists(path):
                    os.unlink(path)
        run(["systemctl", "daemon-reload"])
    return [f"{row['unit']}: removed" for row in found]
