"""A month's budget: what counts, when it warns, and what it refuses."""
from __future__ import annotations

import calendar
import json

import pytest
import yaml

from ansible_collections.emr.cluster.plugins.module_utils.domain.errors import SpecError
from ansible_collections.emr.cluster.plugins.module_utils.domain.jobs import budget
from ansible_collections.emr.cluster.plugins.module_utils.domain.spec.model import parse_spec
from ansible_collections.emr.cluster.plugins.module_utils.node.common import NodeError
from ansible_collections.emr.cluster.plugins.module_utils.node.flows import record as flows
from ansible_collections.emr.cluster.plugins.module_utils.node.jobs import budget as on_node
from tests.unit.test_switches import BARE

NOON = calendar.timegm((2026, 11, 11, 0, 0, 0))
HOUR = 3600.0
# 10 an hour since October, so 2,400 in the first ten days of November.
PRICES = [{"since": NOON - 40 * 24 * HOUR, "hourly": 10.0, "currency": "CNY"}]


def wanted(monthly, beyond="refuse", warn_at=80):
    return {"monthly": monthly, "warn_at": warn_at, "beyond": beyond}


def test_a_month_is_a_calendar_month():
    assert budget.month(NOON) == (calendar.timegm((2026, 11, 1, 0, 0, 0)), calendar.timegm((2026, 12, 1, 0, 0, 0)))
    december = budget.month(calendar.timegm((2026, 12, 31, 23, 59, 59)))
    assert december[1] == calendar.timegm((2027, 1, 1, 0, 0, 0))


def test_what_this_month_has_cost_counts_alone():
    found = budget.state(wanted(3000), PRICES, NOON)
    assert (found["spent"], found["share"], found["warns"], found["refuses"]) == (2400.0, 0.8, True, False)
    assert not budget.state(wanted(4000), PRICES, NOON)["warns"] and budget.state(wanted(2000), PRICES, NOON)["refuses"]
    assert not budget.state(wanted(2000, "warn"), PRICES, NOON)["refuses"]
    released = budget.state(wanted(2000, "release"), PRICES, NOON)
    assert released["releases"] and not released["refuses"] and not budget.state(wanted(3000, "release"), PRICES, NOON)["releases"]
    # A cluster that was bought in this month, and one whose price nobody knows.
    young = [{"since": NOON - 10 * HOUR, "hourly": 10.0, "currency": "CNY"}]
    assert budget.state(wanted(3000), young, NOON)["spent"] == 100.0
    assert budget.state(wanted(1), [], NOON) is None and budget.state(None, PRICES, NOON) is None


def test_what_is_refused_and_until_when():
    said = budget.refusal(wanted(2000), PRICES, NOON)
    assert "2,400.00 CNY" in said and "2,000.00" in said and "before 2026-12-01" in said and "budget.monthly" in said
    assert budget.refusal(wanted(2000), PRICES, NOON, "f-20261101-120000-ab12.count.1") == "", "a flow that runs goes on"
    assert budget.refusal(wanted(2000), PRICES, NOON, "mine") == said
    assert budget.refusal(wanted(2000, "release"), PRICES, NOON) == "", "task nodes go, jobs come"
    assert budget.refusal(wanted(2000, "warn"), PRICES, NOON) == budget.refusal(wanted(9000), PRICES, NOON) == ""


def test_a_flow_is_not_begun_beyond_it_and_a_known_one_is_found(tmp_path, monkeypatch):
    monkeypatch.setattr(flows, "FLOWS", str(tmp_path / "flows"))
    monkeypatch.setattr(on_node, "settings", lambda: {"budget": None})
    first, new = flows.create({"name": "n", "jobs": {}, "token": "mine"})
    assert new
    monkeypatch.setattr(on_node, "settings", lambda: {"budget": wanted(0.01)})
    monkeypatch.setattr(on_node, "prices", lambda: json.loads(json.dumps(PRICES)))
    assert flows.create({"name": "n", "jobs": {}, "token": "mine"}) == (first, False)
    with pytest.raises(NodeError, match="its budget is") as refused:
        flows.create({"name": "n", "jobs": {}, "token": "other"})
    assert refused.value.extra["emr_refused"] and flows.ids() == [first]


def test_a_spec_says_it():
    def spec(**more):
        return parse_spec(yaml.safe_dump({**BARE, **more}))
    found = spec(budget={"monthly": 5000})
    assert (found.budget.monthly, found.budget.warn_at, found.budget.beyond) == (5000, 80, "warn")
    assert spec().digest() != found.digest() and spec().budget is None
    for wrong in ({}, {"monthly": 0}, {"monthly": 1, "warn_at": 0}, {"monthly": 1, "beyond": "stop"}):
        with pytest.raises(SpecError):
            spec(budget=wrong)
