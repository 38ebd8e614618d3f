"""Gives a cluster back: instances, login key pair, anchor, and the network that was made for it. Each step can be repeated; nothing
is deleted before what it is found by.

Times are seconds.
"""
from __future__ import annotations

import hashlib
import json
import time

from ...domain.errors import EmrError, Refused
from ...domain.waiting import wait
from ..ecs import vpc
from ..ecs.client import EcsClient, EcsError
from ..ssh.login import delete_if_unused
from .anchor import delete_anchor, find_anchor
from .finder import Found, cluster_instances

# An announced purchase shows within this time, if it was made.
SETTLED = 60.0
GONE_LIMIT = 600.0


def release_plan(found: Found) -> dict:
    """What release would delete, and the digest that stands for it."""
    names = sorted(found.names)
    cluster_id = found.anchor.cluster_id if found.anchor else ""
    what = ["release", found.name, cluster_id, sorted(i["InstanceId"] for i in found.instances)]
    networks = [name for made in found.networks for name in made.ids]
    if not found.exists:
        what += networks
    digest = hashlib.sha256(json.dumps(what).encode()).hexdigest()[:12]
    return {"cluster": found.name, "cluster_id": cluster_id, "release": names, "digest": digest, "networks": networks,
            "empty": not found.exists and not networks}


def check_protection(found: Found) -> None:
    """Raises Refused when instances are protected against deletion."""
    protected = sorted(i["InstanceName"] for i in found.instances if i.get("DeletionProtection"))
    if protected:
        raise Refused(f"Cluster '{found.name}' is protected against deletion ({len(protected)} nodes: "
                      f"{', '.join(protected[:5])})",
                      "Set deletion_protection: false in its spec and run create again; then release it")


def release_cluster(client: EcsClient, found: Found, lock=None, report=lambda text: None) -> dict:
    """Delete everything of the cluster and wait until it is gone. Returns counts. Raises EmrError."""
    counts = {"instances": 0, "key_pair": False, "security_group": False}
    if found.anchor and found.anchor.intents:
        found.instances = _await_intents(client, found)
        check_protection(found)
    if found.instances:
        counts["instances"] = _delete_instances(client, found, lock)
        report(f"released {counts['instances']} instances")
    if found.anchor:
        if found.anchor.login:
            counts["key_pair"] = delete_if_unused(client, found.anchor.login)
        delete_anchor(client, found.anchor.group_id)
        counts["security_group"] = True
        report(f"deleted security group {found.anchor.group_id}")
    if found.networks:
        counts["network"] = vpc.delete_made(client, found.name, report)
    return counts


def _await_intents(client: EcsClient, found: Found) -> list:
    """Instances including those of purchases that an interrupted create announced."""
    anchor = found.anchor
    while True:
        listed = cluster_instances(client, found.name, found.anchor.cluster_id)
        names = {i["InstanceName"] for i in listed}
        if anchor is None or all(i.age() > SETTLED or set(i.names(found.name)) <= names for i in anchor.intents):
            return listed
        time.sleep(1.0)
        # An announcement may have been withdrawn a moment ago and be seen still, when its instances are deleted already.
        anchor = find_anchor(client, found.name)


def _delete_instances(client: EcsClient, found: Found, lock) -> int:
    ids = [i["InstanceId"] for i in found.instances]
    for first in range(0, len(ids), 100):
        if lock is not None:
            lock.check()
        delete_batch(client, ids[first:first + 100])
    await_gone(lambda: cluster_instances(client, found.name), "release")
    return len(ids)


def await_gone(look, then: str) -> None:
    """Wait until ``look()`` lists no instance any more. Raises EmrError, with ``then`` to be run again."""
    rest = wait(look, GONE_LIMIT, 0.5)
    if rest:
        raise EmrError(f"Not gone after {GONE_LIMIT:.0f} s: {', '.join(i['InstanceName'] for i in rest[:10])}",
                       f"Look at them in the console, then run {then} again")


def delete_batch(client: EcsClient, ids: list) -> None:
    """Delete up to 100 instances, running ones too; those that went meanwhile are left out."""
    while ids:
        try:
            client.call("DeleteInstances", InstanceId=ids, Force=True)
            return
        except EcsError as error:
            if error.is_a("InvalidInstanceId.NotFound"):
                ids = _still_there(client, ids)
            elif error.is_a("IncorrectInstanceStatus"):
                # Being created or in transition: the API wants it to finish first.
                time.sleep(2.0)
                ids = _still_there(client, ids)
            else:
                raise


def _still_there(client: EcsClient, ids: list) -> list:
    return [i["InstanceId"] for i in client.items("DescribeInstances", InstanceIds=json.dumps(ids))]
