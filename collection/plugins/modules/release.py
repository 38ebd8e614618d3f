# Copyright (c) the emr.cluster authors
# Apache License 2.0 (see LICENSE or https://www.apache.org/licenses/LICENSE-2.0)
"""Documentation of the action plugin of the same name; everything happens on the controller."""

from __future__ import annotations

DOCUMENTATION = r"""
module: release
short_description: Give back everything that was bought for a cluster
version_added: 0.1.0
description:
  - Deletes the instances with all their data, and what else was made for the cluster.
  - Takes the cluster's lock, which lasts until M(emr.cluster.lock) gives it back or C(ansible-playbook) ends. Afterwards the lock is free.
  - Runs on the controller alone, in a play on C(localhost). What it returns is in the fact C(emr_run) of C(localhost) too.
extends_documentation_fragment:
  - emr.cluster.cluster
  - emr.cluster.cluster.spec
  - emr.cluster.cluster.confirm
  - emr.cluster.cluster.plan_only
  - emr.cluster.attributes
author:
  - The emr.cluster authors (@emr-cluster)
options:
  transient:
    description: Refuse a cluster that was not made for one flow.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Give everything back
  emr.cluster.release:
    name: sales
    region: cn-hangzhou
    confirm: "yes"
"""

RETURN = r"""
plan:
  description: What exists, what would be bought or released, the price, and the digest to confirm it with.
  returned: success, and when a confirmation is missing
  type: dict
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
