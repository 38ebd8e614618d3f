# Copyright (c) the emr.cluster authors
# Apache License 2.0 (see LICENSE or https://www.apache.org/licenses/LICENSE-2.0)
"""Documentation of the action plugin of the same name; on the node it runs the module ``node``."""

from __future__ import annotations

DOCUMENTATION = r"""
module: verify
short_description: Prove that a cluster works
version_added: 0.1.0
description:
  - Waits until all DataNodes and NodeManagers have joined. In full it also writes and reads a file and runs a
    small MapReduce program.
  - Does its work on the control node only.
extends_documentation_fragment: [emr.cluster.attributes]
author:
  - The emr.cluster authors (@emr-cluster)
options:
  depth:
    description:
      - V(full), V(counts) for the nodes alone, or V(auto), which is full when this run started a daemon of HDFS
        or YARN.
    type: str
    default: auto
    choices: [auto, full, counts]
  limit_s:
    description:
      - Seconds that waiting and computing may take each.
    type: int
    default: 600
  anywhere:
    description: Verify from this node, whichever it is; otherwise only the control node does.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Verify the cluster
  emr.cluster.verify:
"""

RETURN = r"""
nodes:
  description: Numbers of HDFS and YARN.
  type: dict
  returned: when there is something to tell
computation:
  description: Result and application id of the computation.
  type: dict
  returned: when there is something to tell
seconds:
  description: Time of each check in seconds.
  type: dict
  returned: when there is something to tell
"""
