# Copyright (c) the emr.cluster authors
# Apache License 2.0 (see LICENSE or https://www.apache.org/licenses/LICENSE-2.0)
"""Documentation of the action plugin of the same name; on the node it runs the module ``node``."""

from __future__ import annotations

DOCUMENTATION = r"""
module: restore
short_description: Bring back a NameNode whose directory is lost from a backup
version_added: 0.1.0
description:
  - Each step is a task of its own, because each runs on other nodes. The playbooks C(emr.cluster.restore) and
    C(emr.cluster.restore_accept) have them in the right order.
  - Refuses when the NameNode answers or its directory holds anything, since both are newer than any backup.
  - A restored NameNode stays in safe mode, over restarts as well, until O(step=accept).
extends_documentation_fragment: [emr.cluster.attributes]
author:
  - The emr.cluster authors (@emr-cluster)
options:
  step:
    description:
      - C(look) tells on the control node whether there is anything to restore.
      - C(fetch) brings the chosen copy from its slave to the controller, C(place) from there to the control node, where it starts
        the NameNode from it.
      - C(scan) counts on each slave the blocks from after the backup, C(edits) gives files that were appended to since then
        their last blocks back, C(report) checks the whole tree on the control node.
      - C(accept) ends the safe mode; C(restored) lets the slaves begin a new line of backups; C(finish) notes on the control
        node that nothing of it is left to do.
    type: str
    required: true
    choices: [look, fetch, place, scan, edits, report, accept, restored, finish]
  from:
    description:
      - Id of the backup, or C(latest).
    type: str
    default: latest
  limit_s:
    description:
      - Seconds that the NameNode may take to answer, and the DataNodes to report.
    type: int
    default: 600
  delete:
    description:
      - With O(step=accept) delete the files whose content is lost.
    type: bool
    default: true
  without:
    description:
      - With O(step=accept) go on although not all DataNodes are live.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Look whether the NameNode needs a restore
  emr.cluster.restore:
    step: look
"""

RETURN = r"""
report:
  description: What the restored file system has and lacks.
  type: dict
  returned: with O(step=report)
accepted:
  description: What was accepted as lost.
  type: dict
  returned: with O(step=accept)
since:
  description: Replicas, bytes and newest time of blocks from after the backup on this node.
  type: dict
  returned: with O(step=scan)
"""
