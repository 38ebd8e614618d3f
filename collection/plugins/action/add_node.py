# Copyright (c) the emr.cluster authors
# Apache License 2.0 (see LICENSE or https://www.apache.org/licenses/LICENSE-2.0)
"""The action plugin emr.cluster.add_node: one node of a cluster as a host of the following plays."""
from __future__ import annotations

from ansible import constants
from ansible.errors import AnsibleError
from ansible.plugins.action import ActionBase

from ansible_collections.emr.cluster.plugins.module_utils.domain.errors import EmrError
from ansible_collections.emr.cluster.plugins.plugin_utils.arguments import checked
from ansible_collections.emr.cluster.plugins.plugin_utils.given import given, plain


class ActionModule(ActionBase):
    """Like add_host, but takes the node whole: its variables need not be spelt out, nor templated as arguments."""

    TRANSFERS_FILES = False
    BYPASS_HOST_LOOP = True
    _requires_connection = False

    def run(self, tmp=None, task_vars=None):
        """A result that the strategy reads as a new host."""
        result = super().run(tmp, task_vars)
        node = self._task.args.get("node")
        try:
            groups = checked("add_node", {**self._task.args, "node": {}, "groups": plain(self._task.args.get("groups"))}).get("groups") or []
        except EmrError as error:
            raise AnsibleError(str(error)) from error
        if not isinstance(node, dict) or not {"name", "groups", "vars"} <= set(node):
            raise AnsibleError("add_node wants a node with name, groups and vars, as emr.cluster.nodes returns them")
        new = {"host_name": node["name"], "groups": [*node["groups"], *groups], "host_vars": {**_connection(node["vars"]), **node["vars"]}}
        if hasattr(self, "add_host"):
            # Since 2.21 a host is added by a call; before, the strategy reads it in the result.
            self.add_host(host_name=new["host_name"], parent_group_names=new["groups"], host_vars=new["host_vars"])
        result.update(changed=False, add_host=new)
        return result


def _connection(variables: dict) -> dict:
    """How work on the node is done, said here and in no play: over SSH (or what Ansible's configuration has in its place), as root."""
    there, user = given("ansible_user")
    return {"ansible_connection": constants.DEFAULT_TRANSPORT, "ansible_become": (user if there else variables.get("ansible_user") or "root") != "root"}
