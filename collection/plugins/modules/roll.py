# Copyright (c) the emr.cluster authors
# Apache License 2.0 (see LICENSE or https://www.apache.org/licenses/LICENSE-2.0)
"""Documentation of the action plugin of the same name; on the node it runs the module ``node``."""

from __future__ import annotations

DOCUMENTATION = r"""
module: roll
short_description: Restart the daemons of a living cluster one after the other, gated on its health
version_added: 0.1.0
description:
  - O(phase=mark) runs on every node and asks for the restart of what is in O(scope), in a file that only the start of the
    daemon removes. O(phase=plan) runs on localhost and orders the nodes on which something waits for a restart or a refresh.
    O(phase=go) runs on those, in the batches of the plan.
  - A DataNode goes down only when every block has its copies. What was restarted must be back, as the NameNode and the
    ResourceManager see it, before the next batch begins, and running applications must go on.
  - Settings that a running daemon takes over by a command are refreshed instead of restarted.
  - Stops at the first failure, with the daemon's last log lines and the command to go on with.
author:
  - The emr.cluster authors (@emr-cluster)
options:
  phase:
    description: What to do.
    type: str
    default: go
    choices: [mark, plan, go]
  scope:
    description:
      - Which daemons; lists of services, components, groups (node groups) and nodes, each of them empty for all.
    type: dict
  again:
    description: With O(phase=mark), ask for no further restart; only tell what already waits for one.
    type: bool
    default: false
  alone:
    description:
      - With O(phase=go), for tasks with C(throttle) 1 in plays of one's own. The nodes take their turns one after the other, and once a turn
        has failed, nothing goes down on those that come after it.
    type: bool
    default: false
  idle:
    description: Start daemons that do not run as well.
    type: bool
    default: false
  batch:
    description: With O(phase=plan), how many nodes besides the masters at a time; 0 for a tenth of their role, at least one.
    type: int
    default: 0
  force:
    description:
      - With O(phase=go), do not wait until a DataNode may go down. With O(phase=plan), let O(batch) slaves take their turn
        together even where they could hold all copies of a block.
    type: bool
    default: false
  masters_last:
    description: With O(phase=plan), let the masters take their turn after all others.
    type: bool
    default: false
  limit_s:
    description: Seconds within which a restarted daemon must serve.
    type: int
    default: 300
  gate_limit_s:
    description: Seconds to wait for the cluster before and after each restart.
    type: int
    default: 300
attributes:
  check_mode:
    description: Reports what would restart.
    support: full
  diff_mode:
    description: There is no text to compare.
    support: none
"""

EXAMPLES = r"""
- name: Ask for the restart of all DataNodes
  emr.cluster.roll:
    phase: mark
    scope:
      components: [datanode]
"""

RETURN = r"""
changes:
  description: What was restarted or refreshed.
  type: list
  elements: str
  returned: with O(phase=go)
seconds:
  description: Seconds that each step took.
  type: dict
  returned: with O(phase=go)
"""
