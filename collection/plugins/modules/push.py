# Copyright (c) the emr.cluster authors
# Apache License 2.0 (see LICENSE or https://www.apache.org/licenses/LICENSE-2.0)
"""Documentation of the action plugin of the same name; it runs no module."""

from __future__ import annotations

DOCUMENTATION = r"""
module: push
short_description: Give the control node the files that only the controller has
version_added: 0.1.0
description:
  - Copies the release's tarballs that no mirror gives from the controller's cache to C(/var/cache/emr) of the host, over the
    connection of the task. The other nodes take them from there when they are configured.
  - What is there already is not sent again; an interrupted copy goes on where it was. A file counts when its SHA-512 is right.
  - Which files those are was found out when the cluster was planned. For hosts that were not bought the sources are asked now.
extends_documentation_fragment: [emr.cluster.attributes]
author:
  - The emr.cluster authors (@emr-cluster)
"""

EXAMPLES = r"""
- name: Push the software
  emr.cluster.push:
"""

RETURN = r"""
pushed:
  description: Names of the files that were sent, or in check mode would be.
  type: list
  elements: str
  returned: always
"""
