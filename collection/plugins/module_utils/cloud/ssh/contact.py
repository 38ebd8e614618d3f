"""First contact with new nodes: wait for SSH, read the host key, keep it in the tag ``emr:hostkey``.

The key is trusted once, here; afterwards every door compares with the tag. Times are seconds.
"""
from __future__ import annotations

import socket
import subprocess
from concurrent.futures import ThreadPoolExecutor

from ...domain.errors import EmrError, Refused
from ...domain.waiting import wait
from ..cluster.hostvars import reached_at, valid_hostkey
from ..ecs.client import EcsClient, tag_list, tags_of
from . import doors
from .bastion import reach_through

SSH_LIMIT = 180.0


def node_address(instance: dict, address: str) -> str:
    """The address at which the controller reaches a node directly; auto takes the cluster's door."""
    return reached_at(instance, address)[0]


def reach(client: EcsClient, instances: list, address: str, user: str, private_key_file: str | None) -> int:
    """Wait until every node answers on SSH on the way of its door; how many host keys were learned. Raises EmrError."""
    bastions = doors.bastions(instances) if address == "auto" else {}
    ways = [(i, doors.bastion_for(i, bastions)) for i in instances]
    direct = [i for i, bastion in ways if bastion is None]
    wait_for_ssh(direct, address)
    learned = learn_host_keys(client, direct, address)
    for bastion in bastions.values():
        behind = {i["InstanceId"]: i for i, b in ways if b is bastion}
        keys = reach_through(bastion, list(behind.values()), user, private_key_file, SSH_LIMIT) if behind else {}
        for instance_id, key in keys.items():
            if valid_hostkey(tags_of(behind[instance_id]).get("emr:hostkey", "")) != key:
                _tag_key(client, behind[instance_id], key)
                learned += 1
    return learned


def _tag_key(client: EcsClient, instance: dict, key: str) -> None:
    """Keep a host key in the instance's tag, and in the instance at hand."""
    client.call("TagResources", ResourceType="instance", ResourceId=[instance["InstanceId"]],
                Tag=tag_list({"emr:hostkey": key}))
    instance.setdefault("Tags", {}).setdefault("Tag", []).append({"TagKey": "emr:hostkey", "TagValue": key})


def wait_for_ssh(instances: list, access: str, limit: float = SSH_LIMIT) -> None:
    """Wait until port 22 of every instance answers. Raises EmrError naming those that do not."""
    rest = {i["InstanceName"]: node_address(i, access) for i in instances}

    def silent() -> dict:
        for name, answers in zip(list(rest), list(pool.map(_answers, rest.values()))):
            if answers:
                del rest[name]
        return rest
    with ThreadPoolExecutor(min(32, len(rest) or 1)) as pool:
        wait(silent, limit)
    if rest:
        shown = ", ".join(f"{n} ({a or 'no address'})" for n, a in sorted(rest.items())[:10])
        raise EmrError(f"{len(rest)} nodes do not answer on SSH after {limit:.0f} s: {shown}",
                       "Check that this machine's address is in network.ssh_from and that it reaches the "
                       "nodes' network (network.access); then run the command again", {"unreachable": True})


def learn_host_keys(client: EcsClient, instances: list, access: str, limit: float = 60.0) -> int:
    """Read and tag the host keys of the instances that have none yet; changes their tags in place. How many."""
    new = {node_address(i, access): i for i in instances if not valid_hostkey(tags_of(i).get("emr:hostkey", ""))}
    rest = dict(new)

    def without() -> dict:
        for address, key in (_scan(list(rest)) if rest else {}).items():
            _tag_key(client, rest.pop(address), key)
        return rest
    if wait(without, limit, 0.5):
        shown = ", ".join(i["InstanceName"] for i in rest.values())
        raise EmrError(f"These nodes offer no ed25519 host key: {shown}",
                       "Use an image whose sshd has an ed25519 host key", {"unreachable": True})
    return len(new)


def _answers(address: str) -> bool:
    if not address:
        return False
    try:
        with socket.create_connection((address, 22), timeout=3):
            return True
    except OSError:
        return False


def _scan(hosts: list) -> dict:
    """Host key by address, of the hosts that answered."""
    try:
        done = subprocess.run(["ssh-keyscan", "-t", "ed25519", "-T", "5", *hosts], stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise Refused("ssh-keyscan is missing on this machine", "Install the OpenSSH client") from None
    found = {}
    for line in done.stdout.splitlines():
        host, _space, key = line.partition(" ")
        key = " ".join(key.split()[:2])
        if host in hosts and valid_hostkey(key):
            found[host] = key
    return found
