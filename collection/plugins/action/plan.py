# Copyright (c) the emr.cluster authors
# Apache License 2.0 (see LICENSE or https://www.apache.org/licenses/LICENSE-2.0)
"""What a spec would change, and what that costs; changes nothing."""
from __future__ import annotations

from ansible_collections.emr.cluster.plugins.plugin_utils.cloud_action import NO_SPEC, CloudAction


class ActionModule(CloudAction):
    """See the module's documentation."""

    NEEDS_SPEC = NO_SPEC

    def locks(self, arguments):
        return False

    def perform(self, arguments, spec, operation):
        from ansible_collections.emr.cluster.plugins.plugin_utils.purchasing import planned

        return planned(arguments, spec, operation)
