# Copyright (c) the emr.cluster authors
# Apache License 2.0 (see LICENSE or https://www.apache.org/licenses/LICENSE-2.0)
"""Inventory plugin emr.cluster.ecs: the nodes of clusters, found by their tags."""
from __future__ import annotations

DOCUMENTATION = r"""
name: ecs
short_description: Nodes of emr.cluster clusters, or any instances, on Alibaba Cloud ECS
version_added: 0.1.0
author:
  - The emr.cluster authors (@emr-cluster)
description:
  - Finds the ECS instances that carry the tag C(emr:cluster), or all of an account, in many regions and accounts at the same
    time, and groups them by cluster, role, node group, region and zone.
  - Groups are C(emr_<cluster>), the role (C(master), C(slave), C(task), C(gateway)), C(emr_control) (of each cluster
    the node with its jobs, flows and revisions), C(emr_group_<node group>), C(emr_region_<region>), C(emr_zone_<zone>) and, with O(accounts),
    C(emr_account_<name>). Characters that a group name may not have become C(_).
  - Hosts get the variables that the playbooks of this collection use, among them the trusted host key.
  - With O(all_instances) an instance that belongs to no cluster gets no user, key and options of SSH from here, so that those of
    C(group_vars) hold.
  - Tags are written by anyone who may tag. Their values are in C(emr_tags) only, never a template, and become part of names,
    groups and other variables only where they have exactly the expected form.
  - The file's name must end in C(ecs.yml), C(ecs.yaml), C(emr.yml) or C(emr.yaml).
  - Credentials are found as the official tools do, from the environment, a profile of C(~/.aliyun/config.json), or the RAM
    role of the ECS instance on which Ansible runs. The permissions C(ecs:DescribeInstances) and C(ecs:DescribeDisks) are
    enough; C(regions=all) also needs C(ecs:DescribeRegions).
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
    description:
      - The regions to look in, or V(all) alone for every region of the account. They are asked at the same time. Without any,
        the region of the environment or profile.
    type: list
    elements: str
    default: []
  profile:
    description: A profile of C(~/.aliyun/config.json) in place of the environment's credentials.
    type: str
    env:
      - name: ALIBABA_CLOUD_PROFILE
  accounts:
    description:
      - Several accounts. Each is a dictionary with C(profile) and, as needed, C(name) (else that of the profile), C(regions)
        and C(endpoint), which win over O(regions) and O(endpoint).
      - Hosts then have the variable C(emr_account).
    type: list
    elements: dict
    default: []
  endpoint:
    description: Another endpoint than the region's own, such as C(http://127.0.0.1:7788) or one of a VPC.
    type: str
    env:
      - name: ALIBABA_CLOUD_ECS_ENDPOINT
  clusters:
    description: Only the clusters of these names. Without any, all.
    type: list
    elements: str
    default: []
  all_instances:
    description: Also the instances that belong to no cluster.
    type: bool
    default: false
  filters:
    description:
      - Only instances to which all of these apply. A name is C(tag:KEY), or one of C(image_id), C(instance_charge_type),
        C(instance_name), C(instance_type), C(key_pair_name), C(security_group_id), C(status), C(vpc_id), C(vswitch_id),
        C(zone_id). The tags of clusters (C(emr:role) and so on) need no C(tag:).
      - A value is a text or a list of texts, one of which must be equal. C(*) stands for any characters, an empty text for any
        value.
    type: dict
    default: {}
  include_filters:
    description: Alternatives. Only instances to which at least one of these sets of filters applies, besides O(filters).
    type: list
    elements: dict
    default: []
  exclude_filters:
    description: Not the instances to which one of these sets of filters applies.
    type: list
    elements: dict
    default: []
  states:
    description: Only instances in these states. An empty list takes all. Without it V(Running), or any where a filter asks for
      a C(status).
    type: list
    elements: str
  disks:
    description: Whether to list the data disks, for the variable C(emr_disks). It costs a call for each hundred disks of a zone.
    type: bool
    default: true
  scrape_targets:
    description:
      - Whether hosts of clusters get the variable C(emr_scrape_targets), a list of the daemons on them that show figures, as Prometheus' discovery by
        files reads it.
    type: bool
    default: false
  hostnames:
    description:
      - What a host is called, the first that is not empty. V(name), V(instance_id), V(host_name), V(private_ip),
        V(public_ip), V(eip), or V(tag:KEY) for the value of a tag. What has other characters than letters, digits, C(.),
        C(_) and C(-) is passed over, and so are the names of groups and words that mean something to Ansible (C(localhost),
        C(all), C(master) and so on).
      - Where several instances have the same name, all of these are called by their ids, with a warning.
    type: list
    elements: str
    default: [name, instance_id]
  hostname_prefix:
    description: Put before each name.
    type: str
    default: ''
  hostname_suffix:
    description: Put after each name.
    type: str
    default: ''
  hostvars_prefix:
    description: Put before the name of each variable, but those that begin with C(ansible_).
    type: str
    default: ''
  hostvars_suffix:
    description: Put after the name of each variable, but those that begin with C(ansible_).
    type: str
    default: ''
  address:
    description:
      - Which address to connect to. V(auto) takes the door that the cluster was made with (C(network.access) of its spec).
      - Else a list of V(private), V(public) (the instance's own public address, or its elastic one) and V(eip), in order of
        preference.
    type: list
    elements: str
    default: [auto]
    env:
      - name: EMR_ADDRESS
  user:
    description: User to log in as. Without it C(root) for the nodes of clusters, and what Ansible takes otherwise (C(group_vars),
      the configuration) for instances that belong to no cluster.
    type: str
  private_key_file:
    description: Private key to log in with. Without it, for the nodes of clusters, the one that belongs to the instance's key
      pair, as far as it is on this machine.
    type: path
    env:
      - name: EMR_PRIVATE_KEY_FILE
  patience:
    description:
      - How many seconds one call may be repeated for while it is throttled or the region is out of order.
      - An endpoint that has not answered at all is given up after 30 seconds, or after O(patience) where that is less.
    type: float
    default: 150
  on_region_error:
    description:
      - Whether a region that cannot be read ends the run, or is left out with a warning, which names the region and, where
        that is the reason, the missing permission.
      - Calls that are throttled are repeated first. Where there is a cache, its last answer for that region is used, whatever
        its age, with a warning. A missing permission is never covered up like that.
    type: str
    choices: [fail, warn]
    default: fail
  on_empty:
    description:
      - What to do when nothing matches, with all options. V(fail) ends the run. The API answers with an empty list also to
        those who may not look; this plugin finds out, and takes that as an error of the region.
    type: str
    choices: [fail, warn, ok]
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
---
# Two accounts; a region that is down is left out.
plugin: emr.cluster.ecs
accounts:
  - {profile: production, regions: [cn-hangzhou, cn-shanghai]}
  - {profile: research, regions: [cn-beijing]}
on_region_error: warn
---
# Any instances: web servers and gateways of two types, not those being drained, called by their tag Name.
plugin: emr.cluster.ecs
regions: [cn-hangzhou]
all_instances: true
include_filters:
  - {'tag:app': web}
  - {instance_type: [ecs.g6.large, ecs.g7.large], 'tag:app': gateway}
exclude_filters:
  - {'tag:drain': 'yes'}
hostnames: ['tag:Name', name, instance_id]
hostname_suffix: .hz
address: [eip, public, private]
disks: false
strict: true
"""

from collections import Counter

from ansible import constants
from ansible.errors import AnsibleParserError
from ansible.plugins.inventory import BaseInventoryPlugin, Cacheable, Constructable

from ansible_collections.emr.cluster.plugins.module_utils.cloud.cluster.finder import order
from ansible_collections.emr.cluster.plugins.module_utils.cloud.credentials.chain import (
    default_region,
    find_credentials,
)
from ansible_collections.emr.cluster.plugins.module_utils.cloud.ecs.client import EcsError
from ansible_collections.emr.cluster.plugins.module_utils.cloud.inventory import query
from ansible_collections.emr.cluster.plugins.module_utils.cloud.inventory.rules import problems
from ansible_collections.emr.cluster.plugins.module_utils.domain.errors import EmrError
from ansible_collections.emr.cluster.plugins.plugin_utils.inventory_answers import Answers
from ansible_collections.emr.cluster.plugins.plugin_utils.inventory_fill import ADDRESSES, Filler


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
        self._path = path
        self._check_options()
        try:
            answers = Answers(self, cache)
            questions = self._questions(answers)
            records = self._records(questions, answers)
        except EmrError as error:
            raise AnsibleParserError(f"{path}: {error}") from error
        records = self._in_states(records)
        records.sort(key=lambda r: (r[1].get("RegionId", ""), order(r[1])))
        for problem in problems([instance for _client, instance in records]):
            self._trouble(problem, "fail" if self.get_option("strict") else "warn")
        try:
            Filler(self, self._warn).fill(records)
        except EmrError as error:
            raise AnsibleParserError(f"{path}: {error}") from error

    def _check_options(self) -> None:
        wrong = [a for a in self.get_option("address") if a not in ADDRESSES]
        if wrong or ("auto" in self.get_option("address") and len(self.get_option("address")) > 1):
            raise AnsibleParserError(f"{self._path}: address: write auto, or a list of {', '.join(ADDRESSES[1:])}")

    def _warn(self, text: str) -> None:
        self.display.warning(f"{self._path}: {text}")

    def _trouble(self, text: str, how: str) -> None:
        """End the run, warn, or say nothing."""
        if how == "fail":
            # Core goes on without a source that it could not parse, unless it is told that this is a failure.
            constants.INVENTORY_ANY_UNPARSED_IS_FAILED = True
            raise AnsibleParserError(f"{self._path}: {text}")
        if how == "warn":
            self._warn(text)

    def _in_states(self, records: list) -> list:
        """The records in the wanted states; when that leaves none of them, it is told."""
        states = self.get_option("states")
        if states is None:
            sets = [self.get_option("filters"), *self.get_option("include_filters")]
            states = [] if any("status" in filters for filters in sets) else ["Running"]
        found = [(a, i) for a, i in records if not states or i.get("Status") in states]
        if records and not found:
            there = ", ".join(f"{count} {state or 'in no state'}" for state, count in sorted(Counter(
                str(i.get("Status", "")) for _client, i in records).items()))
            self._trouble(f"no instance that matches is {' or '.join(states)} ({there}); write states: [] to take them",
                          self.get_option("on_empty"))
        return found

    def _questions(self, answers: Answers) -> list:
        """One for each account and region. No call to the API, except for the names of the regions where all are wanted."""
        shared = {"clusters": tuple(self.get_option("clusters")),
                  "includes": tuple(query.check_filters({**self.get_option("filters"), **f})
                                    for f in self.get_option("include_filters") or [{}]),
                  "excludes": tuple(query.check_filters(f) for f in self.get_option("exclude_filters")),
                  "all_instances": self.get_option("all_instances"), "disks": self.get_option("disks"),
                  "patience": self.get_option("patience")}
        found = []
        for account in self.get_option("accounts") or [{}]:
            unknown = set(account) - {"name", "profile", "regions", "endpoint"}
            if unknown:
                raise AnsibleParserError(f"{self._path}: accounts: '{min(unknown)}' is unknown. Write name, profile, "
                                         "regions, endpoint")
            credentials = find_credentials(profile=account.get("profile") or self.get_option("profile"))
            endpoint = account.get("endpoint") or self.get_option("endpoint")
            name = str(account.get("name") or account.get("profile") or "")
            for region in self._regions(account, credentials, endpoint, answers):
                found.append(query.Question(name, credentials, region, endpoint, **shared))
        return found

    def _regions(self, account: dict, credentials, endpoint, answers: Answers) -> list:
        wanted = account.get("regions") or self.get_option("regions")
        home = credentials.region or default_region()
        if list(wanted) == ["all"]:
            key = query.Question("", credentials, "all", endpoint).key
            wanted = answers.in_time(key)
            if wanted is None:
                wanted = query.all_regions(credentials, endpoint, home)
                answers.keep(key, wanted)
        wanted = list(dict.fromkeys(wanted)) or [r for r in (home,) if r]
        if not wanted:
            raise AnsibleParserError(f"{self._path}: no region. Write regions: [cn-hangzhou], or export "
                                     "ALIBABA_CLOUD_REGION_ID")
        return wanted

    def _records(self, questions: list, answers: Answers) -> list:
        """``(account, instance)`` of all questions: from the cache in time, else asked, else from the cache past its time."""
        known = {q.key: answers.in_time(q.key) for q in questions}
        open_ones = [q for q in questions if known[q.key] is None]
        failed: set = set()
        for question, (records, error) in zip(open_ones, query.ask(open_ones) if open_ones else []):
            if error:
                failed.add(question.key)
                records = self._fallback(question, error, answers)
            else:
                answers.keep(question.key, records)
            known[question.key] = records
        found: dict = {}
        for question in questions:
            # Two questions may find the same instance, through two profiles of one account.
            for instance in known[question.key]:
                found.setdefault(instance["InstanceId"], (question.account, instance))
        if not found and len(failed) < len(questions):
            where = ", ".join(dict.fromkeys(q.region for q in questions if q.key not in failed))
            what = "no instance" if self.get_option("all_instances") else "no instance with the tag emr:cluster"
            self._trouble(f"{what} matches in {where} (the permission to list them is there)", self.get_option("on_empty"))
        return list(found.values())

    def _fallback(self, question, error: EmrError, answers: Answers) -> list:
        """What to do without an answer: an older one where waiting may help, else what on_region_error says."""
        where = f"region {question.region}" + (f" of account {question.account}" if question.account else "")
        if isinstance(error, EcsError) and error.transient:
            records, age = answers.late(question.key)
            if records is not None:
                self._warn(f"{where}: {error}\n  Using the answer from {age} seconds ago")
                return records
        self._trouble(f"{where}: {error}", self.get_option("on_region_error"))
        return []
