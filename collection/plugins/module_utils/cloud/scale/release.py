"""Releases exactly the instances of nodes that left a cluster; the rest of it stays. Repeatable. Times are seconds."""
from __future__ import annotations

from ...domain.errors import EmrError
from ..cluster.finder import cluster_instances
from ..cluster.teardown import await_gone, delete_batch
from ..ecs.client import EcsClient


def to_release(found, names, drained) -> list:
    """The instances of these nodes that still exist. Raises EmrError for one that runs and was not drained: it may hold data
    or work that nobody took over."""
    here = [i for i in found.instances if i["InstanceName"] in set(names)]
    held = sorted(i["InstanceName"] for i in here if i.get("Status") == "Running" and i["InstanceName"] not in set(drained))
    if held:
        raise EmrError(f"These nodes run and are not drained, so they are not released: {', '.join(held)}",
                       "Run the command again: it drains them first")
    return here


def release_nodes(client: EcsClient, found, names, drained, lock=None, report=lambda text: None) -> list:
    """Release the nodes and wait until they are gone; their names. Protection is switched off for exactly these.

    A release that was interrupted is finished: what is gone already is not asked for again. Raises EmrError.
    """
    here = to_release(found, names, drained)
    if not here:
        return []
    if lock is not None:
        lock.check()
    for instance in (i for i in here if i.get("DeletionProtection")):
        client.call("ModifyInstanceAttribute", InstanceId=instance["InstanceId"], DeletionProtection=False)
        report(f"deletion protection of {instance['InstanceName']} is off")
    ids = {i["InstanceId"] for i in here}
    for first in range(0, len(here), 100):
        delete_batch(client, sorted(ids)[first:first + 100])
    _await_gone(client, found, ids)
    gone = sorted(i["InstanceName"] for i in here)
    report(f"released {', '.join(gone)}")
    return gone


def _await_gone(client: EcsClient, found, ids: set) -> None:
    """Wait until nobody lists them any more, so that a rerun counts right."""
    await_gone(lambda: [i for i in cluster_instances(client, found.name) if i["InstanceId"] in ids], "the command")
