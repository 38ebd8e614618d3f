# Copyright (c) the emr.cluster authors
# Apache License 2.0 (see LICENSE or https://www.apache.org/licenses/LICENSE-2.0)
"""Documentation of the action plugin of the same name; on the node it runs the module ``node``."""

from __future__ import annotations

DOCUMENTATION = r"""
module: data
short_description: Copy files between the controller and HDFS
version_added: 0.1.0
description:
  - The way goes over the first master; a folder is fetched as a whole.
author:
  - The emr.cluster authors (@emr-cluster)
options:
  op:
    description:
      - Direction, seen from the controller.
    type: str
    required: true
    choices: [put, get]
  path:
    description:
      - Path in HDFS; without a leading slash below the user's home. For several files the folder.
    type: str
    required: true
  files:
    description:
      - With O(op=put) the local files.
    type: list
    elements: str
    default: []
  target:
    description:
      - With O(op=get) the local file or folder; the current folder by default.
    type: str
  user:
    description:
      - User to act as in HDFS.
    type: str
    default: emr
attributes:
  check_mode:
    description: Reports what would change, where there is something to change.
    support: full
  diff_mode:
    description: There is no text to compare.
    support: none
"""

EXAMPLES = r"""
- name: Fetch a result
  emr.cluster.data:
    op: get
    path: /user/emr/out
    target: ./out
"""

RETURN = r"""
put:
  description: Files that were written to HDFS, with their sizes in bytes.
  type: list
  elements: dict
  returned: when there is something to tell
got:
  description: Files that were read from HDFS, with their sizes in bytes.
  type: list
  elements: dict
  returned: when there is something to tell
"""
