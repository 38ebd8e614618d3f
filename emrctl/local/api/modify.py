"""Changes of single attributes: of disks, security groups, metadata options, roles and times of release."""
from __future__ import annotations

from calendar import timegm
from time import strptime

from .errors import ApiError, invalid
from .groups import check_group_name, find_group
from .registry import Call, action
from .select import find_instance, json_list


def release_time(call: Call) -> int | None:
    """AutoReleaseTime in seconds, None when absent. Raises ApiError."""
    text = call.get("AutoReleaseTime")
    if not text:
        return None
    try:
        moment = timegm(strptime(text, "%Y-%m-%dT%H:%M:%SZ"))
    except ValueError:
        moment = 0
    if moment <= call.now:
        raise ApiError("InvalidAutoReleaseTime.Malformed")
    return moment


@action("ModifyInstanceAutoReleaseTime")
def modify_instance_auto_release_time(call: Call) -> dict:
    """Set the time of release, or take it back with none."""
    find_instance(call, call.params["InstanceId"])
    call.tx.edit("instance", call.params["InstanceId"])["release_at"] = release_time(call)
    return {}


@action("ModifyInstanceMetadataOptions")
def modify_instance_metadata_options(call: Call) -> dict:
    """Switch the metadata service of an instance on or off, or require tokens."""
    find_instance(call, call.params["InstanceId"])
    item = call.tx.edit("instance", call.params["InstanceId"])
    for name, field, values in (("HttpEndpoint", "http_endpoint", ("enabled", "disabled")),
                                ("HttpTokens", "http_tokens", ("optional", "required"))):
        if call.get(name):
            if call.get(name) not in values:
                raise invalid(name)
            item[field] = call.get(name)
    return {}


@action("ModifySecurityGroupAttribute")
def modify_security_group_attribute(call: Call) -> dict:
    """Change name or description of a security group."""
    find_group(call, call.params["SecurityGroupId"])
    group = call.tx.edit("securitygroup", call.params["SecurityGroupId"])
    if call.get("SecurityGroupName"):
        check_group_name(call.get("SecurityGroupName"))
        group["name"] = call.get("SecurityGroupName")
    if call.params.get("Description") is not None:
        group["description"] = call.params["Description"]
    return {}


@action("ModifyDiskAttribute")
def modify_disk_attribute(call: Call) -> dict:
    """Change name and fate of disks."""
    wanted = set(call.get("DiskIds") or ()) | ({call.get("DiskId")} if call.get("DiskId") else set())
    if not wanted:
        raise ApiError("MissingParameter", "DiskId")
    for item in call.tx.all("instance"):
        hit = wanted.intersection(d["id"] for d in item["disks"])
        if hit and (not call.region or item["region"] == call.region):
            wanted -= hit
            for disk in call.tx.edit("instance", item["id"])["disks"]:
                if disk["id"] in hit:
                    disk["name"] = call.get("DiskName", disk["name"])
                    disk["delete_with_instance"] = call.get("DeleteWithInstance", disk["delete_with_instance"])
    if wanted:
        raise ApiError("InvalidDiskId.NotFound")
    return {}


def _role_results(call: Call, change) -> dict:
    """Apply ``change(item)`` to each of InstanceIds and report each one's own result."""
    rows = []
    for instance_id in json_list(call, "InstanceIds") or ():
        row = {"InstanceId": instance_id, "Success": True, "Code": "200", "Message": "success"}
        try:
            find_instance(call, instance_id)
            change(call.tx.edit("instance", instance_id))
        except ApiError as error:
            row.update(Success=False, Code=error.code, Message=error.message)
        rows.append(row)
    failed = sum(not row["Success"] for row in rows)
    return {"TotalCount": len(rows), "FailCount": failed, "RamRoleName": call.get("RamRoleName", ""),
            f"{call.action}Results": {f"{call.action}Result": rows}}


@action("AttachInstanceRamRole")
def attach_instance_ram_role(call: Call) -> dict:
    """Give instances a role, whose credentials their metadata service then has."""
    def attach(item: dict) -> None:
        if item.get("ram_role"):
            raise ApiError("InvalidOperation.RamRoleAttached")
        item["ram_role"] = call.params["RamRoleName"]
    return _role_results(call, attach)


@action("DetachInstanceRamRole")
def detach_instance_ram_role(call: Call) -> dict:
    """Take instances' role away."""
    return _role_results(call, lambda item: item.update(ram_role=None))


@action("DescribeInstanceRamRole", empty_when_denied=True)
def describe_instance_ram_role(call: Call) -> dict:
    """Roles of the named instances, or the instances of a role."""
    ids, role = json_list(call, "InstanceIds"), call.get("RamRoleName")
    if not ids and not role:
        raise ApiError("MissingParameter", "InstanceIds")
    rows = [{"InstanceId": i["id"], "RamRoleName": i.get("ram_role") or ""} for i in call.tx.all("instance")
            if i["region"] == call.region and i["visible_at"] <= call.now and (not ids or i["id"] in ids)
            and (not role or i.get("ram_role") == role)]
    return {"RegionId": call.region, "TotalCount": len(rows), "InstanceRamRoleSets": {"InstanceRamRoleSet": rows}}
