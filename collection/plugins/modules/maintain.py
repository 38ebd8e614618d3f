# Copyright (c) the emr.cluster authors
# Apache License 2.0 (see LICENSE or https://www.apache.org/licenses/LICENSE-2.0)
"""Documentation of the action plugin of the same name."""

from __future__ import annotations

DOCUMENTATION = r"""
module: maintain
short_description: Find what a cluster lacks or has too much of, and end clusters that nobody needs
version_added: 0.1.0
description:
  - The cloud side of the playbook C(emr.cluster.maintain), on the controller. It has no terminal and asks nobody, what it does
    follows from the spec.
  - Releases spot nodes that ECS has stopped, says whether spot nodes are missing, and releases a cluster that is older than
    C(max_age) of its O(spec) or was idle for longer than C(idle_release), after a warning that it records on the security group.
extends_documentation_fragment: [emr.cluster.cluster, emr.cluster.cluster.plan_only, emr.cluster.attributes]
author:
  - The emr.cluster authors (@emr-cluster)
options:
  phase:
    description:
      - V(look) takes the lock and returns the control node.
      - V(judge) acts.
      - V(report) fails when V(judge) found something that it must not repair.
    type: str
    required: true
    choices: [look, judge, report]
  spec:
    description: The newest spec, as the control node keeps it.
    type: dict
  activity:
    description: What M(emr.cluster.activity) returned.
    type: dict
  excluded:
    description: Names on the lists of excluded nodes.
    type: list
    elements: str
    default: []
  unread:
    description: Why the control node could not be asked.
    type: str
    default: ""
  grace:
    description: Least time from the warning to the release.
    type: str
    default: 1h
  judged:
    description: What V(judge) returned, for V(report).
    type: dict
"""

EXAMPLES = r"""
- name: Look at the cluster
  emr.cluster.maintain:
    phase: look
    name: sales
"""

RETURN = r"""
converge:
  description: Whether nodes are to be bought, or lists to be cleaned.
  type: bool
  returned: judge
released:
  description: Whether the cluster is gone now.
  type: bool
  returned: judge
done:
  description: What was done, or in a dry run would be done, as sentences.
  type: list
  elements: str
  returned: judge
problems:
  description: What only people can decide.
  type: list
  elements: str
  returned: judge
"""
