# Copyright (c) the emr.cluster authors
# Apache License 2.0 (see LICENSE or https://www.apache.org/licenses/LICENSE-2.0)
"""Documentation of the action plugin of the same name; it asks a program on the control node."""

from __future__ import annotations

DOCUMENTATION = r"""
module: metrics
short_description: Ask for the figures that a cluster keeps of itself
version_added: 0.1.0
description:
  - Asks Prometheus on the control node, or looks at nodes, HDFS, queues, applications and alerts at once. The cluster must have the service
    V(monitoring).
  - Does its work on the control node only.
extends_documentation_fragment: [emr.cluster.attributes.looks]
author:
  - The emr.cluster authors (@emr-cluster)
options:
  query:
    description:
      - A query in PromQL. Without it, one look at everything.
    type: str
  since:
    description:
      - How far to look back with O(query), such as V(6h). Without it, the values of now.
    type: str
  follow:
    description:
      - Look again and again, for C(emrctl top), which reads along.
    type: bool
    default: false
  every_s:
    description:
      - Seconds between two looks, at least 1.
    type: float
    default: 5
"""

EXAMPLES = r"""
- name: Ask how much memory YARN has given away
  emr.cluster.metrics:
    query: sum(queue_metrics_allocated_mb{queue="root", user=""})
    since: 6h
"""

RETURN = r"""
kind:
  description: V(vector) for values of now, V(matrix) for those over a time, V(scalar).
  type: str
  returned: with O(query)
series:
  description: Series, each with its C(labels) and C(values), pairs of a moment in seconds and a number as text.
  type: list
  elements: dict
  returned: with O(query)
left_out:
  description: How many further series there are.
  type: int
  returned: with O(query)
look:
  description: What was seen, as C(figures), C(alerts), C(applications), and C(silent) for who did not answer.
  type: dict
  returned: without O(query)
"""
