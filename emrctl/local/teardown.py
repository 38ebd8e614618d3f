"""Taking a local ECS down so that nothing stays, from any state: running, half made, crashed, or its records lost.

Everything is looked for by what exists (processes by their mark and control group, namespaces and interfaces by name, loop
devices by file), never by what a record says should exist.
"""
from __future__ import annotations

import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from emrctl.local import cgroups, disks, internet, network, process
from emrctl.local.hosts import Host
from emrctl.local.settings import Settings
from emrctl.local.shell import DriverError, run


def host_ids(settings: Settings) -> list[str]:
    """Every host of which anything exists."""
    recorded = {path.name for path in settings.hosts.glob("[!.]*")} if settings.hosts.is_dir() else set()
    return sorted(recorded | set(cgroups.known(settings.prefix)) | set(network.known(settings.prefix)))


def down(settings: Settings, keep: bool = False) -> int:
    """Take everything away; with keep, hosts are halted in order and they and their data come back with the next `up`.

    Goes on after a failure and raises DriverError with all of them at the end. Returns the number of hosts.
    """
    failures: list[str] = []

    def attempt(step, *args) -> None:
        try:
            step(*args)
        except (DriverError, OSError) as error:
            failures.append(str(error))

    attempt(process.stop, settings)
    ids = host_ids(settings)
    with ThreadPoolExecutor(4) as pool:
        for host_id in ids:
            host = Host(settings, host_id)
            pool.submit(attempt, host.stop if keep else host.delete)
    attempt(disks.detach_below, settings.folder)
    attempt(_unmount_below, settings.folder)
    attempt(internet.withdraw_all, settings)
    attempt(network.remove_bridge, settings)
    attempt(cgroups.remove_prefix, settings.prefix)
    if not failures and not keep and settings.folder.exists():
        attempt(shutil.rmtree, settings.folder)
    if failures:
        raise DriverError("; ".join(failures))
    return len(ids)


def _unmount_below(folder: Path) -> None:
    points = [line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()]
    for point in reversed([point for point in points if point.startswith(f"{folder}/")]):
        run(["umount", "--lazy", point])


def leftovers(prefix: str) -> list[str]:
    """What is on this machine under a prefix's names."""
    links = [name.name for name in Path("/sys/class/net").iterdir()
             if name.name == f"{prefix}0" or name.name.startswith(f"{prefix}-")]
    return [*(f"interface {name}" for name in links), *(f"namespace {name}" for name in network.known(prefix)),
            *(f"control group {name}" for name in cgroups.known(prefix))]
