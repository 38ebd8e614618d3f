"""Direct, read-only looks at the cloud, for commands that must answer at once: list, ssh, open."""
from __future__ import annotations

import os
import shlex
from pathlib import Path

from emrctl import failures


def client(region: str | None):
    """An ECS client for this region, or the environment's. Raises errors of module_utils (credentials, API)."""
    from ansible_collections.emr.cluster.plugins.module_utils import credentials, ecs

    found = credentials.find_credentials()
    region = region or found.region or credentials.default_region()
    if not region:
        failures.fail("no region. Next: give --region, or export ALIBABA_CLOUD_REGION_ID", failures.USAGE)
    return ecs.EcsClient(region, found)


def instances(region: str | None, cluster: str | None = None) -> list[dict]:
    """Instances of one cluster or of all, as DescribeInstances gives them."""
    from ansible_collections.emr.cluster.plugins.module_utils.ecs import tag_list

    return client(region).items("DescribeInstances", Tag=tag_list({"emr:cluster": cluster or ""}))


def clusters(region: str | None) -> list[dict]:
    """One record per cluster (by id): name, region, zone, release, services, nodes per role, state, created."""
    from ansible_collections.emr.cluster.plugins.module_utils.ecs import tags_of

    groups: dict[tuple, list] = {}
    for instance in instances(region):
        tags = tags_of(instance)
        groups.setdefault((tags.get("emr:cluster", ""), tags.get("emr:id", "")), []).append((instance, tags))
    return [_cluster(name, cid, members) for (name, cid), members in sorted(groups.items())]


def _cluster(name: str, cluster_id: str, members: list) -> dict:
    first, tags = members[0]
    roles: dict[str, int] = {}
    states: dict[str, int] = {}
    for instance, own in members:
        role, state = own.get("emr:role", "?"), instance.get("Status", "?")
        roles[role] = roles.get(role, 0) + 1
        states[state] = states.get(state, 0) + 1
    state = next(iter(states)) if len(states) == 1 else ", ".join(f"{n} {s}" for s, n in sorted(states.items()))
    created = min(i.get("CreationTime", "") for i, _ in members)
    return {"name": name, "state": state, "nodes": len(members), "roles": roles, "release": tags.get("emr:release", ""),
            "services": [s for s in tags.get("emr:services", "").split(",") if s], "region": first.get("RegionId", ""),
            "zone": first.get("ZoneId", ""), "created": created, "id": cluster_id}


def nodes(cluster: str, region: str | None) -> list[dict]:
    """Nodes of a cluster as {name, groups, vars}, masters first. Leaves with 3 when there is none."""
    from ansible_collections.emr.cluster.plugins.module_utils.hostvars import node_hostvars

    address = os.environ.get("EMR_ADDRESS", "private")
    found = []
    for instance in instances(region, cluster):
        name, groups, variables = node_hostvars(instance, address)
        found.append({"name": name, "groups": groups, "vars": variables})
    if not found:
        failures.fail(f"no cluster {cluster} here. Next: emrctl list", failures.REFUSED)
    return sorted(found, key=lambda n: (n["vars"]["emr_role"] != "master", n["name"]))


def first_master(found: list[dict]) -> dict:
    """The first master of these nodes. Leaves with 3 when there is none."""
    if found[0]["vars"]["emr_role"] != "master":
        failures.fail("the cluster has no master (yet). Next: run its create again", failures.REFUSED)
    return found[0]


def ssh_arguments(node: dict) -> list[str]:
    """Arguments for ssh to this node: strict about its host key, as every door is."""
    variables = node["vars"]
    arguments = shlex.split(variables.get("ansible_ssh_common_args", ""))
    key = private_key()
    if key:
        arguments += ["-i", str(key)]
    return [*arguments, "-o", "LogLevel=ERROR", f"{variables['ansible_user']}@{variables['ansible_host']}"]


def private_key() -> Path | None:
    """The login key: EMR_PRIVATE_KEY_FILE, else ~/.ssh/emr_ed25519, else what ssh itself finds."""
    named = os.environ.get("EMR_PRIVATE_KEY_FILE")
    path = Path(named).expanduser() if named else Path.home() / ".ssh" / "emr_ed25519"
    return path if path.is_file() else None


def pages(found: list[dict]):
    """(label, address, port) of each web page of the cluster."""
    from ansible_collections.emr.cluster.plugins.module_utils.catalogue import components_for

    for node in found:
        variables = node["vars"]
        for component in components_for(variables["emr_services"], variables["emr_role"]):
            if component.web:
                label = component.label if variables["emr_role"] == "master" else f"{component.label} {node['name']}"
                yield label, variables["emr_private_ip"], component.ports[component.web]
