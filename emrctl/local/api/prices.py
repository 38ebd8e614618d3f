"""Instance types, what is in stock, and the local price list."""
from __future__ import annotations

from .. import offers
from .errors import ApiError, invalid
from .registry import Call, action
from .spot import spot_price_at

_HOURS = {"Hour": 1, "Day": 24, "Week": 168, "Month": 720, "Year": 8640}


@action("DescribeInstanceTypes")
def describe_instance_types(call: Call) -> dict:
    """Types by name, family, vCPUs and memory. MemorySize is GiB here."""
    low, high = call.get("MinimumCpuCoreCount", 0), call.get("MaximumCpuCoreCount", 1 << 30)
    least, most = call.get("MinimumMemorySize", 0.0), call.get("MaximumMemorySize", 1e9)
    names, families = call.get("InstanceTypes"), set(call.get("InstanceTypeFamilies") or ())
    if call.get("InstanceTypeFamily"):
        families.add(call.get("InstanceTypeFamily"))
    rows = [t for t in offers.TYPES.values()
            if (not names or t.name in names) and (not families or t.family in families)
            and low <= t.vcpus <= high and least <= t.memory_mib / 1024 <= most]
    size = call.get("MaxResults", 1600)
    if not 1 <= size <= 1600:
        raise invalid("MaxResults")
    start = call.get("NextToken", "0")
    if not start.isdigit():
        raise ApiError("InvalidNextToken")
    first = int(start)
    token = str(first + size) if len(rows) > first + size else ""
    return {"InstanceTypes": {"InstanceType": [_type_row(t) for t in rows[first:first + size]]}, "NextToken": token}


def _type_row(item: offers.InstanceType) -> dict:
    gib = item.memory_mib / 1024
    row = {"InstanceTypeId": item.name, "InstanceTypeFamily": item.family, "CpuCoreCount": item.vcpus,
           "MemorySize": int(gib) if gib == int(gib) else gib, "CpuArchitecture": item.architecture, "GPUAmount": 0,
           "GPUSpec": "", "DiskQuantity": 17, "InstanceFamilyLevel": "EnterpriseLevel", "EniQuantity": 2,
           "EniTotalQuantity": 2, "EniPrivateIpAddressQuantity": 6, "EniIpv6AddressQuantity": 1,
           "PrimaryEniQueueNumber": 2, "SecondaryEniQueueNumber": 2, "MaximumQueueNumberPerEni": 2,
           "TotalEniQueueQuantity": 4, "EniTrunkSupported": False, "InstanceBandwidthRx": 1024000,
           "InstanceBandwidthTx": 1024000, "InstancePpsRx": 300000, "InstancePpsTx": 300000,
           "LocalStorageCategory": "", "NvmeSupport": "unsupported"}
    if item.local_disks:
        row.update(LocalStorageCategory="local_hdd_pro", LocalStorageAmount=item.local_disks,
                   LocalStorageCapacity=item.local_disk_gib)
    if item.family == "ecs.t6":
        row.update(InstanceFamilyLevel="CreditEntryLevel", BaselineCredit=40, InitialCredit=60)
    return row


@action("DescribeInstanceTypeFamilies")
def describe_instance_type_families(call: Call) -> dict:
    """Families in name order."""
    families = sorted({t.family for t in offers.TYPES.values()})
    return {"InstanceTypeFamilies": {"InstanceTypeFamily": [
        {"InstanceTypeFamilyId": f, "Generation": "ecs-" + f[-1]} for f in families]}}


@action("DescribeAvailableResource")
def describe_available_resource(call: Call) -> dict:
    """Per zone, which instance types or disk categories can be bought now."""
    target = call.params["DestinationResource"]
    zones = [z for z in offers.REGIONS[call.region][1] if call.get("ZoneId", z) == z]
    if call.get("ZoneId") and not zones:
        raise ApiError("InvalidZoneId.NotFound")
    if target == "InstanceType":
        rows = [_stock(call, t) for t in offers.TYPES.values()
                if call.get("InstanceType", t.name) == t.name and call.get("Cores", t.vcpus) == t.vcpus
                and call.get("Memory", t.memory_mib / 1024) == t.memory_mib / 1024]
    elif target in ("SystemDisk", "DataDisk"):
        rows = [{"Value": name, "Status": "Available", "StatusCategory": "WithStock", "Unit": "GiB",
                 "Min": max(least, 20) if target == "SystemDisk" else least,
                 "Max": 2048 if target == "SystemDisk" else most}
                for name, (least, most, _) in offers.DISKS.items()]
    elif target == "Zone":
        rows = [{"Value": zone, "Status": "Available", "StatusCategory": "WithStock"} for zone in zones]
    else:
        raise invalid("DestinationResource")
    available = any(r["Status"] == "Available" for r in rows)
    return {"AvailableZones": {"AvailableZone": [
        {"RegionId": call.region, "ZoneId": zone, "Status": "Available" if available else "SoldOut",
         "StatusCategory": "WithStock" if available else "WithoutStock",
         "AvailableResources": {"AvailableResource": [
             {"Type": target, "SupportedResources": {"SupportedResource": rows}}]}} for zone in zones]}}


def _stock(call: Call, item: offers.InstanceType) -> dict:
    sold_out = call.cloud.faults.sold_out(item.name) or item.memory_mib > call.cloud.free_memory(call.tx)
    return {"Value": item.name, "Status": "SoldOut" if sold_out else "Available",
            "StatusCategory": "WithoutStock" if sold_out else "WithStock"}


@action("DescribePrice")
def describe_price(call: Call) -> dict:
    """Price of instances with their disks, or of a disk, by the local price list."""
    unit = call.get("PriceUnit", "Hour")
    if unit not in _HOURS:
        raise invalid("PriceUnit")
    factor = _HOURS[unit] * call.get("Amount", 1) * call.get("Period", 1)
    kind = call.get("ResourceType", "instance")
    details = []
    if kind == "instance":
        item = offers.TYPES.get(call.get("InstanceType", ""))
        if item is None:
            raise ApiError("InvalidInstanceType.ValueNotSupported")
        spot = call.get("SpotStrategy", "NoSpot") != "NoSpot"
        zone = call.get("ZoneId", offers.REGIONS[call.region][1][0])
        details.append(("instanceType", item.price, spot_price_at(item, zone, call.now) if spot else item.price))
        details.append(_disk("systemDisk", call.get("SystemDisk.Category", "cloud_efficiency"),
                             call.get("SystemDisk.Size", 40)))
    elif kind != "disk":
        raise invalid("ResourceType")
    details += [_disk("dataDisk", d.get("Category", "cloud_efficiency"), d.get("Size", 0)) for d in _data_disks(call)]
    original, trade = (round(sum(d[i] for d in details) * factor, 4) for i in (1, 2))
    rows = [{"Resource": name, "OriginalPrice": round(o * factor, 4), "TradePrice": round(t * factor, 4),
             "DiscountPrice": round((o - t) * factor, 4)} for name, o, t in details]
    return {"PriceInfo": {"Price": {"Currency": offers.CURRENCY, "OriginalPrice": original, "TradePrice": trade,
                                    "DiscountPrice": round(original - trade, 4),
                                    "DetailInfos": {"DetailInfo": rows}},
                          "Rules": {"Rule": [{"RuleId": "LOCAL", "Description": "Local price list, not the cloud's"}]}}}


def _data_disks(call: Call) -> list:
    """DataDisk.N.*: the API lists the first four both as a repeated structure and by name."""
    disks = list(call.get("DataDisk") or ())
    for number in range(1, 5):
        entry = {f: call.get(f"DataDisk.{number}.{f}") for f in ("Category", "Size")}
        if any(v is not None for v in entry.values()):
            disks.append({k: v for k, v in entry.items() if v is not None})
    return disks


def _disk(name: str, category: str, size: int) -> tuple:
    if category not in offers.DISKS:
        raise ApiError("InvalidDataDiskCategory.ValueNotSupported")
    if not 1 <= size <= offers.DISKS[category][1]:
        raise ApiError("InvalidDataDiskSize.ValueNotSupported")
    price = offers.disk_price(category, size)
    return name, price, price
