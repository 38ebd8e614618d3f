# Copyright (c) the emr.cluster authors
# Apache License 2.0 (see LICENSE or https://www.apache.org/licenses/LICENSE-2.0)
"""Documentation of the action plugin of the same name; it runs no module."""

from __future__ import annotations

DOCUMENTATION = r"""
module: report
short_description: Put together what a run has learned
version_added: 0.1.0
description:
  - An action plugin for the last play of a playbook, on localhost; it runs nothing anywhere.
extends_documentation_fragment: [emr.cluster.attributes.looks]
author:
  - The emr.cluster authors (@emr-cluster)
options:
  what:
    description:
      - The state of all daemons, the findings of M(emr.cluster.check), the nodes with daemons that do not run (idle), or the
        spec, configuration, nodes and links.
    type: str
    choices: [status, show, check, idle]
    default: status
  node:
    description: With O(what=show) the node whose configuration is shown; the control node by default.
    type: str
"""

EXAMPLES = r"""
- name: Report the state
  emr.cluster.report:
    what: status
"""

RETURN = r"""
emr_result:
  description: The data of the command.
  type: dict
  returned: always
"""
