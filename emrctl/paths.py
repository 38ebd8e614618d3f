"""Where things lie: the collection that this program belongs to, and the caller's cache folder."""
from __future__ import annotations

import os
import time
from pathlib import Path

RUNS_KEPT = 40


def collections_root() -> Path:
    """The folder that holds ``ansible_collections``: the checkout, or site-packages when installed from a wheel."""
    return Path(__file__).resolve().parent.parent


def cache_dir() -> Path:
    """``~/.cache/emr``, or what EMR_CACHE says; made when it is missing."""
    path = Path(os.environ.get("EMR_CACHE") or Path.home() / ".cache" / "emr")
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path


def new_run_dir(label: str) -> Path:
    """A fresh private folder for one run; runs beyond the newest RUNS_KEPT that no process uses are removed."""
    runs = cache_dir() / "runs"
    runs.mkdir(mode=0o700, exist_ok=True)
    now = time.time()
    stamp = f"{time.strftime('%Y%m%d-%H%M%S', time.localtime(now))}.{int(now % 1 * 1e6):06d}"
    path = runs / f"{stamp}-{label}-{os.getpid()}"
    path.mkdir(mode=0o700)
    _prune(runs)
    return path


def _prune(runs: Path) -> None:
    old = sorted(p for p in runs.iterdir() if p.is_dir())[:-RUNS_KEPT]
    for path in old:
        if not _in_use(path):
            import shutil

            shutil.rmtree(path, ignore_errors=True)


def _in_use(run: Path) -> bool:
    try:
        os.kill(int((run / "pid").read_text()), 0)
    except (OSError, ValueError):
        return False
    return True
