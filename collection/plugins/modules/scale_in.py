# Copyright (c) the emr.cluster authors
# Apache License 2.0 (see LICENSE or https://www.apache.org/licenses/LICENSE-2.0)
"""Documentation of the action plugin of the same name; everything happens on the controller."""

from __future__ import annotations

DOCUMENTATION = r"""
module: scale_in
short_description: Release the instances of nodes that left their cluster
version_added: 0.1.0
description:
  - Releases the instances of nodes that are drained or do not run, and nothing else. A node that runs and is not drained
    fails the task.
  - The cluster is the one of this run, unless another is named.
  - Takes the cluster's lock, which lasts until M(emr.cluster.lock) gives it back or C(ansible-playbook) ends.
  - Runs on the controller alone, in a play on C(localhost). What it returns is in the fact C(emr_run) of C(localhost) too.
extends_documentation_fragment: [emr.cluster.cluster, emr.cluster.cluster.spec, emr.cluster.cluster.plan_only, emr.cluster.attributes]
author:
  - The emr.cluster authors (@emr-cluster)
options:
  nodes:
    description: Names of the nodes that leave.
    type: list
    elements: str
    required: true
  drained:
    description: Those of them that M(emr.cluster.drain) has drained.
    type: list
    elements: str
    default: []
"""

EXAMPLES = r"""
- name: Release the drained nodes
  emr.cluster.scale_in:
    nodes: [sales-slave-003]
    drained: [sales-slave-003]
"""

RETURN = r"""
released:
  description: Names of the nodes whose instances were released.
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
