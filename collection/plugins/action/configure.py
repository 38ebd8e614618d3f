"""Configure a node: everything is computed and rendered here, the module only writes it."""
from __future__ import annotations

import yaml

from ansible_collections.emr.cluster.plugins.module_utils import render, units
from ansible_collections.emr.cluster.plugins.plugin_utils.context import who
from ansible_collections.emr.cluster.plugins.plugin_utils.node_action import NodeAction, keep


class ActionModule(NodeAction):
    """See the module's documentation."""

    MODULE = "configure"
    OPTIONS = ("why",)

    def work(self, context, args):
        spec, topology, node = context.spec, context.topology, context.node
        effective = context.effective
        versions = {a["name"]: a["sha512"] for a in context.artifacts(node.role)}
        rows = units.node_units(node, context.services, effective, topology.cluster, context.java_home, versions)
        files = render.render_conf(effective, spec, topology, node)
        return {"files": files + units.unit_files(rows), "units": [row["unit"] for row in rows],
                "directories": units.node_directories(node, context.services, effective),
                "storage": {c.name: units.storage_dirs(c.name, effective) for c in context.components
                            if c.service == "hdfs"},
                "revision": self._revision(context, args) if node.role == "master" else {}}

    @staticmethod
    def _revision(context, args):
        text = yaml.safe_dump(context.spec.to_dict(), sort_keys=False, allow_unicode=True)
        return {"text": text, "digest": context.spec.digest(), "who": who(), "why": str(args.get("why") or "deploy")}

    def after(self, context, result):
        keep(result, "emr_storage")
