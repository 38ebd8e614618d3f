"""Finds clusters: the instances by their tags, the anchor by its own, and whether the two agree. Read-only."""
from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from ...domain.errors import EmrError, Refused
from ..ecs import vpc
from ..ecs.client import EcsClient, EcsError, permission_remedy, tag_list, tags_of
from .anchor import Anchor, find_anchor, read_anchor

# Tag of a node that has been deployed to its end once; without it a node is new, whoever bought it.
READY = "emr:ready"
_ROLE_ORDER = {"master": 0, "slave": 1, "task": 2, "gateway": 3}


@dataclass
class Found:
    """A cluster as the cloud shows it. ``instances`` are sorted: masters first, then by name."""

    name: str
    anchor: Anchor | None = None
    instances: list = field(default_factory=list)
    # Networks that were made for the cluster (vpc.Made); looked for only where they are released.
    networks: list = field(default_factory=list)

    @property
    def exists(self) -> bool:
        return self.anchor is not None or bool(self.instances)

    @property
    def names(self) -> list:
        return [i.get("InstanceName", "") for i in self.instances]

    def of_group(self, group: str) -> list:
        """The instances of one node group."""
        return [i for i in self.instances if tags_of(i).get("emr:group") == group]


def order(instance: dict) -> tuple:
    """Sort key of instances: masters, slaves, tasks, gateways; then by name."""
    return _ROLE_ORDER.get(tags_of(instance).get("emr:role", ""), 9), instance.get("InstanceName", "")


def cluster_instances(client: EcsClient, name: str, cluster_id: str = "") -> list:
    """All instances with the cluster's tag (and id), sorted."""
    tags = {"emr:cluster": name}
    if cluster_id:
        tags["emr:id"] = cluster_id
    return sorted(client.items("DescribeInstances", Tag=tag_list(tags)), key=order)


def find_cluster(client: EcsClient, name: str) -> Found:
    """Anchor and instances of a cluster, which must belong together. Raises Refused when they do not.

    An empty answer may also mean a missing permission, and would make a purchase buy everything again; so nothing
    found is only believed after asking whether the caller may look.
    """
    anchor = find_anchor(client, name)
    instances = cluster_instances(client, name)
    if not instances:
        _require_sight(client)
    _check_lives(name, anchor, instances)
    _check_names(name, instances)
    return Found(name, anchor, instances)


def _require_sight(client: EcsClient) -> None:
    for action in ("DescribeInstances", "DescribeSecurityGroups"):
        if not client.allowed(action):
            raise Refused(f"The access key may not use {action} in {client.region}, so clusters cannot be seen",
                          permission_remedy(action))


def _check_lives(name: str, anchor: Anchor | None, instances: list) -> None:
    wanted = anchor.cluster_id if anchor else ""
    foreign = [i for i in instances if tags_of(i).get("emr:id", "") != wanted or not wanted]
    if not foreign:
        return
    shown = ", ".join(f"{i.get('InstanceName')} ({i['InstanceId']}, emr:id {tags_of(i).get('emr:id') or 'none'})"
                      for i in foreign[:5])
    if anchor is None:
        raise Refused(f"Instances carry the tag of cluster '{name}', but its security group is gone: {shown}",
                      f"Release them in the console, or tag a security group with emr:cluster={name} and their emr:id")
    raise Refused(f"Instances with the tag of cluster '{name}' do not belong to it (its id is {wanted}): {shown}",
                  "Remove their emr:cluster tag or release them in the console; then run the command again")


def _check_names(name: str, instances: list) -> None:
    seen: dict = {}
    for instance in instances:
        seen.setdefault(instance.get("InstanceName", ""), []).append(instance["InstanceId"])
    twice = {n: ids for n, ids in seen.items() if len(ids) > 1}
    if twice:
        shown = "; ".join(f"{n}: {', '.join(ids)}" for n, ids in sorted(twice.items()))
        raise Refused(f"Cluster '{name}' has several instances of the same name: {shown}",
                      "Release the one that is not wanted in the console; then run the command again")


def data_disks(client: EcsClient, instances: list) -> dict:
    """Data disks by instance id, sorted by device. One listing of the zone for all of them."""
    if not instances:
        return {}
    ids = {i["InstanceId"] for i in instances}
    found: dict = {}
    for zone in sorted({i.get("ZoneId", "") for i in instances}):
        for disk in client.items("DescribeDisks", DiskType="data", ZoneId=zone or None):
            if disk.get("InstanceId") in ids:
                found.setdefault(disk["InstanceId"], []).append(disk)
    for disks in found.values():
        disks.sort(key=lambda d: (d.get("Device", ""), d["DiskId"]))
    return found


def summarise(name: str, instances: list, anchor: Anchor | None, region: str) -> dict:
    """One cluster as a line of ``emrctl list``."""
    roles: dict = {}
    states: dict = {}
    for instance in instances:
        role, state = tags_of(instance).get("emr:role", "?"), instance.get("Status", "?")
        roles[role] = roles.get(role, 0) + 1
        states[state] = states.get(state, 0) + 1
    tags = tags_of(instances[0]) if instances else {}
    return {"name": name, "region": region, "zone": instances[0].get("ZoneId", "") if instances else "",
            "id": anchor.cluster_id if anchor else tags.get("emr:id", ""), "release": tags.get("emr:release", ""),
            "services": [s for s in tags.get("emr:services", "").split(",") if s], "nodes": len(instances),
            "roles": roles, "states": states, "created": min((i.get("CreationTime", "") for i in instances), default=""),
            "memory_mib": sum(int(i.get("Memory") or 0) for i in instances),
            "vcpus": sum(int(i.get("Cpu") or 0) for i in instances),
            "ready": sum(bool(tags_of(i).get(READY)) for i in instances),
            "complete": anchor is not None and not anchor.intents, "warned": anchor.warned if anchor else ""}


def list_region(client: EcsClient) -> list:
    """The clusters of the client's region, by name."""
    anchors = {}
    for group in client.items("DescribeSecurityGroups", Tag=tag_list({"emr:cluster": ""})):
        anchor = read_anchor(group)
        anchors[anchor.cluster] = anchor
    by_name: dict = {name: [] for name in [*anchors, *_left_networks(client)]}
    for instance in client.items("DescribeInstances", Tag=tag_list({"emr:cluster": ""})):
        by_name.setdefault(tags_of(instance)["emr:cluster"], []).append(instance)
    return [summarise(name, sorted(found, key=order), anchors.get(name), client.region)
            for name, found in sorted(by_name.items())]


def _left_networks(client: EcsClient) -> list:
    """Clusters for which a VPC was made: of an interrupted create or release there may be nothing else. It costs nothing, so who may
    not look at VPCs, or does not reach their API, is neither told each time nor kept waiting.
    """
    quick = EcsClient(client.region, client.credentials, client.endpoint, min(client.patience, 3.0))
    try:
        return list(vpc.names_of_made(quick))
    except EcsError as error:
        if error.denied or error.transient:
            return []
        raise


def list_clusters(clients) -> dict:
    """``{"clusters": [...], "errors": [...]}`` over several regions, asked at the same time.

    ``clients`` is one EcsClient, or one for each region. A region that fails ends up in ``errors``, as
    ``{region, message}``; EcsError is raised only when all of them fail.
    """
    clients = [clients] if isinstance(clients, EcsClient) else list(clients)

    def one(client):
        try:
            return list_region(client), None
        except (EcsError, EmrError) as error:
            return [], error

    if len(clients) == 1:
        answers = [one(clients[0])]
    else:
        with ThreadPoolExecutor(min(8, len(clients) or 1)) as pool:
            answers = list(pool.map(one, clients))
    errors = [(c.region, e) for c, (_found, e) in zip(clients, answers) if e]
    if errors and len(errors) == len(clients):
        raise errors[0][1]
    return {"clusters": [c for found, _error in answers for c in found],
            "errors": [{"region": region, "message": str(error)} for region, error in errors]}
