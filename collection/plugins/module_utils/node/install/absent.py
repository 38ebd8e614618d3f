"""Take a removed service away from a node; its data stays."""
from __future__ import annotations

import os

from ...domain import paths
from ..common import run

UNIT_DIR = paths.UNITS


def take_away(params, check):
    """Stop, disable and delete what is there of ``units``, then of ``paths`` (files and links). Returns notes."""
    units = [unit for unit in params["units"] if os.path.lexists(f"{UNIT_DIR}/{unit}.service") or os.path.lexists(_link(unit))]
    paths = [path for path in params["paths"] if os.path.lexists(path)]
    if not check:
        if units:
            run(["systemctl", "stop"] + [f"{unit}.service" for unit in units], limit_s=180)
        for path in [_link(unit) for unit in units] + [f"{UNIT_DIR}/{unit}.service" for unit in units] + paths:
            if os.path.lexists(path):
                os.unlink(path)
        if units:
            run(["systemctl", "daemon-reload"])
            run(["systemctl", "reset-failed"] + [f"{unit}.service" for unit in units], check=False)
    return [f"{unit} removed" for unit in units] + [f"{path} removed" for path in paths]


def _link(unit):
    return f"{UNIT_DIR}/multi-user.target.wants/{unit}.service"
