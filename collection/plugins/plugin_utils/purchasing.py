"""What the actions ``plan``, ``purchase`` and ``converge`` share: plans and purchases as results."""
from __future__ import annotations

from ..module_utils.cloud.cluster.control import GROUP as CONTROL
from ..module_utils.cloud.purchase.plan import check_masters
from ..module_utils.cloud.purchase.plan_details import plan_details
from ..module_utils.domain.install.sources import CACHE
from ..module_utils.domain.spec.model import spec_from_dict
from . import bootstrap_scripts, secrets_given
from .operations import nodes_of, reader_of


def planned(arguments: dict, spec, operation) -> dict:
    """What a spec would change; no node is returned, so that nothing acts afterwards."""
    running = spec_from_dict(arguments["running"]) if arguments.get("running") else None
    unread = arguments.get("unread") or ""
    plan, found = operation.plan(spec, before=running)
    check_masters(plan, spec, found, running)
    bootstrap_scripts.check_new(spec, operation, arguments.get("spec_file"))
    plan.warnings += [f"{s.of}: create needs {s.what} in the variable {s.variable}" for s in secrets_given.nowhere(spec, operation)]
    return {**as_result(plan_details(operation.client, spec, found, plan, running, unread), spec), "cluster_id": plan.cluster_id,
            "exists": found.exists, "reader": [] if running or unread else reader_of(operation, found)}


def as_result(plan: dict, spec) -> dict:
    """A plan as a result, for people and for the confirmation."""
    return {"plan": plan, "spec": spec.to_dict(), "emr_result": {"name": spec.name, "region": spec.region, "plan": plan, "price": plan["price"]}}


def purchased(arguments: dict, spec, operation, prepared=None) -> dict:
    """Buy what is missing; ``prepared``: (Plan, Found) that were made already."""
    found, plan, login, bought = operation.present(spec, prepared)
    result = nodes_of(operation, found, login.private_key_file, spec)
    data, retries = plan.to_dict(), dict(operation.client.retries)
    if retries:
        operation.say("repeated calls of the API: " + ", ".join(f"{n} x {code}" for code, n in sorted(retries.items())))
    result["emr_result"].update(plan=data, price=plan.price, bought=bought, retries=retries, zone=spec.zone,
                                release=spec.release, services=list(spec.expanded_services))
    return {**result, "plan": data, "spec": spec.to_dict(), "push": _pushed_to(result["nodes"], plan, prepared is None and bool(secrets_given.lacking(spec)))}


def _pushed_to(nodes: list, plan, asked: bool) -> list:
    """The control node, by itself, when this machine has to give it something or it is ``asked`` for a password; else nobody."""
    if not asked and not any(row["source"] == CACHE for row in plan.sources):
        return []
    return [n["name"] for n in nodes if CONTROL in n["groups"] and n["name"] not in plan.to_release]
