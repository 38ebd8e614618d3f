"""Read the newest revision of the spec from the first master; other services may be added to it.

One small command over SSH instead of a module: nothing is transferred but the file.
"""
from __future__ import annotations

import json

import yaml

from ansible_collections.emr.cluster.plugins.module_utils.catalogue import BUNDLES, SERVICES
from ansible_collections.emr.cluster.plugins.module_utils.errors import EmrError, Refused
from ansible_collections.emr.cluster.plugins.module_utils.spec import spec_from_dict
from ansible_collections.emr.cluster.plugins.plugin_utils.context import plain
from ansible_collections.emr.cluster.plugins.plugin_utils.node_action import NodeAction

FOLDER = "/var/lib/emr/cluster/spec"
# A revision without .json was never completed.
COMMAND = (f"cd {FOLDER} 2>/dev/null && last=$(ls | grep -E '^[0-9]+[.]json$' | tail -n 1) && cat \"$last\" && "
           'cat "${last%.json}.yml"')


class ActionModule(NodeAction):
    """See the module's documentation."""

    MODULE = "revision"
    OPTIONS = ("add_services",)
    REFUSES = True

    def work(self, context, args):
        if not context.is_first_master:
            return {"result": {"changed": False}}
        answer = self._low_level_execute_command(COMMAND, sudoable=True)
        meta, _newline, text = answer["stdout"].partition("\n")
        if answer["rc"] != 0 or not text.strip():
            raise EmrError(f"{context.host} keeps no spec in {FOLDER}: the cluster was never completely deployed",
                           "Run create with the spec again")
        data = with_services(yaml.safe_load(text), [str(s) for s in plain(args.get("add_services") or [])])
        spec = spec_from_dict(data)
        return {"result": {"changed": False, "revision": json.loads(meta), "spec": spec.to_dict(),
                           "services": list(spec.expanded_services),
                           "ansible_facts": {"emr_spec_data": spec.to_dict()},
                           "emr_result": {"revision": json.loads(meta)}}}


def with_services(data: dict, added) -> dict:
    """The spec's data with these services besides its own. Raises Refused for an unknown one."""
    known = list(BUNDLES) + list(SERVICES)
    for name in added:
        if name not in known:
            raise Refused(f"there is no service {name!r}", f"Services: {', '.join(known)}")
    return dict(data, services=list(data["services"]) + [s for s in added if s not in data["services"]])
