"""A cluster as the cloud shows it, for a look that must not fail because something is wrong with it. Read-only."""
from __future__ import annotations

from dataclasses import dataclass, field

from ..domain.errors import Refused
from .anchor import find_anchor
from .clusters import Found, cluster_instances
from .ecs import EcsClient, tags_of
from .hostvars import addresses
from .lock import Lock


@dataclass
class Inspection:
    """``found`` has the instances that belong to the cluster and can be addressed; the rest is what is wrong.

    ``foreign`` carry the cluster's tag with another id, ``twice`` have a name that another one has, ``homeless`` have
    no address (being made, or it was taken from them). ``holder`` is who holds the lock, or ''.
    """

    found: Found
    foreign: list = field(default_factory=list)
    twice: list = field(default_factory=list)
    homeless: list = field(default_factory=list)
    holder: str = ""

    def to_dict(self) -> dict:
        """Plain data for people and programs."""
        anchor = self.found.anchor
        return {"foreign": [brief(i) for i in self.foreign], "twice": [brief(i) for i in self.twice],
                "homeless": [brief(i) for i in self.homeless], "holder": self.holder, "anchor": anchor is not None,
                "instances": [brief(i) for i in self.found.instances],
                "intents": [{"group": i.group, "nodes": i.names(self.found.name), "age_s": int(i.age())}
                            for i in (anchor.intents if anchor else ())]}


def brief(instance: dict) -> dict:
    """As much of an instance as a finding tells."""
    tags = tags_of(instance)
    return {"name": instance.get("InstanceName", ""), "instance_id": instance["InstanceId"],
            "status": instance.get("Status", ""), "group": tags.get("emr:group", ""), "role": tags.get("emr:role", ""),
            "cluster_id": tags.get("emr:id", "")}


def inspect(client: EcsClient, name: str) -> Inspection:
    """Look at everything that carries the cluster's tag. Raises Refused when there is nothing."""
    anchor = find_anchor(client, name)
    instances = cluster_instances(client, name)
    if anchor is None and not instances:
        raise Refused(f"There is no cluster '{name}' in {client.region}",
                      "List the clusters with: emrctl list; another region with --region (emr_region)")
    result = Inspection(Found(name, anchor), holder=_holder(client, name))
    names: set = set()
    for instance in instances:
        if anchor and tags_of(instance).get("emr:id", "") != anchor.cluster_id:
            result.foreign.append(instance)
        elif instance.get("InstanceName", "") in names:
            result.twice.append(instance)
        elif not any(addresses(instance)):
            result.homeless.append(instance)
        else:
            names.add(instance.get("InstanceName", ""))
            result.found.instances.append(instance)
    return result


def _holder(client: EcsClient, name: str) -> str:
    holder = Lock(client, name).holder()
    return holder.owner if holder and holder.left > 0 else ""
