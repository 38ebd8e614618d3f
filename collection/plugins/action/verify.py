"""Verify the cluster: options of the module ``verify``; runs on the control node only."""
from __future__ import annotations

from ansible_collections.emr.cluster.plugins.module_utils.domain.daemons import units
from ansible_collections.emr.cluster.plugins.module_utils.services.registry import COMPONENTS, homes
from ansible_collections.emr.cluster.plugins.plugin_utils.node_action import LOOK_S, NodeAction
from ansible_collections.emr.cluster.plugins.plugin_utils.run import run_id


class ActionModule(NodeAction):
    """See the module's documentation. ``depth``: full, counts, or auto (full when this run started something)."""

    MODULE = "verify"

    def work(self, context, args):
        if not context.is_control_node and not args.get("anywhere"):
            return {"result": {"changed": False}}
        depth = args.get("depth", "auto")
        full = depth == "full" or (depth == "auto" and any(self._changed(context, host) for host in context.hosts))
        limit_s, asked = int(args.get("limit_s", 600)), {home.name: home for home in homes(context.services) if home.answers}
        return {"answers": context.answers(), "members": {name: expected(context, home.members) if home.members else [] for name, home in asked.items()},
                "logs": {name: units.log_file(COMPONENTS[home.answers]) for name, home in asked.items()},
                "proofs": proofs(context, limit_s) if full else [], "limit_s": limit_s, "look_s": LOOK_S}

    @staticmethod
    def _changed(context, host) -> bool:
        started = context.fact("emr_started", host) or {}
        return bool(started.get("changed")) and started.get("run") == run_id()

    def after(self, context, result):
        if result.get("nodes"):
            result["emr_result"] = {service: told for service, told in result["nodes"].items() if told}
            result["emr_result"].update(name=context.topology.cluster, links=context.links(),
                                        services=list(context.services))


def expected(context, component: str) -> list:
    """Names of the nodes that run a component, without those that the playbook has given up (group ``emr_away``)."""
    away = set(context.vars["groups"].get("emr_away", []))
    return [n.name for n in context.topology.running(COMPONENTS[component]) if n.name not in away]


def proofs(context, limit_s: int) -> list:
    """What the services of the cluster need to know to show that they work, with writing, reading and computing."""
    environment = {"JAVA_HOME": context.java_home, "HADOOP_HOME": units.HADOOP_HOME, "HADOOP_CONF_DIR": units.HADOOP_CONF}
    return [{"service": home.name, "name": home.proof.name, "base": context.url(home.answers) if home.answers else "", "user": units.JOB_USER,
             "environment": environment, "limit_s": limit_s, **home.proof.options(context.release.version)}
            for home in homes(context.services) if home.proof]
