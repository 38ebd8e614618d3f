"""What a run has learned, as one result. On the controller alone, in a play on localhost."""
from __future__ import annotations

from ansible_collections.emr.cluster.plugins.module_utils.domain.health import backup as findings_backup
from ansible_collections.emr.cluster.plugins.module_utils.domain.health.findings import STATES, judge
from ansible_collections.emr.cluster.plugins.module_utils.services.registry import ANSWERING, COMPONENTS, homes
from ansible_collections.emr.cluster.plugins.plugin_utils.context import Context
from ansible_collections.emr.cluster.plugins.plugin_utils.gathered_facts import checked, running_spec
from ansible_collections.emr.cluster.plugins.plugin_utils.node_action import NodeAction


class ActionModule(NodeAction):
    """See the module's documentation."""

    MODULE = "report"
    _requires_connection = False

    def work(self, context, args):
        return {"result": {"status": status, "show": show, "check": check, "idle": idle}[args.get("what", "status")](context, args)}


def idle(context, _args) -> dict:
    """The nodes on which configure has found daemons that do not run, or a start that was not finished."""
    targets = context.vars["groups"].get("emr_target", [])
    return {"changed": False, "nodes": sorted(h for h in targets if context.fact("emr_idle", h) or context.fact("emr_lacks", h))}


def seen_from(context, host: str) -> Context:
    """The context of another host, for a play that runs on localhost."""
    other = Context(context.vars)
    other.host = host
    return other


def status(context, _args) -> dict:
    """Rows of all nodes, unreachable ones included; failed when anything is not running. A stopped cluster is not a failure."""
    run = context.run
    if run.standing:
        return {"changed": False, "emr_result": {"name": run.name, "state": "stopped", **run.standing}}
    if run.unfinished:
        return never_finished(run)
    first = context.topology.control_node.name
    master = seen_from(context, first)
    rows, seen = [], context.fact("emr_status", first) or {}
    for node in context.topology.nodes:
        found = context.fact("emr_status", node.name)
        if found is None:
            rows.append({"node": node.name, "component": "-", "state": "unreachable", "since": "",
                         "detail": context.fact("emr_silent", node.name) or "no answer over SSH"})
        else:
            rows += [dict(row, node=node.name) for row in found["components"]]
    problems = [f"{r['component']} on {r['node']} is {r['state']}" for r in rows if r["state"] != "running"]
    seen_there = run.inspection
    here = {row["name"] for row in seen_there.get("instances") or []}
    announced = [name for intent in seen_there.get("intents") or [] for name in intent["nodes"] if name not in here]
    if announced:
        problems.append(f"a purchase was interrupted ({', '.join(announced[:6])}): run the command that bought again")
    problems += too_few(context, seen.get("spec_text") or "") + numbers_wrong(master, seen)
    states = {node.name: context.fact("emr_status", node.name) or {} for node in context.topology.nodes}
    problems += findings_backup.problems(context.topology.cluster, states)
    data = {"name": context.topology.cluster, "components": rows, **{name: seen.get(name) for name in ANSWERING}, "work": seen.get("work"),
            "nodes": [{"name": n.name, "role": n.role, "group": n.group} for n in context.topology.nodes],
            "links": master.links(), "problems": problems, "release": (running_spec(context, seen.get("spec_text") or "") or {}).get("release", ""),
            "backup": next((dict(found["backup"], node=name) for name, found in states.items() if found.get("backup")), None)}
    result = {"changed": False, "emr_result": data}
    if problems:
        then = f"Next: emrctl check {data['name']}, or emrctl repair {data['name']}"
        result.update(failed=True, msg="; ".join(problems) + f"\n{then}")
    return result


def never_finished(run) -> dict:
    """What there is of a cluster whose create was interrupted: failed, with how to go on."""
    found = run.unfinished
    return {"changed": False, "failed": True, "msg": f"{found['why']}\nNext: {found['next']}",
            "emr_result": {"name": run.name, "state": "unfinished", **found}}


def too_few(context, spec_text: str) -> list:
    """Groups that have fewer nodes than the spec says."""
    there = {}
    for node in context.topology.nodes:
        there[node.group] = there.get(node.group, 0) + 1
    groups = (running_spec(context, spec_text) or {}).get("node_groups", {})
    return [f"group {name} has {there.get(name, 0)} of {group['count']} nodes" for name, group in groups.items()
            if there.get(name, 0) < group["count"]]


def check(context, _args) -> dict:
    """Every finding of a check; failed when one of them is."""
    if context.run.unfinished:
        return never_finished(context.run)
    seen = checked(context)
    rows = judge(seen)
    counts = {state: sum(1 for row in rows if row["state"] == state) for state in STATES}
    result = {"changed": False, "emr_result": {"name": seen["cluster"], "findings": rows, "counts": counts,
                                               "healthy": not counts["fail"]}}
    if counts["fail"]:
        failed = [f"{row['check']}{'' if row['node'] == '-' else ' on ' + row['node']}: {row['detail']}" for row in rows
                  if row["state"] == "fail"]
        then = next((row["next"] for row in rows if row["state"] == "fail" and row["next"]), "")
        result.update(failed=True, msg="\n".join(failed[:10] + [f"Next: {then}"] * bool(then)))
    return result


def numbers_wrong(context, seen) -> list:
    """What the services themselves say is wrong."""
    problems = []
    for home in homes(context.services):
        told = seen.get(home.name) or {}
        problems += home.troubles(told) or []
        wanted = context.count(home.members) if told and home.members else 0
        if told.get(home.counted, 0) < wanted:
            problems.append(f"{told.get(home.counted, 0)} of {wanted} {COMPONENTS[home.members].label}s are {home.counted}")
    return problems


def show(context, args) -> dict:
    """Spec, effective configuration with origins, nodes and links of the cluster."""
    first = context.topology.control_node.name
    master = seen_from(context, first)
    data = {"name": context.topology.cluster, "spec": master.spec.to_dict(), "links": master.links(),
            "nodes": [{"name": n.name, "group": n.group, "role": n.role, "address": n.address,
                       "memory_mib": n.memory_mib, "vcpus": n.vcpus, "instance_id": n.instance_id,
                       "instance_type": n.instance_type} for n in context.topology.nodes]}
    node = seen_from(context, str(args.get("node") or first))
    data["config"] = {stem: {key: {"value": value.value, "origin": value.origin} for key, value in settings.items()}
                      for stem, settings in node.effective.items()}
    return {"changed": False, "emr_result": data}
