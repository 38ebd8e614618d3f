"""Which node holds a cluster's control plane (jobs, flows, revisions, timers), as the cloud tells. Pure Python.

A tag on its instance says so. Without it, it is the first of the masters by name, where clusters of before the tag have it.
"""
from __future__ import annotations

from ..ecs.client import tags_of

TAG = "emr:control"
# Every way to nodes (play 1, inventory, emrctl) puts them into this group, so that a play addresses them alone.
GROUP = "emr_control"


def control_nodes(instances) -> dict:
    """{(cluster, id): instance} of the control nodes among these instances, which may be of several clusters."""
    found: dict = {}
    for instance in instances:
        tags = tags_of(instance)
        if tags.get("emr:role") == "master" and tags.get("emr:cluster"):
            found.setdefault((tags["emr:cluster"], tags.get("emr:id", "")), []).append(instance)
    return {key: min(masters, key=lambda i: (not tags_of(i).get(TAG), i.get("InstanceName", ""))) for key, masters in found.items()}


def is_control_node(instance: dict, found: dict) -> bool:
    """Whether ``control_nodes`` found this instance."""
    tags = tags_of(instance)
    chosen = found.get((tags.get("emr:cluster", ""), tags.get("emr:id", "")))
    return chosen is not None and chosen.get("InstanceId") == instance.get("InstanceId")


def control_node(instances) -> dict | None:
    """The control node of the one cluster that these instances are of."""
    return next(iter(control_nodes(instances).values()), None)
