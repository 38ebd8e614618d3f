# Copyright (c) the emr.cluster authors
# Apache License 2.0 (see LICENSE or https://www.apache.org/licenses/LICENSE-2.0)
"""Documentation of the action plugin of the same name; on the node it runs the module ``node``."""

from __future__ import annotations

DOCUMENTATION = r"""
module: backup
short_description: Make or list backups of the NameNode's metadata
version_added: 0.1.0
description:
  - The first slave keeps verified copies of the NameNode's image and edits. A timer makes them as often as the key C(backup)
    of the spec says; this makes one at once, or lists those that there are.
  - A copy counts when the image has the checksum that was written with it, belongs to this very file system, and holds every
    transaction that was written before the backup began.
extends_documentation_fragment: [emr.cluster.attributes]
author:
  - The emr.cluster authors (@emr-cluster)
options:
  action:
    description:
      - Make a backup on the first slave, or list the copies on all slaves.
    type: str
    choices: [now, list]
    default: list
  bring:
    description:
      - With O(action=list) first fetch a backup from OSS to the first slave, where it is C(oss:) and an id or C(oss:latest).
        Anything else fetches nothing.
    type: str
  limit_s:
    description:
      - Seconds that a backup may take.
    type: int
    default: 3600
"""

EXAMPLES = r"""
- name: Make a backup before something risky
  emr.cluster.backup:
    action: now
"""

RETURN = r"""
copies:
  description: The copies on this node, the newest first, with id, time, transaction and size in bytes.
  type: list
  elements: dict
  returned: on slaves
made:
  description: The copy that was made.
  type: dict
  returned: with O(action=now), on the first slave
backup:
  description: How backups stand, with the last good one, its age in seconds and the error of the last attempt.
  type: dict
  returned: on the first slave
"""
