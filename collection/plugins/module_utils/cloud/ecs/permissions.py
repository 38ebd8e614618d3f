"""The ECS and VPC actions that this program calls, and what for: the one table behind the RAM policy.

``EcsClient`` refuses an action that is not in it, and the tests compare it with what the code names and a server saw.
"""
from __future__ import annotations

from dataclasses import dataclass

LOOK, BUY, CHANGE, GIVE_BACK = "look", "buy", "change", "give back"


@dataclass(frozen=True)
class Permission:
    """One action. ``purpose`` is one of the four above; ``only_nodes``: only for instances that carry emr:cluster; ``service``
    is ecs or vpc.
    """

    action: str
    purpose: str
    why: str
    only_nodes: bool = False
    service: str = "ecs"

    @property
    def name(self) -> str:
        """As a policy names it."""
        return f"{self.service}:{self.action}"


TABLE = (
    Permission("DescribeAvailableResource", LOOK, "which instance types and disks a zone has in stock"),
    Permission("DescribeDisks", LOOK, "data disks by their serial numbers"),
    Permission("DescribeImages", LOOK, "whether the image of a spec exists and fits"),
    Permission("DescribeInstanceTypes", LOOK, "cores and memory of instance types"),
    Permission("DescribeInstances", LOOK, "the nodes of clusters, by their tags"),
    Permission("DescribeKeyPairs", LOOK, "locks of operations, and login keys"),
    Permission("DescribePrice", LOOK, "what a plan costs"),
    Permission("DescribeRegions", LOOK, "all regions, for the inventory"),
    Permission("DescribeSecurityGroupAttribute", LOOK, "the rules of a cluster's security group"),
    Permission("DescribeSecurityGroups", LOOK, "the security groups of clusters, which hold their state"),
    Permission("DescribeSpotPriceHistory", LOOK, "what spot instances cost lately"),
    Permission("DescribeVSwitches", LOOK, "the network of a spec and its free addresses", service="vpc"),
    Permission("DescribeVpcs", LOOK, "the VPCs that were made for clusters", service="vpc"),
    Permission("DescribeZones", LOOK, "the zones of a region"),
    Permission("AuthorizeSecurityGroup", BUY, "let the nodes of a cluster reach each other, and SSH in"),
    Permission("CreateSecurityGroup", BUY, "a security group for a new cluster"),
    Permission("CreateVSwitch", BUY, "a vSwitch for a new cluster with network.create", service="vpc"),
    Permission("CreateVpc", BUY, "a VPC for a new cluster with network.create", service="vpc"),
    Permission("ImportKeyPair", BUY, "the login key, and the lock of an operation"),
    Permission("RunInstances", BUY, "buy nodes"),
    Permission("TagResources", BUY, "host keys, services, purchase intents and the renewal of locks"),
    Permission("ModifyInstanceAttribute", CHANGE, "deletion protection", only_nodes=True),
    Permission("RevokeSecurityGroup", CHANGE, "close SSH to networks that a spec no longer names"),
    Permission("StartInstances", CHANGE, "start a stopped cluster", only_nodes=True),
    Permission("StopInstances", CHANGE, "stop a cluster", only_nodes=True),
    Permission("UntagResources", CHANGE, "settle purchase intents, take warnings back"),
    Permission("DeleteInstances", GIVE_BACK, "release nodes", only_nodes=True),
    Permission("DeleteKeyPairs", GIVE_BACK, "locks, and login keys that no node uses"),
    Permission("DeleteSecurityGroup", GIVE_BACK, "the security group of a released cluster"),
    Permission("DeleteVSwitch", GIVE_BACK, "the vSwitch that was made for a released cluster", service="vpc"),
    Permission("DeleteVpc", GIVE_BACK, "the VPC that was made for a released cluster", service="vpc"),
)
ACTIONS = {permission.action: permission for permission in TABLE}
# What each way of using this program needs.
USES = {
    "inventory": lambda p: p.action in ("DescribeInstances", "DescribeDisks", "DescribeRegions"),
    "plan": lambda p: p.purpose == LOOK,
    "all": lambda p: True,
}


def policy(use: str = "all", regions=()) -> dict:
    """The RAM policy for a use: a statement for what can only be allowed for everything, one for each kind of change.

    With ``regions`` changes are allowed in these alone.
    """
    chosen = [p for p in TABLE if USES[use](p)]
    statements = [_statement([p for p in chosen if p.purpose == LOOK], ["*"])]
    for service, only_nodes in (("ecs", False), ("ecs", True), ("vpc", False)):
        rows = [p for p in chosen if p.purpose != LOOK and (p.service, p.only_nodes) == (service, only_nodes)]
        if rows:
            resources = [f"acs:{service}:{region}:*:*" for region in regions] or [f"acs:{service}:*:*:*"]
            statements.append(_statement(rows, resources, only_nodes))
    return {"Version": "1", "Statement": statements}


def _statement(rows: list, resources: list, only_nodes: bool = False) -> dict:
    statement = {"Effect": "Allow", "Action": sorted(p.name for p in rows),
                 "Resource": resources[0] if len(resources) == 1 else resources}
    if only_nodes:
        # Whoever holds the key can then stop and release nodes of clusters, and no other instance of the account.
        statement["Condition"] = {"StringLike": {"acs:ResourceTag/emr:cluster": ["*"]}}
    return statement
