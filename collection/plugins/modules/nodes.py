# Copyright (c) the emr.cluster authors
# Apache License 2.0 (see LICENSE or https://www.apache.org/licenses/LICENSE-2.0)
"""Documentation of the action plugin of the same name; everything happens on the controller."""

from __future__ import annotations

DOCUMENTATION = r"""
module: nodes
short_description: Find the nodes of a cluster
version_added: 0.1.0
description:
  - Looks up the nodes of an existing cluster. Changes nothing, but for the cluster's lock when O(lock=true).
  - Runs on the controller alone, in a play on C(localhost). What it returns is in the fact C(emr_run) of C(localhost) too.
extends_documentation_fragment: [emr.cluster.cluster, emr.cluster.cluster.spec, emr.cluster.cluster.plan_only, emr.cluster.attributes]
author:
  - The emr.cluster authors (@emr-cluster)
options:
  lock:
    description:
      - Take the cluster's lock, which lasts until M(emr.cluster.lock) gives it back or C(ansible-playbook) ends.
    type: bool
    default: false
  may_be_stopped:
    description: Do not refuse a cluster of which no instance runs. It has no nodes then.
    type: bool
    default: false
  may_be_missing:
    description: Do not refuse a cluster that does not exist. It has no nodes then.
    type: bool
    default: false
  remember_s:
    description: Be content with what was found so many seconds ago or later.
    type: int
    default: 0
"""

EXAMPLES = r"""
- name: Find the nodes
  emr.cluster.nodes:
    name: sales
    region: cn-hangzhou
  register: cluster
"""

RETURN = r"""
nodes:
  description: The nodes, each with C(name), C(groups) and C(vars) for M(emr.cluster.add_node).
  returned: success
  type: list
  elements: dict
reader:
  description: The control node by itself, when it runs. It knows what the cluster was made by.
  returned: success
  type: list
  elements: dict
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
