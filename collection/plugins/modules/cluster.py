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
  - Every state but V(planned), V(found) and V(inspected) takes the cluster's lock, which lasts until V(unlocked) or until
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
      - V(inspected) is V(found) for a cluster with which something may be wrong; it tells what in C(inspection).
      - V(locked) is V(found) under the cluster's lock.
      - V(started) and V(stopped) start or stop the instances.
      - V(converged) makes a running cluster what O(spec) wants, as far as that happens in the cloud. It buys, and says which
        nodes are new, stay or leave; the groups of each node in RV(nodes) say it to the plays that follow.
      - V(settled) records on the nodes that they are deployed, then gives the lock back.
      - V(tagged) records O(services) and O(release) in the tags of the nodes.
      - V(shrunk) releases the instances of the nodes in O(leaving) that are in O(drained) or do not run, and nothing else.
      - V(released) deletes everything that was bought for the cluster.
      - V(unlocked) gives the lock back.
    type: str
    default: present
    choices: [planned, present, found, inspected, locked, started, stopped, tagged, shrunk, released, unlocked, converged, settled]
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
  hold:
    description: With O(state=inspected), whether to take the cluster's lock; with O(state=settled), whether to keep it.
    type: bool
    default: false
  transient:
    description:
      - With O(state=present) the cluster is made for one flow. One that exists and was not made so is refused, also by O(state=released).
    type: bool
    default: false
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
  leaving:
    description: For V(shrunk), the names of the nodes that leave the cluster.
    type: list
    elements: str
    default: []
  drained:
    description: For V(shrunk), those of them that M(emr.cluster.drain) has drained. One that runs and is not among them fails the task.
    type: list
    elements: str
    default: []
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
    description:
      - For V(planned) and V(converged), the spec that the cluster was made by, as M(emr.cluster.revision) reads it.
    type: dict
  may_be_stopped:
    description: With O(state=locked), whether a cluster of which no instance runs is none to be refused; it has no nodes then.
    type: bool
    default: false
  instances:
    description:
      - With O(may_be_stopped), V(required) refuses instances that would cost as much while they are stopped.
    type: str
    default: "yes"
  may_be_missing:
    description: With O(state=locked), whether a cluster that does not exist is none to be refused.
    type: bool
    default: false
  remember_s:
    description: With O(state=found), be content with what was found so many seconds ago or later.
    type: int
    default: 0
  named:
    description: With O(state=converged), names of nodes that shall leave.
    type: list
    elements: str
    default: []
  gone:
    description: With O(state=converged), nodes among O(named) that an interrupted run may have released already.
    type: list
    elements: str
    default: []
  excluded:
    description: With O(state=converged), nodes that HDFS or YARN exclude now.
    type: list
    elements: str
    default: []
  loads:
    description: With O(state=converged), what the nodes hold, as M(emr.cluster.drain) sees it.
    type: dict
  notes:
    description: With O(state=converged), warnings to be shown with the plan.
    type: list
    elements: str
    default: []
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
