# Copyright (c) the emr.cluster authors
# Apache License 2.0 (see LICENSE or https://www.apache.org/licenses/LICENSE-2.0)
"""Documentation of the action plugin of the same name; on the node it runs the module ``node``."""

from __future__ import annotations

DOCUMENTATION = r"""
module: data
short_description: Copy files between the controller and HDFS or OSS, or look at them
version_added: 0.1.0
description:
  - Content of HDFS streams through SSH over the control node, that of OSS comes straight to the controller, whose keys stay there.
  - Files and new folders appear at once, when they are complete; a copy that was interrupted goes on.
  - The operations V(ls), V(du) and V(head) only look.
extends_documentation_fragment: [emr.cluster.attributes]
author:
  - The emr.cluster authors (@emr-cluster)
options:
  op:
    description:
      - Direction, seen from the controller; or what to look at, a listing, the space used, the beginning of a file.
    type: str
    required: true
    choices: [put, get, ls, du, head]
  path:
    description:
      - Path in HDFS, also as C(hdfs:///PATH); without a leading slash below the user's home. Or an address C(oss://BUCKET/PATH). For
        several files the folder.
    type: str
    required: true
  files:
    description:
      - With O(op=put) the local files and folders, folders with all that is in them.
    type: list
    elements: str
    default: []
  target:
    description:
      - With O(op=get) the local file or folder; the current folder by default. What is fetched goes below a folder that is there, as with
        cp -r.
    type: str
  merge:
    description:
      - With O(op=get) a folder's content goes into the target, also when that is there.
    type: bool
    default: false
  user:
    description:
      - User to act as in HDFS.
    type: str
    default: emr
  recursive:
    description:
      - With O(op=ls) all below the folder.
    type: bool
    default: false
  most:
    description:
      - With O(op=ls) and O(op=du) the number of rows at which to stop.
    type: int
    default: 10000
  limit_bytes:
    description:
      - With O(op=head) how much to read at most; of a folder, from its first file that holds anything.
    type: int
    default: 1048576
  rows:
    description:
      - With O(op=head) how many lines, or rows of a Parquet file, to read.
    type: int
    default: 20
"""

EXAMPLES = r"""
- name: Fetch a result
  emr.cluster.data:
    op: get
    path: /user/emr/out
    target: ./out
"""

RETURN = r"""
files:
  description:
    - With O(op=ls) what is there, each with C(type), C(mode), C(owner), C(group), C(copies), C(bytes), C(modified) (seconds) and C(path).
  type: list
  elements: dict
  returned: when there is something to tell
truncated:
  description: Whether there is more than was told.
  type: bool
  returned: with O(op=ls) and O(op=du)
total:
  description: With O(op=du) C(bytes) of one copy, C(bytes_of_copies) of all, and C(files) of the path.
  type: dict
  returned: when there is something to tell
used:
  description: With O(op=du) the same for each child.
  type: list
  elements: dict
  returned: when there is something to tell
head:
  description: With O(op=head) the beginning of the file in base64, beside its C(path) and C(bytes).
  type: str
  returned: when there is something to tell
rows:
  description: With O(op=head) the first rows, of a Parquet file.
  type: list
  elements: dict
  returned: for Parquet
put:
  description: Files that were written, or were there already, with their sizes in bytes; the first thousand.
  type: list
  elements: dict
  returned: when there is something to tell
got:
  description: Files that were read, with their sizes in bytes; the first thousand.
  type: list
  elements: dict
  returned: when there is something to tell
files_count:
  description: With O(op=put) and O(op=get) how many files there are.
  type: int
  returned: when there is something to tell
equal_files:
  description: With O(op=put) and O(op=get) how many of them were there already, equal by CRC-64.
  type: int
  returned: when there is something to tell
"""
