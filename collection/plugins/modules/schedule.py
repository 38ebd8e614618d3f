# Copyright (c) the emr.cluster authors
# Apache License 2.0 (see LICENSE or https://www.apache.org/licenses/LICENSE-2.0)
"""Documentation of the action plugin of the same name; on the node it runs the module ``node``."""

from __future__ import annotations

DOCUMENTATION = r"""
module: schedule
short_description: Run flows and jobs on a cluster at certain times
version_added: 0.1.0
description:
  - A schedule is a timer of systemd on the control node. Each time it is due it starts a flow, unless the one before still runs.
  - Does its work on the control node only.
extends_documentation_fragment: [emr.cluster.attributes]
author:
  - The emr.cluster authors (@emr-cluster)
options:
  op:
    description:
      - What to do.
    type: str
    default: list
    choices: [add, list, show, pause, resume, remove]
  name:
    description:
      - Name of the schedule. A new one has its flow's name without it.
    type: str
  flow_file:
    description:
      - Path of a flow file on the controller. Paths in it are relative to it.
    type: path
  flow:
    description:
      - Text of a flow, in place of O(flow_file).
    type: str
  request:
    description:
      - One job, with the keys of a job in a flow file, in place of a flow.
    type: dict
  parameters:
    description:
      - Values for names in the flow.
    type: dict
    default: {}
  at:
    description:
      - When it is due, as a calendar expression of systemd, or as the five fields of cron.
    type: str
  zone:
    description:
      - Time zone of O(at) by name. Without it that of the host.
    type: str
  missed:
    description:
      - Whether a time that passed while the master was down is made up for (once) or skipped.
    type: str
    default: run
    choices: [run, skip]
  replace:
    description:
      - Change the schedule of this name. Without it another one of the same name is refused.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Run the flow of the day at half past two
  emr.cluster.schedule:
    op: add
    flow_file: daily.yml
    at: "30 2 * * *"
    zone: Asia/Shanghai
"""

RETURN = r"""
schedule:
  description: The schedule with C(state), C(next) and C(runs).
  type: dict
  returned: when there is something to tell
schedules:
  description: All schedules.
  type: list
  elements: dict
  returned: when there is something to tell
"""
