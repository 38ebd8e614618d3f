"""Verify the cluster: options of the module ``verify``; runs on the first master only."""
from __future__ import annotations

import os

from ansible_collections.emr.cluster.plugins.module_utils import units
from ansible_collections.emr.cluster.plugins.plugin_utils.node_action import NodeAction


class ActionModule(NodeAction):
    """See the module's documentation. ``depth``: full, counts, or auto (full when this run started something)."""

    MODULE = "verify"
    OPTIONS = ("depth", "limit_s")

    def work(self, context, args):
        if not context.is_first_master:
            return {"result": {"changed": False}}
        depth = args.get("depth", "auto")
        full = depth == "full" or (depth == "auto" and any(self._changed(context, host) for host in context.hosts))
        services = context.services
        version = context.release.version("hadoop")
        environment = {"JAVA_HOME": context.java_home, "HADOOP_HOME": units.HADOOP_HOME,
                       "HADOOP_CONF_DIR": units.HADOOP_CONF} if full else {}
        jar = f"{units.HADOOP_HOME}/share/hadoop/mapreduce/hadoop-mapreduce-examples-{version}.jar"
        return {"namenode": context.url("namenode"), "resourcemanager": context.url("resourcemanager"),
                "datanodes": context.count("datanode"), "nodemanagers": context.count("nodemanager"), "full": full,
                "user": units.JOB_USER, "examples_jar": jar if full and "mapreduce" in services else "",
                "environment": environment, "limit_s": int(args.get("limit_s", 600))}

    @staticmethod
    def _changed(context, host) -> bool:
        started = context.fact("emr_started", host) or {}
        return bool(started.get("changed")) and started.get("run") == os.getppid()

    def after(self, context, result):
        if result.get("nodes"):
            result["emr_result"] = {key: result["nodes"][key] for key in ("hdfs", "yarn") if result["nodes"].get(key)}
            result["emr_result"].update(name=context.topology.cluster, links=context.links(),
                                        services=list(context.services))
