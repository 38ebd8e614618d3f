"""Buys what a cluster lacks, so that an interruption at any moment and any number of reruns buy nothing twice.

Order: intents on the anchor, readable, then RunInstances with the intent's ClientToken, then wait until the instances
are visible, then close the intents. A rerun first settles the open intents, then counts. Times are seconds.
"""
from __future__ import annotations

import time

from ...domain.errors import EmrError, Refused
from ..cluster.anchor import Anchor, Intent, find_anchor
from ..cluster.finder import cluster_instances, order
from ..ecs.client import EcsClient, EcsError, tag_list, tags_of
from ..ecs.power import start_instances
from ..ssh import doors
from . import stock
from .plan import Plan, Purchase, disk_list, protects, unprotected
from .stock import NO_STOCK, in_words

# An intent older than this is judged by what is listed, a younger one by its token.
SETTLED = 300.0
VISIBLE_LIMIT = 120.0
RUNNING_LIMIT = 600.0
PUBLIC_MBIT = 100


def run_parameters(spec, group, anchor: Anchor, login_key_pair: str, intent: Intent) -> dict:
    """The parameters of RunInstances for an intent: the same intent and spec give the same parameters."""
    name = f"{spec.name}-{group.name}-[{intent.first},3]"
    params = {
        "InstanceType": intent.instance_type, "ImageId": spec.image, "ZoneId": spec.zone,
        "VSwitchId": spec.network.vswitch_id, "SecurityGroupId": anchor.group_id, "KeyPairName": login_key_pair,
        "InstanceName": name, "HostName": name, "Amount": intent.count, "ClientToken": intent.token(anchor.cluster_id),
        "InstanceChargeType": "PostPaid", "IoOptimized": "optimized", "HttpEndpoint": "enabled",
        "HttpTokens": "required", "DeletionProtection": protects(spec, group),
        "SystemDisk": {"Category": group.system_disk.category, "Size": group.system_disk.size_gib},
        "DataDisk": [{"Category": c, "Size": s, "DeleteWithInstance": True} for c, s in disk_list(group)] or None,
        "Tag": tag_list(node_tags(spec, group, anchor)),
    }
    if _has_public_address(spec, group, intent):
        params.update(InternetMaxBandwidthOut=PUBLIC_MBIT, InternetChargeType="PayByTraffic")
    if group.spot is not None:
        params.update(SpotStrategy=group.spot.strategy, SpotPriceLimit=group.spot.price_limit)
    return params


def trial_parameters(spec, anchor: Anchor, key_pair: str):
    """Parameters by which module stock asks for nodes that are not bought: (purchase, type, count) to those of RunInstances."""
    def parameters(purchase: Purchase, name: str, count: int) -> dict:
        intent = Intent(purchase.group, purchase.ordinals[0], purchase.ordinals[0] + count - 1, name)
        return {**run_parameters(spec, spec.node_groups[purchase.group], anchor, key_pair, intent), "ClientToken": None,
                "KeyPairName": key_pair or None}

    return parameters


def _has_public_address(spec, group, intent: Intent) -> bool:
    """With a bastion the control node alone; a spec has one master, so its intent covers no other node."""
    if spec.network.access == "bastion":
        return group.name == spec.groups_with_role("master")[0].name and intent.first == 1
    return spec.network.access == "public"


def node_tags(spec, group, anchor: Anchor) -> dict:
    """Tags of a node from its birth on."""
    door = {} if spec.network.access == "vpc" else {doors.TAG: spec.network.access}
    return {**spec.tags, **door, "emr:cluster": spec.name, "emr:id": anchor.cluster_id, "emr:group": group.name,
            "emr:role": group.role, "emr:release": spec.release, "emr:services": ",".join(spec.expanded_services)}


class Buyer:
    """One purchase for one cluster. ``report`` takes sentences for people; ``lock`` is checked before each call."""

    def __init__(self, client: EcsClient, spec, anchor: Anchor, key_pair: str, lock=None, report=lambda text: None):
        self.client, self.spec, self.anchor, self.key_pair = client, spec, anchor, key_pair
        self.lock, self.report = lock, report
        self.bought: list = []

    def instances(self) -> list:
        """The cluster's instances as they are listed now."""
        return cluster_instances(self.client, self.spec.name, self.anchor.cluster_id)

    def settle(self) -> None:
        """Finish the purchases that an interrupted run announced, so that afterwards counting is right."""
        if not self.anchor.intents:
            return
        names = {i.get("InstanceName") for i in self.instances()}
        done = []
        for intent in self.anchor.intents:
            wanted = set(intent.names(self.spec.name))
            if not wanted <= names and intent.age() < SETTLED:
                if self._replayable(intent, names):
                    self._replay(intent)
                else:
                    self._wait_listed(wanted, max(0.0, SETTLED - intent.age()))
            done.append(intent)
        self.anchor = self.anchor.close_intents(self.client, done)

    def _replayable(self, intent: Intent, names: set) -> bool:
        """Whether the spec still wants the nodes of this intent, besides those that exist (``names``)."""
        group = self.spec.node_groups.get(intent.group)
        if group is None or intent.instance_type not in group.instance_types:
            return False
        prefix = f"{self.spec.name}-{intent.group}-"
        here = {n for n in names if n and n.startswith(prefix) and n[len(prefix):].isdigit()}
        return len(here | set(intent.names(self.spec.name))) <= group.count

    def _replay(self, intent: Intent) -> None:
        """Repeat the call with its token: it answers with what was bought, or buys now."""
        what = f"{intent.count} x {intent.instance_type} for group {intent.group}"
        try:
            self._run(intent)
            self.report(f"finished an interrupted purchase: {what}")
        except EcsError as error:
            if error.is_a(*NO_STOCK):
                return
            # Bought with the parameters of an older spec: they only have to appear.
            if not error.is_a("IdempotentParameterMismatch"):
                raise
            self.report(f"found an interrupted purchase: {what}")
        self._wait_listed(set(intent.names(self.spec.name)), VISIBLE_LIMIT, intent)

    def check_stock(self, plan: Plan) -> None:
        """Raises Refused when not everything can be had: of a cluster that lacks a group nothing is of use."""
        found = stock.lacks(self.client, plan.purchases, trial_parameters(self.spec, self.anchor, self.key_pair)) if plan.purchases else []
        if found:
            raise Refused(f"{'; '.join(map(str, found))} (zone {self.spec.zone}). Nothing was bought",
                          self._after_failure(found[0].group))

    def buy(self, plan: Plan) -> None:
        """Buy everything that the plan lacks, all groups together. Raises EmrError naming what was bought."""
        queue = [(Intent(p.group, first, last, p.types[0]), p) for p in plan.purchases for first, last in p.runs()]
        while queue:
            room = max(1, self.anchor.room)
            self._buy_some(queue[:room])
            queue = queue[room:]

    def _buy_some(self, wanted: list) -> None:
        self.anchor = self.anchor.open_intents(self.client, [intent for intent, _later in wanted])
        settled = [self._buy_one(intent, purchase, wanted[n + 1:]) for n, (intent, purchase) in enumerate(wanted)]
        names = {n for i in settled for n in i.names(self.spec.name)}
        missing = self._wait_listed(names, VISIBLE_LIMIT)
        if missing:
            raise EmrError(f"Bought but not visible after {VISIBLE_LIMIT:.0f} s: {', '.join(sorted(missing))}",
                           "Run the command again: it finishes the purchase and buys nothing twice")
        self.anchor = self.anchor.close_intents(self.client, settled)

    def _buy_one(self, intent: Intent, purchase: Purchase, later: list) -> Intent:
        """Buy one intent as the first type that is in stock; returns the intent that was carried out.

        When it fails for good, it and the ``later`` ones, which were not begun, are closed.
        """
        # What the plan found sold out was put last: say so when it was preferred.
        reasons = [f"{name} out of stock" for name in purchase.passed_over()]
        for position, name in enumerate(purchase.types):
            if position:
                intent = intent.of_type(name)
                self.anchor = self.anchor.open_intents(self.client, [intent])
            try:
                self._run(intent)
            except EcsError as error:
                if error.is_a(*NO_STOCK):
                    reasons.append(f"{name} {in_words(error)}")
                    continue
                if not error.transient:
                    self._give_up(intent, later)
                raise
            took = f"; {', '.join(reasons)}, took {name}" if reasons else ""
            self.report(f"bought {intent.count} x {name} for group {intent.group}{took}")
            self.bought.append({"group": intent.group, "role": self.spec.node_groups[intent.group].role, "count": intent.count,
                                "instance_type": name, "why": list(reasons)})
            return intent
        self._give_up(intent, later)
        raise EmrError(f"Group {intent.group}: {intent.count} nodes cannot be bought in {self.spec.zone}: "
                       + "; ".join(reasons), self._after_failure(intent.group))

    def _give_up(self, intent: Intent, later: list) -> None:
        self.anchor = self.anchor.close_intents(self.client, [intent, *(i for i, _wanted in later)])

    def _after_failure(self, group: str) -> str:
        have = f"What is bought already stays: {', '.join(self._bought_texts())}. " if self.bought else ""
        return (f"{have}Add other types to node_groups.{group}.instance_types, or take another zone or a smaller count; "
                "then run the command again")

    def _bought_texts(self) -> list:
        return [f"{b['count']} x {b['instance_type']} ({b['group']})" for b in self.bought]

    def _run(self, intent: Intent) -> list:
        if self.lock is not None:
            self.lock.check()
        group = self.spec.node_groups[intent.group]
        answer = self.client.call("RunInstances", **run_parameters(self.spec, group, self.anchor, self.key_pair, intent))
        return (answer.get("InstanceIdSets") or {}).get("InstanceIdSet") or []

    def _wait_listed(self, names: set, limit: float, intent: Intent | None = None) -> set:
        """Wait until instances of these names are listed; returns the names that are not.

        Stops early when the ``intent`` turns out to be closed: then it was only seen late, and its nodes are gone.
        """
        end = time.monotonic() + limit
        while True:
            missing = names - {i.get("InstanceName") for i in self.instances()}
            if not missing or time.monotonic() > end:
                return missing
            time.sleep(0.3)
            if intent is not None and not self._still_open(intent):
                return missing

    def _still_open(self, intent: Intent) -> bool:
        anchor = find_anchor(self.client, self.spec.name)
        return anchor is not None and intent in anchor.intents

    def wait_running(self, limit: float = RUNNING_LIMIT, to_release=()) -> list:
        """Wait until all instances run, starting those that are stopped; returns them sorted. Raises EmrError.

        ``to_release``: names of nodes that are to be released: whatever state they are in, nobody waits for them.
        """
        begin = time.monotonic()
        started: set = set()
        while True:
            found = self.instances()
            rest = [i for i in found if i.get("Status") != "Running" and i.get("InstanceName") not in to_release]
            if not rest:
                return sorted(found, key=order)
            waited = time.monotonic() - begin
            if waited > limit:
                shown = ", ".join(f"{i['InstanceName']} is {i.get('Status')}" for i in rest[:10])
                raise EmrError(f"{len(rest)} instances do not run after {limit:.0f} s: {shown}",
                               "Look at them in the console, then run the command again")
            # A new instance may be Stopped for a moment before it is started.
            stopped = [i["InstanceId"] for i in rest if i.get("Status") == "Stopped" and i["InstanceId"] not in started]
            if stopped and waited > (5 if self.bought else 0):
                start_instances(self.client, stopped)
                started.update(stopped)
            time.sleep(0.3 if waited < 20 else 2.0)

    def protect(self, instances: list) -> int:
        """Make deletion protection what the spec says; how many were changed."""
        changed = unprotected(self.spec, instances)
        for instance in changed:
            self.client.call("ModifyInstanceAttribute", InstanceId=instance["InstanceId"],
                             DeletionProtection=not instance.get("DeletionProtection"))
        return len(changed)


def retag(client: EcsClient, instances: list, tags: dict) -> int:
    """Give all instances these tags, those that lack them; how many were changed."""
    changed = [i["InstanceId"] for i in instances if any(tags_of(i).get(k) != v for k, v in tags.items())]
    for first in range(0, len(changed), 50):
        client.call("TagResources", ResourceType="instance", ResourceId=changed[first:first + 50], Tag=tag_list(tags))
    return len(changed)
