# Copyright (c) the emr.cluster authors
# Apache License 2.0 (see LICENSE or https://www.apache.org/licenses/LICENSE-2.0)
"""Start or stop the instances of a cluster."""
from __future__ import annotations

from ansible.utils.unsafe_proxy import wrap_var

from ansible_collections.emr.cluster.plugins.plugin_utils.cloud_action import CloudAction
from ansible_collections.emr.cluster.plugins.plugin_utils.operations import nodes_of


class ActionModule(CloudAction):
    """See the module's documentation."""

    def perform(self, arguments, spec, operation):
        if arguments["plan_only"] or arguments.get("must_save"):
            found = operation.found()
            if arguments.get("must_save"):
                operation.require_saving(found)
            if arguments["plan_only"]:
                return {"emr_result": {"name": found.name}}
        if arguments.get("state", "started") == "started":
            return nodes_of(operation, operation.start())
        # Nobody has to reach instances that are stopped, and they may have no public address any more.
        found, charged = operation.stop()
        states = [{"name": i["InstanceName"], "state": i.get("Status", ""), "stopped_mode": i.get("StoppedMode", "")}
                  for i in found.instances]
        return {"emr_result": {"name": found.name, "nodes": wrap_var(states), "charging": wrap_var(charged)}}
