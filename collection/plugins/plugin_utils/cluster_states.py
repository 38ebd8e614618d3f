"""The states of the action ``cluster``: what each does with an Operation, and what it gives back."""
from __future__ import annotations

from ansible.utils.unsafe_proxy import wrap_var

from ..module_utils.cloud.cluster.finder import Found
from ..module_utils.cloud.cluster.inspection import inspect
from ..module_utils.cloud.cluster.operation import READY, Operation
from ..module_utils.cloud.cluster.teardown import release_plan
from ..module_utils.cloud.ecs.client import tags_of
from ..module_utils.cloud.ecs.power import standing_price, still_charged
from ..module_utils.cloud.purchase.plan_details import plan_details
from ..module_utils.cloud.ssh.login import find_private_key
from ..module_utils.domain.errors import Refused
from ..module_utils.domain.install.sources import CACHE
from ..module_utils.domain.spec.model import spec_from_dict
from . import converging, metastore_password, remembered
from .operations import end_with, reader_of

NEED_SPEC = ("planned", "present", "converged", "settled")


def perform(arguments: dict, spec, operation: Operation) -> dict:
    """The result of the state that the arguments ask for."""
    state = arguments["state"]
    if state == "converged" and spec is None:
        raise Refused(f"Cluster '{operation.name}' does not exist, or was never deployed to its end",
                      "Run its create (or apply) with the spec; emrctl list shows what there is")
    if state in NEED_SPEC and spec is None:
        raise Refused("No spec was given", "Set emr_spec_file to the path of a cluster.yml, or emr_spec to its text")
    if state == "planned" or (state == "present" and arguments["plan_only"]):
        return _planned(arguments, operation, spec)
    if state in ("unlocked", "settled"):
        return {} if arguments["plan_only"] else _ended(state, spec, operation, arguments["hold"])
    if state == "converged" and arguments["plan_only"]:
        return converging.planned(arguments, spec, operation)
    if state == "inspected":
        if arguments["hold"] and not arguments["plan_only"]:
            end_with(operation.pid)
            operation.take_lock()
        return _inspected(arguments, operation)
    if state == "found" and not arguments["may_be_stopped"]:
        return _found(arguments, operation)
    if state == "found" or arguments["plan_only"]:
        return _looked_up(arguments, operation, state)
    remembered.forget(operation, arguments)
    end_with(operation.pid)
    fresh = operation.take_lock()
    try:
        return _CHANGES[state](arguments, spec, operation)
    except BaseException:
        # Nobody comes after a failure here to unlock; the keeper would, but only when ansible-playbook ends.
        if fresh:
            operation.unlock()
        raise


def _ended(state: str, spec, operation: Operation, hold: bool) -> dict:
    """The operation is over: the nodes are recorded as deployed, and the lock is given back, unless more is to follow."""
    if state == "settled":
        operation.settle(spec)
    return {"unlocked": False if hold else operation.unlock()}


def _planned(arguments: dict, operation: Operation, spec) -> dict:
    if arguments["state"] == "present":
        metastore_password.check_new(spec, operation)
    running = spec_from_dict(arguments["running"]) if arguments.get("running") else None
    plan, found = operation.plan(spec, before=running)
    data = plan_details(operation.client, spec, found, plan, running, arguments.get("unread") or "")
    reader = [] if running or arguments.get("unread") else reader_of(arguments, operation, found)
    return {"plan": data, "spec": spec.to_dict(), "cluster_id": plan.cluster_id, "exists": found.exists, "reader": reader,
            "emr_result": {"name": spec.name, "region": spec.region, "plan": data, "price": data["price"]}}


def _looked_up(arguments: dict, operation: Operation, state: str) -> dict:
    """The nodes as they are; for release also its plan."""
    if state == "released":
        found = operation.to_release()
        plan = release_plan(found)
        return {"plan": plan, "emr_result": {"name": found.name, "plan": plan}}
    return _locked(arguments, None, operation)


def _found(arguments: dict, operation: Operation) -> dict:
    """The nodes as they are, to be remembered for whom that is enough for a while."""
    result = _locked(arguments, None, operation)
    remembered.keep(operation, arguments, result)
    return result


def _locked(arguments: dict, _spec, operation: Operation) -> dict:
    """The nodes, and the first master by itself: where the spec of a cluster that was once deployed can be read."""
    if arguments["may_be_stopped"]:
        found = operation.found()
        if arguments["instances"] == "required":
            operation.require_saving(found)
        if not any(i.get("Status") == "Running" for i in found.instances):
            return {"nodes": [], "reader": [], "emr_result": {"name": found.name}}
    found = operation.known() if arguments["may_be_missing"] else operation.running()
    ready = Found(found.name, found.anchor, [i for i in found.instances if tags_of(i).get(READY)])
    return {**_nodes(arguments, operation, found), "reader": reader_of(arguments, operation, ready)}


def _stopped(arguments: dict, _spec, operation: Operation) -> dict:
    """All instances are stopped; nobody has to reach them, and they may have no public address any more."""
    found, charged = operation.stop()
    states = [{"name": i["InstanceName"], "state": i.get("Status", ""), "stopped_mode": i.get("StoppedMode", "")}
              for i in found.instances]
    return {"emr_result": {"name": found.name, "nodes": wrap_var(states), "charging": wrap_var(charged)}}


def _inspected(arguments: dict, operation: Operation) -> dict:
    """Everything that carries the cluster's tag, whatever is wrong with it; only sound nodes are in ``nodes``."""
    seen = inspect(operation.client, operation.name)
    found = seen.found
    result = _nodes(arguments, operation, found)
    if found.instances and all(i.get("Status") == "Stopped" for i in found.instances):
        rows = [{"name": i["InstanceName"], "state": i["Status"], "stopped_mode": i.get("StoppedMode", ""),
                 "instance_type": i.get("InstanceType", "")} for i in found.instances]
        result["standing"] = wrap_var({"nodes": rows, "charging": still_charged(found.instances),
                                       "price": standing_price(operation.client, found.instances)})
    if found.anchor and found.anchor.warned:
        result["emr_result"]["warned"] = wrap_var(found.anchor.warned)
    return {**result, "inspection": wrap_var(seen.to_dict()), "unfinished": wrap_var(seen.unfinished() or {})}


def _nodes(arguments: dict, operation: Operation, found, private_key_file=None, spec=None) -> dict:
    key_pair = found.anchor.login if found.anchor else ""
    key = private_key_file or find_private_key(key_pair, arguments.get("private_key_file"), operation.client)
    with_disks = spec is None or any(g.data_disks for g in spec.node_groups.values())
    nodes = operation.nodes(found, key, with_disks)
    cluster_id = found.anchor.cluster_id if found.anchor else ""
    return {"nodes": wrap_var(nodes), "cluster_id": cluster_id,
            "emr_result": {"name": found.name, "region": operation.client.region, "cluster_id": cluster_id,
                           "nodes": wrap_var([_brief(n) for n in nodes])}}


def _brief(node: dict) -> dict:
    """One node for people and programs."""
    keys = ("group", "role", "state", "instance_type", "vcpus", "memory_mib", "private_ip", "public_ip", "zone",
            "instance_id")
    return {"name": node["name"], **{k: node["vars"]["emr_" + k] for k in keys}}


def _present(arguments: dict, spec, operation: Operation, prepared=None) -> dict:
    if prepared is None:
        metastore_password.check_new(spec, operation)
    found, plan, login, bought = operation.present(spec, prepared)
    result = _nodes(arguments, operation, found, login.private_key_file, spec)
    data = plan.to_dict()
    retries = dict(operation.client.retries)
    if retries:
        operation.say("repeated calls of the API: " + ", ".join(f"{n} x {code}" for code, n in sorted(retries.items())))
    result["emr_result"].update(plan=data, price=plan.price, bought=bought, retries=retries, zone=spec.zone,
                                release=spec.release, services=list(spec.expanded_services))
    return {**result, "plan": data, "spec": spec.to_dict(), "push": _pushed_to(result["nodes"], plan)}


def _pushed_to(nodes: list, plan) -> list:
    """The first master, by itself, when this machine has to give it something; else nobody."""
    masters = sorted(n["name"] for n in nodes if n["vars"]["emr_role"] == "master" and n["name"] not in plan.leaving)
    return masters[:1] if any(row["source"] == CACHE for row in plan.sources) else []


def _released(arguments: dict, _spec, operation: Operation) -> dict:
    plan, counts = operation.release()
    operation.unlock()
    return {"plan": plan, "emr_result": {"name": operation.name, "plan": plan, "released": counts}}


def _tagged(arguments: dict, _spec, operation: Operation) -> dict:
    tags = {}
    if arguments.get("services"):
        tags["emr:services"] = ",".join(arguments["services"])
    if arguments.get("release"):
        tags["emr:release"] = arguments["release"]
    operation.changed = bool(tags and operation.tag(tags))
    return {}


def _shrunk(arguments: dict, _spec, operation: Operation) -> dict:
    """The instances of the nodes that left are released; they were drained, or do not run."""
    gone = operation.shrink(arguments["leaving"], arguments["drained"])
    return {"released": gone, "emr_result": {"released": gone}}


_CHANGES = {
    "shrunk": _shrunk,
    "present": _present,
    "released": _released,
    "tagged": _tagged,
    "locked": _locked,
    "converged": lambda arguments, spec, operation: converging.converged(arguments, spec, operation, _present),
    "started": lambda arguments, _spec, operation: _nodes(arguments, operation, operation.start()),
    "stopped": _stopped,
}
