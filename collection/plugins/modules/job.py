#!/usr/bin/python
# Apache-2.0
from __future__ import annotations

DOCUMENTATION = r"""
module: job
short_description: Run, list, read and kill jobs on a master
description:
  - A job is a detached unit on the master with its own record, so it goes on when the caller goes away.
  - Called through its action plugin, which brings the job's files to the master first.
author: E-MapReduce as open software (@emr-open)
options:
  op:
    description: What to do.
    type: str
    choices: [submit, list, show, logs, kill]
    default: submit
  id:
    description: Id of the job to show, read or kill.
    type: str
    default: ""
  type:
    description: Type of a new job.
    type: str
    choices: [MR, HADOOP_STREAMING, SPARK, PYSPARK, SPARK_SQL, SPARK_STREAMING, SHELL]
    default: SHELL
  name:
    description: Name of a new job for people.
    type: str
    default: ""
  args:
    description: Arguments of a new job's program.
    type: list
    elements: str
    default: []
  files:
    description: Files of a new job; they lie in its working directory.
    type: list
    elements: str
    default: []
  user:
    description: User that a new job runs as.
    type: str
    default: emr
  who:
    description: Who submits it, for the record.
    type: str
    default: ""
  wait:
    description: Return after the job has ended.
    type: bool
    default: false
  wait_limit_s:
    description: Seconds to wait at most.
    type: int
    default: 86400
  yarn:
    description: With O(op=logs) also the logs of the YARN containers.
    type: bool
    default: false
  limit_bytes:
    description: Bytes of each log to return at most, from its end.
    type: int
    default: 1048576
  environment:
    description: Environment of the job.
    type: dict
    default: {}
  resourcemanager:
    description: Base URL of the ResourceManager, to kill applications.
    type: str
    default: ""
attributes:
  check_mode:
    description: Submits and kills nothing.
    support: full
  diff_mode:
    description: There is nothing to compare.
    support: none
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
  returned: all but list
jobs:
  description: All jobs, the newest first.
  type: list
  elements: dict
  returned: list
"""

import json

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.emr.cluster.plugins.module_utils import node_common, node_http, node_job


def work(module):
    """The operation that was asked for."""
    params = module.params
    if params["op"] == "submit":
        return {"changed": True} if module.check_mode else node_job.submit(params)
    if params["op"] == "list":
        return {"changed": False, "jobs": node_job.listing()}
    if params["op"] == "logs":
        return node_job.logs(params)
    if params["op"] == "show" or module.check_mode:
        return {"changed": False, "job": node_job.show(params["id"])}

    def kill_application(application):
        url = f"{params['resourcemanager']}/ws/v1/cluster/apps/{application}/state"
        try:
            node_http.http(url, "PUT", json.dumps({"state": "KILLED"}).encode(),
                           headers={"Content-Type": "application/json"})
        except (OSError, node_common.NodeError) as error:
            module.warn(f"{application} was not killed: {error}")

    return node_job.kill(params, kill_application)


def main():
    text = {"type": "str", "default": ""}
    module = AnsibleModule(supports_check_mode=True, argument_spec={
        "op": {"type": "str", "choices": ["submit", "list", "show", "logs", "kill"], "default": "submit"},
        "id": text, "type": {"type": "str", "choices": list(node_job.TYPES), "default": "SHELL"}, "name": text,
        "args": {"type": "list", "elements": "str", "default": []},
        "files": {"type": "list", "elements": "str", "default": []},
        "user": {"type": "str", "default": "emr"}, "who": text, "wait": {"type": "bool", "default": False},
        "wait_limit_s": {"type": "int", "default": 86400}, "yarn": {"type": "bool", "default": False},
        "limit_bytes": {"type": "int", "default": 1048576}, "environment": {"type": "dict", "default": {}},
        "resourcemanager": text})
    node_common.finish(module, lambda: work(module), "job", lock=False)


if __name__ == "__main__":
    main()
