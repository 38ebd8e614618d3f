"""Make the daemons of the only master those of the first of several. See the module's documentation."""
from __future__ import annotations

from ansible_collections.emr.cluster.plugins.module_utils.services.registry import COMPONENTS
from ansible_collections.emr.cluster.plugins.plugin_utils.component_args import describe, having
from ansible_collections.emr.cluster.plugins.plugin_utils.node_action import NodeAction

LIMIT_S = 600


class ActionModule(NodeAction):
    """On the control node alone, while the daemons by which several agree serve on all masters."""

    MODULE = "convert"

    def work(self, context, args):
        rows = [row for row in context.components if row.becomes or row.elects]
        return {"components": [describe(row, context) for row in rows], "cluster_id": context.topology.cluster_id, "limit_s": LIMIT_S,
                "answers": {service: url for service, url in context.answers().items() if service in {row.service for row in rows}},
                "others": {row.name: others_have(context, row) for row in rows if row.marked}}

    def after(self, context, result):
        if not result.get("failed"):
            result["emr_result"] = {"paused": result.get("paused") or {}}


def others_have(context, row) -> bool:
    """Whether another node has the data of this daemon, as far as this run has looked."""
    return any(name != context.host for name in having(context, COMPONENTS[row.name]))
