"""RunInstances: checks, stock, and the instances as they are kept."""
from __future__ import annotations

import base64
import binascii
import re
import secrets

from .. import offers
from ..clock import new_id, stamp
from .errors import ApiError, invalid
from .groups import find_group
from .modify import release_time
from .names import check_host_name, check_instance_name, expand
from .networks import find_vswitch
from .places import zone_for
from .registry import Call, action
from .spot import spot_price_at
from .tags import parse_tags
from .tokens import remembered

MOST_AT_ONCE = 100
MOST_DATA_DISKS = 16
USER_DATA_BYTES = 32 * 1024
_SPOT = ("NoSpot", "SpotWithPriceLimit", "SpotAsPriceGo")


@action("RunInstances")
def run_instances(call: Call) -> dict:
    """Buy Amount instances, or at least MinAmount of them; without MinAmount all or none.

    Nothing is bought twice under one ClientToken. The hosts boot after the purchase is on record.
    """
    def buy() -> dict:
        plan = _plan(call)
        amount = _amount(call)
        stocked = _stocked(call, plan["type"], amount)
        call.dry_run()
        addresses = call.cloud.take_addresses(call.tx, stocked, call.get("PrivateIpAddress"))
        ids = [_record(call, plan, address, *names)
               for address, names in zip(addresses, _names(call, stocked), strict=True)]
        for instance_id in ids:
            call.after.append(lambda i=instance_id: call.cloud.engine.submit(i))
        call.after.append(lambda: call.cloud.engine.firewall.refresh(plan["groups"]))
        price = round(plan["type"].price * len(ids), 4)
        return {"InstanceIdSets": {"InstanceIdSet": ids}, "TradePrice": price}
    return remembered(call, buy)


def _amount(call: Call) -> tuple:
    amount, least = call.get("Amount", 1), call.get("MinAmount", call.get("Amount", 1))
    if not 1 <= amount <= MOST_AT_ONCE:
        raise invalid("Amount")
    if not 1 <= least <= amount:
        raise invalid("MinAmount")
    return amount, least


def _stocked(call: Call, item: offers.InstanceType, amount: tuple) -> int:
    """How many instances can be had. Raises ApiError OperationDenied.NoStock, QuotaExceed.ElasticQuota."""
    wanted, least = amount
    cloud = call.cloud
    if cloud.faults.sold_out(item.name):
        raise ApiError("OperationDenied.NoStock")
    quota = cloud.faults.value("quota")
    if quota and len(call.tx.all("instance")) + wanted > quota:
        raise ApiError("QuotaExceed.ElasticQuota")
    by_memory = max(0, int(cloud.free_memory(call.tx) // item.memory_mib))
    if by_memory < least:
        raise cloud.no_memory(call.tx, least, item.memory_mib)
    if cloud.free_addresses(call.tx) < least:
        raise ApiError("OperationDenied.NoStock", message=f"the subnet {cloud.subnet} of this local ECS has no addresses left")
    return min(wanted, by_memory, cloud.free_addresses(call.tx))


def _plan(call: Call) -> dict:
    """Everything that all instances of the call share. Raises ApiError for what the API would refuse."""
    item = offers.TYPES.get(call.get("InstanceType", ""))
    if not call.get("InstanceType"):
        raise ApiError("MissingParameter", "InstanceType")
    if item is None:
        raise ApiError("InvalidInstanceType.ValueNotSupported")
    if not call.get("ImageId") and not call.get("ImageFamily"):
        raise ApiError("MissingParameter", "ImageId")
    image = offers.IMAGES.get(call.get("ImageId", offers.IMAGE_ID))
    if image is None:
        raise ApiError("InvalidImageId.NotFound")
    if not image.system or item.architecture != "X86":
        raise ApiError("ImageNotSupportInstanceType")
    groups = call.get("SecurityGroupIds") or []
    if call.get("SecurityGroupId"):
        if groups:
            raise ApiError("InvalidParameter.Conflict", "SecurityGroupId and SecurityGroupIds")
        groups = [call.get("SecurityGroupId")]
    if not groups:
        raise ApiError("MissingParameter", "SecurityGroupId")
    vpc = find_vswitch(call, call.get("VSwitchId", ""))["vpc"] if call.get("VSwitchId") else ""
    for group in groups:
        if find_group(call, group)["vpc"] != vpc and vpc:
            raise ApiError("InvalidSecurityGroupId.VPCMismatch")
    _check_payment(call, item)
    if call.get("InternetMaxBandwidthOut", 0) not in range(101):
        raise ApiError("InvalidInternetMaxBandwidthOut.Malformed")
    if call.get("RamRoleName") and not re.fullmatch(r"[A-Za-z0-9._-]{1,64}", call.get("RamRoleName")):
        raise ApiError("InvalidRamRole.NotEcsRole")
    return {"type": item, "image": image.image_id, "zone": zone_for(call), "vpc": vpc, "options": _options(call), "groups": list(dict.fromkeys(groups)), "key": _key_pair(call),
            "tags": parse_tags(call.get("Tag")), "user_data": _user_data(call), "system_disk": _system_disk(call, item),
            "data_disks": _data_disks(call)}


def _check_payment(call: Call, item: offers.InstanceType) -> None:
    """Raises ApiError unless the instance can be paid in the way that is asked for."""
    spot = call.get("SpotStrategy", "NoSpot")
    if spot not in _SPOT:
        raise invalid("SpotStrategy")
    if call.get("InstanceChargeType", "PostPaid") != "PostPaid":
        raise ApiError("OperationDenied.PrepayNotAvailable")
    if call.get("DeletionProtection") and spot != "NoSpot":
        raise ApiError("InvalidChargeType.ValueNotSupported")
    if spot == "SpotWithPriceLimit" and call.get("SpotPriceLimit", 0.0) < spot_price_at(item, zone_for(call), call.now):
        raise ApiError("InvalidSpotPriceLimit.LowerThanPublicPrice")


def _options(call: Call) -> dict:
    """What few instances have: metadata options, a role, a time of release. Raises ApiError."""
    for name, values in (("HttpEndpoint", ("enabled", "disabled")), ("HttpTokens", ("optional", "required")),
                         ("SpotInterruptionBehavior", ("Terminate", "Stop"))):
        if call.get(name, values[0]) not in values:
            raise invalid(name)
    options = {"http_endpoint": call.get("HttpEndpoint"), "http_tokens": call.get("HttpTokens"),
               "ram_role": call.get("RamRoleName"), "resource_group": call.get("ResourceGroupId"),
               "release_at": release_time(call), "spot_stop": call.get("SpotInterruptionBehavior") == "Stop"}
    return {name: value for name, value in options.items() if value}


def _key_pair(call: Call) -> dict:
    name = call.get("KeyPairName")
    if not name:
        return {"name": "", "public_key": ""}
    pair = call.tx.get("keypair", f"{call.region}/{name}")
    if pair is None:
        raise ApiError("InvalidKeyPairName.NotFound")
    return pair


def _user_data(call: Call) -> str:
    text = call.get("UserData", "")
    try:
        raw = base64.b64decode(text, validate=True)
    except (ValueError, binascii.Error):
        raise ApiError("InvalidUserData.Base64FormatInvalid") from None
    if len(raw) > USER_DATA_BYTES:
        raise ApiError("InvalidUserData.SizeExceeded")
    return text


def _system_disk(call: Call, item: offers.InstanceType) -> dict:
    nested = call.get("SystemDisk") or {}
    category = call.get("SystemDisk.Category", nested.get("Category", "cloud_efficiency"))
    size = str(call.get("SystemDisk.Size", nested.get("Size", "40")))
    if category not in offers.DISKS:
        raise ApiError("InvalidSystemDiskCategory.ValueNotSupported")
    if not size.isdigit():
        raise invalid("SystemDisk.Size")
    if int(size) < 20:
        raise ApiError("InvalidSystemDiskSize.LessThanMinSize")
    if int(size) > 2048:
        raise ApiError("InvalidSystemDiskSize.MoreThanMaxSize")
    return {"type": "system", "category": category, "size_gib": int(size), "device": "/dev/xvda",
            "name": call.get("SystemDisk.DiskName", nested.get("DiskName", "")), "delete_with_instance": True}


def _data_disks(call: Call) -> list:
    wanted = call.get("DataDisk") or []
    if len(wanted) > MOST_DATA_DISKS:
        raise ApiError("InstanceDiskNumLimitExceed")
    disks = []
    for number, entry in enumerate(wanted):
        category = entry.get("Category", "cloud_efficiency")
        if category not in offers.DISKS:
            raise ApiError("InvalidDataDiskCategory.ValueNotSupported")
        least, most, _ = offers.DISKS[category]
        if not least <= entry.get("Size", 0) <= most:
            raise ApiError("InvalidDataDiskSize.ValueNotSupported")
        disks.append({"type": "data", "category": category, "size_gib": entry["Size"],
                      "device": entry.get("Device", f"/dev/xvd{chr(ord('b') + number)}"),
                      "name": entry.get("DiskName", ""),
                      "delete_with_instance": entry.get("DeleteWithInstance", True)})
    return disks


def _names(call: Call, amount: int) -> list:
    """(host name, instance name) per instance; None where the caller gave none."""
    suffix = bool(call.get("UniqueSuffix"))
    hosts = call.get("HostNames") or (expand(call.get("HostName"), amount, suffix) if call.get("HostName") else [])
    names = expand(call.get("InstanceName"), amount, suffix) if call.get("InstanceName") else []
    if call.get("HostNames") and call.get("HostName"):
        raise ApiError("InvalidParameter.Conflict", "HostName and HostNames")
    if hosts and len(hosts) < amount:
        raise ApiError("InvalidParameter", "HostNames")
    for host in hosts:
        check_host_name(host)
    for name in names:
        check_instance_name(name)
    return [(hosts[i] if hosts else None, names[i] if names else None) for i in range(amount)]


def _record(call: Call, plan: dict, address: str, host: str | None, name: str | None) -> str:
    """Keep one instance as Pending and return its id."""
    instance_id = new_id("i")
    item = plan["type"]
    public = call.cloud.public_address(address) if call.get("InternetMaxBandwidthOut", 0) else ""
    disks = [{**disk, "id": new_id("d"), "serial": secrets.token_hex(10), "region": call.region, "tags": {}}
             for disk in [plan["system_disk"], *plan["data_disks"]]]
    call.tx.put("instance", instance_id, {
        **plan["options"], "id": instance_id, "seq": call.tx.next_number("seq"), "region": call.region, "zone": plan["zone"],
        "name": name or instance_id, "hostname": host or "iZ" + re.sub("^i-", "", instance_id) + "Z",
        "type": item.name, "family": item.family, "vcpus": item.vcpus, "memory_mib": item.memory_mib,
        "image": plan["image"], "key_pair": plan["key"]["name"], "public_key": plan["key"]["public_key"],
        "groups": plan["groups"], "vpc": plan["vpc"], "vswitch": call.get("VSwitchId"), "ip": address, "public_ip": public,
        "bandwidth_out": call.get("InternetMaxBandwidthOut", 0), "tags": plan["tags"], "disks": disks,
        "user_data": plan["user_data"], "charge": call.get("InstanceChargeType", "PostPaid"),
        "spot": call.get("SpotStrategy", "NoSpot"), "spot_limit": call.get("SpotPriceLimit", 0.0),
        "protected": bool(call.get("DeletionProtection")), "description": call.get("Description", ""),
        "created": stamp(call.now), "started": "", "status": "Pending", "released": False, "made": False,
        "eni": new_id("eni"), "mac": "00:16:3e:" + ":".join(f"{b:02x}" for b in secrets.token_bytes(3)),
        "visible_at": call.now + call.cloud.faults.visible_after()})
    return instance_id
