# Copyright (c) the emr.cluster authors
# Apache License 2.0 (see LICENSE or https://www.apache.org/licenses/LICENSE-2.0)
"""Documentation of the action plugin of the same name; on the node it runs the module ``node``."""

from __future__ import annotations

DOCUMENTATION = r"""
module: job
short_description: Run, list, read and kill jobs on a cluster
version_added: 0.1.0
description:
  - A job is a detached unit on the first master with its own record, so it goes on when the caller goes away.
  - Does its work on the first master only.
extends_documentation_fragment: [emr.cluster.attributes]
author:
  - The emr.cluster authors (@emr-cluster)
options:
  op:
    description:
      - What to do.
    type: str
    default: submit
    choices: [submit, list, show, logs, kill]
  id:
    description:
      - Id of the job to show, read or kill.
    type: str
  type:
    description:
      - Type of a new job.
    type: str
    default: SHELL
    choices: [MR, HADOOP_STREAMING, SPARK, PYSPARK, SPARK_SQL, SPARK_STREAMING, SHELL]
  name:
    description:
      - Name of a new job for people.
    type: str
  args:
    description:
      - Arguments of a new job's program. Without any, the first of O(files) is run.
    type: list
    elements: str
    default: []
  files:
    description:
      - Files on the controller; the job finds them in its working directory.
    type: list
    elements: str
    default: []
  user:
    description:
      - User that a new job runs as, V(emr) or a user of the spec.
    type: str
    default: emr
  queue:
    description:
      - Queue of YARN for a new job. Without it the user's own.
    type: str
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
      - Bytes of each log to return at most, from its end.
    type: int
    default: 1048576
"""

EXAMPLES = r"""
- name: Count words
  emr.cluster.job:
    type: HADOOP_STREAMING
    args: [-files, "map.py,reduce.py", -mapper, map.py, -reducer, reduce.py, -input, /in, -output, /out]
    files: [map.py, reduce.py]
    wait: true
"""

RETURN = r"""
job:
  description: The job's record with C(id), C(state), C(exit_code), C(history) and C(applications).
  type: dict
  returned: when there is something to tell
jobs:
  description: All jobs, the newest first.
  type: list
  elements: dict
  returned: when there is something to tell
"""
