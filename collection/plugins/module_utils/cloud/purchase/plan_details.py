"""The parts of a plan that only people and gates need: what happens to each node, what the cluster will offer, spot prices.

Read-only. Creating does without it, so it costs no time there.
"""
from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from ...domain.errors import EmrError
from ..cluster.anchor import Anchor, node_name
from ..cluster.finder import Found, data_disks
from ..ecs import market
from ..ecs.client import EcsClient, EcsError
from . import stock
from .offering import bought_nodes, config_changes, existing_nodes, offered, topology
from .plan import HOURS_PER_MONTH, Plan
from .purchase import trial_parameters

# What create does with a node that the spec has no place for.
SURPLUS = "stays, not in the spec; apply releases it"

# What may happen to the daemons and the files of a node.
_DONE = ("restarts", "refreshes", "starts", "stops", "settings")


def plan_details(client: EcsClient, spec, found: Found, plan: Plan, running=None, unread: str = "") -> dict:
    """The plan as plain data with its details. ``running`` is the spec that the cluster was last made by, when known;
    ``unread`` says why it could not be read.
    """
    data = plan.to_dict()
    now = existing_nodes(found.instances, data_disks(client, found.instances))
    new = bought_nodes(spec, plan.purchases, plan.shapes)
    before = topology(running or spec, plan.cluster_id, now)
    after = topology(spec, plan.cluster_id, [n for n in now if n.name not in plan.to_release] + new)
    changed = {}
    if running is not None:
        changed = {row["node"]: row for row in config_changes(running, before, spec, after)}
    elif unread:
        data["warnings"] = [*data["warnings"], f"the running cluster could not be compared with the spec: {unread}"]
    elif found.instances and found.anchor and found.anchor.spec_digest != plan.spec_digest:
        data["changes"] = [*data["changes"], "make the nodes that exist follow the changed spec (emrctl plan tells how)"]
    data["nodes"] = _nodes(spec, found, plan, changed)
    data["offer"] = {"now": offered(running or spec, before), "after": offered(spec, after)}
    data["changes"] = [*data["changes"], *_sentences(changed.values())]
    data["substitutes"] = [{"group": p.group, "sold_out": p.passed_over(), "takes_its_place": p.types[0]}
                           for p in plan.purchases if p.passed_over()]
    data["warnings"] = [*data["warnings"], *_stock_warnings(plan), *_lacks(client, spec, found, plan), *_traffic(spec)]
    data["price"] = _prices(plan)
    data["spot"] = _spot(client, spec, plan)
    # A gate must not say that all is as wanted when nobody could look.
    data["empty"] = not (data["buy"] or data["changes"] or unread) and plan.empty
    return data


def _nodes(spec, found: Found, plan: Plan, changed: dict) -> list:
    """One row for each node, existing and coming: what happens to it."""
    wanted = {name for g in spec.node_groups.values()
              for name in sorted(i["InstanceName"] for i in found.of_group(g.name))[:g.count]}
    rows = []
    for instance in found.instances:
        name, row = instance["InstanceName"], changed.get(instance["InstanceName"], {})
        stopped = instance.get("Status") in ("Stopped", "Stopping")
        does = "start" if stopped else "change" if row else "keep" if name in wanted else SURPLUS
        does = "release" if name in plan.to_release else does
        rows.append({"node": name, "does": does, "instance_type": instance.get("InstanceType", ""),
                     **{key: row.get(key, []) for key in _DONE}})
    for purchase in plan.purchases:
        rows += [{"node": node_name(spec.name, purchase.group, n), "does": "buy", "instance_type": purchase.types[0],
                  **{key: [] for key in _DONE}} for n in purchase.ordinals]
    return rows


def _sentences(rows) -> list:
    """Nodes to which the same happens share a sentence."""
    alike: dict = {}
    for row in rows:
        settings = ", ".join(f"{s['key']} {s['from'] or '(unset)'} -> {s['to'] or '(unset)'}" for s in row["settings"][:4])
        more = f" and {len(row['settings']) - 4} more settings" if len(row["settings"]) > 4 else ""
        parts = [f"set {settings}{more}"] if settings else []
        parts += [f"{verb} {', '.join(row[key])}" for verb, key in (("restart", "restarts"), ("start", "starts"),
                                                                    ("stop", "stops")) if row[key]]
        if row["refreshes"]:
            parts.append("refresh " + ", ".join(f"{r['name']} of {r['component']}" for r in row["refreshes"]))
        alike.setdefault("; ".join(parts), []).append(row["node"])
    return [f"{', '.join(sorted(names))}: {text}" for text, names in sorted(alike.items(), key=lambda i: sorted(i[1]))]


def _stock_warnings(plan: Plan) -> list:
    """Groups of which no listed type is in stock at this moment."""
    return [f"group {p.group}: none of {', '.join(p.types)} is in stock now; create asks again before it buys anything"
            for p in plan.purchases if p.types and p.types[0] in p.sold_out]


def _lacks(client: EcsClient, spec, found: Found, plan: Plan) -> list:
    """What cannot be had in the wanted number, groups that share a type together. The API wants a security group in the question, any
    of the VPC; where there is none yet (a new VPC), create asks before it buys.
    """
    vswitch = plan.network.get("vswitch_id") if spec.network.create else spec.network.vswitch_id
    if not plan.purchases or not vswitch or not plan.vpc_id:
        return []
    anchor = found.anchor
    if anchor is None:
        groups = client.items("DescribeSecurityGroups", VpcId=plan.vpc_id)
        if not groups:
            return []
        anchor = Anchor(groups[0]["SecurityGroupId"], spec.name, "")
    there = replace(spec, network=replace(spec.network, vswitch_id=vswitch))
    sold = [p.group for p in plan.purchases if p.types and p.types[0] in p.sold_out]
    return [f"{lack}; create would buy nothing" for lack in stock.lacks(client, plan.purchases, trial_parameters(there, anchor, ""))
            if lack.group not in sold]


def _traffic(spec) -> list:
    """What a door costs besides."""
    which = {"bastion": "the bastion's", "public": "each node's"}.get(spec.network.access)
    return [f"{which} traffic to the internet is billed by volume, besides the price"] if which else []


def _prices(plan: Plan) -> dict:
    """Hourly and monthly for now and after; empty when the API gave no price."""
    if not plan.price:
        return {}
    hour = plan.price["hourly"] - plan.price.get("bought_hourly", 0) + plan.price.get("left_hourly", 0)
    return {**plan.price, "now": {"hourly": round(hour, 4), "monthly": round(hour * HOURS_PER_MONTH, 2)},
            "after": {"hourly": plan.price["hourly"], "monthly": plan.price["monthly"]}}


def _spot(client: EcsClient, spec, plan: Plan) -> list:
    """For each group that is bought: pay-as-you-go and spot of its type, of one instance without disks, per hour."""
    wanted = sorted({p.types[0] for p in plan.purchases})
    with ThreadPoolExecutor(8) as pool:
        history = dict(zip(wanted, pool.map(lambda name: _history(client, spec.zone, name), wanted)))
    rows = []
    for purchase in plan.purchases:
        found = history.get(purchase.types[0]) or {}
        if found:
            spot = spec.node_groups[purchase.group].spot is not None
            rows.append({"group": purchase.group, "instance_type": purchase.types[0], "payg_hour": found["payg"],
                         "spot_hour": found["latest"], "spot_least": found["least"], "spot_most": found["most"],
                         "samples": found["samples"], "from": found["from"], "to": found["to"],
                         "buys": "spot" if spot else "pay-as-you-go",
                         "may_be_spot": purchase.role == "task"})
    return rows


def _history(client: EcsClient, zone: str, name: str) -> dict:
    try:
        return market.spot_history(EcsClient(client.region, client.credentials, client.endpoint, client.patience), zone, name)
    except (EcsError, EmrError):
        return {}
