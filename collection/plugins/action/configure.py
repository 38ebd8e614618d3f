"""Install and configure a node: everything is computed and rendered here, the module only fetches and writes."""
from __future__ import annotations

import yaml

from ansible_collections.emr.cluster.plugins.module_utils import render, units
from ansible_collections.emr.cluster.plugins.plugin_utils.context import who
from ansible_collections.emr.cluster.plugins.plugin_utils.node_action import NodeAction, keep

# The first master serves artifacts to the other nodes here, for so many seconds.
PORT, SERVE_LIMIT_S = 8099, 900


class ActionModule(NodeAction):
    """See the module's documentation."""

    MODULE = "configure"
    OPTIONS = ("why", "install_limit_s")

    def work(self, context, args):
        spec, topology, node = context.spec, context.topology, context.node
        effective = context.effective
        versions = {a["name"]: a["sha512"] for a in context.artifacts(node.role)}
        rows = units.node_units(node, context.services, effective, topology.cluster, context.java_home, versions)
        files = render.render_conf(effective, spec, topology, node)
        return {"install": self._install(context, args), "files": files + units.unit_files(rows), "units": [row["unit"] for row in rows],
                "directories": units.node_directories(node, context.services, effective),
                "storage": {c.name: units.storage_dirs(c.name, effective) for c in context.components
                            if c.service == "hdfs"},
                "revision": self._revision(context, args) if node.role == "master" else {}}

    @staticmethod
    def _revision(context, args):
        text = yaml.safe_dump(context.spec.to_dict(), sort_keys=False, allow_unicode=True)
        return {"text": text, "digest": context.spec.digest(), "services": list(context.services), "who": who(),
                "why": str(args.get("why") or "deploy")}

    @staticmethod
    def _install(context, args) -> dict:
        """What to install and from where; nothing when all is there. The first master takes part as long as anybody
        lacks something, because it serves the others."""
        played = context.vars.get("ansible_play_hosts_all", [])
        first = context.topology.first_master
        lacking = [n.name for n in context.topology.nodes if n.name in played and lacks(context, n)]
        serve = context.host == first.name
        if context.host not in lacking and not (serve and lacking):
            return {}
        return {"artifacts": context.artifacts(context.node.role), "limit_s": int(args.get("install_limit_s", 600)),
                "peer": "" if serve or first.name not in played else f"http://{first.address}:{PORT}",
                "serve_address": first.address if serve and lacking != [first.name] else "", "serve_port": PORT,
                "serve_limit_s": SERVE_LIMIT_S}

    def after(self, context, result):
        keep(result, "emr_storage")


def lacks(context, node) -> bool:
    """Whether a node has other artifacts than the release says, as its facts tell."""
    installed = (context.fact("emr_node", node.name) or {}).get("installed", {})
    return any(installed.get(a["name"]) != a["sha512"] for a in context.artifacts(node.role))
