# Copyright (c) the emr.cluster authors
# Apache License 2.0 (see LICENSE or https://www.apache.org/licenses/LICENSE-2.0)
"""Documentation of the action plugin of the same name; on the node it runs the module ``node``."""

from __future__ import annotations

DOCUMENTATION = r"""
module: host
short_description: Prepare a host for the daemons of a cluster
version_added: 0.1.0
description:
  - Accounts, directories, the cluster's block in C(/etc/hosts), host name, limits, data disks and Java, in one
    run.
  - A data disk is found by serial and gets a file system only when it carries no signature at all.
  - What to do follows from the cluster's nodes, which are the hosts of the play.
author:
  - The emr.cluster authors (@emr-cluster)
options:
  set_hostname:
    description:
      - Give the host its inventory name.
    type: bool
    default: true
  java_packages:
    description:
      - Packages, of which the first that is offered is installed when the node has no Java 17 to 21.
      - Without any they follow from the system (Debian, Ubuntu, RHEL and its kin, Alibaba Cloud Linux).
    type: list
    elements: str
    default: []
attributes:
  check_mode:
    description: Reports what would change, where there is something to change.
    support: full
  diff_mode:
    description: Shows changed files.
    support: full
"""

EXAMPLES = r"""
- name: Prepare the node
  emr.cluster.host:
"""

RETURN = r"""
emr_node:
  description: Measured memory (MiB), vCPUs, Java home, installed artifacts and data disk mounts.
  type: dict
  returned: when there is something to tell
changes:
  description: What was changed.
  type: list
  elements: str
  returned: when there is something to tell
"""
