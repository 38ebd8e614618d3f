# Copyright (c) the emr.cluster authors
# Apache License 2.0 (see LICENSE or https://www.apache.org/licenses/LICENSE-2.0)
"""Documentation of the action plugin of the same name; everything happens on the controller."""

from __future__ import annotations

DOCUMENTATION = r"""
module: cluster
short_description: The cloud side of a cluster
version_added: 0.1.0
description:
  - Plans, buys, finds, starts, stops and releases the ECS instances of a cluster.
  - Runs on the controller alone, as an action plugin. Use it in a play on C(localhost) with C(connection) local.
  - Every state but V(planned) and V(found) takes the cluster's lock, which lasts until V(unlocked) or until
    C(ansible-playbook) ends.
  - Can be repeated after any interruption. What was bought already is found and not bought again.
author:
  - The emr.cluster authors (@emr-cluster)
options:
  state:
    description:
      - V(planned) compares the spec with what exists, asks the API whether it can be bought, and its price.
      - V(present) buys what is missing, and waits until all nodes answer on SSH.
      - V(found) looks up the nodes of an existing cluster.
      - V(locked) is V(found) under the cluster's lock.
      - V(started) and V(stopped) start or stop the instances.
      - V(tagged) records O(services) and O(release) in the tags of the nodes.
      - V(released) deletes everything that was bought for the cluster.
      - V(unlocked) gives the lock back.
    type: str
    default: present
    choices: [planned, present, found, locked, started, stopped, tagged, released, unlocked]
  spec:
    description: The cluster's spec as YAML text, or as the dictionary that an earlier call returned.
    type: raw
  spec_file:
    description: Path of the spec on the controller.
    type: path
  name:
    description: The cluster's name. Taken from the spec when there is one.
    type: str
  region:
    description: The region. Taken from the spec, then from the credentials' environment or profile.
    type: str
  confirm:
    description:
      - The digest of a plan, or V(yes). Without it a purchase or a release is only planned and then refused.
    type: str
  plan_only:
    description: Only plan, whatever O(state) says. Check mode does the same.
    type: bool
    default: false
  services:
    description: The services that O(state=tagged) records.
    type: list
    elements: str
  release:
    description: The release that O(state=tagged) records.
    type: str
  address:
    description: Which address of the nodes to use; V(auto) is the way that C(network.access) named when they were bought.
    type: str
    choices: [auto, private, public]
    default: auto
  user:
    description: User to log in as. Taken from C(login.user) of the spec when there is one.
    type: str
  private_key_file:
    description:
      - Private key to log in with. Taken from C(login.private_key_file) of the spec, then from the environment
        variables E(EMR_PRIVATE_KEY_FILE) and E(ANSIBLE_PRIVATE_KEY_FILE), then C(~/.ssh/emr_ed25519).
    type: path
  running:
    description: For C(planned), the spec that the cluster was made by, as M(emr.cluster.revision) reads it.
    type: dict
  unread:
    description: For C(planned), why it could not be read.
    type: str
attributes:
  check_mode:
    description: Plans instead of changing anything.
    support: full
  diff_mode:
    description: The plan is the difference.
    support: none
"""

EXAMPLES = r"""
- name: Show what would be bought
  emr.cluster.cluster:
    state: planned
    spec_file: cluster.yml

- name: Buy what is missing
  emr.cluster.cluster:
    state: present
    spec_file: cluster.yml
    confirm: "yes"
  register: cluster

- name: Give everything back
  emr.cluster.cluster:
    state: released
    name: sales
    region: cn-hangzhou
    confirm: "yes"
"""

RETURN = r"""
nodes:
  description: The nodes, each with C(name), C(groups) and C(vars) for M(ansible.builtin.add_host).
  returned: states that find nodes
  type: list
  elements: dict
spec:
  description: The spec with all defaults.
  returned: when a spec was given
  type: dict
plan:
  description: What exists, what would be bought or released, the price and the digest to confirm it with.
  returned: V(planned), V(present), V(released), and when a confirmation is missing
  type: dict
cluster_id:
  description: Identity of the cluster, new at each birth.
  returned: when the cluster exists
  type: str
events:
  description: What was done, in sentences.
  returned: always
  type: list
  elements: str
emr_refused:
  description: Whether it failed before anything was changed.
  returned: on failure
  type: bool
emr_result:
  description: The data of the command for programs.
  returned: always
  type: dict
"""
