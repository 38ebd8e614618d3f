"""Data disks: sparse files behind loop devices."""
from __future__ import annotations

import json
import re
import threading
import time
from pathlib import Path

from emrctl.local.shell import DriverError, run

SERIAL = re.compile(r"[A-Za-z0-9_-]{1,40}")
_attach = threading.Lock()


def make(path: Path, size_gib: int) -> None:
    """Create an empty disk, or leave an existing one with its data alone. Raises DriverError when it is too small."""
    path.parent.mkdir(parents=True, exist_ok=True)
    size = size_gib * 2**30
    with path.open("ab") as disk:
        if disk.tell() == 0:
            disk.truncate(size)
    if path.stat().st_size < size:
        raise DriverError(f"disk {path.name}: has {path.stat().st_size} bytes, expected {size}")


def _devices() -> list[dict]:
    listing = run(["losetup", "--list", "--json", "--output", "NAME,BACK-FILE"]).strip()
    return json.loads(listing)["loopdevices"] if listing else []


def _file(device: dict) -> str:
    """Path of the file behind a loop device, also after the file was deleted."""
    return (device.get("back-file") or "").removesuffix(" (deleted)")


def attach(path: Path) -> str:
    """Loop device of a disk's file, attached if it is not yet. Raises DriverError."""
    with _attach:
        for device in _devices():
            if _file(device) == str(path):
                return device["name"]
        return run(["losetup", "--find", "--show", str(path)]).strip()


def attached_below(folder: Path) -> list[str]:
    """Loop devices whose file lies below folder."""
    return [each["name"] for each in _devices() if _file(each).startswith(f"{folder}/")]


def detach_below(folder: Path) -> None:
    """Detach every loop device whose file lies below folder. Raises DriverError when one stays in use for 10 s."""
    for _ in range(200):
        ours = attached_below(folder)
        if not ours:
            return
        for name in ours:
            run(["losetup", "--detach", name], check=False)
        time.sleep(0.05)
    raise DriverError(f"loop devices {', '.join(ours)} of {folder} stay in use")
