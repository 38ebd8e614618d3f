# Copyright (c) the emr.cluster authors
# Apache License 2.0 (see LICENSE or https://www.apache.org/licenses/LICENSE-2.0)
"""Documentation of the action plugin of the same name; it runs no module."""

from __future__ import annotations

DOCUMENTATION = r"""
module: repair_instances
short_description: Start or release the instances of nodes that do not work
version_added: 0.1.0
description:
  - The controller's side of a repair, on localhost, after M(emr.cluster.inspection) and M(emr.cluster.status).
  - With O(phase=plan) it says what is wrong and, when that is confirmed, starts stopped instances, waits for silent ones, and
    returns which nodes are dead. With O(phase=release) it releases these, unless HDFS depends on their disks.
author:
  - The emr.cluster authors (@emr-cluster)
options:
  phase:
    description: What to do.
    type: str
    default: plan
    choices: [plan, release]
  name:
    description: The cluster.
    type: str
  region:
    description: Its region.
    type: str
  node:
    description: Only this node.
    type: str
  confirm:
    description: V(yes), or the digest of the plan.
    type: str
  plan_only:
    description: Say what is wrong, change nothing.
    type: bool
    default: false
  patience_s:
    description: Seconds after which a node that runs but does not answer is dead.
    type: int
    default: 60
  dead:
    description: With O(phase=release) the dead nodes.
    type: list
    elements: str
  copies:
    description: With O(phase=release) what M(emr.cluster.repair_nodes) said.
    type: dict
attributes:
  check_mode:
    description: Not supported; use O(plan_only).
    support: full
  diff_mode:
    description: There is nothing to compare.
    support: none
"""

EXAMPLES = r"""
- name: Start what is stopped
  emr.cluster.repair_instances:
    phase: plan
    name: sales
    confirm: "yes"
"""

RETURN = r"""
dead:
  description: Nodes that could not be brought back.
  type: list
  elements: str
  returned: always
"""
