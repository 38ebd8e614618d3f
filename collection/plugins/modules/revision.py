# Copyright (c) the emr.cluster authors
# Apache License 2.0 (see LICENSE or https://www.apache.org/licenses/LICENSE-2.0)
"""Documentation of the action plugin of the same name; it runs no module."""

from __future__ import annotations

DOCUMENTATION = r"""
module: revision
short_description: Read the newest revision of a cluster's spec
version_added: 0.1.0
description:
  - Reads the spec that the first master keeps; later tasks of the same run then work with it.
  - An action plugin that runs one command over SSH.
author:
  - The emr.cluster authors (@emr-cluster)
options:
  add_services:
    description: Services to add to the spec for this run; M(emr.cluster.configure) makes it the new revision.
    type: list
    elements: str
    default: []
attributes:
  check_mode:
    description: Changes nothing anyway.
    support: full
  diff_mode:
    description: There is nothing to compare.
    support: none
"""

EXAMPLES = r"""
- name: Read the spec
  emr.cluster.revision:
"""

RETURN = r"""
spec:
  description: The spec.
  type: dict
  returned: on the first master
revision:
  description: Number, digest, who, why and when of the revision.
  type: dict
  returned: on the first master
"""
