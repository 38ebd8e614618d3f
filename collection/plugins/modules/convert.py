# Copyright (c) the emr.cluster authors
# Apache License 2.0 (see LICENSE or https://www.apache.org/licenses/LICENSE-2.0)
"""Documentation of the action plugin of the same name; on the node it runs the module ``node``."""

from __future__ import annotations

DOCUMENTATION = r"""
module: convert
short_description: Make the daemons of the only master those of the first of several
version_added: 0.1.0
description:
  - On the control node of a cluster that becomes highly available. One daemon after the other stops, gives what it knows to those that keep
    it for several, and starts again as one of them. Files and programs wait meanwhile, for seconds.
  - The daemons by which several agree serve on all masters before (M(emr.cluster.service) with O(emr.cluster.service#module:agreeing=true)).
  - A daemon that was converted is left as it is, so it may be run again after an interruption.
extends_documentation_fragment: [emr.cluster.attributes]
author:
  - The emr.cluster authors (@emr-cluster)
options: {}
"""

EXAMPLES = r"""
- name: Make the only master the first of several
  emr.cluster.convert:
"""

RETURN = r"""
paused:
  description: Seconds for which each daemon was away.
  type: dict
  returned: always
"""
