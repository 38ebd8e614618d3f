"""What create would do: the difference between a spec and what exists, checked against the API, with its price.

Nothing here changes anything in the cloud. Prices are of the account's currency, per hour and per month of 730 hours.
"""
from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field

from ...domain.errors import Refused
from ...domain.sizing.memory import check_topology
from ..cluster.anchor import BATCH, node_name
from ..cluster.finder import READY, Found
from ..ecs import vpc
from ..ecs.client import EcsClient, EcsError, tags_of
from ..ecs.images import check_architecture, check_image
from .offering import bought_nodes, existing_nodes

HOURS_PER_MONTH = 730
# Memory in GiB under which a role cannot work, by role; what fits above it is the business of sizing.
LEAST_MEMORY_GIB = {"master": 2, "slave": 2, "task": 2, "gateway": 1}


@dataclass
class Purchase:
    """Nodes of one group to be bought. ``types`` are the usable instance types in order of preference."""

    group: str
    role: str
    ordinals: list
    types: list
    price_hour: float = 0.0
    sold_out: list = field(default_factory=list)
    preferred: tuple = ()

    def passed_over(self) -> list:
        """Types that the spec prefers to the one that is to be bought, but that are sold out."""
        before = self.preferred[:self.preferred.index(self.types[0])] if self.types[0] in self.preferred else ()
        return [t for t in before if t in self.sold_out]

    def runs(self) -> list:
        """The ordinals as (first, last) without gaps, each at most as long as one call can buy."""
        found: list = []
        for ordinal in self.ordinals:
            if found and ordinal == found[-1][1] + 1 and ordinal - found[-1][0] < BATCH:
                found[-1][1] = ordinal
            else:
                found.append([ordinal, ordinal])
        return [tuple(r) for r in found]


@dataclass
class Plan:
    """What is, what would be bought and changed, and what it costs."""

    cluster: str
    region: str
    zone: str
    spec_digest: str
    cluster_id: str = ""
    vpc_id: str = ""
    exists: list = field(default_factory=list)
    purchases: list = field(default_factory=list)
    changes: list = field(default_factory=list)
    warnings: list = field(default_factory=list)
    shapes: dict = field(default_factory=dict)
    price: dict = field(default_factory=dict)
    to_release: list = field(default_factory=list)
    image: dict = field(default_factory=dict)
    # Digest of the spec that the cluster was last made by, where it was read.
    before: str = ""
    # Where each artifact comes from, when nodes have to install something (cloud/install/sources.py). No part of the digest: the files
    # are the same wherever they come from.
    sources: list = field(default_factory=list)
    # Of network.create: what is there and what would be made (an empty id), with the CIDRs.
    network: dict = field(default_factory=dict)

    @property
    def empty(self) -> bool:
        """Whether nothing would be bought, changed or released."""
        return not (self.purchases or self.changes or self.to_release) and self.before in ("", self.spec_digest)

    @property
    def digest(self) -> str:
        """Stands for exactly this: 12 hexadecimal digits. Prices are not part of it, they drift."""
        what = [self.cluster, self.region, self.zone, self.spec_digest, self.cluster_id, self.exists, self.changes,
                [[p.group, p.ordinals, p.types] for p in self.purchases]]
        what += [self.to_release, self.before] if self.to_release or self.before else []
        return hashlib.sha256(json.dumps(what, sort_keys=True).encode()).hexdigest()[:12]

    def to_dict(self) -> dict:
        """Plain data for people and programs."""
        own = {"network": self.network} if self.network else {}
        return {"cluster": self.cluster, "cluster_id": self.cluster_id, "region": self.region, "zone": self.zone, **own,
                "exists": self.exists, "buy": [self._buy(p) for p in self.purchases], "changes": self.changes,
                "leave": self.to_release, "image": self.image, "warnings": self.warnings, "price": self.price, "sources": self.sources,
                "push_mib": sum(row["push_mib"] for row in self.sources), "digest": self.digest, "empty": self.empty}

    def _buy(self, purchase: Purchase) -> dict:
        first = purchase.types[0]
        shape = self.shapes.get(first, {})
        return {"group": purchase.group, "role": purchase.role, "count": len(purchase.ordinals),
                "names": [node_name(self.cluster, purchase.group, n) for n in purchase.ordinals],
                "instance_type": first, "alternatives": purchase.types[1:], "sold_out": purchase.sold_out,
                "vcpus": shape.get("vcpus"), "memory_gib": shape.get("memory_gib"),
                "price_hour": round(purchase.price_hour, 4)}


def make_plan(client: EcsClient, spec, found: Found, to_release=()) -> Plan:
    """Compare the spec with what exists, and ask the API whether it can be bought. Raises Refused when it cannot.

    ``to_release``: names of nodes that exist but will be released; they do not count, yet keep their names.
    """
    anchor = found.anchor
    plan = Plan(spec.name, spec.region, spec.zone, spec.digest(), anchor.cluster_id if anchor else "",
                anchor.vpc_id if anchor else "", sorted(found.names))
    plan.to_release = sorted(to_release)
    _compare(plan, spec, found)
    staying = Found(found.name, anchor, [i for i in found.instances if i["InstanceName"] not in plan.to_release])
    if plan.purchases:
        _check_zone(client, spec)
        count = sum(len(p.ordinals) for p in plan.purchases)
        if spec.network.create:
            plan.network, change = vpc.planned(client, spec, plan.vpc_id, count)
            plan.vpc_id = plan.network["vpc_id"]
            plan.changes += change
        else:
            plan.vpc_id = _check_network(client, spec, plan.vpc_id, count)
        plan.image, said = check_image(client, spec)
        plan.warnings += said
        _check_types(client, spec, plan)
        check_topology(spec.expanded_services,
                       existing_nodes(staying.instances) + bought_nodes(spec, plan.purchases, plan.shapes))
    _add_price(client, spec, plan, staying)
    return plan


def check_masters(plan: Plan, spec, found: Found, before=None) -> bool:
    """Whether the plan makes a cluster with one master one with several. ``before``: the spec that it was last made by, as far as that was read.

    Raises Refused where a master would join that nobody could tell what it has to know.
    """
    ready = [i for i in found.instances if tags_of(i).get("emr:role") == "master" and tags_of(i).get(READY) and i["InstanceName"] not in plan.to_release]
    more = [node_name(plan.cluster, p.group, n) for p in plan.purchases if p.role == "master" for n in p.ordinals]
    if not ready or not more:
        return False
    names = ", ".join(sorted(i["InstanceName"] for i in ready))
    if before is None:
        raise Refused(f"{', '.join(more)} would join {names} as a master, which create does not do",
                      f"Run: emrctl apply with this spec, or emrctl scale {plan.cluster} master={spec.count('master')}")
    if before.count("master") == 1:
        return True
    raise Refused(f"{', '.join(more)} would join {names} in place of a master that is gone, and a master cannot be replaced yet",
                  "Bring its instance back (console, snapshot of its disk); the others go on meanwhile, as long as two live")


def lowest_free(cluster: str, group: str, taken, count: int) -> list:
    """The lowest ``count`` ordinals of a group whose node names are not ``taken``."""
    found: list = []
    ordinal = 1
    while len(found) < count:
        if node_name(cluster, group, ordinal) not in taken:
            found.append(ordinal)
        ordinal += 1
    return found


def _compare(plan: Plan, spec, found: Found) -> None:
    """Nodes are counted, not numbered: after a scale-in the members of a group of two may be 001 and 003."""
    for group in spec.node_groups.values():
        here = [i for i in found.of_group(group.name) if i["InstanceName"] not in plan.to_release]
        missing = lowest_free(spec.name, group.name, set(found.names), group.count - len(here))
        if missing:
            plan.purchases.append(Purchase(group.name, group.role, missing, list(group.instance_types),
                                           preferred=tuple(group.instance_types)))
        if len(here) > group.count:
            plan.warnings.append(f"group {group.name} has {len(here)} nodes, the spec wants {group.count}; create does not "
                                 f"remove nodes, apply and emrctl scale {spec.name} {group.name}={group.count} do")
        other = sorted({i["InstanceType"] for i in here} - set(group.instance_types))
        if other:
            plan.warnings.append(f"group {group.name} has nodes of types that the spec does not list: {', '.join(other)}")
    gone = {tags_of(i).get("emr:group", "") for i in found.instances if i["InstanceName"] not in plan.to_release}
    gone -= set(spec.node_groups)
    if gone:
        plan.warnings.append(f"the spec does not list the existing groups {', '.join(sorted(gone))}; with create they "
                             "stay, apply releases them")
    stopped = [i["InstanceName"] for i in found.instances
               if i.get("Status") in ("Stopped", "Stopping") and i["InstanceName"] not in plan.to_release]
    if stopped:
        plan.changes.append("start " + ", ".join(sorted(stopped)))
    protect = [i["InstanceName"] for i in unprotected(spec, found.instances)]
    if protect:
        verb = "protect" if spec.deletion_protection else "unprotect"
        plan.changes.append(f"{verb} {', '.join(sorted(protect))} against deletion")


def unprotected(spec, instances) -> list:
    """The instances whose deletion protection is not what the spec says: too little of it, or too much."""
    return [i for i in instances if bool(i.get("DeletionProtection")) != protects(
        spec, spec.node_groups.get(tags_of(i).get("emr:group", "")))]


def protects(spec, group) -> bool:
    """Whether the nodes of a group are protected against deletion. ECS does not offer that for spot instances."""
    return bool(spec.deletion_protection) and (group is None or group.spot is None)


def _check_zone(client: EcsClient, spec) -> None:
    zones = [z["ZoneId"] for z in client.items("DescribeZones")]
    if spec.zone not in zones:
        raise Refused(f"zone: {spec.zone} is not a zone of {spec.region}", "It has: " + ", ".join(sorted(zones)))


def _check_network(client: EcsClient, spec, lives_in: str, wanted: int) -> str:
    """The VPC of the spec's vSwitch. Raises Refused when it cannot take the wanted nodes."""
    switches = client.items("DescribeVSwitches", VSwitchId=spec.network.vswitch_id)
    vswitch = next((v for v in switches if v["VSwitchId"] == spec.network.vswitch_id), None)
    if vswitch is None:
        others = [v["VSwitchId"] for v in client.items("DescribeVSwitches", ZoneId=spec.zone)][:10]
        raise Refused(f"network.vswitch_id: {spec.network.vswitch_id} does not exist in {spec.region}",
                      f"vSwitches of {spec.zone}: " + (", ".join(others) or "none; write create: true in place of vswitch_id to make one"))
    if vswitch.get("ZoneId") != spec.zone:
        raise Refused(f"network.vswitch_id: {spec.network.vswitch_id} is in {vswitch.get('ZoneId')}, not in {spec.zone}",
                      f"Set zone: {vswitch.get('ZoneId')}, or take a vSwitch of {spec.zone}")
    free = vswitch.get("AvailableIpAddressCount")
    if free is not None and int(free) < wanted:
        raise Refused(f"network.vswitch_id: {spec.network.vswitch_id} has {free} free addresses, {wanted} are needed",
                      "Take a larger vSwitch or fewer nodes")
    if lives_in and lives_in != vswitch["VpcId"]:
        raise Refused(f"Cluster '{spec.name}' is in {lives_in}, but {spec.network.vswitch_id} is in {vswitch['VpcId']}",
                      "Use a vSwitch of the cluster's own VPC")
    return vswitch["VpcId"]


def _check_types(client: EcsClient, spec, plan: Plan) -> None:
    wanted = sorted({t for p in plan.purchases for t in p.types})
    plan.shapes = _shapes(client, wanted)
    stock = _stock(client, spec.zone)
    problems = []
    for purchase in plan.purchases:
        key = f"node_groups.{purchase.group}.instance_types"
        usable = []
        for name in purchase.types:
            shape = plan.shapes.get(name)
            if shape is None:
                problems.append(f"{key}: {name} does not exist in {spec.region}{_similar(name, stock)}")
            elif shape["memory_gib"] < LEAST_MEMORY_GIB[purchase.role]:
                problems.append(f"{key}: {name} has {shape['memory_gib']:g} GiB of memory, a {purchase.role} needs at "
                                f"least {LEAST_MEMORY_GIB[purchase.role]}")
            elif wrong := check_architecture(spec, name, shape["processors"]):
                problems.append(f"{key}: {wrong}")
            elif stock and name not in stock:
                purchase.sold_out.append(name)
            else:
                usable.append(name)
        if not usable and not any(p.startswith(key) for p in problems):
            problems.append(f"{key}: none of {', '.join(purchase.types)} is sold in {spec.zone}"
                            f"{_similar(purchase.types[0], stock)}")
        # What is out of stock at this moment is tried last: stock may be back by then.
        purchase.types = [t for t in usable if stock.get(t, True)] + [t for t in usable if not stock.get(t, True)]
        purchase.sold_out += [t for t in usable if not stock.get(t, True)]
    if problems:
        raise Refused("\n".join(problems), "Choose types that the zone sells, with enough memory for their role")


def _shapes(client: EcsClient, types: list) -> dict:
    """vCPUs, memory (GiB) and kind of processors of the types that exist."""
    found: dict = {}
    for start in range(0, len(types), 10):
        try:
            rows = client.items("DescribeInstanceTypes", InstanceTypes=types[start:start + 10])
        except EcsError as error:
            if "NotFound" not in error.code and "ValueNotSupported" not in error.code:
                raise
            rows = [r for r in client.items("DescribeInstanceTypes") if r["InstanceTypeId"] in types]
        for row in rows:
            found[row["InstanceTypeId"]] = {"vcpus": int(row["CpuCoreCount"]), "memory_gib": float(row["MemorySize"]),
                                            "processors": row.get("CpuArchitecture") or "X86"}
    return found


def _stock(client: EcsClient, zone: str) -> dict:
    """Instance type -> whether the zone has it in stock, of all types that the zone sells; empty when unknown."""
    answer = client.call("DescribeAvailableResource", DestinationResource="InstanceType", ZoneId=zone,
                         InstanceChargeType="PostPaid", IoOptimized="optimized")
    found: dict = {}
    for row in (answer.get("AvailableZones") or {}).get("AvailableZone") or []:
        if row.get("ZoneId") != zone:
            continue
        for resource in (row.get("AvailableResources") or {}).get("AvailableResource") or []:
            for item in (resource.get("SupportedResources") or {}).get("SupportedResource") or []:
                found[item["Value"]] = item.get("Status", "Available") == "Available"
    return found


def _similar(name: str, stock: dict) -> str:
    """Up to five types of the same size that can be had, as a hint."""
    size = name.rpartition(".")[2]
    near = sorted(t for t, there in stock.items() if there and t.rpartition(".")[2] == size)[:5]
    return f" (in stock: {', '.join(near)})" if near else ""


def _add_price(client: EcsClient, spec, plan: Plan, found: Found) -> None:
    """Price of what would be bought, and of the cluster as a whole; a price that cannot be had is a warning."""
    total, left, currency, sources = 0.0, 0.0, "", set()
    bought = {p.group: p for p in plan.purchases}
    try:
        for group in spec.node_groups.values():
            counts: dict = {}
            leaves: dict = {}
            for instance in found.of_group(group.name):
                which = leaves if instance["InstanceName"] in plan.to_release else counts
                which[instance["InstanceType"]] = which.get(instance["InstanceType"], 0) + 1
            purchase = bought.get(group.name)
            if purchase:
                counts[purchase.types[0]] = counts.get(purchase.types[0], 0) + len(purchase.ordinals)
            for instance_type in {**counts, **leaves}:
                each, currency, source = unit_price(client, spec, group, instance_type)
                total += each * counts.get(instance_type, 0)
                left += each * leaves.get(instance_type, 0)
                sources.add(source)
                if purchase and instance_type == purchase.types[0]:
                    purchase.price_hour = each * len(purchase.ordinals)
    except EcsError as error:
        plan.warnings.append(f"the price is unknown: {error.message}")
        return
    plan.price = {"hourly": round(total, 4), "monthly": round(total * HOURS_PER_MONTH, 2), "currency": currency,
                  "bought_hourly": round(sum(p.price_hour for p in plan.purchases), 4), "left_hourly": round(left, 4),
                  "source": ", ".join(sorted(s for s in sources if s))}


def unit_price(client: EcsClient, spec, group, instance_type: str) -> tuple:
    """(price of one node per hour with its disks, currency, what the API says of the price)."""
    params = {"ResourceType": "instance", "InstanceType": instance_type, "PriceUnit": "Hour", "Amount": 1,
              "InstanceNetworkType": "vpc", "IoOptimized": "optimized", "ImageId": spec.image, "ZoneId": spec.zone,
              "SystemDisk": {"Category": group.system_disk.category, "Size": group.system_disk.size_gib},
              "DataDisk": [{"Category": c, "Size": s} for c, s in disk_list(group)] or None}
    if group.spot is not None:
        params["SpotStrategy"] = group.spot.strategy
    info = client.call("DescribePrice", **params).get("PriceInfo") or {}
    price = info.get("Price") or {}
    rules = "; ".join(r.get("Description", "") for r in (info.get("Rules") or {}).get("Rule") or [])
    return float(price.get("TradePrice") or price.get("OriginalPrice") or 0), price.get("Currency", ""), rules


def disk_list(group) -> list:
    """(category, GiB) of each data disk of a node of this group."""
    return [(d.category, d.size_gib) for d in group.data_disks for _disk in range(d.count)]
