# Copyright (c) the emr.cluster authors
# Apache License 2.0 (see LICENSE or https://www.apache.org/licenses/LICENSE-2.0)
"""Documentation of the action plugin of the same name; on the node it runs the module ``node``."""

from __future__ import annotations

DOCUMENTATION = r"""
module: job
short_description: Run, follow, read and kill a job on a cluster
version_added: 0.1.0
description:
  - A job is a detached unit on the control node with its own record, so it goes on when the caller goes away.
  - Does its work on the control node only, where the role for configuration has put the program for it.
extends_documentation_fragment: [emr.cluster.job, emr.cluster.attributes]
author:
  - The emr.cluster authors (@emr-cluster)
options:
  op:
    description:
      - What to do. V(wait) stays until the job has ended.
    type: str
    default: submit
    choices: [submit, wait, show, logs, kill, retry]
  id:
    description:
      - Id of the job to wait for, show, read, kill or run again.
    type: str
  options:
    description:
      - More of these options as one map; they win.
    type: dict
  wait:
    description:
      - Return after the job has ended; failed unless it succeeded.
    type: bool
    default: false
  wait_limit_s:
    description:
      - Seconds to wait at most.
    type: int
    default: 86400
  yarn:
    description:
      - With O(op=logs) also the logs of the YARN containers.
    type: bool
    default: false
  limit_bytes:
    description:
      - With O(op=logs) the bytes of the output to return at most, its beginning and its end. Nothing is left out for emrctl.
    type: int
    default: 262144
  attempt:
    description:
      - With O(op=logs) the output of this attempt. Default the last one.
    type: int
"""

EXAMPLES = r"""
- name: Count words
  emr.cluster.job:
    type: HADOOP_STREAMING
    args: [-files, "map.py,reduce.py", -mapper, map.py, -reducer, reduce.py, -input, /in, -output, /out]
    files: [map.py, reduce.py]
    wait: true

- name: Yesterday's report, once for each day, tried again twice
  emr.cluster.job:
    type: PYSPARK
    files: [report.py]
    args: [report.py, "${yyyy-MM-dd-1}"]
    token: "report-{{ ansible_date_time.date }}"
    retries: 2
    retry_interval: 5m
"""

RETURN = r"""
log:
  description: The job's output on stderr and stdout, the logs of its containers where they were asked for, and why it failed.
  type: str
  returned: with O(op=logs)
job:
  description: The job's record with C(id), C(state), C(exit_code), C(history) and C(applications).
  type: dict
  returned: when there is something to tell
"""
