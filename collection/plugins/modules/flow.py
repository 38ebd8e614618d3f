# Copyright (c) the emr.cluster authors
# Apache License 2.0 (see LICENSE or https://www.apache.org/licenses/LICENSE-2.0)
"""Documentation of the action plugin of the same name; on the node it runs the module ``node``."""

from __future__ import annotations

DOCUMENTATION = r"""
module: flow
short_description: Run, list, read, retry and kill flows of jobs on a cluster
version_added: 0.1.0
description:
  - A flow is a YAML file with jobs that wait for each other. A detached unit on the control node runs it, so it goes on when the caller
    goes away, and after a reboot.
  - Does its work on the control node only.
extends_documentation_fragment: [emr.cluster.attributes]
author:
  - The emr.cluster authors (@emr-cluster)
options:
  op:
    description:
      - What to do. V(check) reads the flow on the controller and tells what a cluster of its own has to put and get; V(conclude)
        fails when such a run did. V(retry) runs an ended flow on from what failed.
    type: str
    default: run
    choices: [check, conclude, run, list, show, logs, retry, kill]
  id:
    description:
      - Id of the flow to show, read, retry or kill.
    type: str
  flow_file:
    description:
      - Path of a flow file on the controller. Paths in it are relative to it.
    type: path
  flow:
    description:
      - Text of a flow, in place of O(flow_file). Paths in it are relative to the working directory.
    type: str
  parameters:
    description:
      - Values for names in the flow, such as V(day) for C(${day}).
    type: dict
    default: {}
  time:
    description:
      - The date, or date and time, that times in the flow refer to. Without it now.
    type: str
  zone:
    description:
      - Time zone of O(time) by name. Without it that of the host.
    type: str
  token:
    description:
      - A flow with the same token is run once, however often it is asked for.
    type: str
  resume:
    description:
      - When there is a flow with the O(token) and it has failed, run it on from what failed.
    type: bool
    default: false
  job:
    description:
      - With O(op=logs) the name of one job of the flow.
    type: str
  logs_to:
    description:
      - With O(op=logs) a folder on the controller for a file with each job's output.
    type: path
  wait:
    description:
      - Return after the flow has ended. The master may be rebooted meanwhile.
    type: bool
    default: false
  wait_limit_s:
    description:
      - Seconds to wait at most.
    type: int
    default: 86400
  fails:
    description:
      - Whether the task fails when a flow that was waited for did not succeed.
    type: bool
    default: true
  into:
    description:
      - With O(op=check) the folder on the controller for results.
    type: path
  puts:
    description:
      - With O(op=check) more files to put, as C(from) and C(to).
    type: list
    elements: dict
    default: []
  gets:
    description:
      - With O(op=check) more files to get, as C(from) and C(to).
    type: list
    elements: dict
    default: []
  found:
    description:
      - With O(op=conclude) the flow that was run.
    type: dict
  kept:
    description:
      - With O(op=conclude) whether the cluster is kept.
    type: bool
    default: false
  troubles:
    description:
      - With O(op=conclude) what else went wrong.
    type: list
    elements: str
    default: []
  limit_bytes:
    description:
      - With O(op=logs) the bytes to return at most, of all jobs together, of each its beginning and its end. Default 262144, and 33554432 where
        emrctl waits for them.
    type: int
"""

EXAMPLES = r"""
- name: Run the daily flow
  emr.cluster.flow:
    flow_file: daily.yml
    time: "2026-11-26"
    wait: true
"""

RETURN = r"""
flow:
  description: The flow with C(id), C(state) and C(jobs), each with C(name), C(state) and C(job), the id of the job.
  type: dict
  returned: when there is something to tell
flows:
  description: All flows, the newest first.
  type: list
  elements: dict
  returned: when there is something to tell
logs:
  description: Output of each job by its name in the flow.
  type: dict
  returned: when there is something to tell
"""
