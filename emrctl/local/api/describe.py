"""DescribeInstances: its filters and the shape of an instance."""
from __future__ import annotations

import re
from calendar import timegm
from time import strptime

from .. import offers
from ..clock import stamp_seconds
from .errors import ApiError, invalid
from .power import may_stop_charging
from .registry import Call, action, page
from .select import json_list, select, shown_status
from .tags import matches, tag_list

# Parameter -> field that it must equal
_EQUAL = {"InstanceType": "type", "InstanceTypeFamily": "family", "ImageId": "image", "KeyPairName": "key_pair",
          "VSwitchId": "vswitch", "ZoneId": "zone", "InstanceChargeType": "charge"}
# Parameter -> the one value that instances here have; any other finds nothing
_CONSTANT = {"DeviceAvailable": True, "IoOptimized": True, "InstanceNetworkType": "vpc",
             "InternetChargeType": "PayByTraffic", "HpcClusterId": "", "HttpPutResponseHopLimit": 1}
# Lists of kinds of addresses that no instance here has
_NEVER = ("InnerIpAddresses", "EipAddresses", "RdmaIpAddresses")
_VALUES = {"Status": ("Pending", "Starting", "Running", "Stopping", "Stopped"),
           "InstanceNetworkType": ("classic", "vpc"), "InstanceChargeType": ("PrePaid", "PostPaid"),
           "InternetChargeType": ("PayByTraffic", "PayByBandwidth"), "HttpEndpoint": ("enabled", "disabled"),
           "HttpTokens": ("optional", "required"),
           "LockReason": ("financial", "security", "Recycling", "dedicatedhostfinancial", "refunded")}
_TIMES = ("CreationStartTime", "CreationEndTime", "ExpiredStartTime", "ExpiredEndTime")
EXPIRY = "2099-12-31T15:59Z"


@action("DescribeInstances", empty_when_denied=True)
def describe_instances(call: Call) -> dict:
    """Instances by ids, names, tags and other attributes, in pages."""
    call.dry_run()
    checks = _checks(call)
    found = select(call, call.get("Tag"), lambda item: all(check(item) for check in checks))
    items, paging = page(call, found, 10, 100)
    paging.setdefault("NextToken", "")
    return {"Instances": {"Instance": [_row(call, i) for i in items]}, **paging}


def _checks(call: Call) -> list:
    """One function per filter of the call. Raises ApiError for filters that make no sense."""
    for name, values in _VALUES.items():
        if call.get(name) is not None and call.get(name) not in values:
            raise ApiError(f"Invalid{name}.ValueNotSupported", message=f"The specified {name} is not supported.")
    wanted = {field: call.get(name) for name, field in _EQUAL.items() if call.get(name) is not None}
    checks = [lambda item, f=field, v=value: item[f] == v for field, value in wanted.items()]
    for name, value in _CONSTANT.items():
        if call.get(name) is not None and call.get(name) != value:
            checks.append(lambda item: False)
    if any(json_list(call, name) for name in _NEVER) or call.get("Ipv6Address"):
        checks.append(lambda item: False)
    return checks + _identity_checks(call) + _state_checks(call) + _time_checks(call)


def _identity_checks(call: Call) -> list:
    checks = []
    for name, field in (("InstanceIds", "id"), ("PrivateIpAddresses", "ip"), ("PublicIpAddresses", "public_ip")):
        values = json_list(call, name)
        if values:
            checks.append(lambda item, f=field, v=frozenset(values): item[f] in v)
    name = call.get("InstanceName")
    if name:
        pattern = re.compile(".*".join(re.escape(p) for p in name.split("*")), re.DOTALL)
        checks.append(lambda item: pattern.fullmatch(item["name"]) is not None)
    if call.get("SecurityGroupId"):
        checks.append(lambda item: call.get("SecurityGroupId") in item["groups"])
    if call.get("VpcId"):
        checks.append(lambda item: call.cloud.vpc(item) == call.get("VpcId"))
    if call.get("ResourceGroupId"):
        checks.append(lambda item: item.get("resource_group", "") == call.get("ResourceGroupId"))
    if call.get("Tag"):
        checks.append(lambda item: matches(item, call.get("Tag"), call.now))
    return checks


def _state_checks(call: Call) -> list:
    checks = []
    if call.get("Status"):
        checks.append(lambda item: shown_status(item) == call.get("Status"))
    if call.get("LockReason"):
        checks.append(lambda item: call.get("LockReason") in _locks(item))
    if call.get("HttpEndpoint"):
        checks.append(lambda item: item.get("http_endpoint", "enabled") == call.get("HttpEndpoint"))
    if call.get("HttpTokens"):
        checks.append(lambda item: item.get("http_tokens", "optional") == call.get("HttpTokens"))
    return checks


def _time_checks(call: Call) -> list:
    """Filter.1 to Filter.4: not before, or not after, a time of creation or expiry."""
    checks = []
    for number in range(1, 5):
        name, text = call.get(f"Filter.{number}.Key"), call.get(f"Filter.{number}.Value")
        if name is None and text is None:
            continue
        if name not in _TIMES:
            raise invalid(f"Filter.{number}.Key")
        moment = _seconds(f"Filter.{number}.Value", text or "")
        sign = 1 if name.endswith("StartTime") else -1
        created = name.startswith("Creation")
        checks.append(lambda item, m=moment, s=sign, c=created:
                      s * _seconds("", item["created"] if c else EXPIRY) >= s * m)
    return checks


def _seconds(name: str, text: str) -> int:
    for form in ("%Y-%m-%dT%H:%MZ", "%Y-%m-%dT%H:%M:%SZ"):
        try:
            return timegm(strptime(text, form))
        except ValueError:
            continue
    raise invalid(name)


def _stopped_mode(item: dict) -> str:
    """What a stopped instance costs: all, only its disks, or all because it cannot be otherwise."""
    return item.get("stopped_mode", "KeepCharging") if may_stop_charging(item) else "Not-applicable"


def _locks(item: dict) -> list:
    """Why an instance is locked: a spot instance that is about to be taken back is Recycling."""
    return ["Recycling"] if item.get("spot_ends") else []


def _row(call: Call, item: dict) -> dict:
    """One instance in the shape of the API."""
    spot = item["spot"] != "NoSpot"
    public, ends = item["public_ip"], item.get("release_at")
    return {
        "InstanceId": item["id"], "InstanceName": item["name"], "HostName": item["hostname"],
        "Description": item["description"], "Status": shown_status(item),
        "RegionId": item["region"], "ZoneId": item["zone"], "InstanceType": item["type"],
        "InstanceTypeFamily": item["family"], "Cpu": item["vcpus"], "Memory": item["memory_mib"],
        "CpuOptions": {"CoreCount": max(item["vcpus"] // 2, 1), "ThreadsPerCore": 2, "Numa": ""},
        "GPUAmount": 0, "GPUSpec": "", "ImageId": item["image"], "OSType": "linux", "OSName": offers.IMAGES[item["image"]].os_name,
        "OSNameEn": offers.IMAGES[item["image"]].os_name, "KeyPairName": item["key_pair"], "IoOptimized": True,
        "InstanceChargeType": item["charge"], "SpotStrategy": item["spot"],
        "SpotPriceLimit": item["spot_limit"] if spot else 0.0, "SaleCycle": "",
        "InternetChargeType": "PayByTraffic", "InternetMaxBandwidthOut": item["bandwidth_out"],
        "InternetMaxBandwidthIn": item["bandwidth_out"], "DeletionProtection": item["protected"],
        "DeviceAvailable": True, "Recyclable": False, "StoppedMode": _stopped_mode(item), "CreditSpecification": "",
        "ClusterId": "", "VlanId": "", "ResourceGroupId": item.get("resource_group", ""), "DeploymentSetId": "",
        "HpcClusterId": "", "SerialNumber": item["id"][2:], "CreationTime": item["created"],
        "StartTime": item["started"], "ExpiredTime": EXPIRY, "AutoReleaseTime": stamp_seconds(ends) if ends else "",
        "Tags": tag_list(item, call.now), "SecurityGroupIds": {"SecurityGroupId": item["groups"]},
        "InstanceNetworkType": "vpc",
        "VpcAttributes": {"VpcId": call.cloud.vpc(item), "VSwitchId": item["vswitch"], "NatIpAddress": "",
                          "PrivateIpAddress": {"IpAddress": [item["ip"]]}},
        # footmark only reads an answer in which the elastic address comes before the public one, as in the cloud's.
        "EipAddress": {"AllocationId": "", "IpAddress": "", "InternetChargeType": ""},
        "PublicIpAddress": {"IpAddress": [public] if public else []}, "InnerIpAddress": {"IpAddress": []},
        "NetworkInterfaces": {"NetworkInterface": [
            {"Type": "Primary", "NetworkInterfaceId": item["eni"], "MacAddress": item["mac"],
             "PrimaryIpAddress": item["ip"],
             "PrivateIpSets": {"PrivateIpSet": [{"PrivateIpAddress": item["ip"], "Primary": True}]}}]},
        "OperationLocks": {"LockReason": [{"LockReason": reason, "LockMsg": ""} for reason in _locks(item)]},
        "MetadataOptions": {"HttpEndpoint": item.get("http_endpoint", "enabled"),
                            "HttpTokens": item.get("http_tokens", "optional"), "HttpPutResponseHopLimit": 1},
        "DedicatedHostAttribute": {"DedicatedHostId": "", "DedicatedHostName": "", "DedicatedHostClusterId": ""},
        "DedicatedInstanceAttribute": {"Affinity": "", "Tenancy": ""},
        "EcsCapacityReservationAttr": {"CapacityReservationId": "", "CapacityReservationPreference": ""},
    }
