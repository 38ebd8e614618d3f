# Copyright (c) the emr.cluster authors
# Apache License 2.0 (see LICENSE or https://www.apache.org/licenses/LICENSE-2.0)
"""Documentation of the action plugin of the same name; on the node it runs the module ``node``."""

from __future__ import annotations

DOCUMENTATION = r"""
module: check
short_description: Look closely at a node
version_added: 0.1.0
description:
  - Compares files, units, software and accounts with what M(emr.cluster.host) and M(emr.cluster.configure) would make of
    them, and looks at daemons, clock, disks and crashes. On the control node it also writes, reads and computes.
  - What is wrong is kept for M(emr.cluster.report) with O(emr.cluster.report#module:what=check); it does not fail the task.
author:
  - The emr.cluster authors (@emr-cluster)
options:
  part:
    description: V(host) measures the node, V(deployment) compares and works. They run in this order.
    type: str
    default: deployment
    choices: [host, deployment]
  work:
    description: Whether to write, read and compute on the control node.
    type: bool
    default: true
  limit_s:
    description: Limit of each piece of work, in seconds.
    type: int
    default: 300
attributes:
  check_mode:
    description: It must run in check mode, which says that nothing is written on nodes.
    support: full
  diff_mode:
    description: Differences are told as files and keys, not as texts.
    support: none
"""

EXAMPLES = r"""
- name: Measure the node
  emr.cluster.check:
    part: host
  check_mode: true
- name: Compare, and work for real
  emr.cluster.check:
  check_mode: true
"""

RETURN = r"""
silent:
  description: Why the node does not answer.
  type: str
  returned: when it does not
"""
