# Copyright (c) the emr.cluster authors
# Apache License 2.0 (see LICENSE or https://www.apache.org/licenses/LICENSE-2.0)
"""Documentation of the action plugin of the same name; on the node it runs the programs for jobs."""

from __future__ import annotations

DOCUMENTATION = r"""
module: jobs
short_description: List, prune and archive the records of a cluster's jobs
version_added: 0.1.0
description:
  - Does its work on the control node only, where the records are.
extends_documentation_fragment: [emr.cluster.attributes]
author:
  - The emr.cluster authors (@emr-cluster)
options:
  op:
    description:
      - What to do. V(archive) copies records and logs of the jobs that have ended, and are not there yet, to where C(logs.oss) of the
        cluster's spec says. V(report) tells how the cluster was used, and what that cost.
    type: str
    default: list
    choices: [list, prune, archive, report]
  options:
    description:
      - More of these options as one map; they win.
    type: dict
  state:
    description:
      - With O(op=list) only jobs in these states.
    type: list
    elements: str
    default: []
  kind:
    description:
      - With O(op=list) only jobs of these types.
    type: list
    elements: str
    default: []
  owner:
    description:
      - With O(op=list) only jobs of these users.
    type: list
    elements: str
    default: []
  name_like:
    description:
      - With O(op=list) only jobs with such a name; C(*) and C(?) stand for others.
    type: str
  since:
    description:
      - With O(op=list) and O(op=report) only jobs submitted since then; 2h for two hours ago, or a time in UTC.
    type: str
  html:
    description:
      - With O(op=report) a file on the controller that gets the report as a page.
    type: path
  limit:
    description:
      - With O(op=list) so many jobs at most.
    type: int
    default: 200
  older_than:
    description:
      - With O(op=prune) the records of jobs that ended so long ago, such as 30d.
    type: str
  keep:
    description:
      - With O(op=prune) the records beyond so many of the newest.
    type: int
"""

EXAMPLES = r"""
- name: What failed since yesterday
  emr.cluster.jobs:
    state: [FAILED]
    since: 24h

- name: Keep the records of a month
  emr.cluster.jobs:
    op: prune
    older_than: 30d
"""

RETURN = r"""
pruned:
  description: Ids of the jobs whose records were deleted.
  type: list
  elements: str
  returned: with O(op=prune)
report:
  description: Use of the cluster, work by user, queue, flow and job, and what was asked for and not used.
  type: dict
  returned: with O(op=report)
jobs:
  description: Jobs, the newest first.
  type: list
  elements: dict
  returned: with O(op=list)
"""
