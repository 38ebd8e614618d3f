"""Reading and modifying instances and their disks."""
from __future__ import annotations

import json
import re

from .errors import ApiError
from .groups import find_group
from .names import check_instance_name
from .registry import Call, action, page
from .tags import matches, tag_list

# Parameter -> field it must equal
_EQUAL = {"InstanceType": "type", "InstanceTypeFamily": "family", "ImageId": "image", "KeyPairName": "key_pair",
          "VSwitchId": "vswitch", "ZoneId": "zone", "Status": "status", "InstanceChargeType": "charge"}


def find_instance(call: Call, instance_id: str) -> dict:
    """The instance, for reading. Raises ApiError: InvalidInstanceId.NotFound, also while a new one is not seen yet;
    IncorrectInstanceStatus while it is being released."""
    item = call.tx.get("instance", instance_id)
    wrong_region = item is not None and call.region and item["region"] != call.region
    if item is None or wrong_region or item["visible_at"] > call.now:
        raise ApiError("InvalidInstanceId.NotFound")
    if item["released"]:
        raise ApiError("IncorrectInstanceStatus")
    return item


def visible(call: Call) -> list:
    """Instances of the region that readers can see by now, oldest first."""
    found = [i for i in call.tx.all("instance") if i["region"] == call.region and i["visible_at"] <= call.now]
    return sorted(found, key=lambda i: i["seq"])


def json_list(call: Call, name: str) -> list | None:
    """A JSON array of at most 100 texts; None when absent. Raises ApiError."""
    text = call.get(name)
    if text is None:
        return None
    try:
        values = json.loads(text)
    except ValueError:
        values = None
    if not isinstance(values, list) or len(values) > 100 or not all(isinstance(v, str) for v in values):
        raise ApiError("InvalidInstanceIds.Malformed" if name == "InstanceIds" else "InvalidParameter", name)
    return values


@action("DescribeInstances", empty_when_denied=True)
def describe_instances(call: Call) -> dict:
    """Instances by ids, names, tags and other attributes, in pages."""
    call.dry_run()
    ids = json_list(call, "InstanceIds")
    private, public = json_list(call, "PrivateIpAddresses"), json_list(call, "PublicIpAddresses")
    name = call.get("InstanceName")
    pattern = re.compile(".*".join(re.escape(p) for p in name.split("*"))) if name else None
    found = []
    for item in visible(call):
        if any(call.get(p) is not None and call.get(p) != item[f] for p, f in _EQUAL.items()):
            continue
        if (ids and item["id"] not in ids) or (pattern and not pattern.fullmatch(item["name"])):
            continue
        if (private and item["ip"] not in private) or (public and item["public_ip"] not in public):
            continue
        if call.get("SecurityGroupId") and call.get("SecurityGroupId") not in item["groups"]:
            continue
        if call.get("VpcId") and call.get("VpcId") != call.cloud.vpc(item):
            continue
        if matches(item, call.get("Tag"), call.now):
            found.append(item)
    items, paging = page(call, found, 10, 100)
    paging.setdefault("NextToken", "")
    return {"Instances": {"Instance": [_row(call, i) for i in items]}, **paging}


def _row(call: Call, item: dict) -> dict:
    """One instance in the shape of the API."""
    spot = item["spot"] != "NoSpot"
    return {
        "InstanceId": item["id"], "InstanceName": item["name"], "HostName": item["hostname"],
        "Description": item["description"], "Status": "Stopping" if item["released"] else item["status"],
        "RegionId": item["region"], "ZoneId": item["zone"], "InstanceType": item["type"],
        "InstanceTypeFamily": item["family"], "Cpu": item["vcpus"], "Memory": item["memory_mib"],
        "CpuOptions": {"CoreCount": max(item["vcpus"] // 2, 1), "ThreadsPerCore": 2, "Numa": ""},
        "GPUAmount": 0, "GPUSpec": "", "ImageId": item["image"], "OSType": "linux", "OSName": "Debian 12 64 bit",
        "OSNameEn": "Debian 12 64 bit", "KeyPairName": item["key_pair"], "IoOptimized": True,
        "InstanceChargeType": item["charge"], "SpotStrategy": item["spot"],
        "SpotPriceLimit": item["spot_limit"] if spot else 0.0, "SaleCycle": "",
        "InternetChargeType": "PayByTraffic", "InternetMaxBandwidthOut": item["bandwidth_out"],
        "InternetMaxBandwidthIn": item["bandwidth_out"], "DeletionProtection": item["protected"],
        "DeviceAvailable": True, "Recyclable": False, "StoppedMode": "KeepCharging", "CreditSpecification": "",
        "ClusterId": "", "VlanId": "", "ResourceGroupId": "", "DeploymentSetId": "", "HpcClusterId": "",
        "SerialNumber": item["id"][2:], "CreationTime": item["created"], "StartTime": item["started"],
        "ExpiredTime": "2099-12-31T15:59Z", "AutoReleaseTime": "", "Tags": tag_list(item, call.now),
        "SecurityGroupIds": {"SecurityGroupId": item["groups"]}, "InstanceNetworkType": "vpc",
        "VpcAttributes": {"VpcId": call.cloud.vpc(item), "VSwitchId": item["vswitch"], "NatIpAddress": "",
                          "PrivateIpAddress": {"IpAddress": [item["ip"]]}},
        "PublicIpAddress": {"IpAddress": [item["public_ip"]] if item["public_ip"] else []},
        "InnerIpAddress": {"IpAddress": []},
        "EipAddress": {"AllocationId": "", "IpAddress": "", "InternetChargeType": ""},
        "NetworkInterfaces": {"NetworkInterface": [
            {"Type": "Primary", "NetworkInterfaceId": item["eni"], "MacAddress": item["mac"],
             "PrimaryIpAddress": item["ip"],
             "PrivateIpSets": {"PrivateIpSet": [{"PrivateIpAddress": item["ip"], "Primary": True}]}}]},
        "OperationLocks": {"LockReason": []}, "MetadataOptions": {"HttpEndpoint": "", "HttpTokens": ""},
        "DedicatedHostAttribute": {"DedicatedHostId": "", "DedicatedHostName": "", "DedicatedHostClusterId": ""},
        "DedicatedInstanceAttribute": {"Affinity": "", "Tenancy": ""},
        "EcsCapacityReservationAttr": {"CapacityReservationId": "", "CapacityReservationPreference": ""},
    }


@action("DescribeInstanceStatus", empty_when_denied=True)
def describe_instance_status(call: Call) -> dict:
    """Status of instances, in pages."""
    ids = call.get("InstanceId")
    if ids and len(ids) > 100:
        raise ApiError("InvalidParameter", "InstanceId")
    found = [i for i in visible(call) if (not ids or i["id"] in ids) and call.get("ZoneId", i["zone"]) == i["zone"]]
    items, paging = page(call, found, 10, 50)
    return {"InstanceStatuses": {"InstanceStatus": [
        {"InstanceId": i["id"], "Status": "Stopping" if i["released"] else i["status"]} for i in items]}, **paging}


@action("DescribeUserData")
def describe_user_data(call: Call) -> dict:
    """User data as it was given, in base64."""
    item = find_instance(call, call.params["InstanceId"])
    return {"RegionId": item["region"], "InstanceId": item["id"], "UserData": item["user_data"]}


@action("DescribeDisks", empty_when_denied=True)
def describe_disks(call: Call) -> dict:
    """Disks of all instances, or of one, or by id and category."""
    call.dry_run()
    ids = json_list(call, "DiskIds")
    found = []
    for instance in visible(call):
        for number, disk in enumerate(instance["disks"]):
            if (call.get("InstanceId", instance["id"]) == instance["id"] and (not ids or disk["id"] in ids)
                    and call.get("DiskType", "all") in ("all", disk["type"])
                    and call.get("Category", disk["category"]) in ("all", disk["category"])
                    and call.get("ZoneId", instance["zone"]) == instance["zone"]
                    and matches(disk, call.get("Tag"), call.now)):
                found.append({**disk, "instance": instance, "seq": instance["seq"] * 32 + number})
    items, paging = page(call, found, 10, 100)
    return {"Disks": {"Disk": [_disk_row(call, d) for d in items]}, **paging}


def _disk_row(call: Call, disk: dict) -> dict:
    instance = disk["instance"]
    created = instance["created"]
    return {"DiskId": disk["id"], "SerialNumber": disk["serial"], "InstanceId": instance["id"], "Type": disk["type"],
            "Category": disk["category"], "Size": disk["size_gib"], "Device": disk["device"], "Status": "In_use",
            "DiskName": disk["name"], "Description": "", "RegionId": instance["region"], "ZoneId": instance["zone"],
            "ImageId": instance["image"] if disk["type"] == "system" else "", "DiskChargeType": instance["charge"],
            "DeleteWithInstance": disk["delete_with_instance"], "Portable": disk["type"] == "data",
            "Encrypted": False, "CreationTime": created, "AttachedTime": created, "DetachedTime": "",
            "ExpiredTime": "2999-09-08T16:00Z", "PerformanceLevel": "PL1" if "essd" in disk["category"] else "",
            "EnableAutoSnapshot": False, "DeleteAutoSnapshot": False, "KMSKeyId": "", "ProductCode": "",
            "DedicatedBlockStorageClusterId": "", "BdfId": "", "EnableAutomatedSnapshotPolicy": False,
            "SourceSnapshotId": "", "ResourceGroupId": "", "AutoSnapshotPolicyId": "", "StorageSetId": "",
            "Tags": tag_list(disk, call.now), "OperationLocks": {"OperationLock": []},
            "MountInstances": {"MountInstance": []}}


@action("ModifyInstanceAttribute")
def modify_instance_attribute(call: Call) -> dict:
    """Change name, description, deletion protection or security groups of one instance."""
    find_instance(call, call.params["InstanceId"])
    item = call.tx.edit("instance", call.params["InstanceId"])
    if call.get("InstanceName"):
        check_instance_name(call.get("InstanceName"))
        item["name"] = call.get("InstanceName")
    if call.params.get("Description") is not None:
        item["description"] = call.params["Description"]
    if call.get("DeletionProtection") is not None:
        item["protected"] = call.get("DeletionProtection")
    groups = call.get("SecurityGroupIds")
    if groups:
        for group in groups:
            find_group(call, group)
        old, item["groups"] = item["groups"], list(dict.fromkeys(groups))
        call.after.append(lambda: call.cloud.engine.firewall.refresh({*old, *item["groups"]}))
    return {}
