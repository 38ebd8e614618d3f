# Copyright (c) the emr.cluster authors
# Apache License 2.0 (see LICENSE or https://www.apache.org/licenses/LICENSE-2.0)
"""Documentation of the action plugin of the same name; everything happens on the controller."""

from __future__ import annotations

DOCUMENTATION = r"""
module: plan
short_description: Say what a spec would change
version_added: 0.1.0
description:
  - Compares the spec with what exists, asks the API whether it can be bought, and its price. Changes nothing.
  - Runs on the controller alone, in a play on C(localhost). What it returns is in the fact C(emr_run) of C(localhost) too.
extends_documentation_fragment: [emr.cluster.cluster, emr.cluster.cluster.spec, emr.cluster.cluster.plan_only, emr.cluster.attributes.looks]
author:
  - The emr.cluster authors (@emr-cluster)
options:
  running:
    description: The spec that the cluster was made by, as M(emr.cluster.revision) reads it.
    type: dict
  unread:
    description: Why that could not be read.
    type: str
"""

EXAMPLES = r"""
- name: Show what would be bought
  emr.cluster.plan:
    spec_file: cluster.yml
"""

RETURN = r"""
plan:
  description: What exists, what would be bought or released, the price, and the digest to confirm it with.
  returned: success, and when a confirmation is missing
  type: dict
spec:
  description: The spec with all defaults.
  returned: success
  type: dict
exists:
  description: Whether the cluster was there before.
  returned: success
  type: bool
reader:
  description: The control node by itself, when it runs. It knows what the cluster was made by.
  returned: success
  type: list
  elements: dict
cluster_id:
  description: Identity of the cluster, new at each birth.
  returned: when the cluster exists
  type: str
events:
  description: What was done, in sentences.
  returned: always
  type: list
  elements: str
emr_refused:
  description: Whether it failed before anything was changed.
  returned: on failure
  type: bool
"""
