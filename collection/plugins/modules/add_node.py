# Copyright (c) the emr.cluster authors
# Apache License 2.0 (see LICENSE or https://www.apache.org/licenses/LICENSE-2.0)
"""Documentation of the action plugin of the same name; everything happens on the controller."""

from __future__ import annotations

DOCUMENTATION = r"""
module: add_node
short_description: Make a node of a cluster a host of the following plays
version_added: 0.1.0
description:
  - Adds one of the C(nodes) that M(emr.cluster.nodes) returns to the inventory, with its groups and variables.
  - The plays that follow reach it over SSH and work as root, whoever logs in; they need no C(become) of their own.
  - Gives the same groups and variables as the inventory plugin P(emr.cluster.ecs#inventory).
author:
  - The emr.cluster authors (@emr-cluster)
options:
  node:
    description: The node, with C(name), C(groups) and C(vars).
    type: dict
    required: true
  groups:
    description: More groups for it.
    type: list
    elements: str
    default: []
attributes:
  check_mode:
    description: Works the same; nothing outside this run is changed.
    support: full
  diff_mode:
    description: There is nothing to show.
    support: none
"""

EXAMPLES = r"""
- name: Take the nodes into the next plays
  emr.cluster.add_node:
    node: "{{ item }}"
    groups: [emr_target]
  loop: "{{ cluster.nodes }}"
  loop_control:
    label: "{{ item.name }}"
  changed_when: false
"""

RETURN = r"""
add_host:
  description: The host as it was added.
  returned: always
  type: dict
"""
