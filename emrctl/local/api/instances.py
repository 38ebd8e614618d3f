"""Status, user data and attributes of instances, and their disks."""
from __future__ import annotations

import re

from .errors import ApiError
from .groups import find_group
from .names import check_instance_name
from .registry import Call, action, page
from .select import find_instance, json_list, select, shown_status
from .tags import matches, tag_list

# Parameter of DescribeDisks -> the values that all disks here have; any other finds nothing
_ALL_DISKS = {"Status": ("In_use", "All"), "EnableShared": (False,), "Encrypted": (False,), "ResourceGroupId": (),
              "EnableAutoSnapshot": (False,), "DeleteAutoSnapshot": (False,), "EnableAutomatedSnapshotPolicy": (False,)}


@action("DescribeInstanceStatus", empty_when_denied=True)
def describe_instance_status(call: Call) -> dict:
    """Status of instances, in pages."""
    ids = call.get("InstanceId")
    if ids and len(ids) > 100:
        raise ApiError("InvalidParameter", "InstanceId")
    ids, zone = frozenset(ids or ()), call.get("ZoneId")
    found = select(call, None, lambda i: (not ids or i["id"] in ids) and (not zone or i["zone"] == zone))
    items, paging = page(call, found, 10, 50)
    return {"InstanceStatuses": {"InstanceStatus": [
        {"InstanceId": i["id"], "Status": shown_status(i)} for i in items]}, **paging}


@action("DescribeUserData")
def describe_user_data(call: Call) -> dict:
    """User data as it was given, in base64."""
    item = find_instance(call, call.params["InstanceId"])
    return {"RegionId": item["region"], "InstanceId": item["id"], "UserData": item["user_data"]}


@action("DescribeDisks", empty_when_denied=True)
def describe_disks(call: Call) -> dict:
    """Disks of all instances, or of one, or by id, category and other attributes, in pages."""
    call.dry_run()
    ids = json_list(call, "DiskIds")
    found = []
    if all(call.get(name) in (None, *values) for name, values in _ALL_DISKS.items()):
        for instance in _with_disks(call):
            found += [{**disk, "instance": instance, "seq": instance["seq"] * 32 + number}
                      for number, disk in enumerate(instance["disks"]) if _wanted_disk(call, instance, disk, ids)]
    items, paging = page(call, found, 10, 100)
    return {"Disks": {"Disk": [_disk_row(call, d) for d in items]}, **paging}


def _wanted_disk(call: Call, instance: dict, disk: dict, ids: list | None) -> bool:
    name = call.get("DiskName", "*")
    pattern = ".*".join(re.escape(part) for part in name.split("*"))
    return ((not ids or disk["id"] in ids)
            and call.get("DiskType", "all") in ("all", disk["type"])
            and call.get("Category", "all") in ("all", disk["category"])
            and call.get("ZoneId", instance["zone"]) == instance["zone"]
            and call.get("DiskChargeType", instance["charge"]) == instance["charge"]
            and call.get("Portable", disk["type"] == "data") == (disk["type"] == "data")
            and call.get("DeleteWithInstance", disk["delete_with_instance"]) == disk["delete_with_instance"]
            and re.fullmatch(pattern, disk["name"]) is not None and matches(disk, call.get("Tag"), call.now))


def _with_disks(call: Call) -> list:
    """Instances whose disks are looked through; one that is named costs no search."""
    if not call.get("InstanceId"):
        return select(call, None, lambda _: True)
    item = call.tx.get("instance", call.get("InstanceId"))
    seen = item is not None and item["region"] == call.region and item["visible_at"] <= call.now
    return [item] if seen else []


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
