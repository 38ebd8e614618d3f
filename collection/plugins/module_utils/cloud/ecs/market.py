"""What a zone sells, from the API alone: instance types with stock and price, disks, spot prices, places, images.

Read-only. Prices are per hour in the account's currency. Nothing here is a list of our own.
"""
from __future__ import annotations

import ipaddress
import socket
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from ...domain.errors import Refused
from ...domain.sizing.advice import Market, Shape, shortlist
from ...domain.sizing.disks import DiskOffer
from ...domain.sizing.needs import Needs
from ...domain.spec.schema import DISK_CATEGORIES
from .client import EcsClient, EcsError, split_endpoint

POOL = 8
_BASE_DISK = 40


def zone_resources(client: EcsClient, zone: str, resource: str, **params) -> list:
    """The rows of DescribeAvailableResource for one kind of resource in a zone."""
    answer = client.call("DescribeAvailableResource", DestinationResource=resource, ZoneId=zone, IoOptimized="optimized",
                         InstanceChargeType="PostPaid", **params)
    rows = []
    for row in (answer.get("AvailableZones") or {}).get("AvailableZone") or []:
        if row.get("ZoneId") == zone:
            for found in (row.get("AvailableResources") or {}).get("AvailableResource") or []:
                rows += (found.get("SupportedResources") or {}).get("SupportedResource") or []
    return rows


def read_shapes(client: EcsClient, zone: str) -> tuple:
    """All instance types that the zone sells, in stock or not, without prices."""
    stock = {r["Value"]: r.get("Status", "Available") == "Available" for r in zone_resources(client, zone, "InstanceType")}
    rows = client.items("DescribeInstanceTypes")
    return tuple(
        Shape(r["InstanceTypeId"], int(r["CpuCoreCount"]), int(float(r["MemorySize"]) * 1024), stock[r["InstanceTypeId"]],
              level=r.get("InstanceFamilyLevel", ""), arch=r.get("CpuArchitecture", "X86"),
              gpus=int(r.get("GPUAmount") or 0), local_disks=int(r.get("LocalStorageAmount") or 0))
        for r in sorted(rows, key=lambda r: r["InstanceTypeId"]) if r["InstanceTypeId"] in stock)


def read_market(client: EcsClient, zone: str, image: str, needs: Needs) -> Market:
    """What the zone sells that could serve these needs, with prices. Raises EcsError, Refused."""
    shapes = read_shapes(client, zone)
    if not shapes:
        raise Refused(f"The zone {zone} sells no instance types to this account", "Take another --zone")
    wanted = shortlist(shapes, needs)
    categories = [(r["Value"], int(r.get("Min") or 20), int(r.get("Max") or 32768))
                  for r in zone_resources(client, zone, "DataDisk") if r.get("Status", "Available") == "Available"]
    known = [c for c in categories if c[0] in DISK_CATEGORIES]
    with ThreadPoolExecutor(POOL) as pool:
        disks = [d for d in pool.map(lambda c: _disk(client, zone, *c), known) if d]
        system = disks[0].category if not any(d.category == "cloud_essd" for d in disks) and disks else "cloud_essd"
        priced = dict(zip(wanted, pool.map(lambda name: _price(client, zone, image, name, system), wanted)))
        spot = {} if needs.workload != "batch" else {
            name: found[0] for name, found in zip(wanted, pool.map(
                lambda name: _price(client, zone, image, name, system, spot=True), wanted)) if found}
    currency = next((p[1] for p in priced.values() if p), "")
    source = next((p[2] for p in priced.values() if p), "")
    return Market(tuple(replace(s, price_hour=(priced.get(s.name) or (None,))[0]) for s in shapes), tuple(disks), currency,
                  source, spot)


def _fresh(client: EcsClient) -> EcsClient:
    """A client for one thread."""
    return EcsClient(client.region, client.credentials, client.endpoint, client.patience)


def _price(client: EcsClient, zone: str, image: str, name: str, system: str, spot: bool = False) -> tuple | None:
    """(price of one instance with its system disk, currency, note); None when the API gives no price for it."""
    try:
        info = _fresh(client).call(
            "DescribePrice", ResourceType="instance", InstanceType=name, PriceUnit="Hour", Amount=1, ZoneId=zone,
            InstanceNetworkType="vpc", IoOptimized="optimized", ImageId=image,
            SystemDisk={"Category": system, "Size": _BASE_DISK}, SpotStrategy="SpotAsPriceGo" if spot else None,
        ).get("PriceInfo") or {}
    except EcsError as error:
        if error.transient or "Forbidden" in error.code or "Permission" in error.code:
            raise
        return None
    price = info.get("Price") or {}
    amount = float(price.get("TradePrice") or price.get("OriginalPrice") or 0)
    note = "; ".join(r.get("Description", "") for r in (info.get("Rules") or {}).get("Rule") or [])
    return (amount, price.get("Currency", ""), note) if amount else None


def _disk(client: EcsClient, zone: str, category: str, least: int, most: int) -> DiskOffer | None:
    """A disk category with its price per GiB, which is the same for every size; None when the API gives no price."""
    size = min(max(least, 1000), most)
    try:
        info = _fresh(client).call("DescribePrice", ResourceType="disk", PriceUnit="Hour", ZoneId=zone,
                                   DataDisk=[{"Category": category, "Size": size}]).get("PriceInfo") or {}
    except EcsError as error:
        if error.transient or "Forbidden" in error.code or "Permission" in error.code:
            raise
        return None
    price = info.get("Price") or {}
    return DiskOffer(category, least, most, float(price.get("TradePrice") or price.get("OriginalPrice") or 0) / size)


def spot_history(client: EcsClient, zone: str, instance_type: str) -> dict:
    """Recent spot prices of a type: least, most, latest, pay-as-you-go price, number of samples. Empty when unknown."""
    try:
        answer = client.call("DescribeSpotPriceHistory", InstanceType=instance_type, NetworkType="vpc",
                             IoOptimized="optimized", ZoneId=zone)
    except EcsError as error:
        if error.transient:
            raise
        return {}
    rows = sorted((r for r in (answer.get("SpotPrices") or {}).get("SpotPriceType") or [] if r.get("ZoneId") == zone),
                  key=lambda r: r["Timestamp"])
    if not rows:
        return {}
    prices = [float(r["SpotPrice"]) for r in rows]
    return {"least": min(prices), "most": max(prices), "latest": prices[-1], "samples": len(prices),
            "from": rows[0]["Timestamp"], "to": rows[-1]["Timestamp"], "payg": float(rows[-1].get("OriginPrice") or 0),
            "currency": answer.get("Currency", "")}


def find_vswitch(client: EcsClient, zone: str | None) -> dict | None:
    """The vSwitch with the most free addresses, in this zone or in any; None when there is none."""
    rows = [v for v in client.items("DescribeVSwitches", ZoneId=zone or None)
            if v.get("Status", "Available") == "Available" and (not zone or v.get("ZoneId") == zone)]
    return min(rows, default=None, key=lambda v: (-int(v.get("AvailableIpAddressCount") or 0), v.get("ZoneId", ""), v["VSwitchId"]))


def zone_without_network(client: EcsClient, zone: str | None) -> str:
    """The zone for a vSwitch that is to be made: this one, else that which has the most instance types in stock. Raises Refused."""
    zones = sorted(z["ZoneId"] for z in client.items("DescribeZones"))
    if zone and zone not in zones:
        raise Refused(f"There is no vSwitch in {zone}, which is not a zone of {client.region}", "It has: " + ", ".join(zones))
    if zone or not zones:
        return zone or ""

    def stock(name: str) -> int:
        rows = zone_resources(_fresh(client), name, "InstanceType")
        return sum(r.get("Status", "Available") == "Available" for r in rows)

    with ThreadPoolExecutor(POOL) as pool:
        found = dict(zip(zones, pool.map(stock, zones)))
    return max(zones, key=lambda name: (found[name], [-ord(c) for c in name]))


def vswitch(client: EcsClient, vswitch_id: str) -> dict:
    """This vSwitch. Raises Refused when there is none of this id."""
    found = [v for v in client.items("DescribeVSwitches", VSwitchId=vswitch_id) if v["VSwitchId"] == vswitch_id]
    if not found:
        raise Refused(f"The vSwitch {vswitch_id} does not exist in {client.region}", "Correct --vswitch")
    return found[0]


def source_address(target: str, port: int = 443) -> str:
    """This machine's address towards a host name or address; empty when there is no way. Sends nothing."""
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.connect((target, port))
            return probe.getsockname()[0]
    except OSError:
        return ""


def suggested_ssh_from(client: EcsClient, cidr: str, access: str) -> str:
    """The network to admit, as far as this machine can know how the nodes see it; else empty.

    Inside the VPC that is the address towards the vSwitch. From outside, a private address is translated on the way
    and says nothing about the one that arrives.
    """
    if access == "vpc":
        address = source_address(str(ipaddress.ip_network(cidr, strict=False)[1]))
    else:
        host = split_endpoint(client.endpoint)[1].rpartition("@")[2].partition(":")[0]
        address = source_address(host)
        if address and not ipaddress.ip_address(address).is_global:
            address = ""
    return f"{address}/32" if address and not ipaddress.ip_address(address).is_loopback else ""
