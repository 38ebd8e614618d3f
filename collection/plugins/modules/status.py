#!/usr/bin/python
# Apache-2.0
from __future__ import annotations

DOCUMENTATION = r"""
module: status
short_description: Read the state of a node's daemons
description:
  - Unit and health of each daemon; on the first master also the numbers of HDFS and YARN. Changes nothing.
  - Called through its action plugin, which computes the options from the catalogue.
author: E-MapReduce as open software (@emr-open)
options:
  components:
    description: Daemons of this node, each with C(name), C(unit), C(health) and C(log_file).
    type: list
    elements: dict
    default: []
  namenode:
    description: Base URL of the NameNode; empty leaves HDFS out.
    type: str
    default: ""
  resourcemanager:
    description: Base URL of the ResourceManager; empty leaves YARN out.
    type: str
    default: ""
attributes:
  check_mode:
    description: Changes nothing anyway.
    support: full
  diff_mode:
    description: There is nothing to compare.
    support: none
"""

EXAMPLES = r"""
- name: Read the state
  emr.cluster.status:
"""

RETURN = r"""
components:
  description: State of each daemon of this node.
  type: list
  elements: dict
  returned: success
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.emr.cluster.plugins.module_utils import node_common, node_status


def main():
    module = AnsibleModule(supports_check_mode=True, argument_spec={
        "components": {"type": "list", "elements": "dict", "default": []},
        "namenode": {"type": "str", "default": ""}, "resourcemanager": {"type": "str", "default": ""}})
    node_common.finish(module, lambda: node_status.status(module.params), "status", lock=False)


if __name__ == "__main__":
    main()
