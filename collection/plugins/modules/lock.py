# Copyright (c) the emr.cluster authors
# Apache License 2.0 (see LICENSE or https://www.apache.org/licenses/LICENSE-2.0)
"""Documentation of the action plugin of the same name; everything happens on the controller."""

from __future__ import annotations

DOCUMENTATION = r"""
module: lock
short_description: Take or give back the lock of a cluster
version_added: 0.1.0
description:
  - One operation at a time changes a cluster. The lock ends with C(ansible-playbook) at the latest.
  - The cluster is the one of this run, unless another is named.
  - Runs on the controller alone, in a play on C(localhost). What it returns is in the fact C(emr_run) of C(localhost) too.
extends_documentation_fragment: [emr.cluster.cluster, emr.cluster.cluster.spec, emr.cluster.cluster.plan_only, emr.cluster.attributes]
author:
  - The emr.cluster authors (@emr-cluster)
options:
  state:
    description: Whether this run shall have the lock.
    type: str
    default: held
    choices: [held, free]
  deployed:
    description: Record on the nodes first that they are deployed as the spec wants it.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Give the lock back
  emr.cluster.lock:
    state: free
"""

RETURN = r"""
unlocked:
  description: Whether the lock was held by this run and is free now.
  returned: success
  type: bool
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
