"""The RAM policy: its table names what the code calls, no more and no less."""
from __future__ import annotations

import ast
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ansible_collections.emr.cluster.plugins.module_utils.cloud.credentials.chain import Credentials
from ansible_collections.emr.cluster.plugins.module_utils.cloud.ecs.client import EcsClient, EcsError
from ansible_collections.emr.cluster.plugins.module_utils.cloud.ecs.permissions import ACTIONS, LOOK, TABLE, policy
from emrctl.main import build

REPO = Path(__file__).parents[2]
VERBS = ("Describe", "List", "Run", "Start", "Stop", "Reboot", "Delete", "Create", "Modify", "Tag", "Untag", "Import", "Authorize",
         "Revoke", "Allocate", "Associate", "Attach", "Detach")


def named_actions() -> set:
    """Each text of the code, outside of docstrings and of the local ECS, that is the name of an API action."""
    known = set(json.loads((REPO / "emrctl/local/api/parameters.json").read_text()))
    found = set()
    for path in [*(REPO / "collection/plugins").rglob("*.py"), *(REPO / "emrctl").rglob("*.py")]:
        if "local" in path.relative_to(REPO).parts or path.name in ("permissions.py", "ecs.py"):
            continue
        found |= {n.value for n in ast.walk(ast.parse(path.read_text())) if isinstance(n, ast.Constant)
                  and isinstance(n.value, str) and n.value in known and n.value.startswith(VERBS)}
    return found


def test_table_is_what_the_code_names():
    assert named_actions() == set(ACTIONS) and len(ACTIONS) == len(TABLE)


def test_an_action_that_is_not_declared_cannot_be_called():
    with pytest.raises(ValueError, match="not in permissions"):
        EcsClient("cn-x", Credentials("a", "b")).call("RebootInstances")


def test_policy_is_valid_and_least():
    whole = policy()
    actions = [a for s in whole["Statement"] for a in s["Action"]]
    assert whole["Version"] == "1" and sorted(actions) == sorted(p.name for p in TABLE) and len(json.dumps(whole)) < 6144
    only = next(s for s in whole["Statement"] if "Condition" in s)
    assert "ecs:DeleteInstances" in only["Action"] and "emr:cluster" in json.dumps(only["Condition"])
    assert policy("inventory")["Statement"] == [{"Effect": "Allow", "Resource": "*", "Action": [
        "ecs:DescribeDisks", "ecs:DescribeInstances", "ecs:DescribeRegions"]}]
    assert {a for s in policy("plan")["Statement"] for a in s["Action"]} == {p.name for p in TABLE if p.purpose == LOOK}
    network = next(s for s in whole["Statement"] if "vpc:CreateVpc" in s["Action"])
    assert network["Resource"] == "acs:vpc:*:*:*" and all(a.startswith("vpc:") for a in network["Action"])
    regional = policy(regions=["cn-hangzhou", "cn-beijing"])["Statement"]
    assert regional[0]["Resource"] == "*" and regional[1]["Resource"] == ["acs:ecs:cn-hangzhou:*:*", "acs:ecs:cn-beijing:*:*"]


def test_command_prints_it():
    def run(*words):
        done = CliRunner().invoke(build(["ram-policy"]), ["ram-policy", *words])
        assert done.exit_code == 0, done.output
        return done.output

    assert json.loads(run()) == policy() and json.loads(run("--for", "inventory")) == policy("inventory")
    assert json.loads(run("--region", "cn-hangzhou")) == policy(regions=["cn-hangzhou"])
    assert "buy nodes" in run("-o", "table")


@pytest.mark.parametrize("permission", TABLE, ids=lambda p: p.action)
def test_a_denied_action_is_reported_with_its_line(permission):
    error = EcsError("Forbidden.RAM", "User not authorized", "R", permission.action)
    assert f'Add "{permission.name}" to the RAM policy' in str(error)
    assert f'"{permission.name}"' in json.dumps(policy())
