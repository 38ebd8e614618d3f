#!/usr/bin/python
# Apache-2.0
from __future__ import annotations

DOCUMENTATION = r"""
module: verify
short_description: Prove that the cluster works
description:
  - Waits until all DataNodes and NodeManagers have joined; in full also writes, reads and computes for real.
  - Called through its action plugin, which runs it on the first master only.
author: E-MapReduce as open software (@emr-open)
options:
  namenode:
    description: Base URL of the NameNode's HTTP server; empty skips HDFS.
    type: str
    default: ""
  resourcemanager:
    description: Base URL of the ResourceManager's HTTP server; empty skips YARN.
    type: str
    default: ""
  datanodes:
    description: Number of DataNodes that must be live.
    type: int
    default: 0
  nodemanagers:
    description: Number of NodeManagers that must be active.
    type: int
    default: 0
  full:
    description: Write, read and compute too.
    type: bool
    default: true
  user:
    description: User of the test file and the computation.
    type: str
    default: emr
  examples_jar:
    description: Path of the jar with the MapReduce examples; empty computes nothing.
    type: str
    default: ""
  environment:
    description: Environment of the computation.
    type: dict
    default: {}
  limit_s:
    description: Seconds that waiting and computing may take each.
    type: int
    default: 180
attributes:
  check_mode:
    description: Changes nothing that stays, so it does nothing else in check mode.
    support: full
  diff_mode:
    description: There is no text to compare.
    support: none
"""

EXAMPLES = r"""
- name: Verify the cluster
  emr.cluster.verify:
"""

RETURN = r"""
nodes:
  description: Numbers of HDFS and YARN.
  type: dict
  returned: success
computation:
  description: Result and application id of the computation.
  type: dict
  returned: when full
seconds:
  description: Time of each check in seconds.
  type: dict
  returned: success
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.emr.cluster.plugins.module_utils import node_common, node_verify


def main():
    text = {"type": "str", "default": ""}
    number = {"type": "int", "default": 0}
    module = AnsibleModule(supports_check_mode=True, argument_spec={
        "namenode": text, "resourcemanager": text, "datanodes": number, "nodemanagers": number,
        "full": {"type": "bool", "default": True}, "user": {"type": "str", "default": "emr"},
        "examples_jar": text, "environment": {"type": "dict", "default": {}},
        "limit_s": {"type": "int", "default": 180}})
    if module.check_mode:
        module.exit_json(changed=False)
    node_common.finish(module, lambda: node_verify.verify(module.params), "verify", lock=False)


if __name__ == "__main__":
    main()
