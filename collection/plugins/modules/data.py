#!/usr/bin/python
# Apache-2.0
from __future__ import annotations

DOCUMENTATION = r"""
module: data
short_description: Copy files between the controller and HDFS
description:
  - Copies between a master's disk and HDFS; its action plugin does the way between controller and master.
author: E-MapReduce as open software (@emr-open)
options:
  op:
    description: Direction, seen from the controller.
    type: str
    choices: [put, get]
    required: true
  path:
    description: Path in HDFS.
    type: str
    required: true
  files:
    description: With O(op=put) the local files.
    type: list
    elements: str
    default: []
  target:
    description: With O(op=get) the local file or folder.
    type: str
    default: ""
  user:
    description: User to act as in HDFS.
    type: str
    default: emr
  namenode:
    description: Base URL of the NameNode; computed by the action plugin.
    type: str
    default: ""
  archive:
    description: File on the master that is fetched; computed by the action plugin.
    type: str
    default: ""
attributes:
  check_mode:
    description: Copies nothing.
    support: full
  diff_mode:
    description: There is no text to compare.
    support: none
"""

EXAMPLES = r"""
- name: Fetch a result
  emr.cluster.data:
    op: get
    path: /user/emr/out
    target: ./out
"""

RETURN = r"""
put:
  description: Files that were written to HDFS, with their sizes in bytes.
  type: list
  elements: dict
  returned: put
got:
  description: Files that were read from HDFS, with their sizes in bytes.
  type: list
  elements: dict
  returned: get
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.emr.cluster.plugins.module_utils import node_common, node_data


def main():
    text = {"type": "str", "default": ""}
    module = AnsibleModule(supports_check_mode=True, argument_spec={
        "op": {"type": "str", "choices": ["put", "get"], "required": True},
        "path": {"type": "str", "required": True}, "files": {"type": "list", "elements": "str", "default": []},
        "target": text, "user": {"type": "str", "default": "emr"}, "namenode": text, "archive": text})
    if module.check_mode:
        module.exit_json(changed=module.params["op"] == "put")
    work = node_data.put if module.params["op"] == "put" else node_data.get
    node_common.finish(module, lambda: work(module.params), "data", lock=False)


if __name__ == "__main__":
    main()
