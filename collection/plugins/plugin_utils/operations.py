"""What the actions of the cloud's side share: arguments to an Operation, its failures to a result."""
from __future__ import annotations

import os
import threading
import time

from ansible.utils.display import Display
from ansible.utils.unsafe_proxy import wrap_var

from ..module_utils.cloud.cluster.control import control_node
from ..module_utils.cloud.cluster.finder import Found
from ..module_utils.cloud.cluster.operation import READY, Operation, Unconfirmed
from ..module_utils.cloud.credentials.chain import default_region, find_credentials
from ..module_utils.cloud.ecs.client import EcsClient, tags_of
from ..module_utils.cloud.ssh.login import find_private_key
from ..module_utils.domain.errors import EmrError, Refused, SpecError
from .prompt import asked
from .run import process

display = Display()


def operation_of(arguments: dict, spec) -> Operation:
    name = arguments.get("name") or (spec.name if spec else "")
    if spec and name != spec.name:
        raise Refused(f"The spec is of cluster '{spec.name}', not '{name}'", "Give the spec or the name, not both")
    if not name:
        raise Refused("No cluster was named", "Set emr_name, or emr_spec_file")
    credentials = find_credentials()
    region = (spec.region if spec else "") or arguments.get("region") or credentials.region or default_region()
    if not region:
        raise Refused("No region was given", "Set emr_region, or export ALIBABA_CLOUD_REGION_ID")
    login = arguments.get("login") or {}
    # The lock is held in the name of ansible-playbook; this is a worker that ends with the task.
    return Operation(
        EcsClient(region, credentials), name, process(), confirm=_confirmation(arguments.get("confirm")), ask=_ask,
        report=lambda text: display.display(f"emr: {text}"), address=login.get("address") or "auto",
        user=login.get("user") or (spec.login.user if spec else "root"),
        private_key_file=login.get("private_key_file"), transient=arguments.get("transient", False))


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


def end_with(pid: int) -> None:
    """End this worker soon after ansible-playbook was killed: a rerun must not meet it still buying or waiting."""
    def watch():
        while os.getppid() == pid:
            time.sleep(0.2)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def ready(found: Found) -> Found:
    """The cluster with those of its nodes alone that were deployed to their end."""
    return Found(found.name, found.anchor, [i for i in found.instances if tags_of(i).get(READY)])


def reader_of(operation: Operation, found: Found) -> list:
    """The control node, when it runs: it knows what the cluster was made by."""
    node = control_node([i for i in found.instances if i.get("Status") == "Running"])
    if node is None or not found.anchor:
        return []
    key = find_private_key(found.anchor.login, operation.private_key_file, operation.client)
    return wrap_var([n for n in operation.nodes(found, key, with_disks=False) if n["name"] == node["InstanceName"]])


def nodes_of(operation: Operation, found: Found, private_key_file=None, spec=None) -> dict:
    """The nodes as a result."""
    key_pair, cluster_id = (found.anchor.login, found.anchor.cluster_id) if found.anchor else ("", "")
    key = private_key_file or find_private_key(key_pair, operation.private_key_file, operation.client)
    nodes = operation.nodes(found, key, with_disks=spec is None or any(g.data_disks for g in spec.node_groups.values()))
    return {"nodes": wrap_var(nodes), "cluster_id": cluster_id,
            "emr_result": {"name": found.name, "region": operation.client.region, "cluster_id": cluster_id,
                           "nodes": wrap_var([_brief(n) for n in nodes])}}


def _brief(node: dict) -> dict:
    """One node for people and programs."""
    keys = ("group", "role", "state", "instance_type", "vcpus", "memory_mib", "private_ip", "public_ip", "zone", "instance_id")
    return {"name": node["name"], **{k: node["vars"]["emr_" + k] for k in keys}}


def failure(error: EmrError, operation) -> dict:
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
