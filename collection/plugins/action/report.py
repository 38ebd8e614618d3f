"""What a run has learned, as one result. On the controller alone, in a play on localhost."""
from __future__ import annotations

from ansible_collections.emr.cluster.plugins.module_utils.catalogue import COMPONENTS
from ansible_collections.emr.cluster.plugins.plugin_utils.context import Context
from ansible_collections.emr.cluster.plugins.plugin_utils.node_action import NodeAction


class ActionModule(NodeAction):
    """See the module's documentation."""

    MODULE = "report"
    OPTIONS = ("what", "node")
    _requires_connection = False

    def work(self, context, args):
        return {"result": {"status": status, "show": show}[args.get("what", "status")](context, args)}


def seen_from(context, host: str) -> Context:
    """The context of another host, for a play that runs on localhost."""
    other = Context(context.vars)
    other.host = host
    return other


def status(context, _args) -> dict:
    """Rows of all nodes, unreachable ones included; failed when anything is not running."""
    first = context.topology.first_master.name
    master = seen_from(context, first)
    rows, seen = [], context.fact("emr_status", first) or {}
    for node in context.topology.nodes:
        found = context.fact("emr_status", node.name)
        if found is None:
            rows.append({"node": node.name, "component": "-", "state": "unreachable", "since": "",
                         "detail": "no answer over SSH"})
        else:
            rows += [dict(row, node=node.name) for row in found["components"]]
    problems = [f"{r['component']} on {r['node']} is {r['state']}" for r in rows if r["state"] != "running"]
    problems += numbers_wrong(master, seen)
    data = {"name": context.topology.cluster, "components": rows, "hdfs": seen.get("hdfs"), "yarn": seen.get("yarn"),
            "links": master.links(), "problems": problems}
    result = {"changed": False, "emr_result": data}
    if problems:
        result.update(failed=True, msg="; ".join(problems))
    return result


def numbers_wrong(context, seen) -> list:
    """What HDFS and YARN themselves say is wrong."""
    hdfs, yarn = seen.get("hdfs") or {}, seen.get("yarn") or {}
    problems = []
    if hdfs.get("safe_mode"):
        problems.append("HDFS is in safe mode")
    for key, name in (("missing_blocks", "missing"), ("corrupt_blocks", "corrupt")):
        if hdfs.get(key):
            problems.append(f"HDFS has {hdfs[key]} {name} blocks")
    for data, key, component in ((hdfs, "live", "datanode"), (yarn, "active", "nodemanager")):
        wanted = context.count(component)
        if data and COMPONENTS[component].service in context.services and data.get(key, 0) < wanted:
            problems.append(f"{data.get(key, 0)} of {wanted} {COMPONENTS[component].label}s are {key}")
    return problems


def show(context, args) -> dict:
    """Spec, effective configuration with origins, nodes and links of the cluster."""
    first = context.topology.first_master.name
    master = seen_from(context, first)
    data = {"name": context.topology.cluster, "spec": master.spec.to_dict(), "links": master.links(),
            "nodes": [{"name": n.name, "group": n.group, "role": n.role, "address": n.address,
                       "memory_mib": n.memory_mib, "vcpus": n.vcpus, "instance_id": n.instance_id,
                       "instance_type": n.instance_type} for n in context.topology.nodes]}
    node = seen_from(context, str(args.get("node") or first))
    data["config"] = {stem: {key: {"value": value.value, "origin": value.origin} for key, value in settings.items()}
                      for stem, settings in node.effective.items()}
    return {"changed": False, "emr_result": data}
