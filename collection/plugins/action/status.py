"""Read the state of a node's daemons: options of the module ``status``."""
from __future__ import annotations

from ansible_collections.emr.cluster.plugins.module_utils.services.registry import ANSWERING
from ansible_collections.emr.cluster.plugins.plugin_utils.component_args import describe
from ansible_collections.emr.cluster.plugins.plugin_utils.node_action import NodeAction


class ActionModule(NodeAction):
    """See the module's documentation."""

    MODULE = "status"
    LOOKS = True

    def work(self, context, args):
        services = args.get("services") or context.services
        self.must_serve = bool(args.get("must_serve", False))
        return {"components": [describe(c, context) for c in context.components if c.service in services],
                "answers": context.answers(anywhere=False), "control": context.is_control_node}

    def after(self, context, result):
        down = [row for row in result.get("components") or [] if row["state"] != "running"] if self.must_serve else []
        if down:
            result.update(failed=True, msg="; ".join(f"{row['component']} of {context.host} is {row['state']}: {row['detail'] or 'no detail'}"
                                                     for row in down))
        if not result.get("failed") and not result.get("unreachable"):
            result.setdefault("ansible_facts", {})["emr_status"] = {
                key: result.get(key) for key in ("components", *ANSWERING, "spec_text", "backup", "restored", "work")}
