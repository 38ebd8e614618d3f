"""What a cluster offers to its users: YARN's memory and cores, HDFS's capacity after replication, before and after a plan.

The figures are read out of the very configuration that the nodes get (module config), not
computed a second time. Memory MiB, disks GiB.
"""
from __future__ import annotations

from dataclasses import replace

from ...domain.config.render import rendered_on
from ...domain.config.restart_or_refresh import RESTART, restart_or_refresh
from ...domain.config.settings import effective_config
from ...domain.install.sources import artifacts
from ...domain.topology.nodes import Disk, Node, Topology
from ...services.registry import HOMES, components_on
from ..cluster.anchor import node_name
from ..ecs.client import tags_of

_ORDER = {"master": 0, "slave": 1, "task": 2, "gateway": 3}


def existing_nodes(instances, disks=None) -> list:
    """Nodes of instances as DescribeInstances gives them; ``disks`` by instance id as data_disks gives them."""
    found = []
    for instance in instances:
        tags, rows = tags_of(instance), (disks or {}).get(instance["InstanceId"], ())
        found.append(Node(
            instance.get("InstanceName", ""), tags.get("emr:group", ""), tags.get("emr:role", ""), "0.0.0.0",
            int(instance.get("Memory") or 0), int(instance.get("Cpu") or 0),
            tuple(Disk(d["DiskId"].split("-", 1)[-1], int(d.get("Size") or 0)) for d in rows), instance["InstanceId"],
            instance.get("InstanceType", "")))
    return found


def bought_nodes(spec, purchases, shapes) -> list:
    """Nodes of the purchases of a plan, as the types that would be bought."""
    found = []
    for purchase in purchases:
        group, shape = spec.node_groups[purchase.group], shapes.get(purchase.types[0])
        if shape is None:
            continue
        disks = tuple(Disk(f"{n}", d.size_gib) for d in group.data_disks for n in range(d.count))
        found += [Node(node_name(spec.name, purchase.group, n), purchase.group, purchase.role, "0.0.0.0",
                       int(shape["memory_gib"] * 1024), shape["vcpus"], disks, "", purchase.types[0])
                  for n in purchase.ordinals]
    return found


def topology(spec, cluster_id: str, nodes) -> Topology:
    """The topology of these nodes, masters first."""
    return Topology(spec.name, cluster_id, tuple(sorted(nodes, key=lambda n: (_ORDER.get(n.role, 9), n.name))))


def offered(spec, top: Topology) -> dict:
    """What each service offers, such as YARN's memory (MiB) and HDFS's capacity (GiB); empty without a master."""
    if not top.masters:
        return {}
    counts: dict = {}
    for node in top.nodes:
        # Equal nodes have equal figures: one configuration for each kind is enough, however many nodes there are.
        kind = (node.group, node.role, node.memory_mib, node.vcpus, tuple(d.size_gib for d in node.disks))
        counts.setdefault(kind, [node, 0])[1] += 1
    rows = [(node, count, effective_config(spec, top, node)) for node, count in counts.values()]
    offers = {key: value for name, home in HOMES.items()
              for key, value in home.offers(spec, rows if name in spec.expanded_services else []).items()}
    return {"nodes": len(top.nodes), **offers}


def config_changes(old_spec, old: Topology, new_spec, new: Topology) -> list:
    """What a new spec or other nodes change on the nodes that stay: [{node, settings, restarts, refreshes, starts, stops}],
    changed ones only. ``refreshes``: [{component, name}], settings that a running daemon takes over by a command.

    A daemon restarts by the rule of its unit: when the digest of what it reads is another one.
    """
    rows = []
    names = {n.name for n in new.nodes}
    for node in old.nodes:
        if node.name not in names or not old.masters or not new.masters:
            continue
        before = effective_config(old_spec, old, node)
        after = effective_config(new_spec, new, replace(new.node(node.name), disks=node.disks))
        settings = [{"file": stem, "key": key, "from": _text(before[stem].get(key)), "to": _text(after[stem].get(key))}
                    for stem in after if rendered_on(node, stem)
                    for key in sorted({*before[stem], *after[stem]})
                    if _text(before[stem].get(key)) != _text(after[stem].get(key))]
        had = components_on(old_spec.expanded_services, old, node)
        has = components_on(new_spec.expanded_services, new, new.node(node.name))
        other = [{a.component: a.sha512 for a in artifacts(s)} for s in (old_spec, new_spec)]
        does = {c.name: restart_or_refresh(c, before, after, other) for c in has if c in had}
        restarts = [name for name, effect in does.items() if effect == RESTART]
        refreshes = [{"component": name, "name": refresh} for name, effect in does.items() if effect != RESTART
                     for refresh in effect]
        starts, stops = [c.name for c in has if c not in had], [c.name for c in had if c not in has]
        if settings or restarts or starts or stops:
            rows.append({"node": node.name, "settings": settings, "restarts": restarts, "refreshes": refreshes,
                         "starts": starts, "stops": stops})
    return rows


def _text(value) -> str | None:
    return None if value is None else str(value)
