"""Combinations that cannot work, found before anything is bought."""
from __future__ import annotations

from ipaddress import ip_network

from ...services.registry import BUNDLES, ROLES, SERVICES, components_for, homes
from ..text.names import nearest
from ..topology.placement import SEVERAL
from .rules_people import check_people
from .schema import MAX_DATA_DISKS

# Addresses of a vSwitch that the cloud keeps for itself: the first and the last three.
VSWITCH_RESERVED = 4


def check_rules(spec, checker, wrong=()) -> None:
    """Notes every impossible combination of a spec whose single values are right. ``wrong``: (key, message, remedy) of what is known already."""
    for key, message, remedy in wrong:
        _note(checker, key, message, remedy)
    if _roles(spec, checker):
        _masters(spec, checker)
        _services(spec, checker)
        _groups(spec, checker)
        for home in homes(spec.expanded_services):
            for key, message, remedy in home.rules(spec, list(_configs(spec))):
                _note(checker, key, message, remedy)
        check_people(spec, checker, _note)
    _zone(spec, checker)
    _network(spec, checker)


def _network(spec, checker) -> None:
    """Either a vSwitch that exists, or one that is made; and then one that can be reached and is large enough."""
    network, key = spec.network, "network"
    if network.create and network.vswitch_id:
        _note(checker, f"{key}.create", f"create and vswitch_id contradict each other ({network.vswitch_id})", "Remove create, or vswitch_id.")
    elif not network.create and not network.vswitch_id:
        _note(checker, f"{key}.vswitch_id", "missing, expected vswitch_id or create: true",
              "Add for example: vswitch_id: vsw-bp1abc (the VPC console lists them), or create: true")
    if not network.create:
        for name in ("vpc_cidr", "vswitch_cidr"):
            if getattr(network, name):
                _note(checker, f"{key}.{name}", "describes a network to make, but create is not set", f"Add create: true, or remove {name}.")
        return
    vpc, switch = ip_network(network.vpc_cidr), ip_network(network.vswitch_cidr)
    if not switch.subnet_of(vpc):
        _note(checker, f"{key}.vswitch_cidr", f"{switch} is not part of the VPC's {vpc}", f"Write for example {vpc}, or remove it.")
    elif switch.prefixlen < 16:
        _note(checker, f"{key}.vswitch_cidr", f"{switch} is too large, expected /16 or smaller", "Remove it: the first /20 is taken.")
    elif switch.num_addresses - VSWITCH_RESERVED < spec.count(*ROLES):
        _note(checker, f"{key}.vswitch_cidr", f"{switch} has {switch.num_addresses - VSWITCH_RESERVED} addresses for nodes, "
              f"{spec.count(*ROLES)} are wanted", "Write a larger network.")
    if network.access == "vpc":
        _note(checker, f"{key}.access", "vpc needs a controller inside the VPC, and a new VPC has none",
              "Write access: bastion or access: public, or remove access.")


def _note(checker, key: str, message: str, remedy: str) -> None:
    """A problem at the line of ``key``, or of the nearest key above it that was written."""
    path = key
    while path and path not in checker.lines:
        path = path.rpartition(".")[0]
    checker.problem(key, message, remedy, checker.lines.get(path))


def _zone(spec, checker) -> None:
    if not spec.zone.startswith(spec.region) or spec.zone == spec.region:
        _note(checker, "zone", f"{spec.zone} is not a zone of the region {spec.region}, expected {spec.region} and a letter",
              f"Write for example: zone: {spec.region}-h, or correct the region.")


def _roles(spec, checker) -> bool:
    good = True
    for group in spec.node_groups.values():
        key = f"node_groups.{group.name}"
        if group.role not in ROLES:
            guess = nearest(group.name, ROLES) or "task"
            _note(checker, f"{key}.role", "missing, expected one of " + ", ".join(ROLES) + ", since the group's name is not "
                  "a role", f"Add for example: role: {guess}")
            good = False
        elif group.name in ROLES and group.role != group.name:
            _note(checker, f"{key}.role", f"the group {group.name} has the role {group.role}, expected {group.name}: the name "
                  "of a role means that role", f"Rename the group, or remove its role: {group.role}.")
            good = False
    return good


def _masters(spec, checker) -> None:
    groups = spec.groups_with_role("master")
    count = spec.count("master")
    if not groups:
        _note(checker, "node_groups.master", "missing, expected one node group with the role master",
              "Add for example: master: {count: 1, instance_types: [ecs.g7.xlarge]}")
    elif count not in (1, SEVERAL):
        key = f"node_groups.{groups[-1].name}.count"
        found = "no master" if count == 0 else f"{count} masters"
        _note(checker, key, f"found {found}, expected 1, or {SEVERAL} that take over from each other: fewer could not tell who of them is cut off",
              f"Set the count of the master group to 1 or {SEVERAL}" + (" and keep one such group." if len(groups) > 1 else "."))


def _services(spec, checker) -> None:
    services = spec.expanded_services
    covered = {}
    for written in spec.services:
        for member in BUNDLES.get(written, (written,)):
            if member in covered:
                _note(checker, "services", f"{member} is named twice: by {covered[member]} and by {written}, expected once",
                      f"Remove {member if member in spec.services else written} from the list.")
            covered[member] = written
    for service in services:
        missing = [s for s in SERVICES[service] if s not in services]
        if missing:
            needed = [s for s in (*SERVICES[service], service) if not any(s in members for members in BUNDLES.values())]
            whole = f"[{', '.join([*BUNDLES, *needed])}]"
            _note(checker, "services", f"{service} cannot run without {' and '.join(missing)}", f"Write services: {whole}, "
                  f"or remove {service}.")
    for row in components_for(services):
        if row.work and spec.count(*row.roles) == 0:
            _note(checker, "node_groups", f"{row.service} needs nodes that {row.work}, found none with the role "
                  f"{' or '.join(role for role in ROLES if role in row.roles)}",
                  "Add for example: slave: {count: 3, instance_types: [ecs.g7.xlarge]}")
            break


def _groups(spec, checker) -> None:
    for group in spec.node_groups.values():
        key = f"node_groups.{group.name}"
        if group.role == "slave" and group.count == 0:
            _note(checker, f"{key}.count", "0 nodes that store data, expected at least 1",
                  "Remove the group or set its count to 1 or more; only task and gateway groups may be empty.")
        if group.spot is not None and group.role != "task":
            what = "the cluster" if group.role == "master" else "data"
            _note(checker, f"{key}.spot", f"the cloud can take spot instances back at any time, and with a {group.role} {what} would be "
                  "lost; expected only in groups with the role task", "Remove spot, or move these nodes to a task group.")
        if group.role == "gateway" and group.data_disks:
            _note(checker, f"{key}.data_disks", "a gateway stores no data of the cluster, expected no data disks",
                  "Remove data_disks, or give a larger system_disk.")
        if group.disks_per_node > MAX_DATA_DISKS:
            _note(checker, f"{key}.data_disks", f"{group.disks_per_node} data disks on a node, expected at most "
                  f"{MAX_DATA_DISKS}", "Use fewer, larger disks.")
    if len(spec.name) + max(len(n) for n in spec.node_groups) + 5 > 63:
        _note(checker, "name", "host names of the form name-group-001 would pass 63 characters", "Shorten the name.")


def _configs(spec):
    """(path, settings) of the spec's and of each group's configuration."""
    yield "config", spec.config
    for group in spec.node_groups.values():
        yield f"node_groups.{group.name}.config", group.config
