# Copyright (c) the emr.cluster authors
# Apache License 2.0 (see LICENSE or https://www.apache.org/licenses/LICENSE-2.0)
"""Documentation of the action plugin of the same name; on the node it runs the module ``node``."""

from __future__ import annotations

DOCUMENTATION = r"""
module: upgrade
short_description: Tell services that their software changes to another release
version_added: 0.1.0
description:
  - HDFS keeps an image of its metadata, and the blocks that are deleted, from before its first daemon runs other software until the upgrade is
    finalised.
  - Works on the control node alone. What is left to do is asked of the daemons, so it may run again after any interruption.
extends_documentation_fragment: [emr.cluster.attributes]
author:
  - The emr.cluster authors (@emr-cluster)
options:
  phase:
    description:
      - V(look) refuses, before any change, an upgrade that is not possible now. V(prepare) begins it where software changes. V(finish) ends one
        that was taken back; V(finalize) ends one that is kept, and refuses it while a daemon still runs other software.
    type: str
    required: true
    choices: [look, prepare, finish, finalize]
  revision:
    description: With O(phase=look) what M(emr.cluster.revision) returned of the edit.
    type: dict
"""

EXAMPLES = r"""
- name: Begin
  emr.cluster.upgrade:
    phase: prepare
"""

RETURN = r"""
changes:
  description: What was done.
  type: list
  elements: str
  returned: when something was done
"""
