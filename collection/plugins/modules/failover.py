# Copyright (c) the emr.cluster authors
# Apache License 2.0 (see LICENSE or https://www.apache.org/licenses/LICENSE-2.0)
"""Documentation of the action plugin of the same name; on the node it runs the module ``node``."""

from __future__ import annotations

DOCUMENTATION = r"""
module: failover
short_description: Have other masters take over what is active on one
version_added: 0.1.0
description:
  - Of the NameNodes and ResourceManagers of a cluster with three masters, one is active each. It hands over to one that stands by, while
    everything goes on. Refused where there is one master.
extends_documentation_fragment: [emr.cluster.attributes]
author:
  - The emr.cluster authors (@emr-cluster)
options:
  phase:
    description:
      - V(look) asks on the control node who is active; V(go) hands over on the node of a daemon that was found active.
    type: str
    default: go
    choices: [look, go]
"""

EXAMPLES = r"""
- name: Look who is active
  emr.cluster.failover:
    phase: look
"""

RETURN = r"""
changes:
  description: What was handed over.
  type: list
  elements: str
  returned: O(phase=go)
"""
