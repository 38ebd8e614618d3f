"""Prepare a node: options of the module ``host`` from the topology."""
from __future__ import annotations

from ansible.module_utils.parsing.convert_bool import boolean

from ansible_collections.emr.cluster.plugins.module_utils.cloud.cluster.operation import READY
from ansible_collections.emr.cluster.plugins.module_utils.domain.daemons import units
from ansible_collections.emr.cluster.plugins.plugin_utils import interpreter
from ansible_collections.emr.cluster.plugins.plugin_utils.node_action import NodeAction, keep


class ActionModule(NodeAction):
    """See the module's documentation."""

    MODULE = "host"
    ONCE = True

    def work(self, context, args):
        self.refuse_until_bought(context)
        found = options(context, args)
        if is_new(context) and not self._task.check_mode:
            interpreter.ensure(self)
        return found

    def after(self, context, result):
        keep(result, "emr_node")


def options(context, args) -> dict:
    """Options of the operation ``host`` for this node; also for those who compare or repair one."""
    topology, node = context.topology, context.node
    # What cannot be installed or placed is refused before any node is touched.
    context.artifacts(node.role)
    return {"hostname": node.name if args.get("set_hostname", True) else "",
            "own": {"name": node.name, "address": node.address},
            "hosts": [{"name": n.name, "address": n.address, "role": n.role} for n in topology.nodes],
            # Who else is in the cluster the node itself knows, and tells: it is asked before anything is rendered.
            "keep_recorded": not context.found_by_play, "removed": gone(context),
            "users": units.service_users(), "directories": units.base_directories(),
            "bootstrap": context.bootstrap("before_install"),
            "disks": [{"serial": disk.serial} for disk in node.disks],
            "memory_mib": int(context.get(node.name, "emr_memory_mib", 0)),
            "java_packages": list(args.get("java_packages") or [])}


def is_new(context) -> bool:
    """Whether this is a bought node that was never deployed. Of other hosts nothing is known: they get the first step when it proves
    to be missing.
    """
    node = context.node
    return bool(node.instance_id) and READY not in context.get(node.name, "emr_tags", {})


def gone(context) -> list:
    """Names of hosts that have left. One that is still to be drained keeps its name, or the NameNode could not know it by that."""
    released = boolean(context.vars.get("emr_released") or False)
    return sorted(context.removed) if released and not context.found_by_play else []
