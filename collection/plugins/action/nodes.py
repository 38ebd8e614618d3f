# Copyright (c) the emr.cluster authors
# Apache License 2.0 (see LICENSE or https://www.apache.org/licenses/LICENSE-2.0)
"""The nodes of a cluster, and the control node by itself: where the spec of a cluster that was once deployed can be read."""
from __future__ import annotations

from ansible_collections.emr.cluster.plugins.plugin_utils import node_cache
from ansible_collections.emr.cluster.plugins.plugin_utils.cloud_action import CloudAction


class ActionModule(CloudAction):
    """See the module's documentation."""

    def locks(self, arguments):
        return bool(arguments.get("lock")) and not arguments["plan_only"]

    def recall(self, arguments):
        return node_cache.recall(arguments)

    def perform(self, arguments, spec, operation):
        from ansible_collections.emr.cluster.plugins.plugin_utils.operations import nodes_of, reader_of, ready

        found = None
        if arguments.get("may_be_stopped"):
            found = operation.found()
            if not any(i.get("Status") == "Running" for i in found.instances):
                return {"nodes": [], "reader": [], "emr_result": {"name": found.name}}
        found = operation.known() if arguments.get("may_be_missing") else operation.running(found)
        result = {**nodes_of(operation, found), "reader": reader_of(operation, ready(found))}
        if not arguments.get("lock") and not arguments.get("may_be_stopped"):
            node_cache.keep(operation, arguments, result)
        return result
