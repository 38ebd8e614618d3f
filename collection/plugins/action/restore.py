"""Restore a NameNode's metadata from a backup: options of the operation ``restore``, and the way of a copy to the master."""
from __future__ import annotations

import os

from ansible import constants

from ansible_collections.emr.cluster.plugins.module_utils.domain.backup import places as backups
from ansible_collections.emr.cluster.plugins.module_utils.domain.daemons import units
from ansible_collections.emr.cluster.plugins.module_utils.domain.errors import EmrError, Refused
from ansible_collections.emr.cluster.plugins.module_utils.services.registry import COMPONENTS
from ansible_collections.emr.cluster.plugins.plugin_utils.context import plain, who
from ansible_collections.emr.cluster.plugins.plugin_utils.node_action import NodeAction, keep

# step -> where it runs
STEPS = {"look": "master", "fetch": "keeper", "place": "master", "scan": "slave", "edits": "master", "report": "master",
         "accept": "master", "restored": "slave", "finish": "master"}


class ActionModule(NodeAction):
    """See the module's documentation. Each step is a task of its own, since each runs on other nodes."""

    MODULE = "restore"
    TRANSFERS_FILES = True
    REFUSES = True

    def work(self, context, args):
        self.args = plain(args)
        self.step = str(self.args.get("step"))
        if self.step not in STEPS:
            raise Refused(f"restore: unknown step {self.step!r}", f"Steps: {', '.join(STEPS)}")
        if "hdfs" not in context.services:
            raise Refused("this cluster has no HDFS", "There is nothing to restore")
        if context.count("namenode") > 1:
            raise Refused("this cluster has several NameNodes, and copies of their metadata are not made or restored yet",
                          "Each of them has all of it: start one that lives, and the others take it over")
        if not self._mine(context):
            return {"result": {"changed": False}}
        return getattr(self, "_" + self.step)(context)

    def _mine(self, context) -> bool:
        where = STEPS[self.step]
        if where == "master":
            return context.is_control_node
        return context.node.role == "slave" and (where == "slave" or context.host == self._chosen(context)["host"])

    def _chosen(self, context) -> dict:
        """The copy to restore, with the node that has it. Raises Refused when there is none such."""
        wanted = str(self.args.get("from") or "latest").removeprefix("oss:")
        found = [dict(row, host=node.name) for node in context.topology.with_role("slave")
                 for row in context.fact("emr_backups", node.name) or []
                 if row["cluster_id"] == context.topology.cluster_id]
        found.sort(key=lambda row: (row["began"], row["txid"]))
        named = found if wanted == "latest" else [row for row in found if row["id"] == wanted]
        if not named:
            have = ", ".join(row["id"] for row in found[::-1][:5]) or "none"
            raise Refused(f"there is no backup {wanted} of this cluster on its slaves", f"There are: {have}")
        return named[-1]

    def _base(self, context, **more) -> dict:
        return {"step": self.step, "namenode": context.url("namenode"), "limit_s": int(self.args.get("limit_s", 600)),
                "datanodes": context.count("datanode"), "who": who(), **more}

    def _look(self, context):
        return self._base(context, dirs=units.storage_dirs("namenode", context.effective))

    def _fetch(self, context):
        chosen = self._chosen(context)
        self.remote = self._temporary("backup.tar")
        return {"step": "fetch", "root": backups.root_of(context.node), "id": chosen["id"], "archive": self.remote}

    def _place(self, context):
        chosen = self._chosen(context)
        local = self._local(chosen["id"])
        if not os.path.isfile(local):
            raise EmrError(f"the backup {chosen['id']} of {chosen['host']} did not reach the controller")
        remote = self._temporary("backup.tar")
        self._transfer_file(local, remote)
        return self._base(context, archive=remote, id=chosen["id"], cluster_id=context.topology.cluster_id,
                          dirs=units.storage_dirs("namenode", context.effective),
                          log_file=units.log_file(COMPONENTS["namenode"]))

    def _scan(self, context):
        image = context.fact("emr_restored_image", context.topology.control_node.name)
        return self._base(context, dirs=units.storage_dirs("datanode", context.effective), **image)

    def _edits(self, context):
        seen = [context.fact("emr_changed_blocks", node.name) or [] for node in context.topology.with_role("slave")]
        if not any(seen):
            return {"result": {"changed": False}}
        return self._base(context, dirs=units.storage_dirs("namenode", context.effective), changed=seen,
                          log_file=units.log_file(COMPONENTS["namenode"]))

    def _report(self, context):
        slaves = context.topology.with_role("slave")
        return self._base(context, answering=sum(context.fact("emr_changed_blocks", node.name) is not None for node in slaves))

    def _accept(self, context):
        return self._base(context, delete=bool(self.args.get("delete", True)),
                          without=bool(self.args.get("without", False)))

    def _restored(self, context):
        record = context.fact("emr_accepted", context.topology.control_node.name) or {}
        if not record:
            raise EmrError("no restore was accepted in this run")
        return self._base(context, root=backups.root_of(context.node), txid=record["txid"])

    def _finish(self, context):
        return self._base(context)

    def _temporary(self, name: str) -> str:
        if not self._connection._shell.tmpdir:
            self._make_tmp_path()
        return self._connection._shell.join_path(self._connection._shell.tmpdir, name)

    @staticmethod
    def _local(copy_id: str) -> str:
        """Where the copy lies on the controller on its way: in ansible-playbook's own private folder, gone when it ends."""
        return os.path.join(constants.DEFAULT_LOCAL_TMP, f"{copy_id}.tar")

    def after(self, context, result):
        if result.get("failed") or result.get("unreachable"):
            return
        if result.get("refusal"):
            result.update(failed=True, emr_refused=True, msg="nothing was restored: " + result["refusal"])
            return
        if self.step == "fetch":
            self._connection.fetch_file(self.remote, self._local(self._chosen(context)["id"]))
        elif self.step == "place":
            os.unlink(self._local(self._chosen(context)["id"]))
            result["emr_restored_image"] = result["image"]
            keep(result, "emr_restored_image")
        elif self.step == "scan":
            result["emr_changed_blocks"] = result.pop("blocks")
            keep(result, "emr_changed_blocks")
            result["emr_result"] = {"since": {context.host: result["since"]}}
        elif self.step == "edits":
            result["emr_result"] = {"appended": result["appended"]}
        elif self.step == "report":
            result["emr_result"] = {"name": context.topology.cluster, "restore": result["report"]}
        elif self.step == "accept":
            result["emr_accepted"] = {"txid": result["accepted"]["from"]["txid"]}
            keep(result, "emr_accepted")
            result["emr_result"] = {"name": context.topology.cluster, "accepted": result["accepted"]}
