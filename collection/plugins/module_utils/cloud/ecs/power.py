"""Start and stop instances, and what they cost while they are stopped. Times are seconds.

Stopped with StoppedMode=StopCharging an instance gives its processors, memory and public address back, and only its disks cost.
That is for pay-as-you-go instances without local disks; the address inside the VPC stays.
"""
from __future__ import annotations

from ...domain.errors import EmrError
from ...domain.waiting import wait
from ..cluster.finder import cluster_instances
from .client import EcsClient, EcsError

LIMIT = 600.0
SAVING, KEEPING = "StopCharging", "KeepCharging"


def start_instances(client: EcsClient, ids: list) -> None:
    """Start instances, 100 a call. One that was started meanwhile is fine. Raises EmrError when they are sold out."""
    for first in range(0, len(ids), 100):
        try:
            client.call("StartInstances", InstanceId=ids[first:first + 100])
        except EcsError as error:
            if error.is_a("OperationDenied.NoStock"):
                raise EmrError(f"Not all stopped instances can start now: {error.message}",
                               "They released their resources when they stopped, and others took them. Their disks are safe. "
                               "Run the same command again later") from None
            if not error.is_a("IncorrectInstanceStatus"):
                raise


def cannot_save(client: EcsClient, instances: list) -> dict:
    """{instance name: why} of those that go on costing as much while they are stopped."""
    prepaid = {i["InstanceName"]: "it is paid for in advance" for i in instances if i.get("InstanceChargeType") == "PrePaid"}
    types = sorted({i.get("InstanceType", "") for i in instances})
    local: set = set()
    for first in range(0, len(types), 10):
        local |= {row["InstanceTypeId"] for row in client.items("DescribeInstanceTypes", InstanceTypes=types[first:first + 10])
                  if row.get("LocalStorageCategory")}
    return {**{i["InstanceName"]: f"{i['InstanceType']} has local disks" for i in instances
               if i.get("InstanceType") in local}, **prepaid}


def stop_instances(client: EcsClient, cluster: str, cluster_id: str, limit: float = LIMIT) -> list:
    """Stop all instances of a cluster, as cheaply as each can be, and wait for it; returns them."""
    asked: set = set()
    keeping = None
    found: list = []

    def running() -> list:
        nonlocal keeping
        found[:] = cluster_instances(client, cluster, cluster_id)
        rest = [i for i in found if i.get("Status") != "Stopped"]
        keeping = cannot_save(client, found) if rest and keeping is None else keeping
        for mode in (SAVING, KEEPING):
            ids = [i["InstanceId"] for i in rest if i.get("Status") == "Running" and i["InstanceId"] not in asked
                   and (i["InstanceName"] in keeping) == (mode == KEEPING)]
            for first in range(0, len(ids), 100):
                client.call("StopInstances", InstanceId=ids[first:first + 100], StoppedMode=mode)
            asked.update(ids)
        return rest
    rest = wait(running, limit, 0.5)
    if rest:
        raise EmrError(f"Not stopped after {limit:.0f} s: {', '.join(i['InstanceName'] for i in rest[:10])}",
                       "Look at them in the console, then run the command again")
    return found


def still_charged(instances: list) -> list:
    """Names of the stopped instances that cost as much as if they ran."""
    return sorted(i["InstanceName"] for i in instances if i.get("Status") == "Stopped" and i.get("StoppedMode") != SAVING)


def standing_price(client: EcsClient, instances: list) -> dict:
    """{hourly, currency} of instances as they stand now: of those that save, only the disks. {} when the API gives no price."""
    disks: dict = {}
    for disk in client.items("DescribeDisks", ZoneId=instances[0].get("ZoneId")):
        row = disks.setdefault(disk.get("InstanceId"), {"system": None, "data": []})
        shape = (disk.get("Category", ""), int(disk.get("Size") or 0))
        if disk.get("Type") == "system":
            row["system"] = shape
        else:
            row["data"].append(shape)
    shapes: dict = {}
    for instance in instances:
        row = disks.get(instance["InstanceId"], {"system": None, "data": []})
        shape = (instance.get("InstanceType", ""), instance.get("SpotStrategy", "NoSpot"), row["system"], tuple(sorted(row["data"])),
                 instance.get("Status") == "Stopped" and instance.get("StoppedMode") == SAVING)
        shapes[shape] = shapes.get(shape, 0) + 1
    try:
        prices = [(count, *_price(client, instances[0], shape)) for shape, count in shapes.items()]
    except EcsError:
        return {}
    return {"hourly": round(sum(count * each for count, each, _currency in prices), 4), "currency": prices[0][2]}


def _price(client: EcsClient, like: dict, shape: tuple) -> tuple:
    """(price per hour, currency) of one instance of this shape."""
    kind, spot, system, data, saves = shape
    system_disk = {"Category": system[0], "Size": system[1]} if system else None
    answer = client.call("DescribePrice", ResourceType="instance", InstanceType=kind, PriceUnit="Hour", Amount=1,
                         InstanceNetworkType="vpc", IoOptimized="optimized", ImageId=like.get("ImageId"),
                         ZoneId=like.get("ZoneId"), SystemDisk=system_disk,
                         DataDisk=[{"Category": c, "Size": n} for c, n in data] or None,
                         SpotStrategy=None if spot == "NoSpot" else spot)
    price = (answer.get("PriceInfo") or {}).get("Price") or {}
    rows = ((price.get("DetailInfos") or {}).get("DetailInfo")) or []
    whole = float(price.get("TradePrice") or price.get("OriginalPrice") or 0)
    machine = sum(float(r.get("TradePrice") or 0) for r in rows if r.get("Resource") == "instanceType")
    return (whole - machine if saves else whole), price.get("Currency", "")
