# Copyright (c) the emr.cluster authors
# Apache License 2.0 (see LICENSE or https://www.apache.org/licenses/LICENSE-2.0)
"""Buy what is missing of a cluster, and wait until its nodes answer."""
from __future__ import annotations

from ansible_collections.emr.cluster.plugins.plugin_utils.cloud_action import NO_SPEC, CloudAction


class ActionModule(CloudAction):
    """See the module's documentation."""

    NEEDS_SPEC = NO_SPEC

    def perform(self, arguments, spec, operation):
        from ansible_collections.emr.cluster.plugins.plugin_utils import bootstrap_scripts, secrets_given
        from ansible_collections.emr.cluster.plugins.plugin_utils.purchasing import planned, purchased

        secrets_given.check_new(spec, operation)
        if arguments["plan_only"]:
            return planned(arguments, spec, operation)
        bootstrap_scripts.check_new(spec, operation, arguments.get("spec_file"))
        return purchased(arguments, spec, operation)
