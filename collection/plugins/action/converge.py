# Copyright (c) the emr.cluster authors
# Apache License 2.0 (see LICENSE or https://www.apache.org/licenses/LICENSE-2.0)
"""Make a running cluster what its spec wants, as far as that happens in the cloud."""
from __future__ import annotations

from ansible_collections.emr.cluster.plugins.module_utils.cloud.purchase.plan_details import plan_details
from ansible_collections.emr.cluster.plugins.module_utils.cloud.scale import convergence
from ansible_collections.emr.cluster.plugins.module_utils.domain.spec.model import spec_from_dict
from ansible_collections.emr.cluster.plugins.module_utils.domain.upgrade import rules as upgrade
from ansible_collections.emr.cluster.plugins.plugin_utils import bootstrap_scripts, secrets_given
from ansible_collections.emr.cluster.plugins.plugin_utils.cloud_action import CloudAction
from ansible_collections.emr.cluster.plugins.plugin_utils.purchasing import as_result, purchased


class ActionModule(CloudAction):
    """See the module's documentation."""

    NEEDS_SPEC = ("Cluster '{name}' does not exist, or was never completely deployed",
                  "Run its create (or apply) with the spec; emrctl list shows the clusters")

    def perform(self, arguments, spec, operation):
        revision = arguments.get("revision") or {}
        before = spec_from_dict(revision["before"]) if revision.get("before") else None
        if before is None:
            secrets_given.check_new(spec, operation)
        excluded = revision.get("excluded") or []
        plan, found = convergence.prepare(operation, spec, before, revision.get("named") or [], excluded, arguments.get("loads"),
                                          revision.get("gone") or [])
        bootstrap_scripts.check(spec, arguments.get("spec_file"), revision.get("scripts") or (), bool(plan.purchases))
        plan.warnings += revision.get("hints") or []
        told = {"exists": before is not None, "to_release": plan.to_release, "upgrade": revision.get("upgrade") or ""}
        described = {"upgrade": upgrade.described(before, spec, told["upgrade"])} if told["upgrade"] else {}
        if arguments["plan_only"]:
            # No node, so that nothing acts afterwards.
            return {**as_result({**plan_details(operation.client, spec, found, plan, before), **described}, spec), "nodes": [], **told}
        if before is not None:
            convergence.check_answers(operation, found, plan)
        result = purchased(arguments, spec, operation, (plan, found))
        groups = convergence.joined(result["nodes"], plan, spec, excluded)
        nodes = [dict(node, groups=[*node["groups"], *groups[node["name"]]]) for node in result["nodes"] if node["name"] in groups]
        return {**result, "nodes": nodes, **told}
