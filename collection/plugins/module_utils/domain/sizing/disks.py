"""Which disks a node gets. Sizes in GiB, prices per hour of one node."""
from __future__ import annotations

import math
from dataclasses import dataclass

from ..errors import Refused

# With less than this to store, a trial keeps its data on the system disk: a data disk would be mostly empty.
SYSTEM_ONLY = 100
SYSTEM_GIB = 40
# Asked for where people wait for an answer; the quickest that the zone sells is taken.
QUICK = ("cloud_essd", "cloud_auto", "cloud_ssd", "cloud_essd_entry", "cloud_efficiency")
LEAST_DISK = 100
MOST_DISKS = 8


@dataclass(frozen=True)
class DiskOffer:
    """A disk category of the zone: sizes in GiB, price per GiB and hour."""

    category: str
    least_gib: int
    most_gib: int
    price_gib: float


@dataclass(frozen=True)
class Layout:
    """Disks of one node. ``data``: (category, GiB, count) or empty; ``price_hour`` beyond a 40 GiB system disk."""

    system_category: str
    system_gib: int
    data: tuple
    price_hour: float
    reason: str


def disk_layout(need_gib: float, vcpus: int, trial: bool, workload: str, offers, system_gib: int = 0) -> Layout:
    """Disks for ``need_gib`` on one node. Raises Refused when the zone sells none."""
    if not offers:
        raise Refused("The zone sells no disks that a cluster can use", "Take another --zone")
    system = _system(offers)
    if system_gib or (trial and need_gib <= SYSTEM_ONLY):
        size = max(system_gib or 0, math.ceil((SYSTEM_GIB + need_gib) / 10) * 10)
        return Layout(system.category, size, (), max(0, size - SYSTEM_GIB) * system.price_gib,
                      f"no data disks: {need_gib:,.0f} GiB fit on the system disk")
    offer = _category(workload, offers)
    # Several disks are read at the same time: 4 to 8 a node [7], here one for two vCPUs, none under 100 GiB.
    count = max(1, min(MOST_DISKS, vcpus // 2, int(need_gib // LEAST_DISK)))
    while need_gib / count > offer.most_gib:
        count += 1
    size = max(offer.least_gib, 20, math.ceil(need_gib / count / 10) * 10)
    kind = "people wait for answers" if workload == "interactive" else "the cheapest per GiB that the zone sells"
    return Layout(system.category, SYSTEM_GIB, ((offer.category, size, count),), size * count * offer.price_gib,
                  f"{count} x {size} GiB {offer.category}: {kind}; one disk for two vCPUs, at most {MOST_DISKS} [7]")


def _system(offers) -> DiskOffer:
    """The system disk's category: the spec's default where the zone has it."""
    return next((o for name in QUICK for o in offers if o.category == name), offers[0])


def _category(workload: str, offers) -> DiskOffer:
    """Batch work and streams read and write long runs: any disk does, so the cheapest. Where people wait, the quickest."""
    if workload == "interactive":
        return _system(offers)
    return min(offers, key=lambda o: (o.price_gib, o.category))
