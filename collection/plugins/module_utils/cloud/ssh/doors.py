"""The network doors of a cluster: how the controller reaches its nodes.

``vpc``: at their private addresses. ``public``: each at its own. ``bastion``: one master at its public address, the
others at their private ones through it. Instances carry the door in the tag ``emr:access``, so that every way into a
cluster (playbooks, inventory, emrctl ssh) takes the same; without the tag it is vpc.
"""
from __future__ import annotations

import shlex

from ...domain.errors import Refused
from ..ecs.client import addresses, tags_of
from .client import identity_args

ACCESS = ("vpc", "bastion", "public")
TAG = "emr:access"
# How long an idle connection to the bastion stays open for the next node, seconds.
PERSIST = 60
# One connection to the bastion for all nodes: fewer logins, and its sshd does not drop them as too many at once. The
# sockets lie in a folder that only this user can have made; a path in HOME may be too long for a socket.
_THROUGH = (
    'd=/tmp/.emr-ssh-$(id -u); mkdir -m 700 "$d" 2>/dev/null; c=none; '
    'if [ -O "$d" ] && [ ! -L "$d" ]; then c="$d/{socket}"; fi; '
    'exec ssh -a -x -T -o BatchMode=yes -o ConnectTimeout=20 -o LogLevel=ERROR '
    '-o ControlMaster=auto -o ControlPath="$c" -o ControlPersist={persist} {options} -W "$1:$2" {target}')


def access_of(instance: dict) -> str:
    """The door of an instance by its tag."""
    found = tags_of(instance).get(TAG, "vpc")
    return found if found in ACCESS else "vpc"


def check_unchanged(access: str, instances) -> None:
    """Raises Refused when nodes that exist have another door than the spec: addresses are given at purchase."""
    found = sorted({access_of(i) for i in instances} - {access})
    if found:
        raise Refused(f"network.access: {access}, but the nodes that exist were bought with {found[0]}",
                      f"Write access: {found[0]}; another way of access needs a new cluster")


def bastions(instances) -> dict:
    """{(cluster, id): bastion} of the instances of clusters that have one: the master that was bought with a public address.

    While it is stopped it may have none; then it is the first by name.
    """
    found: dict = {}
    for instance in instances:
        tags = tags_of(instance)
        if access_of(instance) == "bastion" and tags.get("emr:role") == "master":
            found.setdefault((tags.get("emr:cluster", ""), tags.get("emr:id", "")), []).append(instance)
    return {key: min(masters, key=lambda i: (not addresses(i)[1], i.get("InstanceName", ""))) for key, masters in found.items()}


def bastion_for(instance: dict, found: dict) -> dict | None:
    """The bastion, of those that ``bastions`` found, through which this instance is reached; None when it is reached directly."""
    tags = tags_of(instance)
    way = found.get((tags.get("emr:cluster", ""), tags.get("emr:id", "")))
    if access_of(instance) != "bastion" or way is None or way["InstanceId"] == instance["InstanceId"]:
        return None
    return way


def proxy_option(host: str, user: str, trust: str, socket: str, private_key_file: str | None) -> str:
    """The option of ssh that reaches a node through ``host``; ``trust`` are the ssh options that trust its host key.

    ssh's own ProxyJump hands neither host keys nor the private key on to the first hop, so the hop is spelt out.
    """
    options = trust
    if private_key_file:
        options += f" {identity_args(private_key_file)} -o IdentityFile={shlex.quote(private_key_file)}"
    script = _THROUGH.format(socket=shlex.quote(socket), persist=PERSIST, options=options, target=shlex.quote(f"{user}@{host}"))
    # What the inner ssh shall expand is not for the outer one.
    command = f"sh -c {shlex.quote(script.replace('%', '%%'))} emr-door %h %p"
    return f"-o {shlex.quote('ProxyCommand=' + command)}"
