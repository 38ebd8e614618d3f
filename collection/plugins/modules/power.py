# Copyright (c) the emr.cluster authors
# Apache License 2.0 (see LICENSE or https://www.apache.org/licenses/LICENSE-2.0)
"""Documentation of the action plugin of the same name; everything happens on the controller."""

from __future__ import annotations

DOCUMENTATION = r"""
module: power
short_description: Start or stop the instances of a cluster
version_added: 0.1.0
description:
  - Starts all instances and waits until they answer on SSH, or stops them, as cheaply as they can be.
  - Takes the cluster's lock, which lasts until M(emr.cluster.lock) gives it back or C(ansible-playbook) ends.
  - Runs on the controller alone, in a play on C(localhost). What it returns is in the fact C(emr_run) of C(localhost) too.
extends_documentation_fragment: [emr.cluster.cluster, emr.cluster.cluster.plan_only, emr.cluster.attributes]
author:
  - The emr.cluster authors (@emr-cluster)
options:
  state:
    description: What the instances shall be.
    type: str
    default: started
    choices: [started, stopped]
  must_save:
    description: Refuse when some of the instances would cost as much while they are stopped.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Stop the instances
  emr.cluster.power:
    name: sales
    state: stopped
"""

RETURN = r"""
nodes:
  description: The nodes, each with C(name), C(groups) and C(vars) for M(emr.cluster.add_node).
  returned: when they were started
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
