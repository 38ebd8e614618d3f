# Copyright (c) the emr.cluster authors
# Apache License 2.0 (see LICENSE or https://www.apache.org/licenses/LICENSE-2.0)
"""Documentation of the action plugin of the same name; it runs on the controller."""

from __future__ import annotations

DOCUMENTATION = r"""
module: logs
short_description: Show log lines of daemons and hosts from all nodes in one ordered stream
version_added: 0.1.0
description:
  - Each node reads the log files of its daemons and its journal, and sends what is wanted; the controller merges by time. Lines that belong to
    the line before, such as the trace of an exception, stay with it.
  - To be run on localhost, after the nodes have joined the run.
extends_documentation_fragment: [emr.cluster.attributes.looks]
author:
  - The emr.cluster authors (@emr-cluster)
options:
  component:
    description:
      - Only these components, such as V(namenode). V(system) is the journal of the hosts.
    type: list
    elements: str
  node:
    description:
      - Only these nodes.
    type: list
    elements: str
  since:
    description:
      - From when on, as how long ago (V(2h)) or as a time in UTC. By default V(1h), with O(follow) V(1m).
    type: str
  level:
    description:
      - At least this level, V(TRACE), V(DEBUG), V(INFO), V(WARN), V(ERROR) or V(FATAL).
    type: str
  grep:
    description:
      - Only records with this text.
    type: str
  regex:
    description:
      - O(grep) is a regular expression of Python.
    type: bool
    default: false
  lines:
    description:
      - How many records there are at most. The newest are kept, and the number of those that are left out is told.
    type: int
    default: 10000
  follow:
    description:
      - Go on with what is written from now on, until the run is cancelled.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Errors of the last hour
  emr.cluster.logs:
    level: ERROR
"""

RETURN = r"""
lines:
  description: The newest records, one text for each, as far as a result has room. emrctl gets them another way.
  type: list
  elements: str
  returned: without O(follow)
records:
  description: How many records there are.
  type: int
  returned: without O(follow)
left_out:
  description: How many records were older than those, and are left out.
  type: int
  returned: without O(follow)
silent:
  description: Nodes that gave nothing, or not all, with the reasons.
  type: dict
  returned: without O(follow)
"""
