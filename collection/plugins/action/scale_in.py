# Copyright (c) the emr.cluster authors
# Apache License 2.0 (see LICENSE or https://www.apache.org/licenses/LICENSE-2.0)
"""Release the instances of nodes that left their cluster: they were drained, or do not run."""
from __future__ import annotations

from ansible_collections.emr.cluster.plugins.plugin_utils.cloud_action import CloudAction


class ActionModule(CloudAction):
    """See the module's documentation."""

    FOLLOWS = True

    def perform(self, arguments, spec, operation):
        gone = [] if arguments["plan_only"] else operation.release_nodes(arguments["nodes"], arguments.get("drained") or [])
        return {"released": gone, "emr_result": {"released": gone}}
