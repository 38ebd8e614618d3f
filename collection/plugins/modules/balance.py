# Copyright (c) the emr.cluster authors
# Apache License 2.0 (see LICENSE or https://www.apache.org/licenses/LICENSE-2.0)
"""Documentation of the action plugin of the same name; on the node it runs the module ``node``."""

from __future__ import annotations

DOCUMENTATION = r"""
module: balance
short_description: Spread the blocks of HDFS evenly over the DataNodes
version_added: 0.1.0
description:
  - Runs HDFS's balancer as a unit of its own on the control node and tells how far it is. When the caller goes away, it goes
    on; called again, it is waited for.
extends_documentation_fragment: [emr.cluster.attributes]
author:
  - The emr.cluster authors (@emr-cluster)
options:
  threshold:
    description:
      - Percent by which the use of a DataNode may differ from the mean.
    type: int
    default: 10
  limit_s:
    description:
      - Seconds after which the balancer is ended, however far it is.
    type: int
    default: 3600
  stop:
    description:
      - End a balancer that runs.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Spread the blocks, for an hour at most
  emr.cluster.balance:
    threshold: 5
    limit_s: 3600
"""

RETURN = r"""
spread:
  description: How full each DataNode is in the end, in percent.
  type: list
  elements: dict
  returned: always
"""
