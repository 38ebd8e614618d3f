# Copyright (c) the emr.cluster authors
# Apache License 2.0 (see LICENSE or https://www.apache.org/licenses/LICENSE-2.0)
"""Documentation of the action plugin of the same name; on the node it runs the module ``node``."""

from __future__ import annotations

DOCUMENTATION = r"""
module: status
short_description: Read the state of a node's daemons
version_added: 0.1.0
description:
  - Unit and health of each daemon; on the control node also the numbers of HDFS and YARN. Changes nothing.
extends_documentation_fragment: [emr.cluster.attributes.looks]
author:
  - The emr.cluster authors (@emr-cluster)
options:
  services:
    description: Services whose daemons are looked at; all of the cluster by default.
    type: list
    elements: str
  must_serve:
    description: Fail when a daemon does not serve.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Read the state
  emr.cluster.status:
"""

RETURN = r"""
components:
  description: State of each daemon of this node.
  type: list
  elements: dict
  returned: when there is something to tell
"""
