# Copyright (c) the emr.cluster authors
# Apache License 2.0 (see LICENSE or https://www.apache.org/licenses/LICENSE-2.0)
"""Documentation of the action plugin of the same name; on the node it runs the module ``node``."""

from __future__ import annotations

DOCUMENTATION = r"""
module: people
short_description: Users of a cluster and the data of those who left
version_added: 0.1.0
description:
  - Lists the users of the spec with what they use; the control node answers.
  - Deletes the data of a user or a service that the newest spec no longer has. Nothing else ever does.
  - Accounts, homes and quotas are made by M(emr.cluster.configure) from the spec.
extends_documentation_fragment: [emr.cluster.attributes]
author:
  - The emr.cluster authors (@emr-cluster)
options:
  op:
    description:
      - What to do.
    type: str
    default: list
    choices: [list, delete]
  user:
    description:
      - With O(op=delete) the user whose home in HDFS and folder below C(/home) are deleted.
    type: str
  service:
    description:
      - With O(op=delete) the service whose folders in HDFS, logs and local state are deleted.
    type: str
"""

EXAMPLES = r"""
- name: List the users
  emr.cluster.people:

- name: Delete what a user left behind
  emr.cluster.people:
    op: delete
    user: alice
"""

RETURN = r"""
users:
  description: The users of the spec, with number, queue, quota and space used in bytes of all copies.
  type: list
  elements: dict
  returned: on the control node, with op=list
deleted:
  description: What was there and is gone.
  type: list
  elements: dict
  returned: with op=delete
"""
