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
    from ansible_collections.emr.cluster.plugins.module_utils.cloud.cluster.control import (
        control_nodes,
        is_control_node,
    )
    from ansible_collections.emr.cluster.plugins.module_utils.cloud.cluster.hostvars import node_hostvars
    from ansible_collections.emr.cluster.plugins.module_utils.cloud.ssh import doors
    from ansible_collections.emr.cluster.plugins.module_utils.cloud.ssh.login import find_private_key

    found, keys = [], {}
    api = client(region)
    instances = found_by_tag.cluster_instances(api, cluster)
    bastions, controls = doors.bastions(instances), control_nodes(instances)
    for instance in instances:
        pair = instance.get("KeyPairName", "")
        key = keys[pair] = keys[pair] if pair in keys else find_private_key(pair, None, api)
        bastion = doors.bastion_for(instance, bastions)
        control = is_control_node(instance, controls)
        name, groups, variables = node_hostvars(instance, private_key_file=key, bastion=bastion, control=control)
        found.append({"name": name, "groups": groups, "vars": variables})
    if not found:
        failures.fail(f"there is no cluster {cluster} in this region. Next: emrctl list", failures.REFUSED)
    return found


def control_node(found: list[dict]) -> dict:
    """The control node among these. Leaves with 3 when there is none."""
    from ansible_collections.emr.cluster.plugins.module_utils.cloud.cluster.control import GROUP

    node = next((node for node in found if GROUP in node["groups"]), None)
    if node is None:
        failures.fail("the cluster has no master yet. Next: run its create again", failures.REFUSED)
    return node


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


def topology(found: list[dict]):
    """The Topology of these nodes, as far as it can be known without asking one of them."""
    from ansible_collections.emr.cluster.plugins.module_utils.domain.topology.nodes import Node, Topology
    from ansible_collections.emr.cluster.plugins.module_utils.domain.topology.placement import CONTROL

    nodes = [Node(n["name"], n["vars"]["emr_group"], n["vars"]["emr_role"], n["vars"]["emr_private_ip"], n["vars"]["emr_memory_mib"],
                  n["vars"]["emr_vcpus"]) for n in found]
    control = control_node(found)
    return Topology(control["vars"]["emr_cluster_name"], control["vars"]["emr_cluster_id"], tuple(nodes), {CONTROL: (control["name"],)})


def pages(found: list[dict]):
    """(label, address, port) of each web page of the cluster, the one where a person begins first."""
    from ansible_collections.emr.cluster.plugins.module_utils.services.registry import components_on

    top = topology(found)
    rows = [(node, component) for node in found for component in components_on(node["vars"]["emr_services"], top, top.node(node["name"]))]
    for node, component in sorted((row for row in rows if row[1].web), key=lambda row: not row[1].front):
        alone = node["vars"]["emr_role"] == "master" and len(top.running(component)) == 1
        label = component.label if alone else f"{component.label} {node['name']}"
        yield label, node["vars"]["emr_private_ip"], component.ports[component.web]
