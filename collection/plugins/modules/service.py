#!/usr/bin/python
# Apache-2.0
from __future__ import annotations

DOCUMENTATION = r"""
module: service
short_description: Start or stop the daemons of a node, gated on their health
description:
  - Starts what is stopped, restarts what runs with an older configuration than the files, and waits until all serve.
  - Formats a NameNode only when its directories are empty and no DataNode of the cluster holds data.
  - On failure the message carries the daemon's last log lines.
  - Called through its action plugin, which computes the options from the catalogue.
author: E-MapReduce as open software (@emr-open)
options:
  state:
    description: Wanted state of the daemons.
    type: str
    choices: [started, stopped]
    default: started
  components:
    description: Each with C(name), C(label), C(unit), C(after), C(health) and C(log_file), in start order.
    type: list
    elements: dict
    required: true
  cluster_id:
    description: Identity that the storage must carry.
    type: str
    default: ""
  format:
    description: C(dirs), C(cluster_id) and C(refusal) for the NameNode; empty never formats.
    type: dict
    default: {}
  data_dirs:
    description: DataNode directories of this node.
    type: list
    elements: str
    default: []
  hdfs:
    description: C(base) URL of the NameNode and C(directories) that HDFS needs; empty makes none.
    type: dict
    default: {}
  environment:
    description: Environment of the format command.
    type: dict
    default: {}
  limit_s:
    description: Seconds within which all daemons must be ready.
    type: int
    default: 180
attributes:
  check_mode:
    description: Reports what would be started or restarted.
    support: full
  diff_mode:
    description: There is no text to compare.
    support: none
"""

EXAMPLES = r"""
- name: Start HDFS
  emr.cluster.service:
    services: [hdfs]
"""

RETURN = r"""
changes:
  description: What was done.
  type: list
  elements: str
  returned: success
emr_ready:
  description: Seconds after which each daemon was ready.
  type: dict
  returned: success
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.emr.cluster.plugins.module_utils import node_common, node_service


def main():
    empty = {"type": "dict", "default": {}}
    module = AnsibleModule(supports_check_mode=True, argument_spec={
        "state": {"type": "str", "choices": ["started", "stopped"], "default": "started"},
        "components": {"type": "list", "elements": "dict", "required": True},
        "cluster_id": {"type": "str", "default": ""},
        "format": empty, "hdfs": empty, "environment": empty,
        "data_dirs": {"type": "list", "elements": "str", "default": []},
        "limit_s": {"type": "int", "default": 180}})
    node_common.finish(module, lambda: node_service.apply(module.params, module.check_mode), "service")


if __name__ == "__main__":
    main()
