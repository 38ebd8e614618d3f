#!/usr/bin/python
# Apache-2.0
from __future__ import annotations

DOCUMENTATION = r"""
module: host
short_description: Prepare a host for the daemons of a cluster
description:
  - Accounts, directories, the cluster's block in C(/etc/hosts), host name, limits, data disks and Java, in one run.
  - A data disk is found by serial and gets a file system only when it carries no signature at all.
  - Called through its action plugin, which computes the options from the cluster's topology.
author: E-MapReduce as open software (@emr-open)
options:
  hostname:
    description: Host name to set; empty leaves it alone.
    type: str
    default: ""
  hosts:
    description: All nodes of the cluster, each with C(name) and C(address).
    type: list
    elements: dict
    default: []
  users:
    description: Accounts, each with C(name), C(group), C(home) and C(shell).
    type: list
    elements: dict
    default: []
  directories:
    description: Directories, each with C(path), C(owner), C(group) and C(mode), parents first.
    type: list
    elements: dict
    default: []
  disks:
    description: Data disks, each with C(serial), mounted in this order at C(/data/1), C(/data/2) and so on.
    type: list
    elements: dict
    default: []
  memory_mib:
    description: Memory that the instance type promises, in MiB; 0 skips the check.
    type: int
    default: 0
  java_packages:
    description: Packages to install when the node has no Java 17 or newer.
    type: list
    elements: str
    default: []
attributes:
  check_mode:
    description: Reports what would change.
    support: full
  diff_mode:
    description: Shows changed files.
    support: full
"""

EXAMPLES = r"""
- name: Prepare the node
  emr.cluster.host:
"""

RETURN = r"""
emr_node:
  description: Measured memory (MiB), vCPUs, Java home, installed artifacts and data disk mounts.
  type: dict
  returned: success
changes:
  description: What was changed.
  type: list
  elements: str
  returned: success
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.emr.cluster.plugins.module_utils import node_common, node_host


def main():
    dicts = {"type": "list", "elements": "dict", "default": []}
    module = AnsibleModule(supports_check_mode=True, argument_spec={
        "hostname": {"type": "str", "default": ""}, "hosts": dicts, "users": dicts, "directories": dicts,
        "disks": dicts, "memory_mib": {"type": "int", "default": 0},
        "java_packages": {"type": "list", "elements": "str", "default": []}})
    node_common.finish(module, lambda: node_host.prepare(module.params, module.check_mode), "host")


if __name__ == "__main__":
    main()
