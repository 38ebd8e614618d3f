"""Files that nodes get, whatever they are for: rows as the operation configure writes them, sources of programs, and units that
look alike.
"""
from __future__ import annotations

import os

NOTE = "Written by emr.cluster: change the cluster's spec instead, local edits are lost."

_SOURCES = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def root_file(path: str, content: str, mode: str = "0644") -> dict:
    """The row of a file that belongs to root."""
    return {"path": path, "content": content, "owner": "root", "group": "root", "mode": mode}


def source(name: str) -> str:
    """Text of a module of ``module_utils`` that nodes get as a file, such as ``node/backup/tool.py``."""
    with open(os.path.join(_SOURCES, name), encoding="utf-8") as handle:
        return handle.read()


def is_source(name: str) -> bool:
    """Whether ``source`` knows this name."""
    return os.path.isfile(os.path.join(_SOURCES, name))


def boot_unit(description: str, order: str, command: str) -> str:
    """A unit that runs a command once after each boot. ``order``: the lines that say after what."""
    return f"""[Unit]
Description={description}
{order}

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart={command}

[Install]
WantedBy=multi-user.target
"""


def timer_unit(description: str, first_s: int, every_s: int) -> str:
    """A timer: seconds until its first time, and from one to the next."""
    return f"""[Unit]
Description={description}

[Timer]
OnActiveSec={first_s}
OnUnitActiveSec={every_s}
AccuracySec=5

[Install]
WantedBy=timers.target
"""
