"""The states of emr.cluster.cluster that change a running cluster: arguments to a convergence, its answers to a result."""
from __future__ import annotations

from ..module_utils.cloud.purchase.plan_details import plan_details
from ..module_utils.cloud.scale import convergence
from ..module_utils.domain.spec.model import spec_from_dict
from . import metastore_password


def _prepared(arguments: dict, spec, operation) -> tuple:
    """(Plan, Found, the spec before or None)."""
    before = spec_from_dict(arguments["running"]) if arguments.get("running") else None
    if before is None:
        metastore_password.check_new(spec, operation)
    plan, found = convergence.prepare(operation, spec, before, arguments["named"], arguments["excluded"],
                                      arguments.get("loads"), arguments["gone"])
    plan.warnings += arguments["notes"]
    return plan, found, before


def planned(arguments: dict, spec, operation) -> dict:
    """What it would do, for people and for the confirmation; no node is returned, so that nothing acts afterwards."""
    plan, found, before = _prepared(arguments, spec, operation)
    data = plan_details(operation.client, spec, found, plan, before)
    return {"plan": data, "spec": spec.to_dict(), "exists": before is not None, "nodes": [], "leaving": plan.leaving,
            "emr_result": {"name": spec.name, "region": spec.region, "plan": data, "price": data["price"]}}


def converged(arguments: dict, spec, operation, present) -> dict:
    """Buy what is missing; the nodes with the groups that say what happens to each. ``present`` does the buying."""
    plan, found, before = _prepared(arguments, spec, operation)
    if before is not None:
        convergence.check_answers(operation, found, plan)
    result = present(arguments, spec, operation, (plan, found))
    groups = convergence.joined(result["nodes"], plan, spec, arguments["excluded"])
    nodes = [dict(node, groups=[*node["groups"], *groups[node["name"]]]) for node in result["nodes"] if node["name"] in groups]
    return {**result, "nodes": nodes, "exists": before is not None, "leaving": plan.leaving}
