"""Which daemons on which nodes an operation means, and in which order and batches their nodes take their turn."""
from __future__ import annotations

from difflib import get_close_matches

from ...services.registry import BUNDLES, components_for, components_on, expand_services
from ..errors import Refused

KEYS = ("services", "components", "groups", "nodes")
# Share of the nodes of a role that may be away at the same time, as far as nobody says otherwise.
SHARE = 10


def read_scope(given) -> dict:
    """{services, components, groups, nodes} as lists of texts; empty lists mean all. Raises Refused for another key."""
    given = given or {}
    unknown = set(given) - set(KEYS)
    if unknown:
        raise Refused(f"unknown key of a scope: {', '.join(sorted(unknown))}", f"Known: {', '.join(KEYS)}")
    return {key: [str(v) for v in ([given[key]] if isinstance(given.get(key), str) else given.get(key) or [])] for key in KEYS}


def select(scope: dict, topology, services) -> dict:
    """{node name: [component name...]} in start order, nodes with nothing to do left out.

    ``services``: the expanded services of the cluster. Raises Refused, with the nearest name, for anything in the scope that
    the cluster does not have, and for a scope that fits nothing.
    """
    scope = read_scope(scope)
    _known("service", scope["services"], [*services, *BUNDLES])
    _known("component", scope["components"], [c.name for c in components_for(services)])
    _known("node group", scope["groups"], sorted({n.group for n in topology.nodes}))
    _known("node", scope["nodes"], [n.name for n in topology.nodes])
    wanted = [s for s in expand_services(scope["services"] or services) if s in services]
    result = {}
    for node in topology.nodes:
        if (scope["groups"] and node.group not in scope["groups"]) or (scope["nodes"] and node.name not in scope["nodes"]):
            continue
        names = [c.name for c in components_on(wanted, topology, node) if not scope["components"] or c.name in scope["components"]]
        if names:
            result[node.name] = names
    if not result:
        raise Refused("no daemon of the cluster is of this service, component, group and node at the same time",
                      "emrctl status shows which node runs what")
    return result


def _known(what: str, given, names) -> None:
    for name in given:
        if name not in names:
            near = get_close_matches(name, names, 1)
            raise Refused(f"the cluster has no {what} '{name}'",
                          f"Did you mean {near[0]}?" if near else f"It has: {', '.join(names[:20])}")


def batches(topology, names, batch: int = 0, most: int = 0, masters_last: bool = False) -> list:
    """The nodes of these names as lists that take their turn together: each master alone and first, or last, then the others.

    ``batch``: how many of the others at a time, 0 for a tenth of those with the same role, at least one. ``most``: no more
    slaves than that at a time, 0 for no limit.
    """
    wanted = [n for n in topology.nodes if n.name in set(names)]
    masters, result = [[n.name] for n in wanted if n.role == "master"], []
    for role in ("slave", "task", "gateway"):
        turn = [n.name for n in wanted if n.role == role]
        size = batch or max(1, len(topology.with_role(role)) // SHARE)
        if role == "slave" and most:
            size = min(size, most)
        result += [turn[i:i + size] for i in range(0, len(turn), size)]
    return result + masters if masters_last else masters + result


def in_words(scope: dict) -> str:
    """A scope as the options of emrctl that name it, '' for everything."""
    options = {"services": "--service", "components": "--component", "groups": "--group", "nodes": "--node"}
    return "".join(f" {options[key]} {name}" for key, names in read_scope(scope).items() for name in names)
