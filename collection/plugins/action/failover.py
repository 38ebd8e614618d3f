"""Have other nodes take over what is active on one: look who is, and hand over. See the module's documentation."""
from __future__ import annotations

from ansible_collections.emr.cluster.plugins.module_utils.domain.errors import Refused
from ansible_collections.emr.cluster.plugins.module_utils.services.registry import COMPONENTS, HOMES
from ansible_collections.emr.cluster.plugins.plugin_utils.component_args import describe, peers
from ansible_collections.emr.cluster.plugins.plugin_utils.node_action import NodeAction

LIMIT_S = 120


class ActionModule(NodeAction):
    """``phase``: look (on the control node), then go (on every master)."""

    MODULE = "failover"
    REFUSES = True

    def work(self, context, args):
        self.phase, answers = args.get("phase", "go"), {service: url for service, url in context.answers().items() if "," in url}
        if not answers:
            raise Refused(f"cluster {context.topology.cluster} has one master, and nobody who could take over", "A cluster is created with one master "
                          "or with three: node_groups.master.count")
        if self.phase == "look":
            return {"phase": "look", "answers": answers, "components": [], "peers": {}, "names": {}, "hosts": [context.host], "limit_s": LIMIT_S}
        active = context.fact("emr_active", context.control) or {}
        rows = [COMPONENTS[HOMES[service].answers] for service in answers if active.get(service) == context.host]
        if not rows:
            return {"result": {"changed": False}}
        return {"phase": "go", "answers": {row.service: answers[row.service] for row in rows}, "components": [describe(row, context) for row in rows],
                "hosts": [context.host, context.node.address], "limit_s": LIMIT_S, **peers(context, rows)}

    def after(self, context, result):
        if self.phase != "look" or result.get("failed"):
            return
        before, now = context.fact("emr_active"), {}
        for service, states in (result.pop("states", None) or {}).items():
            nodes = {row.url: row.host for row in context.topology.endpoints(COMPONENTS[HOMES[service].answers])}
            now[service] = next((nodes[url] for url, state in states.items() if state == "active"), "")
        result.setdefault("ansible_facts", {})["emr_active"] = now
        if before is not None:
            result["emr_result"] = {"active": {service: {"from": before.get(service, ""), "to": node} for service, node in now.items()}}
