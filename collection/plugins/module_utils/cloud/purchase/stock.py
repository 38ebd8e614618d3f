"""Whether everything that a plan buys can be had, asked before the first of it is bought.

DescribeAvailableResource says of a type whether it is in stock, not how many, and of each type by itself. RunInstances with DryRun
says it of a number, and groups that want the same type are asked for together. Read-only; a thread for each type.
"""
from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from ..ecs.client import EcsClient, EcsError

# The next instance type is tried after these.
NO_STOCK = ("OperationDenied.NoStock", "Zone.NotOnSale", "OperationDenied.ZoneNotOnSale", "QuotaExceed.ElasticQuota",
            "InvalidInstanceType.NotSupported", "InvalidInstanceType.ZoneNotSupported", "InvalidResourceType.NotSupported",
            "OperationDenied.InstanceTypeNotSupported", "InvalidInstanceType.ValueNotSupported")
POOL = 8
# The most that one call may ask for.
_MOST = 100


@dataclass(frozen=True)
class Lack:
    """A group of which no type can be had in the number that is wanted, beside what the groups before it take."""

    group: str
    count: int
    reasons: tuple
    shared: tuple = ()

    def __str__(self) -> str:
        beside = f", beside what {' and '.join(self.shared)} {'takes' if len(self.shared) == 1 else 'take'}" if self.shared else ""
        return f"Group {self.group}: {self.count} nodes cannot be bought{beside}: {'; '.join(self.reasons)}"


def in_words(error: EcsError) -> str:
    """Why a type cannot be had."""
    if error.is_a("OperationDenied.NoStock"):
        # Whoever sells may know better why there is none.
        return "out of stock" if "sold out" in error.reason or not error.reason else f"not available: {error.reason}"
    if error.is_a("Zone.NotOnSale", "OperationDenied.ZoneNotOnSale"):
        return "not sold in this zone"
    if error.is_a("QuotaExceed"):
        return f"over the account's quota ({error.code})"
    return error.code


def lacks(client: EcsClient, purchases, parameters) -> list:
    """What cannot be had of these purchases (plan.Purchase). ``parameters(purchase, type, count)``: those of RunInstances.

    Whatever else is wrong with a call is not judged here: the purchase itself says it.
    """
    wanted: dict = {}
    for purchase in purchases:
        wanted.setdefault(purchase.types[0], []).append(purchase)

    def first(name: str):
        return _refused(client, parameters, wanted[name][-1], name, sum(len(p.ordinals) for p in wanted[name]))

    with ThreadPoolExecutor(min(POOL, len(wanted) or 1)) as pool:
        if not any(pool.map(first, wanted)):
            return []
    return _one_by_one(client, purchases, parameters)


def _one_by_one(client: EcsClient, purchases, parameters) -> list:
    """As the purchase goes: each group takes the first of its types that is there beside what others have taken of it."""
    taken: dict = {}
    found = []
    for purchase in purchases:
        reasons, shared = [], []
        for name in purchase.types:
            before = taken.get(name, [])
            count = len(purchase.ordinals) + sum(len(p.ordinals) for p in before)
            refused = _refused(client, parameters, purchase, name, count)
            if not refused:
                taken.setdefault(name, []).append(purchase)
                break
            reasons.append(f"{name} {refused}")
            shared += [p.group for p in before if p.group not in shared]
        else:
            found.append(Lack(purchase.group, len(purchase.ordinals), tuple(reasons), tuple(shared)))
    return found


def _refused(client: EcsClient, parameters, purchase, name: str, count: int) -> str:
    """Why so many of a type cannot be had; empty when they can, or when that cannot be known."""
    mine = EcsClient(client.region, client.credentials, client.endpoint, client.patience)
    try:
        mine.call("RunInstances", **{**parameters(purchase, name, min(count, _MOST)), "DryRun": True})
    except EcsError as error:
        if error.is_a(*NO_STOCK):
            return in_words(error)
    return ""
