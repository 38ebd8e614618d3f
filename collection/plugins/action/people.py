"""Users of the cluster: what is known of them, and their or a removed service's data, deleted after a confirmation."""
from __future__ import annotations

from ansible_collections.emr.cluster.plugins.module_utils.cloud.cluster import removal
from ansible_collections.emr.cluster.plugins.module_utils.domain.errors import Refused
from ansible_collections.emr.cluster.plugins.module_utils.domain.people import accounts as people
from ansible_collections.emr.cluster.plugins.plugin_utils.component_args import file_system
from ansible_collections.emr.cluster.plugins.plugin_utils.context import plain
from ansible_collections.emr.cluster.plugins.plugin_utils.node_action import NodeAction


class ActionModule(NodeAction):
    """See the module's documentation."""

    MODULE = "people"

    def work(self, context, args):
        args = plain(args)
        self.op = args.get("op", "list")
        if self.op == "delete":
            return self._delete(context, str(args.get("user") or ""), str(args.get("service") or ""))
        if not context.is_control_node:
            return {"result": {"changed": False}}
        quotas = {row["name"]: row["quota"] for row in people.homes(context.spec)}
        users = [{**row, "queue": context.spec.users[row["name"]].queue or people.DEFAULT_QUEUE,
                  "space_quota": quotas.get(row["name"], -1)} for row in people.accounts(context.spec)]
        return {"op": "list", "users": users, "file_system": file_system(context), "answers": context.answers()}

    @staticmethod
    def _delete(context, user, service) -> dict:
        """Options for the data of one user or service that the newest spec no longer has."""
        shared, local = [], []
        if user:
            if user in context.spec.users or user == people.JOB_USER:
                raise Refused(f"{user} is a user of the cluster; their data is not deleted", "Remove the user first")
            people.check_name(user)
            shared, local = [f"/user/{user}"], [f"/home/{user}"]
        if service:
            if service in context.services or not removal.deletable(service):
                raise Refused(f"{service} is in use or holds everybody's data; it is not deleted", "Remove the service "
                              "first; only release deletes the blocks of HDFS")
            shared, local = removal.hdfs_data(service), removal.local_data(service, context.node)
        base = file_system(context)
        return {"op": "delete", "paths": shared if base and context.is_control_node else [], "local": local, "file_system": base}

    def after(self, context, result):
        if self.op == "list" and "users" in result:
            result["emr_result"] = {"users": result["users"]}
        elif result.get("deleted"):
            result["emr_result"] = {"deleted": {context.host: result["deleted"]}}
