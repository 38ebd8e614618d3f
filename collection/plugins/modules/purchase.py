# Copyright (c) the emr.cluster authors
# Apache License 2.0 (see LICENSE or https://www.apache.org/licenses/LICENSE-2.0)
"""Documentation of the action plugin of the same name; everything happens on the controller."""

from __future__ import annotations

DOCUMENTATION = r"""
module: purchase
short_description: Buy what is missing of a cluster
version_added: 0.1.0
description:
  - Buys the instances that the spec wants and that do not exist, and waits until all nodes answer on SSH.
  - Can be repeated after any interruption. What was bought already is found and not bought again.
  - Takes the cluster's lock, which lasts until M(emr.cluster.lock) gives it back or C(ansible-playbook) ends.
  - Runs on the controller alone, in a play on C(localhost). What it returns is in the fact C(emr_run) of C(localhost) too.
extends_documentation_fragment:
  - emr.cluster.cluster
  - emr.cluster.cluster.spec
  - emr.cluster.cluster.confirm
  - emr.cluster.cluster.plan_only
  - emr.cluster.attributes
author:
  - The emr.cluster authors (@emr-cluster)
options:
  transient:
    description: The cluster is made for one flow. One that exists and was not made so is refused.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Buy what is missing
  emr.cluster.purchase:
    spec_file: cluster.yml
    confirm: "yes"
  register: cluster
"""

RETURN = r"""
nodes:
  description: The nodes, each with C(name), C(groups) and C(vars) for M(emr.cluster.add_node).
  returned: success
  type: list
  elements: dict
spec:
  description: The spec with all defaults.
  returned: success
  type: dict
plan:
  description: What exists, what would be bought or released, the price, and the digest to confirm it with.
  returned: success, and when a confirmation is missing
  type: dict
cluster_id:
  description: Identity of the cluster, new at each birth.
  returned: when the cluster exists
  type: str
push:
  description: Name of the control node, when M(emr.cluster.push) has to give it software.
  returned: success
  type: list
  elements: str
events:
  description: What was done, in sentences.
  returned: always
  type: list
  elements: str
emr_refused:
  description: Whether it failed before anything was changed.
  returned: on failure
  type: bool
"""
