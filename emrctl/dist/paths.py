"""Where distributions and their inputs lie on this machine."""
from __future__ import annotations

from pathlib import Path

from ansible_collections.emr.cluster.plugins.module_utils.cloud.install.dist_cache import cache_root, dist_dir

FILES = Path(__file__).parent / "files"
LOCKS = Path(__file__).parent / "locks"


def downloads_dir() -> Path:
    """Folder of the verified inputs."""
    return cache_root() / "downloads"


__all__ = ["FILES", "LOCKS", "cache_root", "dist_dir", "downloads_dir"]
