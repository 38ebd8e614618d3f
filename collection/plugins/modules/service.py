# Copyright (c) the emr.cluster authors
# Apache License 2.0 (see LICENSE or https://www.apache.org/licenses/LICENSE-2.0)
"""Documentation of the action plugin of the same name; on the node it runs the module ``node``."""

from __future__ import annotations

DOCUMENTATION = r"""
module: service
short_description: Start or stop the daemons of a cluster, gated on their health
version_added: 0.1.0
description:
  - Starts what is stopped, restarts what runs with an older configuration than the files, and waits until all
    serve.
  - Formats a NameNode only when O(format=true), its directories are empty and no DataNode of the cluster holds
    data.
  - Makes the directories that HDFS needs before the first job.
  - On failure the message carries the daemon's last log lines.
extends_documentation_fragment: [emr.cluster.attributes]
author:
  - The emr.cluster authors (@emr-cluster)
options:
  services:
    description:
      - Services to start or stop; all of the cluster by default.
    type: list
    elements: str
  state:
    description:
      - Wanted state of the daemons.
    type: str
    default: started
    choices: [started, stopped]
  ahead:
    description:
      - Start all services of the cluster in the same run. Daemons come up side by side then, and a later task for
        one of them finds it ready. Where the NameNode has no data yet, that is left to the task that may O(format) it.
    type: bool
    default: false
  format:
    description:
      - Format the NameNode when nothing can be lost by it.
    type: bool
    default: false
  scope:
    description:
      - Which daemons; lists of services, components, groups (node groups) and nodes, each of them empty for all.
    type: dict
  agreeing:
    description:
      - Only the daemons by which those of several masters agree on who is active, and on what they have in common.
    type: bool
    default: false
  stale:
    description:
      - What to do with a daemon that runs with an older configuration, or of which a restart was asked. V(keep) leaves it to
        M(emr.cluster.roll) and tells it in the facts C(emr_stale) and C(emr_refresh).
      - Not given, it is V(keep) in a play with the variable C(emr_rolls), which promises that turns follow.
    type: str
    default: restart
    choices: [restart, keep]
  limit_s:
    description:
      - Seconds within which all daemons must be ready.
    type: int
    default: 600
"""

EXAMPLES = r"""
- name: Start HDFS
  emr.cluster.service:
    services: [hdfs]
    format: true
"""

RETURN = r"""
changes:
  description: What was done.
  type: list
  elements: str
  returned: when there is something to tell
emr_ready:
  description: Seconds after which each daemon was ready.
  type: dict
  returned: when there is something to tell
"""
