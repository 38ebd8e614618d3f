# Copyright (c) the emr.cluster authors
# Apache License 2.0 (see LICENSE or https://www.apache.org/licenses/LICENSE-2.0)
"""Documentation of the action plugin of the same name; on the node it runs the module ``node``."""

from __future__ import annotations

DOCUMENTATION = r"""
module: configure
short_description: Install the software of a node and write all its files and units
version_added: 0.1.0
description:
  - Fetches archives that are missing, verifies their SHA-512, unpacks each in one step and points a link at it.
    The control node fetches from mirrors and serves to the other nodes, which try it first and the mirrors after.
  - Then stages every file and renames them all; says which files and which keys changed.
  - Keeps the spec as a numbered revision on the masters.
  - Reports what the storage directories of HDFS hold, which decides whether a NameNode may be formatted.
author:
  - The emr.cluster authors (@emr-cluster)
options:
  part:
    description:
      - V(software) fetches and unpacks only; V(all) writes the files, units and the revision of the spec as well.
      - V(beside) unpacks the spec's release beside the one that stays in use, and keeps the revision of the spec.
    type: str
    default: all
    choices: [all, software, beside]
  why:
    description:
      - Why the spec's new revision came to be; kept with it.
    type: str
    default: deploy
  install_limit_s:
    description:
      - Seconds within which each artifact must be here.
    type: int
    default: 600
  drain_limit_s:
    description:
      - Seconds that containers of an excluded node may go on, when the ResourceManager reads its lists again.
    type: int
    default: 600
  prune:
    description:
      - Take away what the spec no longer has, accounts of users and units, configuration and links of services.
        Their data stays.
    type: bool
    default: false
  removed_services:
    description:
      - Services that the new revision of the spec may lack although the newest one has them.
    type: list
    elements: str
attributes:
  check_mode:
    description: Reports what would change, where there is something to change.
    support: full
  diff_mode:
    description: Shows changed files.
    support: full
"""

EXAMPLES = r"""
- name: Install and configure
  emr.cluster.configure:
    why: create
"""

RETURN = r"""
installed:
  description: Artifacts installed by this run, with the place that each came from.
  type: dict
  returned: when there is something to tell
changed_files:
  description: Files that changed.
  type: list
  elements: str
  returned: when there is something to tell
changed_keys:
  description: Keys that changed, by file.
  type: dict
  returned: when there is something to tell
emr_storage:
  description: State of each storage directory, by component.
  type: dict
  returned: when there is something to tell
"""
