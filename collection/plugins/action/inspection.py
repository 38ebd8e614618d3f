# Copyright (c) the emr.cluster authors
# Apache License 2.0 (see LICENSE or https://www.apache.org/licenses/LICENSE-2.0)
"""Everything that carries the cluster's tag, whatever is wrong with it."""
from __future__ import annotations

from ansible.utils.unsafe_proxy import wrap_var

from ansible_collections.emr.cluster.plugins.module_utils.cloud.cluster.inspection import inspect
from ansible_collections.emr.cluster.plugins.module_utils.cloud.ecs.power import standing_price, still_charged
from ansible_collections.emr.cluster.plugins.plugin_utils.cloud_action import CloudAction
from ansible_collections.emr.cluster.plugins.plugin_utils.operations import nodes_of


class ActionModule(CloudAction):
    """See the module's documentation."""

    def locks(self, arguments):
        return bool(arguments.get("lock")) and not arguments["plan_only"]

    def perform(self, arguments, spec, operation):
        seen = inspect(operation.client, operation.name)
        found, standing = seen.found, {}
        result = nodes_of(operation, found)
        if found.instances and all(i.get("Status") == "Stopped" for i in found.instances):
            rows = [{"name": i["InstanceName"], "state": i["Status"], "stopped_mode": i.get("StoppedMode", ""),
                     "instance_type": i.get("InstanceType", "")} for i in found.instances]
            standing = wrap_var({"nodes": rows, "charging": still_charged(found.instances),
                                 "price": standing_price(operation.client, found.instances)})
        if found.anchor and found.anchor.warned:
            result["emr_result"]["warned"] = wrap_var(found.anchor.warned)
        return {**result, "inspection": wrap_var(seen.to_dict()), "unfinished": wrap_var(seen.unfinished() or {}), "standing": standing}
