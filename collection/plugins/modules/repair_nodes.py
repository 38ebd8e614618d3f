# Copyright (c) the emr.cluster authors
# Apache License 2.0 (see LICENSE or https://www.apache.org/licenses/LICENSE-2.0)
"""Documentation of the action plugin of the same name; on the node it runs the module ``node``."""

from __future__ import annotations

DOCUMENTATION = r"""
module: repair_nodes
short_description: Ask HDFS for its copies, or wait until it has healed
version_added: 0.1.0
description:
  - With O(phase=base), on any node, it makes accounts, folders and limits what M(emr.cluster.host) makes them.
  - The rest is for the control node. With O(phase=copies) it counts the blocks that have no copy outside of the O(dead) nodes.
  - With O(phase=wait) it waits, with progress, until every block has its copies and all DataNodes are there.
extends_documentation_fragment: [emr.cluster.attributes.looks]
author:
  - The emr.cluster authors (@emr-cluster)
options:
  phase:
    description: What to do.
    type: str
    default: wait
    choices: [base, copies, wait]
  dead:
    description: Nodes that are dead.
    type: list
    elements: str
  limit_s:
    description: Limit in seconds.
    type: int
    default: 600
"""

EXAMPLES = r"""
- name: Wait until HDFS has healed
  emr.cluster.repair_nodes:
    limit_s: 3600
"""

RETURN = r"""
copies:
  description: Blocks without a copy elsewhere, and the first files that have such.
  type: dict
  returned: with O(phase=copies)
"""
