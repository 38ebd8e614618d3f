# Copyright (c) the emr.cluster authors
# Apache License 2.0 (see LICENSE or https://www.apache.org/licenses/LICENSE-2.0)
"""Documentation of the action plugin of the same name; on the node it runs the module ``node``."""

from __future__ import annotations

DOCUMENTATION = r"""
module: drain
short_description: Take nodes out of YARN and HDFS without losing work or data
version_added: 0.1.0
description:
  - Drains the hosts of the group C(emr_scale_in). YARN gives their containers time to end, HDFS copies their blocks to other
    nodes. Ends when the ResourceManager and the NameNode say that both is done, and tells how far it is until then.
  - Does its work on the control node only; the leaving hosts need not answer.
  - Can be repeated after any interruption. What was begun goes on in the daemons meanwhile.
extends_documentation_fragment: [emr.cluster.attributes]
author:
  - The emr.cluster authors (@emr-cluster)
options:
  op:
    description:
      - V(drain) drains and waits. V(name) names the leaving nodes to the daemons of this node and does not wait, for masters beside the
        control node. V(look) only reads what each node holds and runs, and with how many copies files are stored.
    type: str
    default: drain
    choices: [drain, name, look]
  spec:
    description:
      - With O(op=look), the wanted spec; files with more copies than it has slaves are counted.
    type: dict
  limit_s:
    description:
      - Seconds after which containers that still run on a leaving node are ended by YARN.
    type: int
    default: 600
  stall_s:
    description:
      - Seconds without any progress of HDFS after which the task fails. Nothing has been released then.
    type: int
    default: 300
"""

EXAMPLES = r"""
- name: Drain the nodes that leave
  emr.cluster.drain:
    limit_s: 900
"""

RETURN = r"""
drained:
  description: Names of the nodes that may be released now.
  type: list
  elements: str
  returned: O(op=drain)
loads:
  description: What NameNode and ResourceManager say of each node.
  type: dict
  returned: O(op=look)
"""
