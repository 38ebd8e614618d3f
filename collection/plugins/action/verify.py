"""Verify the cluster: options of the module ``verify``; runs on the control node only."""
from __future__ import annotations

from ansible_collections.emr.cluster.plugins.module_utils.domain.daemons import units
from ansible_collections.emr.cluster.plugins.module_utils.services.registry import COMPONENTS
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
        return {**work_options(context, int(args.get("limit_s", 600)), full), "look_s": LOOK_S, "resourcemanager": context.url("resourcemanager"),
                "datanodes": expected(context, "datanode"), "nodemanagers": expected(context, "nodemanager"),
                "manager_log": units.log_file(COMPONENTS["resourcemanager"])}

    @staticmethod
    def _changed(context, host) -> bool:
        started = context.fact("emr_started", host) or {}
        return bool(started.get("changed")) and started.get("run") == run_id()

    def after(self, context, result):
        if result.get("nodes"):
            result["emr_result"] = {key: result["nodes"][key] for key in ("hdfs", "yarn") if result["nodes"].get(key)}
            result["emr_result"].update(name=context.topology.cluster, links=context.links(),
                                        services=list(context.services))


def expected(context, component: str) -> list:
    """Names of the nodes that run a component, without those that the playbook has given up (group ``emr_away``)."""
    away = set(context.vars["groups"].get("emr_away", []))
    return [n.name for n in context.topology.running(COMPONENTS[component]) if n.name not in away]


def work_options(context, limit_s: int, full: bool = True) -> dict:
    """What writing, reading and computing for real needs to know."""
    environment = {"JAVA_HOME": context.java_home, "HADOOP_HOME": units.HADOOP_HOME,
                   "HADOOP_CONF_DIR": units.HADOOP_CONF} if full else {}
    jar = f"{units.HADOOP_HOME}/share/hadoop/mapreduce/hadoop-mapreduce-examples-{context.release.version('hadoop')}.jar"
    return {"namenode": context.url("namenode"), "full": full, "user": units.JOB_USER,
            "examples_jar": jar if full and "mapreduce" in context.services else "", "environment": environment,
            "limit_s": limit_s}
