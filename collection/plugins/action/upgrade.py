"""Tell services that their software changes to another release: look what an upgrade may do, begin it, finish it. See the module's documentation."""
from __future__ import annotations

from ansible.utils.display import Display

from ansible_collections.emr.cluster.plugins.module_utils.domain.spec.model import spec_from_dict
from ansible_collections.emr.cluster.plugins.module_utils.domain.upgrade import rules
from ansible_collections.emr.cluster.plugins.plugin_utils.context import plain
from ansible_collections.emr.cluster.plugins.plugin_utils.node_action import NodeAction

# Seconds for an image of the metadata: a NameNode writes some hundred MB a second.
LIMIT_S = 900
FACT = "emr_upgrade"


class ActionModule(NodeAction):
    """``phase``: look (before any change), prepare (before any daemon runs other software), finish (let go of the way back)."""

    MODULE = "upgrade"

    def work(self, context, args):
        self.phase, revision = args["phase"], plain(args.get("revision") or {})
        self.REFUSES = self.phase in ("look", "finalize")
        if not context.is_control_node:
            return {"result": {"changed": False}}
        answers = context.answers()
        if self.phase == "look":
            self.asked = (spec_from_dict(revision["before"]), spec_from_dict(revision["spec"]), revision["upgrade"])
            # The run has no nodes of its own yet: addresses are those of the spec that the cluster is made by.
            return {"phase": "look", "answers": answers, "limit_s": LIMIT_S}
        if self.phase == "finalize":
            states = self.step({"phase": "look", "answers": answers, "limit_s": LIMIT_S})["upgrade"]
            if not rules.check_finished(context.spec, states):
                return {"result": {"changed": False, "emr_result": {"finalised": [], "release": context.spec.release}}}
            return {"phase": "finish", "answers": {service: answers[service] for service in states}, "limit_s": LIMIT_S}
        states = context.fact(FACT) or {}
        needed = rules.lagging(context.spec, states) if self.phase == "prepare" else states
        if not needed:
            return {"result": {"changed": False}}
        return {"phase": self.phase, "answers": {service: answers[service] for service in needed}, "limit_s": LIMIT_S}

    def after(self, context, result):
        if result.get("failed"):
            return
        if self.phase == "look":
            states = result.pop("upgrade")
            rules.check(*self.asked, states)
            result.setdefault("ansible_facts", {})[FACT] = states
        for change in result.get("changes", []):
            Display().display(f"emr: {context.host}: {change}")
        if self.phase == "finalize":
            result["emr_result"] = {"finalised": result.get("changes", []), "release": context.spec.release}
