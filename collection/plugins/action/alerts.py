"""Alerts of now: asks the program for figures on the control node, in one run over SSH."""
from __future__ import annotations

from ansible_collections.emr.cluster.plugins.module_utils.domain import paths
from ansible_collections.emr.cluster.plugins.plugin_utils.node_action import NodeAction
from ansible_collections.emr.cluster.plugins.plugin_utils.resident_calls import call

NONE = ("the cluster keeps no figures, so it has no alerts", "Run: emrctl service add NAME monitoring")


class ActionModule(NodeAction):
    """See the module's documentation."""

    MODULE = "alerts"
    REFUSES = True

    def work(self, context, args):
        if not context.is_control_node:
            return {"result": {"changed": False}}
        found = call(self, "alerts", {}, program=paths.FIGURES_PROGRAM, absent=NONE)
        return {"result": {**found, "emr_result": {key: found[key] for key in ("alerts", "rules", "passed_on")}}}
