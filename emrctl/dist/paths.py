"""Where distributions and their inputs lie on this machine."""
from __future__ import annotations

import os
from pathlib import Path

FILES = Path(__file__).parent / "files"
LOCKS = Path(__file__).parent / "locks"


def cache_root() -> Path:
    """The cache of this user: ``EMR_CACHE``, else ``~/.cache/emr``."""
    return Path(os.environ.get("EMR_CACHE") or Path.home() / ".cache" / "emr")


def dist_dir() -> Path:
    """Folder of the finished tarballs; the local ECS serves it."""
    return cache_root() / "dist"


def downloads_dir() -> Path:
    """Folder of the verified inputs."""
    return cache_root() / "downloads"
