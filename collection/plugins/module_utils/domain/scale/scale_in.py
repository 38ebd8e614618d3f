"""Which nodes leave when a cluster is scaled in, and whether they may.

``nodes`` are what ``cluster`` returns: {name, vars: {emr_group, emr_role, …}}. ``loads`` is what the operation ``drain``
saw on the control node (node/scale/drain.py, ``look``), by service.
"""
from __future__ import annotations

from ...services.registry import COMPONENTS, HOMES, homes
from ..errors import Refused


def groups_of(nodes) -> dict:
    """{group: [names]} of nodes, sorted."""
    found: dict = {}
    for node in nodes:
        found.setdefault(str(node["vars"]["emr_group"]), []).append(str(node["name"]))
    return {group: sorted(names) for group, names in found.items()}


def present(nodes) -> dict:
    """{group: how many nodes there are}."""
    return {group: len(names) for group, names in groups_of(nodes).items()}


def surplus(spec, nodes) -> dict:
    """{group: how many nodes more than the spec wants}; a group that the spec does not have is wanted nowhere."""
    counts = {name: group.count for name, group in spec.node_groups.items()}
    more = {group: len(names) - counts.get(group, 0) for group, names in groups_of(nodes).items()}
    return {group: number for group, number in more.items() if number > 0}


def check_named(nodes, named, gone=()) -> list:
    """The named nodes that exist. Raises Refused for one that does not, unless it is among ``gone``: names that an
    interrupted run of the same command has released already.
    """
    known = {str(n["name"]): n for n in nodes}
    unknown = sorted(set(named) - set(known) - set(gone))
    if unknown:
        raise Refused(f"the cluster has no node {', '.join(unknown)}", f"Its nodes: {_short(sorted(known))}")
    masters = sorted(name for name in named if name in known and known[name]["vars"]["emr_role"] == "master")
    if masters:
        raise Refused(f"{', '.join(masters)} is the cluster's master and cannot be removed: it keeps the names of all files",
                      "Remove other nodes, or release the whole cluster: emrctl release")
    return sorted(name for name in set(named) if name in known)


def choose(spec, nodes, named=(), excluded=(), loads=None, gone=()) -> list:
    """Names of the nodes that leave, sorted: the named ones, then those whose drain has begun already, then dead ones, then
    the emptiest; the first slave is the last choice, since it keeps the backups of the NameNode's metadata. A
    named node of a group whose count stays is replaced: it leaves, and another one is bought first.
    ``gone``: see check_named. Raises Refused when the cluster must not change like this.
    """
    named = check_named(nodes, named, gone)
    more = surplus(spec, nodes)
    leaving: list = []
    keeper = min((str(n["name"]) for n in nodes if n["vars"]["emr_role"] == "slave"), default="")
    for group, members in sorted(groups_of(nodes).items()):
        ours = [n for n in named if n in members]
        number, counted = more.get(group, 0), spec.node_groups[group].count if group in spec.node_groups else 0
        if 0 < number < len(ours):
            raise Refused(f"{len(ours)} nodes of group {group} are named to leave, but its count of {counted} lets {number} go",
                          f"Name {number}, or set {group}={len(members) - len(ours)}")
        ordered = sorted(members, key=lambda name: _rank(name, named, excluded, loads or {}, keeper))
        leaving += ordered[:max(number, len(ours))]
    check(spec, nodes, leaving, loads)
    return sorted(leaving)


def _rank(name, named, excluded, loads, keeper) -> tuple:
    """Sort key: who leaves first. Among equals the one with the highest number."""
    weights = [home.draining.weight(loads.get(home.name) or {}, name) for home in HOMES.values() if home.draining]
    return (name not in named, name not in excluded, not any(dead for dead, _amount in weights), name == keeper,
            *(amount for _dead, amount in weights), [-ord(c) for c in name])


def check(spec, nodes, leaving, loads) -> None:
    """Raises Refused when these nodes cannot leave without losing what makes the cluster one, or what a service keeps there alone."""
    roles = {str(n["name"]): str(n["vars"]["emr_role"]) for n in nodes}
    gone = [name for name in leaving if roles[name] == "master"]
    if gone:
        if len(gone) < sum(role == "master" for role in roles.values()):
            raise Refused(f"{', '.join(gone)} would leave, and masters that take over from each other do not become fewer",
                          "Keep the count of the masters as it is, or give the whole cluster back with: emrctl release")
        raise Refused(f"{', '.join(gone)} would leave, but is the cluster's last master", "Keep one master, or give the whole cluster "
                      "back with: emrctl release")
    stopped = [str(n["name"]) for n in nodes if n["vars"].get("emr_state", "Running") != "Running"]
    for home in homes(spec.expanded_services):
        having = COMPONENTS[home.members].roles if home.draining and home.draining.may_leave else ()
        going = [name for name in leaving if roles[name] in having]
        if going:
            staying = [name for name, role in roles.items() if role in having and name not in leaving]
            home.draining.may_leave(going, staying, max(0, spec.count(*having) - len(staying)), (loads or {}).get(home.name), stopped)


def _short(names, most: int = 12) -> str:
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")
