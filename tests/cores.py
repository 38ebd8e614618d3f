"""Other versions of ansible-core, each in a virtual environment of its own that is kept in the cache of the machine."""
from __future__ import annotations

import fcntl
import glob
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

# Version -> the least Python that runs it. The last one is the newest that the project allows.
CORES = {"2.18": (3, 11), "2.19": (3, 11), "2.21": (3, 12)}
# What the collection and emrctl need beside core.
PACKAGES = ("aliyun-python-sdk-core>=2.16,<3", "ansible-runner>=2.4,<3", "typer>=0.15")
FOLDER = Path(os.path.expanduser("~/.cache/emr/cores"))


def python_of(core: str) -> str:
    """An interpreter with this core. Made on first use, with whatever Python of this machine is new enough; skips where none is."""
    base = _base(CORES[core])
    if base is None:
        pytest.skip(f"ansible-core {core} needs Python {'.'.join(map(str, CORES[core]))}, which is not on this machine")
    FOLDER.mkdir(parents=True, exist_ok=True)
    with open(FOLDER / f"{core}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (FOLDER / core / ".complete").exists():
            shutil.rmtree(FOLDER / core, ignore_errors=True)
            subprocess.run([base, "-m", "venv", str(FOLDER / core)], check=True)
            subprocess.run([str(FOLDER / core / "bin/pip"), "-q", "install", "--disable-pip-version-check", f"ansible-core=={core}.*", *PACKAGES],
                           check=True)
            (FOLDER / core / ".complete").touch()
    return str(FOLDER / core / "bin/python")


def _base(least: tuple) -> str | None:
    """A Python of at least this version: the one that runs the tests, else the oldest that fits."""
    if sys.version_info[:2] >= least:
        return sys.executable
    names = [shutil.which(f"python3.{minor}") for minor in (12, 13)]
    for path in [n for n in names if n] + sorted(glob.glob(os.path.expanduser("~/.pyenv/versions/3.1[23].*/bin/python3"))):
        found = subprocess.run([path, "-c", f"import sys, venv; print(sys.version_info[:2] >= {least!r})"], capture_output=True, text=True,
                               check=False)
        if found.stdout.strip() == "True":
            return path
    return None
