# Copyright (c) the emr.cluster authors
# Apache License 2.0 (see LICENSE or https://www.apache.org/licenses/LICENSE-2.0)
"""Documentation of the action plugin of the same name; everything happens on the controller."""

from __future__ import annotations

DOCUMENTATION = r"""
module: converge
short_description: Make a running cluster what its spec wants, in the cloud
version_added: 0.1.0
description:
  - Buys what is missing and says which nodes are new, stay or leave; the groups of each node in RV(nodes) say it to the plays
    that follow. M(emr.cluster.scale_in) releases those that leave.
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
  revision:
    description: What M(emr.cluster.revision) returned of this edit. Empty for a cluster that does not exist yet.
    type: dict
  loads:
    description: What the nodes hold, as M(emr.cluster.drain) sees it.
    type: dict
"""

EXAMPLES = r"""
- name: Plan and buy
  emr.cluster.converge:
    spec: "{{ hostvars['sales-master-001'].emr_revision.spec }}"
    revision: "{{ hostvars['sales-master-001'].emr_revision }}"
    confirm: "yes"
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
exists:
  description: Whether the cluster was there before.
  returned: success
  type: bool
to_release:
  description: Names of the nodes that leave.
  returned: success
  type: list
  elements: str
push:
  description: Name of the control node, when M(emr.cluster.push) has to give it software.
  returned: success
  type: list
  elements: str
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
"""
