# Copyright (c) the emr.cluster authors
# Apache License 2.0 (see LICENSE or https://www.apache.org/licenses/LICENSE-2.0)
"""Documentation of the action plugin of the same name; on the node it runs the module ``node``."""

from __future__ import annotations

DOCUMENTATION = r"""
module: bundle
short_description: Gather logs and configuration without secrets
version_added: 0.1.0
description:
  - On a node it gathers the logs of daemons, units, configuration, thread dumps and measurements, masks what looks like a
    secret, and returns them to a private folder beside O(out) on the controller. Nothing is written to the node's disk.
  - With O(what=all), on localhost, it makes one private archive of all of it.
extends_documentation_fragment: [emr.cluster.attributes.looks]
author:
  - The emr.cluster authors (@emr-cluster)
options:
  what:
    description: V(node) gathers on a node, V(all) puts everything together.
    type: str
    default: node
    choices: [node, all]
  out:
    description: The archive on the controller.
    type: path
  runs:
    description: Folder with runs of emrctl, the last of which are added.
    type: path
  node_mib:
    description: Most text of one node, in MiB.
    type: int
    default: 16
  file_mib:
    description: Most of one file, its end, in MiB.
    type: int
    default: 2
"""

EXAMPLES = r"""
- name: Gather
  emr.cluster.bundle:
    out: /tmp/sales.tar.gz
"""

RETURN = r"""
bytes:
  description: Size of the node's archive.
  type: int
  returned: on a node
"""
