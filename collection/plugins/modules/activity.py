# Copyright (c) the emr.cluster authors
# Apache License 2.0 (see LICENSE or https://www.apache.org/licenses/LICENSE-2.0)
"""Documentation of the action plugin of the same name; on the node it runs the module ``node``."""

from __future__ import annotations

DOCUMENTATION = r"""
module: activity
short_description: Ask when the cluster last worked
version_added: 0.1.0
description:
  - Active is a cluster in which a YARN application or a job runs or waits, or in which a client opens, creates or appends to a
    file in HDFS. Only the control node is asked.
  - When applications and jobs ended is on record. HDFS only counts what clients do, so its work is dated at the look that
    finds more of it than the look before; what a look found is kept in C(/var/lib/emr/cluster/activity.json).
author:
  - The emr.cluster authors (@emr-cluster)
options:
  look_only:
    description: Keep nothing of this look.
    type: bool
    default: false
attributes:
  check_mode:
    description: Keeps nothing of the look.
    support: full
  diff_mode:
    description: There is nothing to compare.
    support: none
"""

EXAMPLES = r"""
- name: Ask when the cluster last worked
  emr.cluster.activity:
"""

RETURN = r"""
activity:
  description: When it was last active (seconds since the epoch), and why that is so.
  type: dict
  returned: on the control node
  sample: {active: 1795544083.0, why: application_1795544000000_0001 ended, seen: 1795549000.0}
excluded:
  description: Names of the nodes on the lists of excluded nodes.
  type: list
  elements: str
  returned: on the control node
"""
