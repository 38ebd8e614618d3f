"""Folders in which daemons keep data: on the data disks of a node where it has some."""
from __future__ import annotations

from ..paths import STATE


def data_roots(node) -> list:
    """Folders below which a node keeps its data: one for each data disk, else none (then it is STATE, on the system disk)."""
    return [f"/data/{i}" for i in range(1, len(node.disks) + 1)]


def data_dirs(node, below_disk: str, on_system: str, most: int = 64) -> str:
    """Folders of a daemon with commas between them: one on each data disk (at most ``most``), else one on the system disk."""
    roots = data_roots(node)[:most]
    return ",".join(f"{root}/{below_disk}" for root in roots) if roots else f"{STATE}/{on_system}"


def file_uris(paths: str) -> str:
    """Such folders as addresses."""
    return ",".join(f"file://{path}" for path in paths.split(","))
