"""Ask the control node when the cluster last worked: options of the module's operation ``activity``."""
from __future__ import annotations

from ansible.module_utils.parsing.convert_bool import boolean

from ansible_collections.emr.cluster.plugins.plugin_utils.node_action import NodeAction


class ActionModule(NodeAction):
    """See the module's documentation."""

    MODULE = "activity"

    def work(self, context, args):
        if not context.is_control_node:
            return {"result": {"changed": False}}
        return {"look_only": boolean(args.get("look_only", False)),
                "answers": context.answers()}
