# Copyright (c) the emr.cluster authors
# Apache License 2.0 (see LICENSE or https://www.apache.org/licenses/LICENSE-2.0)
"""The action plugin emr.cluster.cluster: the cloud side of an operation, on the controller alone.

It only translates: arguments to an Operation, the Operation's answers and errors to a result. See modules/cluster.py.
"""
from __future__ import annotations

import os
import threading
import time

from ansible.errors import AnsibleError
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display
from ansible.utils.unsafe_proxy import wrap_var

from ansible_collections.emr.cluster.plugins.module_utils.cloud.clusters import Found
from ansible_collections.emr.cluster.plugins.module_utils.cloud.credentials import default_region, find_credentials
from ansible_collections.emr.cluster.plugins.module_utils.cloud.ecs import EcsClient, tags_of
from ansible_collections.emr.cluster.plugins.module_utils.cloud.inspection import inspect
from ansible_collections.emr.cluster.plugins.module_utils.cloud.login import find_private_key
from ansible_collections.emr.cluster.plugins.module_utils.cloud.operation import READY, Operation, Unconfirmed
from ansible_collections.emr.cluster.plugins.module_utils.cloud.plan_details import plan_details
from ansible_collections.emr.cluster.plugins.module_utils.cloud.power import standing_price, still_charged
from ansible_collections.emr.cluster.plugins.module_utils.cloud.teardown import release_plan
from ansible_collections.emr.cluster.plugins.module_utils.domain.errors import EmrError, Refused, SpecError
from ansible_collections.emr.cluster.plugins.module_utils.domain.spec import load_spec, parse_spec, spec_from_dict
from ansible_collections.emr.cluster.plugins.plugin_utils import converging, remembered
from ansible_collections.emr.cluster.plugins.plugin_utils.asking import asked

display = Display()
STATES = ("planned", "present", "found", "inspected", "locked", "started", "stopped", "tagged", "released", "unlocked",
          "converged", "settled", "shrunk")
NEED_SPEC = ("planned", "present", "converged", "settled")
ARGUMENTS = {
    "state": {"type": "str", "default": "present", "choices": list(STATES)},
    "spec": {"type": "raw"}, "spec_file": {"type": "path"}, "name": {"type": "str"}, "region": {"type": "str"},
    "confirm": {"type": "str"}, "hold": {"type": "bool", "default": False}, "plan_only": {"type": "bool", "default": False},
    "services": {"type": "list", "elements": "str"}, "release": {"type": "str"},
    "address": {"type": "str", "default": "auto", "choices": ["auto", "private", "public"]}, "user": {"type": "str"},
    "private_key_file": {"type": "path"}, "running": {"type": "dict"}, "unread": {"type": "str"},
    "may_be_stopped": {"type": "bool", "default": False}, "instances": {"type": "str", "default": "yes"},
    "may_be_missing": {"type": "bool", "default": False}, "named": {"type": "list", "elements": "str", "default": []},
    "gone": {"type": "list", "elements": "str", "default": []}, "excluded": {"type": "list", "elements": "str", "default": []},
    "leaving": {"type": "list", "elements": "str", "default": []}, "drained": {"type": "list", "elements": "str", "default": []},
    "transient": {"type": "bool", "default": False}, "remember_s": {"type": "int", "default": 0},
    "loads": {"type": "dict"}, "notes": {"type": "list", "elements": "str", "default": []},
}


class ActionModule(ActionBase):
    """Runs no module: nothing is transferred anywhere."""

    TRANSFERS_FILES = False
    _requires_connection = False
    SPEC = ARGUMENTS

    def run(self, tmp=None, task_vars=None):
        """The result of the state that was asked for."""
        result = super().run(tmp, task_vars)
        operation = None
        try:
            arguments = self._arguments()
            spec = _read_spec(arguments, self._loader)
            operation = _operation(arguments, spec)
            result.update(self._perform(arguments, spec, operation))
        except EmrError as error:
            result.update(_failure(error, operation))
        if operation is not None:
            result["events"] = operation.events
            result["changed"] = operation.changed
            result["emr_result"] = {**result.get("emr_result", {}), "events": operation.events}
        return result

    def _arguments(self) -> dict:
        given = {k: v for k, v in self._task.args.items() if v not in (None, "")}
        checked = ArgumentSpecValidator(self.SPEC).validate(given)
        if checked.error_messages:
            raise AnsibleError("; ".join(checked.error_messages))
        found = checked.validated_parameters
        if self._task.check_mode or found["plan_only"]:
            found["plan_only"] = True
        return found

    def _perform(self, arguments: dict, spec, operation: Operation) -> dict:
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
                _end_with(operation.pid)
                operation.take_lock()
            return _inspected(arguments, operation)
        if state == "found" and not arguments["may_be_stopped"]:
            return _found(arguments, operation)
        if state == "found" or arguments["plan_only"]:
            return _looked_up(arguments, operation, state)
        remembered.forget(operation, arguments)
        _end_with(operation.pid)
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


def _end_with(pid: int) -> None:
    """End this worker soon after ansible-playbook was killed: a rerun must not meet it still buying or waiting."""
    def watch():
        while os.getppid() == pid:
            time.sleep(0.2)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _read_spec(arguments: dict, loader):
    """The Spec of the arguments, or None."""
    given = arguments.get("spec")
    if isinstance(given, dict):
        return spec_from_dict(given)
    if isinstance(given, str) and given.strip():
        return parse_spec(given, "emr_spec")
    if arguments.get("spec_file"):
        path = os.path.expanduser(arguments["spec_file"])
        return load_spec(path if os.path.isabs(path) else loader.path_dwim(path))
    return None


def _operation(arguments: dict, spec) -> Operation:
    name = arguments.get("name") or (spec.name if spec else "")
    if spec and name != spec.name:
        raise Refused(f"The spec is of cluster '{spec.name}', not '{name}'", "Give the spec or the name, not both")
    if not name:
        raise Refused("No cluster was named", "Set emr_name, or emr_spec_file")
    credentials = find_credentials()
    region = (spec.region if spec else "") or arguments.get("region") or credentials.region or default_region()
    if not region:
        raise Refused("No region was given", "Set emr_region, or export ALIBABA_CLOUD_REGION_ID")
    # The lock is held in the name of ansible-playbook; this is a worker that ends with the task.
    return Operation(
        EcsClient(region, credentials), name, os.getppid(), confirm=_confirmation(arguments.get("confirm")), ask=_ask,
        report=lambda text: display.display(f"emr: {text}"), address=arguments["address"],
        user=arguments.get("user") or (spec.login.user if spec else "root"),
        private_key_file=arguments.get("private_key_file"), transient=arguments.get("transient", False))


def _confirmation(text) -> str:
    """``yes`` however YAML spelt it, a digest, or nothing."""
    text = str(text or "").strip()
    return "yes" if text.lower() in ("yes", "true") else "" if text.lower() in ("no", "false") else text


def _ask(plan: dict):
    """Put a plan as a question at the terminal of ansible-playbook; None when there is none."""
    if plan.get("release"):
        question = f"Delete {len(plan['release'])} nodes of cluster {plan['cluster']} with their data"
    else:
        bought = ", ".join(f"{b['count']} x {b['instance_type']} ({b['group']})" for b in plan["buy"])
        price = plan.get("price") or {}
        what = [f"buy {bought}"] if bought else []
        what += [f"release {', '.join(plan['leave'])}"] if plan.get("leave") else []
        question = f"For cluster {plan['cluster']}: {'; '.join(what) or 'change its spec'}"
        if price:
            question += f"; the cluster then costs {price['hourly']} {price['currency']} per hour"
    return asked(question)


def _planned(arguments: dict, operation: Operation, spec) -> dict:
    plan, found = operation.plan(spec)
    running = arguments.get("running")
    data = plan_details(operation.client, spec, found, plan, spec_from_dict(running) if running else None,
                        arguments.get("unread") or "")
    reader = [] if running or arguments.get("unread") else _reader(arguments, operation, found)
    return {"plan": data, "spec": spec.to_dict(), "cluster_id": plan.cluster_id, "exists": found.exists, "reader": reader,
            "emr_result": {"name": spec.name, "region": spec.region, "plan": data, "price": data["price"]}}


def _reader(arguments: dict, operation: Operation, found) -> list:
    """The first master, when it runs: it knows what the cluster was made by."""
    masters = [n for n in found.instances if tags_of(n).get("emr:role") == "master" and n.get("Status") == "Running"]
    if not masters or not found.anchor:
        return []
    key = find_private_key(found.anchor.login, arguments.get("private_key_file"))
    names = {m["InstanceName"] for m in masters[:1]}
    return wrap_var([n for n in operation.nodes(found, key, with_disks=False) if n["name"] in names])


def _looked_up(arguments: dict, operation: Operation, state: str) -> dict:
    """The nodes as they are; for release also its plan."""
    if state == "released":
        found = operation.found(must_exist=False)
        plan = release_plan(found)
        return {"plan": plan, "emr_result": {"name": found.name, "plan": plan}}
    return _locked(arguments, None, operation)


def _found(arguments: dict, operation: Operation) -> dict:
    """The nodes as they are, or as they were a short while ago where that is enough."""
    known = remembered.recall(operation, arguments) if arguments["remember_s"] else None
    if known:
        return wrap_var(known)
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
    return {**_nodes(arguments, operation, found), "reader": _reader(arguments, operation, ready)}


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
    return {**result, "inspection": wrap_var(seen.to_dict())}


def _nodes(arguments: dict, operation: Operation, found, private_key_file=None, spec=None) -> dict:
    key_pair = found.anchor.login if found.anchor else ""
    key = private_key_file or find_private_key(key_pair, arguments.get("private_key_file"))
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
    found, plan, login, bought = operation.present(spec, prepared)
    result = _nodes(arguments, operation, found, login.private_key_file, spec)
    data = plan.to_dict()
    retries = dict(operation.client.retries)
    if retries:
        operation.say("repeated calls of the API: " + ", ".join(f"{n} x {code}" for code, n in sorted(retries.items())))
    result["emr_result"].update(plan=data, price=plan.price, bought=bought, retries=retries, zone=spec.zone,
                                release=spec.release, services=list(spec.expanded_services))
    return {**result, "plan": data, "spec": spec.to_dict()}


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


def _failure(error: EmrError, operation) -> dict:
    """What a failed task returns. Refused means: before any change."""
    changed = operation is not None and operation.changed
    result = {"failed": True, "msg": str(error), "emr_refused": isinstance(error, Refused) and not changed,
              "emr_unreachable": bool(error.details.get("unreachable")), "emr_remedy": error.remedy}
    if isinstance(error, SpecError):
        result["problems"] = [{"key": p.key, "message": p.message, "remedy": p.remedy, "line": p.line,
                               "source": p.source} for p in error.problems]
        result["emr_result"] = {"problems": result["problems"]}
    if isinstance(error, Unconfirmed):
        result["plan"] = error.plan
        result["emr_result"] = {"plan": error.plan}
    return result
