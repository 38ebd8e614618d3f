# Copyright (c) the emr.cluster authors
# Apache License 2.0 (see LICENSE or https://www.apache.org/licenses/LICENSE-2.0)
"""Documentation of the action plugin of the same name; it runs no module."""

from __future__ import annotations

DOCUMENTATION = r"""
module: revision
short_description: Read the spec that a cluster keeps, and what a change makes of it
version_added: 0.1.0
description:
  - Reads the revisions of the spec from the control node; later tasks of the same run work with the one that is wanted.
  - Without O(edit) and a spec that is the newest, or that of O(number). Otherwise it is what the change makes of it;
    M(emr.cluster.configure) then keeps it as the new revision.
  - Refuses, before any change, a spec of an older revision than the newest, a service that would be lost, and names of
    groups, nodes, files and services that do not exist.
  - An action plugin that runs one command over SSH.
author:
  - The emr.cluster authors (@emr-cluster)
options:
  edit:
    description:
      - A change of the newest spec. C(groups) sets counts, C(remove_nodes) names nodes that leave, C(config) and
        C(group_config) set properties (null unsets), C(add_services), C(remove_services), C(users) and C(queues) change
        those, C(revert_to) takes an older revision.
    type: dict
    default: {}
  spec:
    description: A whole spec that is wanted in place of the newest, as text or as a dictionary.
    type: raw
  spec_file:
    description: Path of such a spec on the controller.
    type: path
  why:
    description: Why the new revision comes to be. Made of O(edit) by default.
    type: str
  add_services:
    description: Short for C(add_services) in O(edit).
    type: list
    elements: str
    default: []
  number:
    description: Read this revision instead of the newest.
    type: int
  history:
    description: Return all revisions as well.
    type: bool
    default: false
attributes:
  check_mode:
    description: Changes nothing anyway.
    support: full
  diff_mode:
    description: The difference is returned.
    support: none
"""

EXAMPLES = r"""
- name: Read the spec
  emr.cluster.revision:

- name: See what two copies of each block would change
  emr.cluster.revision:
    edit:
      config:
        hdfs-site:
          dfs.replication: 2
"""

RETURN = r"""
spec:
  description: The spec that is wanted.
  type: dict
  returned: on the control node
before:
  description: The newest spec.
  type: dict
  returned: when a change was asked for
revision:
  description: Number, digest, who, why and when of the newest revision (or of O(number)).
  type: dict
  returned: on the control node
difference:
  description: What differs between the two, as C(key), C(from) and C(to).
  type: list
  elements: dict
  returned: when a change was asked for
hints:
  description: Properties that none of Hadoop's defaults has, with the nearest name.
  type: list
  elements: str
  returned: when a change was asked for
"""
