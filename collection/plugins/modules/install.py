#!/usr/bin/python
# Apache-2.0
from __future__ import annotations

DOCUMENTATION = r"""
module: install
short_description: Install release artifacts on a node
description:
  - Fetches archives, verifies their SHA-512, unpacks each in one step and points a link at it.
  - The first master fetches from mirrors and serves to the other nodes, which try it first and the mirrors after.
  - Called through its action plugin, which computes the options and does nothing when all is installed.
author: E-MapReduce as open software (@emr-open)
options:
  artifacts:
    description: Each with C(name), C(file), C(sha512), C(urls), and C(target) and C(link) below C(/opt/emr).
    type: list
    elements: dict
    required: true
  peer:
    description: Base URL on the first master; empty on that master.
    type: str
    default: ""
  serve_address:
    description: Private address to serve the cache on; empty serves nothing.
    type: str
    default: ""
  serve_port:
    description: TCP port to serve the cache on.
    type: int
    default: 8099
  serve_limit_s:
    description: Seconds after which serving ends by itself.
    type: int
    default: 900
  limit_s:
    description: Seconds within which each artifact must be here.
    type: int
    default: 600
attributes:
  check_mode:
    description: Reports what would be installed.
    support: full
  diff_mode:
    description: There is no text to compare.
    support: none
"""

EXAMPLES = r"""
- name: Install Hadoop
  emr.cluster.install:
"""

RETURN = r"""
installed:
  description: Artifacts installed by this run.
  type: list
  elements: str
  returned: success
sources:
  description: Where each of them came from.
  type: dict
  returned: success
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.emr.cluster.plugins.module_utils import node_common, node_install


def main():
    module = AnsibleModule(supports_check_mode=True, argument_spec={
        "artifacts": {"type": "list", "elements": "dict", "required": True},
        "peer": {"type": "str", "default": ""},
        "serve_address": {"type": "str", "default": ""},
        "serve_port": {"type": "int", "default": 8099},
        "serve_limit_s": {"type": "int", "default": 900},
        "limit_s": {"type": "int", "default": 600}})
    node_common.finish(module, lambda: node_install.install(module.params, module.check_mode), "install")


if __name__ == "__main__":
    main()
