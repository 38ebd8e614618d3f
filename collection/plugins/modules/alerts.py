# Copyright (c) the emr.cluster authors
# Apache License 2.0 (see LICENSE or https://www.apache.org/licenses/LICENSE-2.0)
"""Documentation of the action plugin of the same name; on the node it runs a program of the resident package."""

from __future__ import annotations

DOCUMENTATION = r"""
module: alerts
short_description: Show the alerts of the cluster
version_added: 0.1.0
description:
  - The alerts that fire now, what each means, and the command that helps. Works on the control node, and does nothing on others.
extends_documentation_fragment: [emr.cluster.attributes.looks]
author:
  - The emr.cluster authors (@emr-cluster)
"""

EXAMPLES = r"""
- name: Look at alerts
  emr.cluster.alerts:
"""

RETURN = r"""
alerts:
  description: The alerts, each with alert, severity, node, state (firing or pending), since, means, help, labels and quiet, the reason why no message is sent.
  type: list
  elements: dict
  returned: on the control node
rules:
  description: How many rules are watched.
  type: int
  returned: on the control node
passed_on:
  description: Whether Alertmanager answers, which sends messages.
  type: bool
  returned: on the control node
"""
