# Copyright (c) the emr.cluster authors
# Apache License 2.0 (see LICENSE or https://www.apache.org/licenses/LICENSE-2.0)
"""Documentation of the action plugin of the same name; on the node it runs the module ``node``."""

from __future__ import annotations

DOCUMENTATION = r"""
module: job
short_description: Run, follow, list, read and kill jobs on a cluster
version_added: 0.1.0
description:
  - A job is a detached unit on the control node with its own record, so it goes on when the caller goes away.
  - Does its work on the control node only, where the role for configuration has put the program for it.
extends_documentation_fragment: [emr.cluster.attributes]
author:
  - The emr.cluster authors (@emr-cluster)
options:
  op:
    description:
      - What to do. V(wait) stays until the job has ended. V(archive) copies records and logs of the jobs that have ended, and
        are not there yet, to where C(logs.oss) of the cluster's spec says.
    type: str
    default: submit
    choices: [submit, wait, list, show, logs, kill, retry, prune, archive]
  id:
    description:
      - Id of the job to wait for, show, read, kill or run again.
    type: str
  options:
    description:
      - More of these options as one map; they win.
    type: dict
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
      - Arguments of a new job's program. Without any, the first of O(files) is run. In these, and in names,
        properties, variables, places of resources and queries in C(.sql) files, C(${yyyy-MM-dd}) and its like
        are filled in; C(${yyyyMMdd-1}) is the day before.
    type: list
    elements: str
    default: []
  files:
    description:
      - Files on the controller, or at C(hdfs://) or C(oss://); the job finds them in its working directory.
    type: list
    elements: str
    default: []
  jars:
    description:
      - Libraries of Java, from the same places.
    type: list
    elements: str
    default: []
  py_files:
    description:
      - Modules and packages of Python.
    type: list
    elements: str
    default: []
  archives:
    description:
      - Archives that are unpacked in the working directory of the containers, as C(FILE#NAME).
    type: list
    elements: str
    default: []
  python_env:
    description:
      - A packed virtual environment (venv-pack or conda-pack) that the job's Python comes from, as the folder
        C(environment).
    type: str
  properties:
    description:
      - Keys of Hadoop and, beginning with C(spark.), of Spark.
    type: dict
    default: {}
  environment:
    description:
      - Variables of the program on the master. One without a value has that of the controller.
    type: dict
    default: {}
  memory:
    description:
      - Memory of a map, a reduce or an executor, such as 2g.
    type: str
  cores:
    description:
      - Cores of a map, a reduce or an executor.
    type: int
  queue:
    description:
      - Queue of YARN for a new job. Without it the user's own.
    type: str
  priority:
    description:
      - Priority in the queue.
    type: int
  user:
    description:
      - User that a new job runs as, V(emr) or a user of the spec.
    type: str
    default: emr
  parameters:
    description:
      - What C(${name}) stands for.
    type: dict
    default: {}
  time:
    description:
      - The moment that C(${yyyy-MM-dd}) and its like are about. Default now.
    type: str
  time_zone:
    description:
      - Time zone of the moment, such as Asia/Shanghai, +08:00 or UTC.
    type: str
    default: UTC
  retries:
    description:
      - How often a job is tried again after a failure.
    type: int
    default: 0
  retry_interval:
    description:
      - How long after the failure, such as 5m.
    type: str
    default: 30s
  timeout:
    description:
      - How long an attempt may take, such as 2h.
    type: str
  on_failure:
    description:
      - Command that the job's user runs on the master when the job has failed for good; it finds
        C(EMR_JOB_ID) and C(EMR_JOB_STATE).
    type: str
  keep_running:
    description:
      - A stream is started again after failures, and after a reboot of the master.
    type: bool
    default: false
  token:
    description:
      - Requests with the same token submit once.
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
      - With O(op=logs) the bytes of the output to return at most, its beginning and its end. Nothing is left out for emrctl.
    type: int
    default: 262144
  attempt:
    description:
      - With O(op=logs) the output of this attempt. Default the last one.
    type: int
  state:
    description:
      - With O(op=list) only jobs in these states.
    type: list
    elements: str
    default: []
  kind:
    description:
      - With O(op=list) only jobs of these types.
    type: list
    elements: str
    default: []
  owner:
    description:
      - With O(op=list) only jobs of these users.
    type: list
    elements: str
    default: []
  name_like:
    description:
      - With O(op=list) only jobs with such a name; C(*) and C(?) stand for others.
    type: str
  since:
    description:
      - With O(op=list) only jobs submitted since then; 2h for two hours ago, or a time in UTC.
    type: str
  limit:
    description:
      - With O(op=list) so many jobs at most.
    type: int
    default: 200
  older_than:
    description:
      - With O(op=prune) the records of jobs that ended so long ago, such as 30d.
    type: str
  keep:
    description:
      - With O(op=prune) the records beyond so many of the newest.
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
pruned:
  description: Ids of the jobs whose records were deleted.
  type: list
  elements: str
  returned: with O(op=prune)
jobs:
  description: Jobs, the newest first.
  type: list
  elements: dict
  returned: when there is something to tell
"""
