"""A cluster as the cloud shows it, for a look that must not fail because something is wrong with it. Read-only."""
from __future__ import annotations

from dataclasses import dataclass, field

from ...domain.errors import Refused
from ..ecs import vpc
from ..ecs.client import EcsClient, EcsError, tags_of
from .anchor import find_anchor
from .finder import Found, cluster_instances
from .hostvars import addresses
from .lock import Lock, is_dead
from .operation import READY


@dataclass
class Inspection:
    """``found`` has the instances that belong to the cluster and can be addressed; the rest is what is wrong.

    ``foreign`` carry the cluster's tag with another id, ``twice`` have a name that another one has, ``homeless`` have
    no address (being made, or it was taken from them). ``holder`` is who holds the lock, or ''. ``networks``: ids of a VPC and
    vSwitch, looked for only where there is nothing else.
    """

    found: Found
    foreign: list = field(default_factory=list)
    twice: list = field(default_factory=list)
    homeless: list = field(default_factory=list)
    holder: str = ""
    networks: list = field(default_factory=list)

    def unfinished(self) -> dict | None:
        """What there is of a cluster that was never deployed to its end, and how to go on; None for every other one."""
        bought = [*self.found.instances, *self.homeless]
        if any(tags_of(i).get(READY) for i in [*bought, *self.twice]):
            return None
        name, anchor = self.found.name, self.found.anchor
        here = {i.get("InstanceName", "") for i in bought}
        announced = [n for i in (anchor.intents if anchor else ()) for n in i.names(name) if n not in here]
        parts = [f"{len(bought)} nodes are bought ({_some(sorted(here))})" if bought else "no node is bought"]
        parts += [f"announced and perhaps bought: {_some(announced)}"] if announced else []
        if not bought:
            parts.append("there is " + " and ".join([*([f"security group {anchor.group_id}"] if anchor else []), *self.networks]))
        if self.holder:
            then = f"{self.holder} works on it: wait until that has ended"
        else:
            then = f"Run its create again (emrctl create cluster.yml): it goes on and buys nothing twice; or release it: emrctl release {name}"
        return {"nodes": [brief(i) for i in bought], "announced": announced, "networks": self.networks, "holder": self.holder,
                "why": f"cluster {name} was never finished: " + "; ".join(parts), "next": then}

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


def _some(names: list) -> str:
    return ", ".join(names[:6]) + (f" and {len(names) - 6} more" if len(names) > 6 else "")


def _networks(client: EcsClient, name: str) -> list:
    """Ids of networks that an interrupted create left; none for who may not look."""
    try:
        return [one for made in vpc.find_made(client, name) for one in made.ids]
    except EcsError as error:
        if not error.denied:
            raise
        return []


def inspect(client: EcsClient, name: str) -> Inspection:
    """Look at everything that carries the cluster's tag. Raises Refused when there is nothing."""
    anchor = find_anchor(client, name)
    instances = cluster_instances(client, name)
    networks = [] if instances else _networks(client, name)
    if anchor is None and not instances and not networks:
        raise Refused(f"There is no cluster '{name}' in {client.region}",
                      "List the clusters with: emrctl list; another region with --region (emr_region)")
    result = Inspection(Found(name, anchor), holder=_holder(client, name), networks=networks)
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
    return holder.owner if holder and holder.left > 0 and not is_dead(holder.owner) else ""
