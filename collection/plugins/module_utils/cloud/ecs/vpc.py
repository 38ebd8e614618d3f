"""The VPC and the vSwitch that a cluster may have of its own (``network: {create: true}``).

Both are found by their tags, so an interruption at any moment leaves nothing that a rerun or a release does not find; the vSwitch's
ClientToken follows from the VPC, and of VPCs that two tries made, the older stays. Times are seconds.
"""
from __future__ import annotations

import hashlib
import secrets
import time
from dataclasses import dataclass

from ...domain.errors import EmrError, Refused
from ...domain.waiting import wait
from ..cluster.anchor import OWN_NETWORK
from .client import EcsClient, EcsError, tag_list, tags_of

READY_LIMIT = 120.0
GONE_LIMIT = 180.0
# What a VPC or vSwitch answers while it, or something in it, is being made or deleted.
_BUSY = ("IncorrectVpcStatus", "IncorrectVSwitchStatus", "IncorrectStatus", "InvalidStatus", "TaskConflict", "OperationConflict",
         "OperationFailed.IdempotentTokenProcessing", "OperationFailed.LastTokenProcessing", "OperationFailed.DistibuteLock",
         "IncorrectRouteEntryStatus", "Throttling")


@dataclass(frozen=True)
class Made:
    """A network that was made for a cluster. ``vswitch`` is None while only the VPC exists. Both as the API gives them."""

    vpc: dict
    vswitch: dict | None = None

    @property
    def vpc_id(self) -> str:
        return self.vpc["VpcId"]

    @property
    def ids(self) -> list:
        """Both ids, as far as there are any."""
        return [self.vpc_id, *([self.vswitch["VSwitchId"]] if self.vswitch else [])]


def tags_for(cluster: str) -> dict:
    """Tags of the VPC and the vSwitch from their birth on."""
    return {"emr:cluster": cluster, OWN_NETWORK: "created"}


def _own(resource: dict, cluster: str) -> bool:
    tags = tags_of(resource)
    return all(tags.get(k) == v for k, v in tags_for(cluster).items())


def _vpcs(client: EcsClient, cluster: str) -> list:
    rows = client.items("DescribeVpcs", Tag=tag_list(tags_for(cluster)))
    return sorted((v for v in rows if _own(v, cluster)), key=lambda v: (v.get("CreationTime", ""), v["VpcId"]))


def _vswitches(client: EcsClient, vpc_id: str) -> list:
    return sorted(client.items("DescribeVSwitches", VpcId=vpc_id), key=lambda v: (v.get("CreationTime", ""), v["VSwitchId"]))


def find_made(client: EcsClient, cluster: str) -> list:
    """All networks that were made for a cluster; more than one only after an interruption. That with a vSwitch first."""
    found = []
    for vpc in _vpcs(client, cluster):
        own = [s for s in _vswitches(client, vpc["VpcId"]) if _own(s, cluster)]
        found.append(Made(vpc, own[0] if own else None))
    return sorted(found, key=lambda m: m.vswitch is None)


def names_of_made(client: EcsClient) -> dict:
    """{cluster: [VPC ids]} of all networks that were made for clusters of the region."""
    found: dict = {}
    for vpc in client.items("DescribeVpcs", Tag=tag_list({OWN_NETWORK: "created"})):
        name = tags_of(vpc).get("emr:cluster", "")
        if name and _own(vpc, name):
            found.setdefault(name, []).append(vpc["VpcId"])
    return found


def find_for(client: EcsClient, spec, vpc_id: str) -> Made | None:
    """What was made for the cluster of a spec; ``vpc_id`` is where it lives already, or empty.

    Raises Refused when the cluster lives elsewhere, or its vSwitch in another zone.
    """
    found = find_made(client, spec.name)
    made = next((m for m in found if m.vpc_id == vpc_id), None) if vpc_id else (found or [None])[0]
    if vpc_id and made is None:
        raise Refused(f"network.create: cluster '{spec.name}' is in {vpc_id}, which was not made for it",
                      "Write network.vswitch_id with a vSwitch of that VPC in place of create")
    if made and made.vswitch and made.vswitch.get("ZoneId") != spec.zone:
        raise Refused(f"zone: the vSwitch that was made for cluster '{spec.name}' ({made.vswitch['VSwitchId']}) lies in "
                      f"{made.vswitch.get('ZoneId')}, not in {spec.zone}",
                      f"Set zone: {made.vswitch.get('ZoneId')}, or release the cluster first: emrctl release {spec.name}")
    return made


def planned(client: EcsClient, spec, vpc_id: str, wanted: int) -> tuple:
    """(what there is and what would be made, sentences on what would be made). Raises Refused, also for too few free addresses."""
    made = find_for(client, spec, vpc_id)
    vpc, vswitch = (made.vpc if made else {}), ((made and made.vswitch) or {})
    free = vswitch.get("AvailableIpAddressCount")
    if free is not None and int(free) < wanted:
        raise Refused(f"{vswitch['VSwitchId']}, which was made for cluster '{spec.name}', has {free} free addresses, {wanted} are needed",
                      "Take fewer nodes, or make a new cluster with a larger network.vswitch_cidr")
    found = {"vpc_id": vpc.get("VpcId", ""), "vpc_cidr": vpc.get("CidrBlock") or spec.network.vpc_cidr,
             "vswitch_id": vswitch.get("VSwitchId", ""), "vswitch_cidr": vswitch.get("CidrBlock") or spec.network.vswitch_cidr}
    what = [f"{kind} {found[cidr]}" for kind, cidr, name in (("VPC", "vpc_cidr", "vpc_id"), ("vSwitch", "vswitch_cidr", "vswitch_id"))
            if not found[name]]
    return found, [f"make {' with '.join(what)} in {spec.zone}, for this cluster alone"] if what else []


def ensure(client: EcsClient, spec, made: Made | None, lock=None, report=lambda text: None) -> Made:
    """The network of a spec, made as far as it is missing, and Available. Raises EmrError."""
    if lock is not None:
        lock.check()
    vpc = made.vpc if made else _make_vpc(client, spec, report)
    vpc = _available(client, "DescribeVpcs", "VpcId", vpc["VpcId"])
    vswitch = made.vswitch if made else None
    if vswitch is None:
        vswitch = {"VSwitchId": _make_vswitch(client, spec, vpc["VpcId"])}
        report(f"made vSwitch {vswitch['VSwitchId']} ({spec.network.vswitch_cidr}) in {spec.zone}")
    return Made(vpc, _available(client, "DescribeVSwitches", "VSwitchId", vswitch["VSwitchId"]))


def _make_vpc(client: EcsClient, spec, report) -> dict:
    """Make a VPC; when another try has made one that nobody could see yet, the older stays and the other goes."""
    try:
        answer = client.call("CreateVpc", VpcName=f"emr-{spec.name}", CidrBlock=spec.network.vpc_cidr, ClientToken=secrets.token_hex(16),
                             Description=f"Cluster {spec.name} of emr.cluster", Tag=tag_list(tags_for(spec.name)))
    except EcsError as error:
        if error.is_a("QuotaExceeded", "QuotaExceed"):
            raise EmrError(f"A VPC cannot be made in {client.region}: {error.reason}",
                           "Nothing was bought. Name a vSwitch that exists in network.vswitch_id in place of create, or have the quota "
                           "raised") from None
        raise
    mine = answer["VpcId"]
    _available(client, "DescribeVpcs", "VpcId", mine)
    seen: list = []

    def unseen() -> bool:
        seen[:] = [v["VpcId"] for v in _vpcs(client, spec.name)]
        return mine not in seen
    if wait(unseen, READY_LIMIT):
        raise EmrError(f"The tags of {mine} are not visible after {READY_LIMIT:.0f} s", "Nothing was bought. Run the command again")
    for spare in seen[1:]:
        if not _vswitches(client, spare):
            _delete_vpc(client, spec.name, spare)
    report(f"made VPC {mine} ({spec.network.vpc_cidr})" if seen[0] == mine else f"found VPC {seen[0]} of an interrupted run")
    return {"VpcId": seen[0]}


def _make_vswitch(client: EcsClient, spec, vpc_id: str) -> str:
    """Make the vSwitch, or find that which another try has made. Busy VPCs are waited for."""
    what = {"VpcId": vpc_id, "ZoneId": spec.zone, "CidrBlock": spec.network.vswitch_cidr}
    token = hashlib.sha256(f"{vpc_id}|{spec.zone}|{spec.network.vswitch_cidr}".encode()).hexdigest()
    end = time.monotonic() + READY_LIMIT
    while True:
        own = next((s for s in _vswitches(client, vpc_id) if _own(s, spec.name) and s.get("ZoneId") == spec.zone), None)
        if own:
            return own["VSwitchId"]
        try:
            return client.call("CreateVSwitch", VSwitchName=f"emr-{spec.name}", ClientToken=token, Tag=tag_list(tags_for(spec.name)),
                               Description=f"Cluster {spec.name} of emr.cluster", **what)["VSwitchId"]
        except EcsError as error:
            # An overlap is that of the same vSwitch, not visible yet.
            if not error.is_a(*_BUSY, "InvalidCidrBlock.Overlapped") or time.monotonic() > end:
                raise
        time.sleep(1.0)


def _available(client: EcsClient, action: str, key: str, name: str) -> dict:
    """Wait until a VPC or vSwitch can be used. Raises EmrError."""
    found: dict = {}

    def other() -> str:
        found.update(next((r for r in client.items(action, **{key: name}) if r[key] == name), {}))
        return "" if found.get("Status") == "Available" else found.get("Status") or "not visible"
    state = wait(other, READY_LIMIT)
    if state:
        raise EmrError(f"{name} is {state} after {READY_LIMIT:.0f} s",
                       "Nothing was bought in it. Look at it in the VPC console, then run the command again")
    return found


def delete_made(client: EcsClient, cluster: str, report=lambda text: None) -> bool:
    """Delete all networks that were made for a cluster, and nothing else; whether there were any.

    What was released a moment ago may still hold on to them: that is waited for. Raises EmrError when something of somebody else
    lies in them; they stay then, and can be released later.
    """
    found = find_made(client, cluster)
    for made in found:
        _delete_vpc(client, cluster, made.vpc_id)
        report(f"deleted VPC {made.vpc_id}")
    return bool(found)


def _delete_vpc(client: EcsClient, cluster: str, vpc_id: str) -> None:
    """Delete a VPC and the cluster's vSwitches in it, also those that show only after a while. Raises EmrError."""
    def in_use() -> str:
        there = _vswitches(client, vpc_id)
        foreign = [s["VSwitchId"] for s in there if not _own(s, cluster)]
        if foreign:
            raise EmrError(f"{vpc_id} was made for cluster '{cluster}' and stays, since vSwitches that are not the cluster's lie in "
                           f"it: {', '.join(foreign[:5])}", f"Move what is in them, delete them, then run again: emrctl release {cluster}")
        problems = [_delete(client, "DeleteVSwitch", "VSwitchId", s["VSwitchId"]) for s in there]
        return next(filter(None, problems), "") or _delete(client, "DeleteVpc", "VpcId", vpc_id)
    problem = wait(in_use, GONE_LIMIT, 0.5)
    if problem:
        raise EmrError(f"{vpc_id} cannot be deleted for {GONE_LIMIT:.0f} s: {problem}", "Something that is not the cluster's lies in "
                       "it: look in the VPC console, remove it, then run release again")


def _delete(client: EcsClient, action: str, key: str, name: str) -> str:
    """Try to delete a VPC or vSwitch. Empty when it is gone or going, else what still needs it."""
    try:
        client.call(action, **{key: name})
    except EcsError as error:
        if "notfound" in error.code.lower():
            return ""
        if not error.is_a("DependencyViolation", *_BUSY):
            raise
        return f"{name}: {error.code}: {error.reason}"
    return ""
