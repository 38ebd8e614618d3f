"""Security groups and their ingress rules."""
from __future__ import annotations

import ipaddress
import json
import re

from .. import offers
from ..clock import new_id, stamp_seconds
from .errors import ApiError, invalid
from .networks import find_vpc
from .registry import Call, action, page
from .tags import matches, parse_tags, tag_list
from .tokens import remembered

_NAME = re.compile(r"[A-Za-z\u4e00-\u9fff][A-Za-z0-9\u4e00-\u9fff_:.,\[\]-]{1,127}")
_PROTOCOLS = ("TCP", "UDP", "ICMP", "ICMPV6", "GRE", "ALL")


def find_group(call: Call, group_id: str) -> dict:
    """The group, for reading. Raises ApiError InvalidSecurityGroupId.NotFound."""
    group = call.tx.get("securitygroup", group_id)
    if group is None or group["region"] != call.region:
        raise ApiError("InvalidSecurityGroupId.NotFound")
    return group


def check_group_name(name: str) -> None:
    """Raises ApiError InvalidSecurityGroupName.Malformed."""
    if not _NAME.fullmatch(name) or name.startswith(("http://", "https://")):
        raise ApiError("InvalidSecurityGroupName.Malformed")


@action("CreateSecurityGroup")
def create_security_group(call: Call) -> dict:
    """Make an empty group. Names need not be unique; a ClientToken makes the call repeatable."""
    def create() -> dict:
        name = call.get("SecurityGroupName", "")
        if name:
            check_group_name(name)
        vpc = find_vpc(call, call.get("VpcId", offers.vpc_id(call.region)))["id"]
        group_id = new_id("sg")
        call.tx.put("securitygroup", group_id, {
            "id": group_id, "name": name, "description": call.get("Description", ""), "vpc": vpc,
            "region": call.region, "type": call.get("SecurityGroupType", "normal"), "rules": [],
            "tags": parse_tags(call.get("Tag")), "created": stamp_seconds(call.now),
            "seq": call.tx.next_number("seq")})
        return {"SecurityGroupId": group_id}
    return remembered(call, create)


@action("DescribeSecurityGroups", empty_when_denied=True)
def describe_security_groups(call: Call) -> dict:
    """Groups by id, name, VPC and tags."""
    call.dry_run()
    ids = _json_ids(call)
    found = []
    for group in sorted(call.tx.all("securitygroup"), key=lambda g: g["seq"]):
        name = call.get("SecurityGroupName", group["name"])
        named = name.strip("*") in group["name"] if call.get("FuzzyQuery") else name == group["name"]
        if (group["region"] == call.region and named and (not ids or group["id"] in ids)
                and call.get("VpcId", group["vpc"]) == group["vpc"]
                and call.get("SecurityGroupType", group["type"]) == group["type"]
                and matches(group, call.get("Tag"), call.now)):
            found.append(group)
    items, paging = page(call, found, 10, 100)
    counts = _member_counts(call)
    rows = [{"SecurityGroupId": g["id"], "SecurityGroupName": g["name"], "Description": g["description"],
             "VpcId": g["vpc"], "SecurityGroupType": g["type"], "CreationTime": g["created"], "ResourceGroupId": "",
             "ServiceManaged": False, "EcsCount": counts.get(g["id"], 0), "Tags": tag_list(g, call.now)}
            for g in items]
    return {"RegionId": call.region, "SecurityGroups": {"SecurityGroup": rows}, **paging}


def _json_ids(call: Call) -> list:
    ids = [call.get("SecurityGroupId")] if call.get("SecurityGroupId") else []
    if call.get("SecurityGroupIds"):
        try:
            ids += [str(i) for i in json.loads(call.get("SecurityGroupIds"))]
        except (ValueError, TypeError):
            raise invalid("SecurityGroupIds") from None
    return ids


def _member_counts(call: Call) -> dict:
    counts: dict = {}
    for instance in call.tx.all("instance"):
        for group in instance["groups"]:
            counts[group] = counts.get(group, 0) + 1
    return counts


@action("DeleteSecurityGroup")
def delete_security_group(call: Call) -> dict:
    """Delete a group that no instance is in and no other group's rule refers to."""
    group = find_group(call, call.params["SecurityGroupId"])
    if _member_counts(call).get(group["id"]):
        raise ApiError("DependencyViolation")
    for other in call.tx.all("securitygroup"):
        if other["id"] != group["id"] and any(r["source_group"] == group["id"] for r in other["rules"]):
            raise ApiError("DependencyViolation", message="The specified security group is authorized in another "
                                                          "security group.")
    call.tx.delete("securitygroup", group["id"])
    return {}


def _rules_of(call: Call) -> list:
    """Rules of Permissions.N.* or, in the older form, of the call itself. Raises ApiError."""
    entries = call.get("Permissions") or [{k: v for k, v in call.params.items() if isinstance(v, str)}]
    return [_rule(call, entry) for entry in entries]


def _rule(call: Call, entry: dict) -> dict:
    protocol = entry.get("IpProtocol", "").upper()
    if protocol not in _PROTOCOLS:
        raise ApiError("InvalidIpProtocol.ValueNotSupported", message="The parameter IpProtocol must be specified "
                       "with case insensitive TCP, UDP, ICMP, GRE or All.")
    cidr, source = entry.get("SourceCidrIp", ""), entry.get("SourceGroupId", "")
    if not cidr and not source:
        raise ApiError("MissingParameter.Source", message="One of the parameters SourceCidrIp, Ipv6SourceCidrIp, "
                                                          "SourceGroupId or SourcePrefixListId must be set.")
    if cidr:
        try:
            cidr = str(ipaddress.IPv4Network(cidr, strict=False))
        except ValueError:
            raise ApiError("InvalidSourceCidrIp.Malformed", message="The specified parameter SourceCidrIp is not "
                                                                    "valid.") from None
    if source:
        find_group(call, source)
    policy = entry.get("Policy", "accept").lower()
    if policy not in ("accept", "drop"):
        raise ApiError("InvalidPolicy.Malformed", message="The specified parameter \"Policy\" is not valid.")
    if policy == "drop":
        raise ApiError("OperationDenied.LocalNotSupported", "Policy=drop")
    priority = entry.get("Priority", "1")
    if not priority.isdigit() or not 1 <= int(priority) <= 100:
        raise ApiError("InvalidPriority.Malformed", message="The parameter Priority is invalid.")
    return {"protocol": protocol, "ports": _ports(protocol, entry.get("PortRange", "")), "cidr": cidr,
            "source_group": source, "policy": policy.capitalize(), "priority": int(priority),
            "description": entry.get("Description", ""), "id": new_id("sgr"), "created": stamp_seconds(call.now)}


def _ports(protocol: str, text: str) -> str:
    if protocol not in ("TCP", "UDP"):
        return "-1/-1"
    match = re.fullmatch(r"([0-9]{1,5})/([0-9]{1,5})", text)
    if not match or not 1 <= int(match[1]) <= int(match[2]) <= 65535:
        raise ApiError("InvalidPortRange.Malformed", message="The specified parameter \"PortRange\" is not valid.")
    return text


def _same(one: dict, two: dict) -> bool:
    return all(one[k] == two[k] for k in ("protocol", "ports", "cidr", "source_group", "policy"))


@action("AuthorizeSecurityGroup")
def authorize_security_group(call: Call) -> dict:
    """Add ingress rules; a rule that exists already is left as it is."""
    find_group(call, call.params["SecurityGroupId"])
    new = _rules_of(call)
    group = call.tx.edit("securitygroup", call.params["SecurityGroupId"])
    group["rules"] += [r for r in new if not any(_same(r, old) for old in group["rules"])]
    if len(group["rules"]) > 200:
        raise ApiError("AuthorizationLimitExceed", status=403,
                       message="The limit of authorization records in the security group reaches.")
    call.after.append(lambda: call.cloud.engine.firewall.refresh([group["id"]]))
    return {}


@action("RevokeSecurityGroup")
def revoke_security_group(call: Call) -> dict:
    """Remove ingress rules, by id or by what they say; rules that do not exist are ignored."""
    find_group(call, call.params["SecurityGroupId"])
    ids = call.get("SecurityGroupRuleId") or []
    gone = [] if ids else _rules_of(call)
    group = call.tx.edit("securitygroup", call.params["SecurityGroupId"])
    group["rules"] = [r for r in group["rules"]
                      if r["id"] not in ids and not any(_same(r, other) for other in gone)]
    call.after.append(lambda: call.cloud.engine.firewall.refresh([group["id"]]))
    return {}


@action("DescribeSecurityGroupAttribute")
def describe_security_group_attribute(call: Call) -> dict:
    """A group with its rules."""
    group = find_group(call, call.params["SecurityGroupId"])
    rules = [] if call.get("Direction", "all") == "egress" else group["rules"]
    rows = [{"SecurityGroupRuleId": r["id"], "IpProtocol": r["protocol"], "PortRange": r["ports"],
             "SourceCidrIp": r["cidr"], "SourceGroupId": r["source_group"], "SourcePortRange": "",
             "SourceGroupName": "", "SourceGroupOwnerAccount": "", "SourcePrefixListId": "", "DestCidrIp": "",
             "DestGroupId": "", "DestGroupName": "", "DestGroupOwnerAccount": "", "DestPrefixListId": "",
             "Ipv6SourceCidrIp": "", "Ipv6DestCidrIp": "", "NicType": "intranet", "Policy": r["policy"],
             "Priority": str(r["priority"]), "Direction": "ingress", "Description": r["description"],
             "CreateTime": r["created"]} for r in rules]
    return {"RegionId": call.region, "SecurityGroupId": group["id"], "SecurityGroupName": group["name"],
            "Description": group["description"], "VpcId": group["vpc"], "InnerAccessPolicy": "Accept",
            "Permissions": {"Permission": rows}}
