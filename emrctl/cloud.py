"""Direct, read-only looks at the cloud, for commands that must answer at once: list, ssh, open."""
from __future__ import annotations

import shlex
import sys

from emrctl import failures


def client(region: str | None):
    """An ECS client for this region, or the environment's. Raises errors of module_utils (credentials, API)."""
    from ansible_collections.emr.cluster.plugins.module_utils.cloud.credentials import chain as credentials
    from ansible_collections.emr.cluster.plugins.module_utils.cloud.ecs import client as ecs

    found = credentials.find_credentials()
    region = region or found.region or credentials.default_region()
    if not region:
        failures.fail("no region is set. Next: give --region, or export ALIBABA_CLOUD_REGION_ID", failures.USAGE)
    return ecs.EcsClient(region, found)


def clusters(region: str | None) -> list[dict]:
    """One record per cluster of the region; trouble with some of it goes to stderr."""
    from ansible_collections.emr.cluster.plugins.module_utils.cloud.cluster.finder import list_clusters

    answer = list_clusters(client(region))
    for error in answer["errors"]:
        print(f"emrctl: {error['region']}: {error['message']}", file=sys.stderr)
    return answer["clusters"]


def nodes(cluster: str, region: str | None) -> list[dict]:
    """Nodes of a cluster as {name, groups, vars}, masters first. Leaves with 3 when there is none."""
    from ansible_collections.emr.cluster.plugins.module_utils.cloud.cluster import finder as found_by_tag
    from ansible_collections.emr.cluster.plugins.module_utils.cloud.cluster.hostvars import node_hostvars
    from ansible_collections.emr.cluster.plugins.module_utils.cloud.ssh import doors
    from ansible_collections.emr.cluster.plugins.module_utils.cloud.ssh.login import find_private_key

    found, keys = [], {}
    api = client(region)
    instances = found_by_tag.cluster_instances(api, cluster)
    masters = doors.first_masters(instances)
    for instance in instances:
        pair = instance.get("KeyPairName", "")
        key = keys[pair] = keys[pair] if pair in keys else find_private_key(pair, None, api)
        bastion = doors.bastion_for(instance, masters)
        name, groups, variables = node_hostvars(instance, private_key_file=key, bastion=bastion)
        found.append({"name": name, "groups": groups, "vars": variables})
    if not found:
        failures.fail(f"there is no cluster {cluster} in this region. Next: emrctl list", failures.REFUSED)
    return found


def first_master(found: list[dict]) -> dict:
    """The first master of these nodes. Leaves with 3 when there is none."""
    if found[0]["vars"]["emr_role"] != "master":
        failures.fail("the cluster has no master yet. Next: run its create again", failures.REFUSED)
    return found[0]


def ssh_arguments(node: dict) -> list[str]:
    """Arguments for ssh to this node: strict about its host key, as every door is. Raises Refused when ssh is too old."""
    from ansible_collections.emr.cluster.plugins.module_utils.cloud.ssh.client import require_ssh

    require_ssh()
    variables = node["vars"]
    arguments = shlex.split(variables.get("ansible_ssh_common_args", ""))
    key = variables.get("ansible_ssh_private_key_file")
    if key:
        arguments += ["-i", key]
    return [*arguments, "-o", "LogLevel=ERROR", f"{variables['ansible_user']}@{variables['ansible_host']}"]


def pages(found: list[dict]):
    """(label, address, port) of each web page of the cluster."""
    from ansible_collections.emr.cluster.plugins.module_utils.domain.catalogue import components_for

    for node in found:
        variables = node["vars"]
        for component in components_for(variables["emr_services"], variables["emr_role"]):
            if component.web:
                label = component.label if variables["emr_role"] == "master" else f"{component.label} {node['name']}"
                yield label, variables["emr_private_ip"], component.ports[component.web]
