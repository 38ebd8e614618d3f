#!/usr/bin/python
# Apache-2.0
from __future__ import annotations

DOCUMENTATION = r"""
module: configure
short_description: Write all configuration files and units of a node in one step
description:
  - Stages every file, then renames them all; says which files and which keys changed.
  - Reports what the storage directories of HDFS hold, which decides whether a NameNode may be formatted.
  - Called through its action plugin, which renders everything on the controller.
author: E-MapReduce as open software (@emr-open)
options:
  files:
    description: Each with C(path), C(content), C(owner), C(group) and C(mode), written in this order.
    type: list
    elements: dict
    required: true
  units:
    description: Names of units to start at boot.
    type: list
    elements: str
    default: []
  directories:
    description: Storage directories, each with C(path), C(owner), C(group) and C(mode).
    type: list
    elements: dict
    default: []
  storage:
    description: Directories to look at, by component.
    type: dict
    default: {}
  revision:
    description: Spec to keep on a master, with C(text), C(digest), C(who) and C(why).
    type: dict
    default: {}
attributes:
  check_mode:
    description: Reports what would change.
    support: full
  diff_mode:
    description: Shows changed files.
    support: full
"""

EXAMPLES = r"""
- name: Write the configuration
  emr.cluster.configure:
"""

RETURN = r"""
changed_files:
  description: Files that changed.
  type: list
  elements: str
  returned: success
changed_keys:
  description: Keys that changed, by file.
  type: dict
  returned: success
emr_storage:
  description: State of each storage directory, by component.
  type: dict
  returned: success
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.emr.cluster.plugins.module_utils import node_common, node_configure


def main():
    module = AnsibleModule(supports_check_mode=True, argument_spec={
        "files": {"type": "list", "elements": "dict", "required": True},
        "units": {"type": "list", "elements": "str", "default": []},
        "directories": {"type": "list", "elements": "dict", "default": []},
        "storage": {"type": "dict", "default": {}},
        "revision": {"type": "dict", "default": {}}})
    node_common.finish(module, lambda: node_configure.configure(module.params, module.check_mode), "configure")


if __name__ == "__main__":
    main()
