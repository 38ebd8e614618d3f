"""Look at a node closely: options of the operation ``check``. Two parts, as rendering needs what the first measures.

``host`` runs the operation of the same name in check mode; ``deployment`` lets the node compare itself with what
``configure`` renders. The playbook sets check_mode and diff; nothing here writes to a node.
"""
from __future__ import annotations

import yaml

from ansible_collections.emr.cluster.plugins.action.configure import ActionModule as Configure
from ansible_collections.emr.cluster.plugins.action.host import options as host_options
from ansible_collections.emr.cluster.plugins.action.verify import proofs
from ansible_collections.emr.cluster.plugins.module_utils.domain.daemons import units
from ansible_collections.emr.cluster.plugins.module_utils.domain.errors import EmrError
from ansible_collections.emr.cluster.plugins.module_utils.domain.spec import history
from ansible_collections.emr.cluster.plugins.module_utils.domain.spec.model import spec_from_dict
from ansible_collections.emr.cluster.plugins.module_utils.services.registry import ANSWERING, COMPONENTS, HOMES
from ansible_collections.emr.cluster.plugins.plugin_utils.clock_offset import measure_clock
from ansible_collections.emr.cluster.plugins.plugin_utils.component_args import describe

from ..module_utils.domain import paths

FIXED_PATHS = ("/", "/tmp", units.LOG_ROOT, paths.STATE, paths.ROOT)
# What of a node's answer the report wants.
SEEN = ("components", "asked", *ANSWERING, "drift", "disks", "strays", "crashes", "without_native",
        *(home.proof.name for home in HOMES.values() if home.proof), "backup", "restored")


class ActionModule(Configure):
    """See the module's documentation."""

    MODULE = "check"
    LOOKS = True
    ONCE = False

    def run(self, tmp=None, task_vars=None):
        """A node that cannot be examined is a finding, and ends nothing."""
        if not self._task.check_mode:
            return {"failed": True, "msg": "emr.cluster.check writes nothing on nodes: set check_mode on its task"}
        result = super().run(tmp, task_vars)
        if not result.get("failed") or result.get("unreachable"):
            return result
        fact = "emr_host" if self._task.args.get("part") == "host" else "emr_check"
        return {"changed": False, "ansible_facts": {fact: {"error": str(result.get("msg", "failed"))}}}

    def work(self, context, args):
        if args.get("part", "deployment") == "host":
            return {"result": self._host(context)}
        self.MODULE = "check"
        first = context.is_control_node
        stored = [path for c in context.components for path in units.storage_dirs(c.name, context.effective)]
        own = {c.name for c in context.components}
        known = context.fact("emr_spec_data", context.control)
        return {"components": [describe(c, context) for c in context.components],
                "answers": context.answers(anywhere=False), "control": first,
                # Without the spec nobody knows what should be there.
                "configure": dict(super().work(context, {}), revision={}) if known else {},
                "paths": list(dict.fromkeys([*FIXED_PATHS, *stored])),
                "strays": sorted(row.unit for row in COMPONENTS.values() if row.name not in own),
                "work": self._work(context, args) if first and args.get("work", True) else []}

    @staticmethod
    def _work(context, args) -> list:
        return proofs(context, int(args.get("limit_s", 300)))

    def _host(self, context) -> dict:
        """The clock, and what the operation ``host`` would change. The user's own scripts cannot be compared."""
        clock = measure_clock(lambda: self._low_level_execute_command("date +%s.%N", sudoable=False))
        self.MODULE = "host"
        found = self.module(dict(host_options(context, {}), bootstrap=[]))
        facts = {"emr_clock": clock, "emr_node": found.get("emr_node"),
                 "emr_host": {"changes": found.get("changes", [])}}
        if found.get("failed"):
            facts["emr_host"] = {"error": str(found.get("msg", "failed"))}
        if context.is_control_node:
            facts["emr_spec_data"] = self._spec()
        return {"changed": False, "ansible_facts": facts}

    def _spec(self):
        """Plain data of the newest revision, or None."""
        try:
            kept = history.parse(self.shell(history.read_command())["stdout"])
            return spec_from_dict(yaml.safe_load(kept.text())).to_dict()
        except (EmrError, yaml.YAMLError):
            return None

    def after(self, context, result):
        if not result.get("failed") and not result.get("unreachable"):
            result.setdefault("ansible_facts", {})["emr_check"] = {key: result.get(key) for key in SEEN}
