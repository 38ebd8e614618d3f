"""Day two of hosts that were not bought: what the actions of the cloud's side say of an inventory with a cluster of its own.

Where the inventory given to a playbook has hosts in the groups of roles that no purchase brought, and nobody names another cluster, they are
the cluster: finding it asks no cloud, its lock and its instances are nobody's, and what would buy or release is refused.
"""
from __future__ import annotations

from ..module_utils.cloud.cluster.control import GROUP as CONTROL
from ..module_utils.cloud.cluster.hostvars import role_of
from ..module_utils.domain.errors import Refused
from ..module_utils.domain.spec.model import spec_from_dict
from ..module_utils.services.registry import ROLES
from . import run
from .given import plain

# What emr_cluster_name is where nobody says it.
NAMELESS = "cluster"
_REMEDY = "To add a host, put it into the inventory and run emr.cluster.deploy; to let one leave, see emr_removed_hosts in docs/deploy.md"


def answer(action: str, arguments: dict, task_vars: dict):
    """The result of an action of the cloud's side, or None where a bought cluster is meant. Raises Refused for what needs a cloud."""
    before = run.known(task_vars.get("ansible_facts"))
    known = before.get("own_hosts")
    if not known and action not in ("nodes", "inspection", "power"):
        return None
    if action in ("lock", "scale_in"):
        return {"unlocked": False, "emr_result": {"name": before["name"], "region": before["region"]}}
    hosts = plain(known) if known else _members(arguments, task_vars)
    if not hosts:
        return None
    found = _cluster(hosts, task_vars)
    if action in ("nodes", "power"):
        return found
    if action == "inspection":
        rows = [{"name": node["name"], "instance_id": "", "status": "Running", "group": node["vars"]["emr_role"],
                 "role": node["vars"]["emr_role"], "cluster_id": ""} for node in found["nodes"]]
        return {**found, "inspection": {"foreign": [], "twice": [], "homeless": [], "holder": "", "anchor": True, "instances": rows,
                                        "intents": []}, "unfinished": {}, "standing": {}}
    if action == "converge":
        return _converged(found, arguments)
    raise Refused(f"the hosts of cluster {found['emr_result']['name']} were not bought, so nothing can be bought or released", _REMEDY)


def _members(arguments: dict, task_vars: dict) -> list:
    """Names of the inventory's hosts that are the cluster which is meant; [] where that is a bought one."""
    groups, hostvars = task_vars["groups"], task_vars["hostvars"]
    hosts = list(dict.fromkeys(host for role in ROLES for host in groups.get(role, []) if not hostvars[host].get("emr_instance_id")))
    if not hosts or arguments.get("spec") or arguments.get("spec_file"):
        return []
    names = {host: str(hostvars[host].get("emr_cluster_name") or NAMELESS) for host in hosts}
    wanted = arguments.get("name") or ""
    if not wanted and len(set(names.values())) > 1:
        raise Refused(f"the inventory has the clusters {', '.join(sorted(set(names.values())))}", "Name one with emr_name")
    return [host for host in hosts if names[host] == (wanted or names[host])]


def _cluster(hosts: list, task_vars: dict) -> dict:
    """What emr.cluster.nodes tells of a bought cluster, of these hosts."""
    nodes = [_node(host, task_vars) for host in hosts]
    masters = sorted((node for node in nodes if node["vars"]["emr_role"] == "master"),
                     key=lambda node: (node["name"] not in task_vars["groups"].get(CONTROL, []), node["name"]))
    for node in masters[:1]:
        node["groups"].append(CONTROL)
    name = str(task_vars["hostvars"][hosts[0]].get("emr_cluster_name") or NAMELESS)
    brief = [{"name": node["name"], "role": node["vars"]["emr_role"], "state": "Running"} for node in nodes]
    return {"nodes": nodes, "reader": masters[:1], "own_hosts": hosts, "exists": True,
            "emr_result": {"name": name, "region": "", "nodes": brief}}


def _node(host: str, task_vars: dict) -> dict:
    """A host as emr.cluster.add_node takes it: it keeps all that its inventory says."""
    known = task_vars["hostvars"][host]
    role = role_of(known.get("emr_role"), known.get("group_names", []))
    become = known.get("ansible_become")
    return {"name": host, "groups": [], "vars": {
        "emr_role": role, "emr_group": str(known.get("emr_group") or role), "emr_state": "Running",
        "ansible_connection": str(known.get("ansible_connection") or "ssh"),
        "ansible_become": bool(plain(become)) if become is not None else str(known.get("ansible_user") or "root") != "root"}}


def _converged(found: dict, arguments: dict) -> dict:
    """The nodes with their groups for a converge, which changes settings, services and people here and never who belongs to the cluster."""
    revision = arguments.get("revision") or {}
    if not revision.get("before"):
        raise Refused("there is no spec on the control node: the cluster was never deployed", "Run emr.cluster.deploy, or your play with the roles")
    counts = [{name: group.count for name, group in spec_from_dict(data).node_groups.items()} for data in (revision["before"], revision["spec"])]
    if counts[0] != counts[1] or revision.get("named"):
        raise Refused("the hosts of this cluster were not bought: their number follows from the inventory", _REMEDY)
    if arguments["plan_only"]:
        return {**found, "nodes": [], "to_release": [], "spec": revision["spec"]}
    first = found["reader"][0]["name"] if found["reader"] else ""
    nodes = [dict(node, groups=[*node["groups"], "emr_target", *(["emr_verify"] if node["name"] == first else [])]) for node in found["nodes"]]
    return {**found, "nodes": nodes, "to_release": [], "spec": revision["spec"]}
