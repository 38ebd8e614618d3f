"""VPCs and vSwitches (VPC API, version 2016-04-28; the older ECS actions of the same names answer alike).

Each region has a default VPC with a vSwitch in each zone (module offers). Others are made and deleted here. All hosts hang on
one bridge: an instance has an address of the local subnet, whatever CIDR its vSwitch was made with.
"""
from __future__ import annotations

import ipaddress

from .. import offers
from ..clock import new_id, stamp_seconds
from .errors import ApiError, invalid
from .registry import Call, action, page
from .tags import matches, parse_tags, seen_tags
from .tokens import remembered

# Quota of an account in a region.
MOST_VPCS = 10
# The first and the last three addresses of a vSwitch are never given away.
RESERVED_ADDRESSES = 4
_PRIVATE = tuple(ipaddress.ip_network(n) for n in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"))


def _defaults(call: Call) -> tuple:
    """(VPCs, vSwitches) that are there without having been made."""
    if call.denied or call.region in call.cloud.faults.value("no_default_vpc") or call.region not in offers.REGIONS:
        return [], []
    vpc, shared = offers.vpc_id(call.region), {"region": call.region, "cidr": str(call.cloud.subnet), "tags": {}, "default": True,
                                               "created": "2026-01-01T00:00:00Z", "ready_at": 0, "visible_at": 0}
    switches = [{**shared, "id": offers.vswitch_id(z), "vpc": vpc, "zone": z, "name": z, "seq": n - 1000}
                for n, z in enumerate(offers.REGIONS[call.region][1])]
    return [{**shared, "id": vpc, "name": "local", "seq": -1000}], switches


def _all(call: Call, kind: str) -> list:
    """All VPCs or vSwitches of the region, oldest first."""
    found = [i for i in call.tx.all(kind) if i["region"] == call.region]
    return sorted([*_defaults(call)[kind == "vswitch"], *found], key=lambda i: i["seq"])


def find_vpc(call: Call, vpc_id: str) -> dict:
    """The VPC. Raises ApiError InvalidVpcId.NotFound."""
    found = next((v for v in _all(call, "vpc") if v["id"] == vpc_id), None)
    if found is None:
        raise ApiError("InvalidVpcId.NotFound")
    return found


def find_vswitch(call: Call, vswitch_id: str) -> dict:
    """The vSwitch. Raises ApiError InvalidVSwitchId.NotFound."""
    found = next((v for v in _all(call, "vswitch") if v["id"] == vswitch_id), None)
    if found is None:
        raise ApiError("InvalidVSwitchId.NotFound")
    return found


def _network(text: str, name: str) -> ipaddress.IPv4Network:
    try:
        return ipaddress.IPv4Network(text)
    except ValueError:
        raise invalid(name) from None


def _fresh(call: Call, kind: str, name: str, **fields) -> dict:
    """Keep a new resource, Pending and unseen for a moment."""
    delay = call.cloud.faults.visible_after()
    item = {"id": new_id("vpc" if kind == "vpc" else "vsw"), "name": name, "region": call.region, "tags": parse_tags(call.get("Tag")),
            "default": False, "created": stamp_seconds(call.now), "visible_at": call.now + delay, "ready_at": call.now + 2 * delay,
            "seq": call.tx.next_number("seq"), **fields}
    call.tx.put(kind, item["id"], item)
    return item


@action("CreateVpc")
def create_vpc(call: Call) -> dict:
    """Make a VPC. Names need not be unique; a ClientToken makes the call repeatable."""
    def create() -> dict:
        network = _network(call.get("CidrBlock", "172.16.0.0/12"), "CidrBlock")
        if not any(network.subnet_of(p) for p in _PRIVATE) or network.prefixlen > 28:
            raise invalid("CidrBlock")
        if sum(v["region"] == call.region for v in call.tx.all("vpc")) >= MOST_VPCS:
            raise ApiError("QuotaExceeded.Vpc")
        call.dry_run()
        item = _fresh(call, "vpc", call.get("VpcName", ""), cidr=str(network))
        return {"VpcId": item["id"], "VRouterId": new_id("vrt"), "RouteTableId": new_id("vtb"), "ResourceGroupId": "rg-local"}
    return remembered(call, create)


@action("CreateVSwitch")
def create_vswitch(call: Call) -> dict:
    """Make a vSwitch in a VPC that is Available."""
    def create() -> dict:
        vpc = find_vpc(call, call.params["VpcId"])
        if call.params["ZoneId"] not in offers.REGIONS[call.region][1]:
            raise ApiError("InvalidZoneId.NotFound")
        if vpc["ready_at"] > call.now:
            raise ApiError("IncorrectVpcStatus")
        network = _network(call.params["CidrBlock"], "CidrBlock")
        if not network.subnet_of(ipaddress.ip_network(vpc["cidr"])) or not 16 <= network.prefixlen <= 29:
            raise invalid("CidrBlock")
        if any(network.overlaps(ipaddress.ip_network(s["cidr"])) for s in _all(call, "vswitch") if s["vpc"] == vpc["id"]):
            raise ApiError("InvalidCidrBlock.Overlapped")
        return {"VSwitchId": _fresh(call, "vswitch", call.get("VSwitchName", ""), cidr=str(network), vpc=vpc["id"],
                                    zone=call.params["ZoneId"])["id"]}
    return remembered(call, create)


def _listed(call: Call, kind: str, **wanted) -> tuple:
    rows = [i for i in _all(call, kind) if i["visible_at"] <= call.now and matches(i, call.get("Tag"), call.now)
            and all(value is None or i[field] in value.split(",") for field, value in wanted.items())
            and call.get("IsDefault", i["default"]) == i["default"]]
    return page(call, rows, 10, 50)


def _shown(call: Call, item: dict) -> dict:
    tags = [{"Key": k, "Value": v} for k, v in sorted(seen_tags(item, call.now).items())]
    return {"RegionId": call.region, "CidrBlock": item["cidr"], "CreationTime": item["created"], "IsDefault": item["default"],
            "Status": "Available" if item["ready_at"] <= call.now else "Pending", "Description": "", "Tags": {"Tag": tags},
            "ResourceGroupId": "rg-local"}


@action("DescribeVpcs")
def describe_vpcs(call: Call) -> dict:
    """VPCs by id, name and tags."""
    call.dry_run()
    items, paging = _listed(call, "vpc", id=call.get("VpcId"), name=call.get("VpcName"))
    switches = _all(call, "vswitch")
    return {"Vpcs": {"Vpc": [
        {**_shown(call, v), "VpcId": v["id"], "VpcName": v["name"], "VRouterId": "", "UserCidrs": {"UserCidr": []},
         "VSwitchIds": {"VSwitchId": [s["id"] for s in switches if s["vpc"] == v["id"]]}} for v in items]}, **paging}


@action("DescribeVSwitches")
def describe_vswitches(call: Call) -> dict:
    """vSwitches by id, VPC, zone, name and tags."""
    call.dry_run()
    items, paging = _listed(call, "vswitch", id=call.get("VSwitchId"), vpc=call.get("VpcId"), zone=call.get("ZoneId"),
                            name=call.get("VSwitchName"))
    return {"VSwitches": {"VSwitch": [
        {**_shown(call, s), "VSwitchId": s["id"], "VpcId": s["vpc"], "ZoneId": s["zone"], "VSwitchName": s["name"],
         "AvailableIpAddressCount": _free(call, s)} for s in items]}, **paging}


def _free(call: Call, vswitch: dict) -> int:
    local = call.cloud.free_addresses(call.tx)
    if vswitch["default"]:
        return local
    used = sum(i["vswitch"] == vswitch["id"] for i in call.tx.all("instance"))
    return min(local, ipaddress.ip_network(vswitch["cidr"]).num_addresses - RESERVED_ADDRESSES - used)


@action("DeleteVSwitch")
def delete_vswitch(call: Call) -> dict:
    """Delete a vSwitch in which nothing is any more."""
    vswitch = find_vswitch(call, call.params["VSwitchId"])
    if vswitch["ready_at"] > call.now:
        raise ApiError("IncorrectVSwitchStatus")
    if any(i["vswitch"] == vswitch["id"] for i in call.tx.all("instance")):
        raise ApiError("DependencyViolation", message="The specified VSwitch has dependent resources.")
    _delete(call, "vswitch", vswitch)
    return {}


@action("DeleteVpc")
def delete_vpc(call: Call) -> dict:
    """Delete a VPC without vSwitches and security groups."""
    vpc = find_vpc(call, call.params["VpcId"])
    call.dry_run()
    if any(s["vpc"] == vpc["id"] for s in _all(call, "vswitch")):
        raise ApiError("DependencyViolation.VSwitch", message="Vswitch exists in the specified vpc.")
    if any(g["vpc"] == vpc["id"] for g in call.tx.all("securitygroup")):
        raise ApiError("DependencyViolation.SecurityGroup", message="Security group exists in the specified vpc.")
    _delete(call, "vpc", vpc)
    return {}


def _delete(call: Call, kind: str, item: dict) -> None:
    if item["default"]:
        raise ApiError("OperationDenied.LocalNotSupported", item["id"])
    call.tx.delete(kind, item["id"])
