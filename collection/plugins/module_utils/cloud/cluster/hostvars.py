"""What Ansible learns of a node: name, groups and variables, the same through inventory and add_host.

Tags are written by anyone who may tag: they are matched against strict patterns before use, and the
callers mark ``emr_tags`` as unsafe so that nothing in them is ever templated.
"""
from __future__ import annotations

import re
from functools import lru_cache

from ...domain import paths
from ..ecs.client import addresses, tags_of
from ..ssh import doors
from ..ssh.client import control_dir, identity_args
from .control import GROUP

_HOSTKEY = re.compile(r"ssh-ed25519 [A-Za-z0-9+/]{60,100}={0,2}")
_NAME = re.compile(r"[a-z][a-z0-9-]{0,62}")
_WORD = re.compile(r"[A-Za-z0-9._:-]{1,128}")
_ROLES = ("master", "slave", "task", "gateway")
HOSTNAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
# Groups that plays make or address: a cluster whose own would be called so has none, else all its nodes were taken for these.
PLAYS = frozenset({GROUP, *(f"emr_{word}" for word in ("target", "seen", "new", "scale_in", "away", "start", "verify", "spec_node", "asked",
                                                       "origin_spec_node"))})
# No host may be called so: these words mean something to Ansible, or are groups of ours even while they are empty.
RESERVED = frozenset({"localhost", "127.0.0.1", "::1", "all", "ungrouped", *PLAYS, *_ROLES})


def role_of(named, groups) -> str:
    """Role of a host: the one that its variable names, else the group that it is in; '' for none."""
    return str(named) if named in _ROLES else next((role for role in _ROLES if role in groups), "")


@lru_cache(8192)
def sanitise(text: str) -> str:
    """A valid Ansible group name part: everything but letters, digits and _ becomes _."""
    return re.sub(r"[^A-Za-z0-9_]", "_", text)


def valid_hostkey(text: str) -> str:
    """The host key when it has exactly the form of one, else an empty string."""
    return text if _HOSTKEY.fullmatch(text or "") else ""


def ssh_args(hostkey: str) -> str:
    """Options of ssh that trust this host key alone; without one the user's known_hosts decides, strictly."""
    args = "-o StrictHostKeyChecking=yes -o ForwardAgent=no -o ServerAliveInterval=15 -o ServerAliveCountMax=4"
    if hostkey:
        args += (f' -o KnownHostsCommand="/bin/echo %H {hostkey}"'
                 " -o UserKnownHostsFile=/dev/null -o GlobalKnownHostsFile=/dev/null")
    return args


def reached_at(instance: dict, address: str = "auto", bastion: dict | None = None) -> tuple:
    """(address to connect to, whether through the bastion). ``auto`` takes the door that the cluster was made with."""
    private, public = addresses(instance)
    door = doors.access_of(instance) if address == "auto" else "public" if address == "public" else "vpc"
    if door == "bastion" and bastion is not None:
        return private or public, True
    return (public if door in ("public", "bastion") else private) or private or public, False


def through(bastion: dict, user: str, private_key_file: str | None) -> str:
    """Options of ssh that lead through a bastion, strict about its host key."""
    return doors.proxy_option(addresses(bastion)[1], user, ssh_args(valid_hostkey(tags_of(bastion).get("emr:hostkey", ""))),
                              _safe_id(bastion), private_key_file)


def node_hostvars(instance: dict, address: str = "auto", user: str = "root", disks=(),
                  private_key_file: str | None = None, bastion: dict | None = None, control: bool = False) -> tuple:
    """(hostname, groups, variables) of an instance as DescribeInstances gives it.

    ``address`` is auto (the door of the cluster), private or public; ``disks`` are its data disks as DescribeDisks gives
    them; ``bastion`` is the instance that ``doors.bastion_for`` named for this one; ``control``: it is its cluster's control node.
    """
    tags = tags_of(instance)
    private, public = addresses(instance)
    cluster, group, role = _word(tags, "emr:cluster", _NAME), _word(tags, "emr:group", _NAME), tags.get("emr:role", "")
    role = role if role in _ROLES else ""
    region, zone = instance.get("RegionId", ""), instance.get("ZoneId", "")
    host, jumps = reached_at(instance, address, bastion)
    parts = [ssh_args(valid_hostkey(tags.get("emr:hostkey", ""))), identity_args(private_key_file)]
    args = " ".join(filter(None, [*parts, through(bastion, user, private_key_file) if jumps else ""]))
    hostname = instance.get("InstanceName", "")
    if not HOSTNAME.fullmatch(hostname) or hostname in RESERVED:
        hostname = instance.get("InstanceId", "")
    variables = {
        "ansible_host": host,
        "ansible_user": user,
        "ansible_ssh_common_args": args,
        # Addresses are used again: a connection kept open to a released node must not be taken for this one.
        "ansible_control_path": f"%(directory)s/{_safe_id(instance)}",
        "emr_cluster_name": cluster,
        "emr_cluster_id": _word(tags, "emr:id", _WORD),
        "emr_group": group,
        "emr_role": role,
        "emr_access": doors.access_of(instance),
        "emr_release": _word(tags, "emr:release", _WORD),
        "emr_services": [s for s in tags.get("emr:services", "").split(",") if _NAME.fullmatch(s)],
        "emr_instance_id": instance.get("InstanceId", ""),
        "emr_instance_type": instance.get("InstanceType", ""),
        "emr_private_ip": private,
        "emr_public_ip": public,
        "emr_memory_mib": int(instance.get("Memory") or 0),
        "emr_vcpus": int(instance.get("Cpu") or 0),
        "emr_zone": zone,
        "emr_region": region,
        "emr_state": instance.get("Status", ""),
        "emr_disks": [{"serial": d.get("SerialNumber") or d["DiskId"].split("-", 1)[-1],
                       "size_gib": int(d.get("Size") or 0)} for d in disks],
        "emr_tags": tags,
    }
    sockets = control_dir()
    if sockets:
        variables["ansible_control_path_dir"] = sockets
    if cluster and "emr:ready" in tags:
        # A path of our own, which every node that was deployed has: nothing of the tag's text is used.
        variables["ansible_python_interpreter"] = paths.PYTHON
    if private_key_file:
        variables["ansible_ssh_private_key_file"] = private_key_file
    return hostname, node_groups(instance) + [GROUP] * control, variables


def node_groups(instance: dict) -> list:
    """Names of the groups of an instance."""
    tags = tags_of(instance)
    role = tags.get("emr:role", "")
    parts = (("emr_", _word(tags, "emr:cluster", _NAME)), ("", role if role in _ROLES else ""),
             ("emr_group_", _word(tags, "emr:group", _NAME)), ("emr_region_", instance.get("RegionId", "")),
             ("emr_zone_", instance.get("ZoneId", "")))
    found = [sanitise(prefix + word) for prefix, word in parts if word]
    return found[found[0] in PLAYS:] if found else []


def _word(tags: dict, key: str, pattern) -> str:
    value = tags.get(key, "")
    return value if pattern.fullmatch(value) else ""


def _safe_id(instance: dict) -> str:
    return sanitise(instance.get("InstanceId", ""))[:40]
