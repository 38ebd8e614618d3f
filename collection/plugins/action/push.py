"""Give the control node the release's files that only this machine has; the others take them from there.

What else only this machine has is a password of the metastore's database; that it is there is made sure of here, before any change.
"""
from __future__ import annotations

from ansible_collections.emr.cluster.plugins.module_utils.cloud.credentials.chain import find_credentials
from ansible_collections.emr.cluster.plugins.module_utils.cloud.install import sources as cloud_sources
from ansible_collections.emr.cluster.plugins.module_utils.cloud.install.dist_cache import cached
from ansible_collections.emr.cluster.plugins.module_utils.domain.errors import EmrError, Refused
from ansible_collections.emr.cluster.plugins.module_utils.domain.install import sources
from ansible_collections.emr.cluster.plugins.plugin_utils import pushing, secrets_given
from ansible_collections.emr.cluster.plugins.plugin_utils.node_action import NodeAction


class ActionModule(NodeAction):
    """See the module's documentation."""

    MODULE = "push"

    def work(self, context, args):
        self.refuse_until_bought(context)
        secrets_given.check_master(self, context.spec)
        wanted = {a.component: a for a in sources.artifacts(context.spec)}
        rows = [row for row in self._rows(context, wanted) if row["source"] == sources.CACHE]
        if self._task.check_mode or not rows:
            return {"result": {"changed": bool(rows), "pushed": [row["file"] for row in rows]}}
        files = [(cached(a.file, a.sha512), a) for a in (wanted[row["artifact"]] for row in rows)]
        gone = [a.file for path, a in files if path is None]
        if gone:
            raise EmrError(f"{', '.join(gone)} disappeared from this machine's cache", "Make it again with emrctl dist build, then run the "
                           "same command again")
        sent = pushing.push(self, [(path, a.sha512) for path, a in files])
        return {"result": {"changed": bool(sent), "pushed": sent}}

    def _rows(self, context, wanted) -> list:
        """The sources of the plan; for hosts that were not bought they are looked at now."""
        if context.run.plan:
            return context.run.plan.get("sources") or []
        try:
            return cloud_sources.look(context.spec, (), find_credentials, context.region)
        except Refused:
            if all(pushing.installed(self, artifact) for artifact in wanted.values()):
                return []
            raise
