"""Which machines fit a business: from what people know of their work to node groups, each with its reason.

No call of the API: what the cloud sells, has in stock and asks for it comes in as a
Market (module market). Memory of shapes is MiB, volumes are GiB, prices are per hour in the market's currency.
The rules cite advice_needs.SOURCES by number; rules without one are this project's own and say so.
"""
from __future__ import annotations

import math
import re
from dataclasses import dataclass, field, replace

from ...services.hdfs import replication
from ...services.registry import COMPONENTS
from ...services.yarn import yarn_memory
from ..errors import Refused
from ..spec.schema import MAX_COUNT
from . import memory as sizing
from .disks import Layout, disk_layout
from .needs import Demand, Needs, demand

HOURS_PER_MONTH = 730
INTERMEDIATE = 0.25   # share of the disks for intermediate data [4]
FILL = 0.8            # disks not fuller than this [5]
LEAST_NODES = 3       # so that one can leave and data still has two copies (own)
# Copying the blocks of a lost node at 1 Gbit/s takes 28 hours per 12 TiB (own).
NODE_LIMIT_GIB = 12288
LARGEST_NODE = 64     # vCPUs


@dataclass(frozen=True)
class Shape:
    """An instance type as the API describes it; ``price_hour`` with a 40 GiB system disk, None where not asked for."""

    name: str
    vcpus: int
    memory_mib: int
    in_stock: bool = True
    price_hour: float | None = None
    level: str = ""
    arch: str = "X86"
    gpus: int = 0
    local_disks: int = 0

    @property
    def gib(self) -> str:
        """Memory for people."""
        return f"{self.memory_mib / 1024:g}"


@dataclass(frozen=True)
class Market:
    """What one zone sells: shapes, disks (DiskOffer), currency, where prices come from, spot price per hour by type."""

    shapes: tuple
    disks: tuple
    currency: str = ""
    source: str = ""
    spot: dict = field(default_factory=dict)


@dataclass(frozen=True)
class Group:
    """One advised node group. ``rejected``: (alternative, why). ``price_hour`` of one node with its disks."""

    name: str
    role: str
    count: int
    types: tuple
    layout: Layout
    price_hour: float
    reasons: tuple
    rejected: tuple = ()
    spot: bool = False


@dataclass(frozen=True)
class Advice:
    """The whole advice; ``monthly`` for 730 hours."""

    needs: Needs
    demand: Demand
    groups: tuple
    currency: str
    source: str

    @property
    def hourly(self) -> float:
        return round(sum(g.count * g.price_hour for g in self.groups), 4)

    @property
    def monthly(self) -> float:
        return round(self.hourly * HOURS_PER_MONTH, 2)

    def group(self, name: str) -> Group | None:
        """The group of this name."""
        return next((g for g in self.groups if g.name == name), None)


def unfit(shape: Shape, least_mib: int) -> str:
    """Why this shape is not a candidate at all; empty when it is one."""
    if shape.arch.upper() not in ("X86", "X86_64", ""):
        return f"its processor is {shape.arch}, the image's is x86_64"
    if shape.gpus:
        return "its GPUs cost money, and Hadoop and Spark do not use them here"
    if shape.level.startswith(("CreditEntry", "Entry", "Shared")):
        return "entry level: its vCPUs are shared or throttled when credits run out, not for production [2]"
    if shape.local_disks:
        return (f"its {shape.local_disks} local disks are lost with the instance, and a spec's data_disks are cloud disks")
    # A type sold as 8 GiB may be described with a little less.
    if shape.memory_mib < least_mib * sizing.TOLERANCE:
        return f"{shape.gib} GiB of memory, under the {least_mib // 1024} GiB that a node needs here"
    if shape.vcpus > LARGEST_NODE:
        return f"{shape.vcpus} vCPUs: one node would be too large a part of the cluster"
    return "" if shape.in_stock else "sold out in this zone now"


def shortlist(shapes, needs: Needs, most: int = 40) -> list:
    """Names of the shapes worth asking a price for, since a region has a thousand: two, newest by name, of each size.

    Sizes for workers come near a sixth of the vCPUs in need, sizes for the master near its memory, and the smallest.
    """
    want = demand(needs)
    sizes: dict = {}
    for shape in sorted(shapes, key=lambda s: s.name, reverse=True):
        if not unfit(shape, want.node_mib):
            sizes.setdefault((shape.vcpus, round(shape.memory_mib / 1024)), []).append(shape.name)
    worker = max(2, min(LARGEST_NODE, want.vcpus / 6))
    # NameNode's share of a master's memory is a tenth (catalogue): a million blocks want 10 GiB.
    master = max(want.node_mib / 1024, want.blocks / 1e6 * 10)
    orders = [sorted(sizes), sorted(sizes, key=lambda s: (abs(math.log2(s[0] / worker)), s)),
              sorted(sizes, key=lambda s: (s[1] < master, abs(math.log2(s[1] / master)), s))]
    chosen = dict.fromkeys(size for trio in zip(*orders) for size in trio)
    return [name for size in chosen for name in sizes[size][:2]][:most]


def raw_gib(volume: float, nodes: int) -> float:
    """GiB of disk for this volume on so many slaves: copies, intermediate data [4], free space [5]."""
    return volume * replication(nodes) / (1 - INTERMEDIATE) / FILL


@dataclass(frozen=True)
class _Option:
    """A shape with the node count that fulfils the demand, and the monthly price of all of them."""

    shape: Shape
    compute: int
    store: int
    layout: Layout
    monthly: float

    @property
    def count(self) -> int:
        return max(self.compute, self.store)

    @property
    def each(self) -> float:
        return self.shape.price_hour + self.layout.price_hour


def _option(shape: Shape, want: Demand, needs: Needs, market: Market) -> _Option:
    compute = max(math.ceil(want.vcpus / shape.vcpus), math.ceil(want.yarn_mib / yarn_memory(shape.memory_mib)))
    store = LEAST_NODES
    while raw_gib(want.volume_gib, store) / store > NODE_LIMIT_GIB:
        store += 1
    count = max(compute, store)
    layout = disk_layout(raw_gib(want.volume_gib, count) / count, shape.vcpus, want.trial, needs.workload, market.disks)
    return _Option(shape, compute, store, layout, count * (shape.price_hour + layout.price_hour) * HOURS_PER_MONTH)


def advise(needs: Needs, market: Market) -> Advice:
    """The advice. Raises Refused when nothing fits, or when it costs more than the budget."""
    advice = _advise(needs, market)
    if needs.budget_month is not None and advice.monthly > needs.budget_month:
        raise Refused(f"This work costs {advice.monthly:,.2f} {advice.currency} a month, but the budget is "
                      f"{needs.budget_month:,.2f}", _within(needs, market, advice))
    return advice


def _within(needs: Needs, market: Market, advice: Advice) -> str:
    """What would fit the budget: a later deadline if one helps, else less data."""
    for factor in (1.5, 2, 3, 4, 6, 8, 12, 24):
        later = _advise(replace(needs, deadline_minutes=needs.deadline_minutes * factor), market)
        if later.monthly <= needs.budget_month:
            return (f"With --deadline {later.needs.deadline_minutes:g} (minutes) it costs {later.monthly:,.2f}; or raise "
                    f"--budget to {math.ceil(advice.monthly)}")
    return f"A later deadline does not help. Keep less data (--retention, --data), or raise --budget to {math.ceil(advice.monthly)}"


def _advise(needs: Needs, market: Market) -> Advice:
    want = demand(needs)
    slave, task = _workers(needs, want, market)
    workers = slave.count + (task.count if task else 0)
    master = _master(want, workers, needs, market)
    return Advice(needs, want, tuple(g for g in (master, slave, task) if g), market.currency, market.source)


def _candidates(market: Market, least_mib: int) -> tuple:
    """(shapes that fit and have a price, {name: why not} of the others)."""
    good, bad = [], {}
    for shape in market.shapes:
        reason = unfit(shape, least_mib)
        if reason:
            bad[shape.name] = reason
        elif shape.price_hour is not None:
            good.append(shape)
    if not good:
        shown = "; ".join(f"{n}: {w}" for n, w in sorted(bad.items())[:6])
        raise Refused(f"The zone sells no type that fits{': ' + shown if shown else ''}", "Take another --zone")
    return good, bad


def _workers(needs: Needs, want: Demand, market: Market) -> tuple:
    """The slaves, and where it pays the tasks on spot."""
    good, bad = _candidates(market, want.node_mib)
    options = sorted((o for o in (_option(s, want, needs, market) for s in good) if o.count <= MAX_COUNT), key=_rank)
    if not options:
        raise Refused(f"No type in stock can do this work with {MAX_COUNT} nodes", "Allow a later --deadline, or keep less data")
    best = options[0]
    rejected = _compared(best, options, market.currency) + _ruled_out(best.shape, bad, market)
    bound = "the vCPUs and memory above" if best.compute >= best.store else (
        f"at least {LEAST_NODES}, so that one can leave and its data has another copy" if best.store == LEAST_NODES
        else f"at most {NODE_LIMIT_GIB // 1024} TiB on a node, a lost one must be copied")
    reasons = [f"{best.count} x {best.shape.vcpus} vCPU, {best.shape.gib} GiB: {bound}",
               f"the cheapest of {len(options)} sizes in stock for this need: {best.monthly:,.2f} {market.currency} a month",
               _disk_reason(want.volume_gib, best.count), best.layout.reason]
    slave = Group("slave", "slave", best.count, _fallbacks(best.shape, good), best.layout, best.each, tuple(reasons),
                  tuple(rejected))
    return _with_spot(slave, best, needs, want, market)


def _disk_reason(volume: float, nodes: int) -> str:
    return (f"{raw_gib(volume, nodes):,.0f} GiB of disk: {volume:,.0f} x {replication(nodes)} copies, a quarter for "
            "intermediate data [4], disks 80 % full [5]")


def _rank(option: _Option) -> tuple:
    """Cheapest first; within one percent the size nearest to 8 vCPUs, between few large and many small nodes [7]."""
    step = round(math.log(max(option.monthly, 0.01)) * 100)
    return step, abs(math.log2(option.shape.vcpus / 8)), option.monthly, option.shape.name


def _with_spot(slave: Group, best: _Option, needs: Needs, want: Demand, market: Market) -> tuple:
    """Batch work beyond what storing needs may run on spot nodes: lost tasks are run again, no data lies there [3]."""
    extra = best.compute - best.store
    price = market.spot.get(best.shape.name)
    if needs.workload != "batch" or extra < 1:
        return slave, None
    if price is None or price > 0.7 * best.shape.price_hour:
        return replace(slave, rejected=(*slave.rejected, (f"{extra} of them as task nodes on spot",
                                                          "no spot price that saves 30 %"))), None
    layout = disk_layout(raw_gib(want.volume_gib, best.store) / best.store, best.shape.vcpus, want.trial, needs.workload,
                         market.disks)
    saving = extra * (best.shape.price_hour - price) * HOURS_PER_MONTH
    stores = replace(slave, count=best.store, layout=layout, price_hour=best.shape.price_hour + layout.price_hour,
                     reasons=(f"{best.store} x {best.shape.vcpus} vCPU, {best.shape.gib} GiB store the data, the others compute",
                              slave.reasons[1], _disk_reason(want.volume_gib, best.store), layout.reason))
    tasks = Group("task", "task", extra, slave.types, Layout(layout.system_category, 40, (), 0.0, ""), price,
                  (f"{extra} nodes only compute: batch jobs repeat what a lost node did [3]",
                   f"spot costs {price:,.3f} {market.currency} an hour now, pay-as-you-go {best.shape.price_hour:,.3f}"),
                  ((f"{best.count} slaves and no task nodes", f"{saving:,.2f} {market.currency} a month dearer"),), True)
    return stores, tasks


def _master(want: Demand, workers: int, needs: Needs, market: Market) -> Group:
    """One node for NameNode, ResourceManager and history servers."""
    heap = max(1.0, want.blocks / 1e6)
    least = 4096 if want.trial else 8192 if workers <= 10 else 16384 if workers <= 50 else 32768
    good, bad = _candidates(market, least)
    names = next(row.name for row in COMPONENTS.values() if row.leads)
    enough = [s for s in good if (want.trial or sizing.heap(names, s.memory_mib) >= heap * 1024)
              and sizing.demand(needs.services, "master", s.memory_mib) <= s.memory_mib]
    if not enough:
        raise Refused(f"No type in stock has memory for a NameNode of {want.blocks:,} blocks ({heap:,.1f} GiB of heap)",
                      "Merge small files, or take another --zone")
    best = min(enough, key=lambda s: (s.price_hour, s.name))
    size = 40 if want.trial else 120
    layout = disk_layout(0, best.vcpus, True, "interactive", market.disks, system_gib=size)
    rule = {4096: "enough for a first cluster", 8192: "8 GiB up to 10 workers", 16384: "16 GiB up to 50 workers [3]",
            32768: "32 GiB over 50 workers [3]"}[least]
    reasons = (f"{best.gib} GiB: {rule}; {want.blocks:,} blocks need {heap:,.1f} GiB of NameNode heap [6]",
               "the cheapest type in stock with that memory; the master needs memory, not many vCPUs [2]",
               f"system disk {size} GiB for the namespace, logs and job records")
    others = [s for s in sorted(enough, key=lambda s: s.price_hour) if s.name != best.name][:2]
    more = [(s.price_hour - best.price_hour) * HOURS_PER_MONTH for s in others]
    dearer = [(s.name, f"{m:,.2f} {market.currency} a month dearer, {s.gib} GiB") for s, m in zip(others, more)]
    small = [(s.name, f"{s.gib} GiB: too small for {heap:,.1f} GiB of NameNode heap") for s in good if s not in enough][:1]
    return Group("master", "master", 1, _fallbacks(best, good), layout, best.price_hour + layout.price_hour, reasons,
                 tuple(dearer + small + _ruled_out(best, bad, market)))


def _fallbacks(best: Shape, good) -> tuple:
    """The type and up to two others that may take its place: as many vCPUs, as much memory, at most 30 % dearer."""
    others = [s for s in good if s.name != best.name and s.vcpus == best.vcpus and s.price_hour <= 1.3 * best.price_hour
              and best.memory_mib <= s.memory_mib <= 2 * best.memory_mib]
    return (best.name, *(s.name for s in sorted(others, key=lambda s: (s.price_hour, s.name))[:2]))


def _compared(best: _Option, options, currency: str) -> list:
    """The runners-up: one per count and memory, so that the list shows different ways and not the same one thrice."""
    found, seen = [], {(best.count, best.shape.memory_mib)}
    for option in options[1:]:
        key = (option.count, option.shape.memory_mib)
        if key in seen or len(found) == 3:
            continue
        seen.add(key)
        more = option.monthly - best.monthly
        price = f"{more:,.2f} {currency} a month dearer" if more >= 0.01 else "as cheap, but further from 8 vCPUs a node [7]"
        found.append((f"{option.count} x {option.shape.name}",
                      f"{price} ({option.shape.vcpus} vCPU, {option.shape.gib} GiB each)"))
    return found


def _ruled_out(best: Shape, bad: dict, market: Market) -> list:
    """One example of each reason why types are not candidates, sizes near the chosen one first."""
    shapes = {s.name: s for s in market.shapes}
    found: dict = {}
    for name in sorted(bad, key=lambda n: (abs(math.log2(max(shapes[n].vcpus, 1) / best.vcpus)), n)):
        found.setdefault(re.sub(r"[0-9. ]+", "", bad[name]), (name, bad[name]))
    return list(found.values())[:4]
