"""Nodes are counted by number: gaps that a scale-in left are no reason to buy, and are filled first."""
from __future__ import annotations

import pytest

from ansible_collections.emr.cluster.plugins.module_utils.cloud.cluster.anchor import Anchor, Intent
from ansible_collections.emr.cluster.plugins.module_utils.cloud.cluster.finder import Found
from ansible_collections.emr.cluster.plugins.module_utils.cloud.purchase.plan import Plan, _compare
from ansible_collections.emr.cluster.plugins.module_utils.cloud.purchase.purchase import Buyer

from .test_scale_in import spec


def found(*ordinals):
    rows = [("master", 1), *(("slave", n) for n in ordinals)]
    return Found("shop", None, [{"InstanceName": f"shop-{g}-{n:03d}", "InstanceId": f"i-{g}{n}", "Status": "Running",
                                 "InstanceType": "ecs.g6.large", "Tags": {"Tag": [{"TagKey": "emr:group", "TagValue": g}]}}
                                for g, n in rows])


@pytest.mark.parametrize(("wanted", "here", "bought"), [
    (2, (1, 3), []), (3, (1, 3), [2]), (4, (1, 3), [2, 4]), (3, (), [1, 2, 3]), (2, (1, 2, 3), [])])
def test_what_is_bought(wanted, here, bought):
    plan = Plan("shop", "r", "z", "d")
    _compare(plan, spec(wanted), found(*here))
    assert [n for p in plan.purchases for n in p.ordinals] == bought
    assert bool(plan.warnings) == (len(here) > wanted)


@pytest.mark.parametrize(("wanted", "here", "intent", "yes"), [
    (3, (1, 3), (2, 2), True), (2, (1, 3), (2, 2), False), (4, (1, 2), (3, 4), True), (4, (1, 2, 3), (3, 4), True),
    (3, (1, 2), (3, 4), False)])
def test_an_open_purchase_is_finished_while_it_is_wanted(wanted, here, intent, yes):
    buyer = Buyer(None, spec(wanted), Anchor("sg", "shop", "emr-1"), "")
    names = {i["InstanceName"] for i in found(*here).instances}
    assert buyer._replayable(Intent("slave", *intent, "ecs.g6.large"), names) is yes
    assert buyer._replayable(Intent("slave", *intent, "ecs.other.large"), names) is False
