# Copyright (c) the emr.cluster authors
# Apache License 2.0 (see LICENSE or https://www.apache.org/licenses/LICENSE-2.0)
"""Inventory plugin emr.cluster.ecs: the nodes of clusters, found by their tags."""
from __future__ import annotations

DOCUMENTATION = r"""
name: ecs
short_description: Nodes of emr.cluster clusters on Alibaba Cloud ECS
version_added: 0.1.0
author:
  - The emr.cluster authors (@emr-cluster)
description:
  - Finds the ECS instances that carry the tag C(emr:cluster) and groups them by cluster, role, node group, region and zone.
  - Groups are C(emr_<cluster>), the role (C(master), C(slave), C(task), C(gateway)), C(emr_group_<node group>),
    C(emr_region_<region>) and C(emr_zone_<zone>). Characters that a group name may not have become C(_).
  - Hosts get the variables that the playbooks of this collection use, among them the trusted host key.
  - The file's name must end in C(ecs.yml), C(ecs.yaml), C(emr.yml) or C(emr.yaml).
  - Credentials are those of the environment (E(ALIBABA_CLOUD_ACCESS_KEY_ID) and E(ALIBABA_CLOUD_ACCESS_KEY_SECRET),
    also with the prefixes C(ALIBABACLOUD_) and C(ALICLOUD_)), else a profile of C(~/.aliyun/config.json).
requirements:
  - aliyun-python-sdk-core
extends_documentation_fragment:
  - ansible.builtin.constructed
  - ansible.builtin.inventory_cache
options:
  plugin:
    description: The name of this plugin.
    required: true
    choices: [emr.cluster.ecs]
  regions:
    description: The regions to look in. They are asked at the same time. Without any, the region of the environment or profile.
    type: list
    elements: str
    default: []
  profile:
    description: A profile of C(~/.aliyun/config.json) in place of the environment's credentials.
    type: str
    env:
      - name: ALIBABA_CLOUD_PROFILE
  endpoint:
    description: Another endpoint than the region's own, such as C(http://127.0.0.1:7788).
    type: str
    env:
      - name: ALIBABA_CLOUD_ECS_ENDPOINT
  clusters:
    description: Only the clusters of these names. Without any, all.
    type: list
    elements: str
    default: []
  filters:
    description: Only instances with all of these tags. An empty value stands for any value.
    type: dict
    default: {}
  states:
    description: Only instances in these states.
    type: list
    elements: str
    default: [Running]
  hostnames:
    description:
      - What a host is called, the first that is not empty. V(name), V(instance_id), V(private_ip), V(public_ip), or
        V(tag:KEY) for the value of a tag. What has other characters than letters, digits, C(.), C(_) and C(-) is passed over.
    type: list
    elements: str
    default: [name, instance_id]
  address:
    description: Which address to connect to.
    type: str
    choices: [private, public]
    default: private
    env:
      - name: EMR_ADDRESS
  user:
    description: User to log in as.
    type: str
    default: root
  private_key_file:
    description: Private key to log in with. Without it, the one that belongs to the instance's key pair, as far as it is on
      this machine.
    type: path
    env:
      - name: EMR_PRIVATE_KEY_FILE
  on_region_error:
    description: Whether a region that cannot be read ends the run, or is left out with a warning.
    type: str
    choices: [fail, warn]
    default: fail
  on_empty:
    description:
      - What to do when nothing is found. V(fail) and V(warn) also find out whether the permission to look is missing,
        since the API answers with an empty list then.
    type: str
    choices: [fail, warn, ignore]
    default: warn
"""

EXAMPLES = r"""
# All clusters of two regions.
plugin: emr.cluster.ecs
regions: [cn-hangzhou, cn-beijing]
---
# One cluster, with groups of its own, kept for ten minutes.
plugin: emr.cluster.ecs
regions: [cn-hangzhou]
clusters: [sales]
keyed_groups:
  - key: emr_instance_type
    prefix: type
compose:
  rack: emr_zone
groups:
  large: emr_memory_mib > 32768
cache: true
cache_plugin: ansible.builtin.jsonfile
cache_connection: ~/.cache/ansible/emr
cache_timeout: 600
"""

import hashlib
import json
import re
from concurrent.futures import ThreadPoolExecutor

from ansible.errors import AnsibleParserError
from ansible.plugins.inventory import BaseInventoryPlugin, Cacheable, Constructable
from ansible.utils.unsafe_proxy import wrap_var

from ansible_collections.emr.cluster.plugins.module_utils.clusters import data_disks, order
from ansible_collections.emr.cluster.plugins.module_utils.credentials import default_region, find_credentials
from ansible_collections.emr.cluster.plugins.module_utils.ecs import EcsClient, tag_list, tags_of
from ansible_collections.emr.cluster.plugins.module_utils.errors import EmrError
from ansible_collections.emr.cluster.plugins.module_utils.hostvars import addresses, node_hostvars
from ansible_collections.emr.cluster.plugins.module_utils.login import find_private_key

_HOSTNAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")


class InventoryModule(BaseInventoryPlugin, Constructable, Cacheable):
    """Nodes of clusters as hosts."""

    NAME = "emr.cluster.ecs"

    def verify_file(self, path):
        """Whether the file's name is one of ours."""
        return super().verify_file(path) and path.endswith(("ecs.yml", "ecs.yaml", "emr.yml", "emr.yaml"))

    def parse(self, inventory, loader, path, cache=True):
        """Add hosts, groups and variables. Raises AnsibleParserError."""
        super().parse(inventory, loader, path, cache)
        self._read_config_data(path)
        try:
            credentials = find_credentials(profile=self.get_option("profile"))
            regions = self.get_option("regions") or [r for r in (credentials.region or default_region(),) if r]
            if not regions:
                raise AnsibleParserError(f"{path}: no region. Write regions: [cn-hangzhou], or export "
                                         "ALIBABA_CLOUD_REGION_ID")
            records = self._cached(credentials, regions, path, cache)
        except EmrError as error:
            raise AnsibleParserError(f"{path}: {error}") from error
        self._populate(records, path)

    def _cached(self, credentials, regions: list, path: str, cache: bool) -> list:
        """What the API says, or the cache of the same question by the same caller."""
        if not self.get_option("cache"):
            return self._query(credentials, regions, path)
        # Core's key is the file's path alone, and so the same for another account or another list of regions.
        question = [credentials.access_key_id, regions, self.get_option("endpoint"), self.get_option("clusters"),
                    self.get_option("filters")]
        key = self.get_cache_key(path) + "_" + hashlib.sha256(json.dumps(question, sort_keys=True).encode()).hexdigest()[:16]
        if cache:
            try:
                return self._cache[key]
            except KeyError:
                pass
        records = self._query(credentials, regions, path)
        self._cache[key] = records
        return records

    def _query(self, credentials, regions: list, path: str) -> list:
        """``{instance, disks}`` of every instance in these regions. Raises EmrError, AnsibleParserError."""
        tags = {"emr:cluster": "", **{str(k): str(v) for k, v in (self.get_option("filters") or {}).items()}}
        wanted = self.get_option("clusters")
        if len(wanted) == 1:
            tags["emr:cluster"] = wanted[0]
        clients = [EcsClient(r, credentials, self.get_option("endpoint")) for r in dict.fromkeys(regions)]

        def one(client):
            try:
                found = client.items("DescribeInstances", Tag=tag_list(tags))
                found = [i for i in found if not wanted or tags_of(i).get("emr:cluster") in wanted]
                disks = data_disks(client, found)
                return [{"instance": i, "disks": disks.get(i["InstanceId"], [])} for i in found], None
            except EmrError as error:
                return [], error

        with ThreadPoolExecutor(min(8, len(clients))) as pool:
            answers = list(pool.map(one, clients))
        self._report_regions([(c, e) for c, (_, e) in zip(clients, answers) if e], path)
        records = [r for found, _ in answers for r in found]
        if not records and self.get_option("on_empty") != "ignore":
            self._report_empty([c for c, (_, e) in zip(clients, answers) if not e], path)
        return records

    def _report_regions(self, failures: list, path: str) -> None:
        for client, error in failures:
            text = f"{path}: region {client.region}: {error}"
            if self.get_option("on_region_error") == "fail":
                raise AnsibleParserError(text)
            self.display.warning(text)

    def _report_empty(self, clients: list, path: str) -> None:
        """Say why nothing was found: no permission, or nothing there."""
        blind = [c.region for c in clients if not c.allowed("DescribeInstances")]
        text = (f"{path}: the access key may not use ecs:DescribeInstances in {', '.join(blind)}" if blind else
                f"{path}: no instance with the tag emr:cluster matches in {', '.join(c.region for c in clients)}")
        if self.get_option("on_empty") == "fail":
            raise AnsibleParserError(text)
        self.display.warning(text)

    def _populate(self, records: list, path: str) -> None:
        strict = self.get_option("strict")
        states = self.get_option("states")
        keys: dict = {}
        taken: set = set()
        for record in sorted(records, key=lambda r: (r["instance"].get("RegionId", ""), order(r["instance"]))):
            instance = record["instance"]
            if states and instance.get("Status") not in states:
                continue
            pair = instance.get("KeyPairName", "")
            if pair not in keys:
                keys[pair] = find_private_key(pair, self.get_option("private_key_file"))
            _, groups, variables = node_hostvars(instance, self.get_option("address"), self.get_option("user"),
                                                 record["disks"], keys[pair])
            host = self._hostname(instance)
            if host in taken:
                self.display.warning(f"{path}: '{host}' is the name of several instances; {instance['InstanceId']} is called "
                                     "by its id")
                host = instance["InstanceId"]
            taken.add(host)
            self._add(host, groups, variables, strict)

    def _hostname(self, instance: dict) -> str:
        private, public = addresses(instance)
        values = {"name": instance.get("InstanceName", ""), "instance_id": instance["InstanceId"], "private_ip": private,
                  "public_ip": public}
        tags = tags_of(instance)
        for wanted in self.get_option("hostnames"):
            if wanted not in values and not wanted.startswith("tag:"):
                raise AnsibleParserError(f"hostnames: '{wanted}' is unknown. Write one of {', '.join(values)}, or tag:KEY")
            value = tags.get(wanted[4:], "") if wanted.startswith("tag:") else values[wanted]
            # A name goes into commands and patterns: what could not be a host name is passed over.
            if _HOSTNAME.fullmatch(value):
                return value
        return instance["InstanceId"]

    def _add(self, host: str, groups: list, variables: dict, strict: bool) -> None:
        self.inventory.add_host(host)
        variables["emr_tags"] = wrap_var(variables["emr_tags"])
        for name, value in variables.items():
            self.inventory.set_variable(host, name, value)
        for group in groups:
            self.inventory.add_host(host, self.inventory.add_group(group))
        self._set_composite_vars(self.get_option("compose"), variables, host, strict=strict)
        self._add_host_to_composed_groups(self.get_option("groups"), variables, host, strict=strict)
        self._add_host_to_keyed_groups(self.get_option("keyed_groups"), variables, host, strict=strict)
