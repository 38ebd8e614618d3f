# Copyright (c) the emr.cluster authors
# Apache License 2.0 (see LICENSE or https://www.apache.org/licenses/LICENSE-2.0)
"""Take or give back the lock of a cluster."""
from __future__ import annotations

from ansible_collections.emr.cluster.plugins.module_utils.domain.errors import Refused
from ansible_collections.emr.cluster.plugins.plugin_utils.cloud_action import NO_SPEC, CloudAction


class ActionModule(CloudAction):
    """See the module's documentation."""

    FOLLOWS = True

    def locks(self, arguments):
        return arguments.get("state", "held") == "held" and not arguments.get("deployed") and not arguments["plan_only"]

    def perform(self, arguments, spec, operation):
        if arguments["plan_only"]:
            return {}
        if arguments.get("deployed"):
            if spec is None:
                raise Refused(*NO_SPEC)
            operation.settle(spec)
        return {"unlocked": operation.unlock() if arguments.get("state") == "free" else False}
