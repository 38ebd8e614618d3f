"""What the controller asks of a node: one definition, and what actions compute is as it says."""
from __future__ import annotations

from dataclasses import fields
from importlib import import_module
from types import SimpleNamespace

import pytest

from ansible_collections.emr.cluster.plugins.action.host import options as host_options
from ansible_collections.emr.cluster.plugins.module_utils.domain import requests
from ansible_collections.emr.cluster.plugins.module_utils.domain.errors import EmrError
from ansible_collections.emr.cluster.plugins.module_utils.node.common import NodeError
from ansible_collections.emr.cluster.plugins.modules import node
from ansible_collections.emr.cluster.plugins.plugin_utils.node_action import NodeAction

from .test_node_context import context

STATUS = {"components": [], "answers": {}, "control": False}


def action(name, **args):
    """An action of this name, as far as computing its request goes."""
    made = object.__new__(import_module(f"ansible_collections.emr.cluster.plugins.action.{name}").ActionModule)
    made._task = SimpleNamespace(check_mode=False, args=args, diff=False)
    made._connection = None
    return made


def test_each_operation_of_the_module_has_a_request():
    assert set(requests.REQUESTS) == set(node.OPERATIONS)


def test_types_of_fields_are_those_that_are_checked():
    every = [cls for row in requests.REQUESTS.values() for cls in (row.values() if isinstance(row, dict) else [row])]
    for row in (row for cls in every for row in fields(cls)):
        kind, _bracket, inner = row.type.partition("[")
        assert kind in requests._KINDS and (not inner or inner[:-1] in requests._ROWS)


@pytest.mark.parametrize("change, said", [
    ({"answers": None}, "status.answers: found NoneType, expected dict"), ({"control": 1}, "status.control: found int, expected bool"),
    ({"namenode": ""}, "status: unknown option namenode"), ({"components": [{"name": "datanode"}]}, r"status.components\[0\]: the option label is missing")])
def test_both_sides_refuse_what_is_not_in_the_request(change, said):
    with pytest.raises(EmrError, match=said):
        NodeAction._asked("status", {**STATUS, **change})
    with pytest.raises(NodeError, match=said):
        node.perform("status", {**STATUS, **change}, False)


def test_what_is_left_out_is_named_and_a_step_has_to_be_one():
    with pytest.raises(ValueError, match="activity: the option answers is missing"):
        requests.checked("activity", {"look_only": True})
    with pytest.raises(ValueError, match="roll: phase is 'x', expected one of mark, go"):
        requests.checked("roll", {"phase": "x"})


def test_defaults_are_filled_in_and_what_may_be_missing_stays_so():
    found = requests.checked("drain", {"op": "wait", "answers": {}, "nodes": [], "copies_over": 0, "drain_s": 600, "limit_s": 9.5})
    assert found["before"] == {}
    assert "whole_s" not in requests.checked("verify", {"answers": {}, "members": {}, "logs": {}, "proofs": [], "limit_s": 1, "look_s": 20})


def test_secrets_are_no_options_and_come_along():
    assert NodeAction._asked("status", {**STATUS, "secrets": {"a": "b"}})["secrets"] == {"a": "b"}


@pytest.mark.parametrize("name, args", [
    ("activity", {}), ("backup", {}), ("bundle", {"out": "/tmp/x"}), ("configure", {}), ("people", {}), ("roll", {"phase": "mark"}), ("roll", {"phase": "go"}),
    ("service", {}), ("service", {"state": "stopped"}), ("status", {}), ("verify", {"depth": "full"}), ("verify", {"depth": "counts"}),
    ("check", {"part": "deployment"}), ("people", {"op": "delete", "user": "bob"}), ("restore", {"step": "look"}), ("restore", {"step": "report"}),
    ("restore", {"step": "accept"}), ("restore", {"step": "finish"}), ("data", {"op": "ls", "path": "/data"})])
@pytest.mark.parametrize("host", ["m1", "s1"])
def test_what_actions_compute_is_a_request(name, args, host):
    made = action(name, **args)
    options = made.work(context(host), args)
    if "result" not in options:
        requests.checked(made.MODULE, options)


@pytest.mark.parametrize("host", ["m1", "s1"])
def test_a_drain_and_a_host_are_requests(host):
    found = context(host)
    requests.checked("host", host_options(found, {}))
    drain = action("drain")
    nodes = [drain._node(found, one) for one in found.topology.nodes if one.role == "slave"]
    assert [row["parts"] for row in nodes] == [["hdfs", "yarn"]] * 2
    requests.checked("drain", drain._options(found, nodes=nodes, op="begin", drain_s=5))
