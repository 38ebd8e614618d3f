"""Benchmarks: checks what is asked for, gives the control node what they run with, and starts the job; reads and compares results."""
from __future__ import annotations

import os

from ansible_collections.emr.cluster.plugins.module_utils.cloud.credentials.chain import find_credentials
from ansible_collections.emr.cluster.plugins.module_utils.cloud.install import sources as cloud_sources
from ansible_collections.emr.cluster.plugins.module_utils.cloud.install.dist_cache import cached, dist_dir
from ansible_collections.emr.cluster.plugins.module_utils.domain.bench import request as bench
from ansible_collections.emr.cluster.plugins.module_utils.domain.errors import Refused
from ansible_collections.emr.cluster.plugins.module_utils.domain.install import sources
from ansible_collections.emr.cluster.plugins.module_utils.domain.jobs.request import DEFAULTS
from ansible_collections.emr.cluster.plugins.plugin_utils import pushing
from ansible_collections.emr.cluster.plugins.plugin_utils.arguments import checked
from ansible_collections.emr.cluster.plugins.plugin_utils.context import plain, who
from ansible_collections.emr.cluster.plugins.plugin_utils.node_action import NodeAction

# Seconds that the control node may take to fetch and unpack what benchmarks run with.
INSTALL_S = 600


class ActionModule(NodeAction):
    """See the module's documentation."""

    MODULE = "bench"
    REFUSES = True

    def work(self, context, args):
        if not context.is_control_node:
            return {"result": {"changed": False}}
        args = {**args, **checked("bench", args.pop("options", None) or {})}
        args = {key: value for key, value in plain(args).items() if value not in (None, "")}
        self.op, user = args.get("op", "submit"), str(args.get("user") or DEFAULTS["user"])
        if self.op != "submit":
            return {"op": self.op, "user": user, "ids": [bench.run_id(name) for name in args.get("ids") or []]}
        wanted = bench.checked(str(args.get("kind", "")), args)
        properties = {str(key): str(value) for key, value in (args.get("properties") or {}).items()}
        job = {**DEFAULTS, **bench.job(wanted, properties), "user": user, "queue": str(args.get("queue") or ""), "who": who()}
        request = {**wanted, "properties": properties, "nodes": shapes(context.topology.nodes), "release": context.spec.release}
        artifact, signed = self._software(context)
        return {"op": "submit", "request": request, "job": job, "artifact": artifact, "signed": signed, "limit_s": INSTALL_S}

    def _software(self, context) -> tuple:
        """(the artifact as ``install`` wants it, signed addresses): pushed from this machine's cache where no address has it."""
        artifact = context.release.artifacts.get(bench.ARTIFACT)
        if artifact is None:
            raise Refused(f"the release {context.spec.release} has no benchmarks", "Create a cluster of a newer release for them")
        rows = sources.sources(context.spec, artifact, os.environ.get(sources.VARIABLE, ""))
        ask = cloud_sources.Asker(context.region, find_credentials, os.environ)
        good = [row.address for row in rows if not ask(row.address, artifact.sha512)]
        path = None if good else cached(artifact.file, artifact.sha512)
        if not good and not path and not pushing.installed(self, artifact):
            raise Refused(f"no source gives the nodes {artifact.file}, with which benchmarks run: {dist_dir() / artifact.file} is not there"
                          + "".join(f", {row.address} neither" for row in rows),
                          f"Make it here with: emrctl dist build {bench.ARTIFACT}, or name a folder that holds it in the spec's mirrors")
        if path and not self._task.check_mode:
            pushing.push(self, [(path, artifact.sha512)])
        row = {"name": artifact.component, "file": artifact.file, "sha512": artifact.sha512, "target": artifact.top, "link": artifact.component,
               "urls": good}
        return row, cloud_sources.signed(good, context.region, find_credentials)

    def after(self, context, result):
        if result.get("job"):
            result["emr_result"] = {"job": result["job"]}
        elif "runs" in result:
            result["emr_result"] = {"runs": result["runs"]}


def shapes(nodes) -> str:
    """What the cluster consists of, for people: 1 x ecs.c6.large (master), 3 x ecs.g6.large (slave)."""
    counts: dict = {}
    for node in nodes:
        key = (node.role, node.instance_type or f"{node.vcpus} vCPU, {node.memory_mib} MiB")
        counts[key] = counts.get(key, 0) + 1
    return ", ".join(f"{count} x {kind} ({role})" for (role, kind), count in counts.items())
