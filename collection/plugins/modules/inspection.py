# Copyright (c) the emr.cluster authors
# Apache License 2.0 (see LICENSE or https://www.apache.org/licenses/LICENSE-2.0)
"""Documentation of the action plugin of the same name; everything happens on the controller."""

from __future__ import annotations

DOCUMENTATION = r"""
module: inspection
short_description: Look at a cluster with which something may be wrong
version_added: 0.1.0
description:
  - Finds everything that carries the cluster's tag, whatever is wrong with it. Only sound nodes are in RV(nodes).
  - Runs on the controller alone, in a play on C(localhost). What it returns is in the fact C(emr_run) of C(localhost) too.
extends_documentation_fragment: [emr.cluster.cluster, emr.cluster.cluster.plan_only, emr.cluster.attributes]
author:
  - The emr.cluster authors (@emr-cluster)
options:
  lock:
    description:
      - Take the cluster's lock, which lasts until M(emr.cluster.lock) gives it back or C(ansible-playbook) ends.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Look at the cloud
  emr.cluster.inspection:
    name: sales
"""

RETURN = r"""
nodes:
  description: The nodes, each with C(name), C(groups) and C(vars) for M(emr.cluster.add_node).
  returned: success
  type: list
  elements: dict
inspection:
  description: Instances, intents, lock and what else was seen.
  returned: success
  type: dict
unfinished:
  description: Why the cluster was never deployed to its end, and what comes next. Empty when it was.
  returned: success
  type: dict
standing:
  description: Nodes and price of a cluster that is stopped as a whole. Empty when it is not.
  returned: success
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
"""
