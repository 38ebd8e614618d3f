"""Install artifacts: options of the module ``install`` from spec and release; no module run when all is there."""
from __future__ import annotations

from ansible_collections.emr.cluster.plugins.plugin_utils.node_action import NodeAction

PORT = 8099


class ActionModule(NodeAction):
    """See the module's documentation."""

    MODULE = "install"
    OPTIONS = ("limit_s",)

    def work(self, context, args):
        first = context.topology.first_master
        lacking = [n.name for n in context.topology.nodes if n.name in self._played(context) and self._lacks(context, n)]
        # The first master takes part as long as anybody lacks something, because it serves the others.
        if context.host not in lacking and not (context.host == first.name and lacking):
            return {"result": {"changed": False, "installed": []}}
        serve = context.host == first.name
        return {"artifacts": context.artifacts(context.node.role), "limit_s": int(args.get("limit_s", 600)),
                "peer": "" if serve or first.name not in self._played(context) else f"http://{first.address}:{PORT}",
                "serve_address": first.address if serve else "", "serve_port": PORT}

    @staticmethod
    def _played(context):
        return context.vars.get("ansible_play_hosts_all", [])

    @staticmethod
    def _lacks(context, node) -> bool:
        installed = (context.fact("emr_node", node.name) or {}).get("installed", {})
        return any(installed.get(a["name"]) != a["sha512"] for a in context.artifacts(node.role))
