"""Backups of the NameNode's metadata: options of the operation ``backup`` on the slaves."""
from __future__ import annotations

from ansible_collections.emr.cluster.plugins.module_utils.domain.backup import places as backups
from ansible_collections.emr.cluster.plugins.module_utils.domain.errors import Refused
from ansible_collections.emr.cluster.plugins.plugin_utils.node_action import NodeAction


class ActionModule(NodeAction):
    """See the module's documentation."""

    MODULE = "backup"
    REFUSES = True

    def work(self, context, args):
        self.action = str(args.get("action", "list"))
        if self.action not in ("list", "now"):
            raise Refused(f"backup: unknown action {self.action!r}", "Actions: list, now")
        keeper = backups.holder(context.topology)
        if keeper is None or "hdfs" not in context.services:
            raise Refused("this cluster has no HDFS, so it has no metadata to back up", "Add the service hdfs first")
        if self.action == "now":
            if not context.spec.backup.enabled:
                raise Refused("the spec of this cluster has backups switched off", "Set backup.enabled in it")
            if context.host != keeper.name:
                return {"result": {"changed": False}}
        elif context.node.role != "slave":
            return {"result": {"changed": False}}
        wanted = str(args.get("bring") or "")
        # Only the node that makes the backups has what it takes to reach OSS.
        bring = wanted[len("oss:"):] if wanted.startswith("oss:") and context.host == keeper.name else ""
        return {"action": self.action, "bring": bring, "root": backups.root_of(context.node), "limit_s": int(args.get("limit_s", 3600))}

    def after(self, context, result):
        if result.get("failed") or result.get("unreachable") or "copies" not in result:
            return
        result.setdefault("ansible_facts", {})["emr_backups"] = result["copies"]
        found = {"copies": {context.host: result["copies"]}}
        if result.get("backup"):
            found["backup"] = result["backup"]
        if result.get("made"):
            found["made"] = result["made"]
        result["emr_result"] = {"name": context.topology.cluster, "keeper": backups.holder(context.topology).name, **found}
