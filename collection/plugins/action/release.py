# Copyright (c) the emr.cluster authors
# Apache License 2.0 (see LICENSE or https://www.apache.org/licenses/LICENSE-2.0)
"""Give back everything that was bought for a cluster."""
from __future__ import annotations

from ansible_collections.emr.cluster.plugins.module_utils.cloud.cluster.teardown import release_plan
from ansible_collections.emr.cluster.plugins.plugin_utils.cloud_action import CloudAction


class ActionModule(CloudAction):
    """See the module's documentation."""

    def perform(self, arguments, spec, operation):
        if arguments["plan_only"]:
            plan = release_plan(operation.to_release())
            return {"plan": plan, "emr_result": {"name": operation.name, "plan": plan}}
        plan, counts = operation.release()
        operation.unlock()
        return {"plan": plan, "emr_result": {"name": operation.name, "plan": plan, "released": counts}}
