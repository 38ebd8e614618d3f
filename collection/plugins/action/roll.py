"""Rolling restart: mark what shall restart, plan the turns, take one node's turn. See the module's documentation."""
from __future__ import annotations

import os

from ansible import constants as C
from ansible.module_utils.parsing.convert_bool import boolean
from ansible.utils.display import Display

from ansible_collections.emr.cluster.plugins.module_utils.domain.config.settings import effective_config
from ansible_collections.emr.cluster.plugins.module_utils.domain.daemons.scope import batches, select
from ansible_collections.emr.cluster.plugins.module_utils.domain.errors import EmrError, Refused
from ansible_collections.emr.cluster.plugins.module_utils.services.registry import components_for
from ansible_collections.emr.cluster.plugins.plugin_utils.component_args import describe, peers, refresh_row
from ansible_collections.emr.cluster.plugins.plugin_utils.context import plain
from ansible_collections.emr.cluster.plugins.plugin_utils.node_action import NodeAction, keep

display = Display()
FACTS = ("emr_stale", "emr_refresh", "emr_idle")
NOTHING = {"emr_stale": [], "emr_refresh": {}, "emr_idle": []}


class ActionModule(NodeAction):
    """``phase``: mark (on every node), plan (on the controller), go (on the nodes that the plan names)."""

    MODULE = "roll"
    REFUSES = True
    _requires_connection = False
    stopped = ""

    def work(self, context, args):
        self.phase = args.get("phase", "go")
        if self.phase == "plan":
            return {"result": plan(context, args)}
        if self.phase == "mark":
            names = select(plain(args.get("scope")), context.topology, context.services).get(context.host, [])
            if not names:
                return {"result": {"changed": False, "ansible_facts": dict(NOTHING)}}
            return {"phase": "mark", "names": names, "mark": not boolean(args.get("again") or False)}
        return self._alone(context, self._turn(context, args)) if boolean(args.get("alone") or False) else self._turn(context, args)

    def _alone(self, context, options: dict) -> dict:
        """The options, or a finished result: where nothing is to do, and after a turn of this run that failed."""
        self.stopped = os.path.join(C.DEFAULT_LOCAL_TMP, "emr-turn-failed")
        if not options["components"] or (self._task.check_mode and context.fact("emr_stale") is None):
            return {"result": {"changed": False}}
        if os.path.exists(self.stopped):
            with open(self.stopped, encoding="utf-8") as handle:
                raise EmrError(f"the turn of {handle.read()} failed, so nothing restarts on {context.host}", "Repair that node, then run the play again")
        return options

    def _turn(self, context, args) -> dict:
        """Options for the restart of what is stale on this node."""
        lacking = context.fact("emr_refresh") or {}
        wanted = {*(context.fact("emr_stale") or []), *lacking}
        if boolean(args.get("idle") or False):
            wanted |= set(context.fact("emr_idle") or [])
        rows = [c for c in context.components if c.name in wanted]
        return {"phase": "go", "components": [describe(c, context) for c in rows],
                "refreshes": [refresh_row(c, refresh, context) for c in rows for refresh in c.refreshes],
                "answers": context.answers(), **peers(context, rows),
                "hosts": [context.host, context.node.address],
                "cluster_id": context.topology.cluster_id, "state": "started", "force": boolean(args.get("force") or False),
                "limit_s": int(args.get("limit_s") or 300), "gate_limit_s": int(args.get("gate_limit_s") or 300),
                "again": f"emrctl restart {context.topology.cluster} --continue"}

    def after(self, context, result):
        keep(result, *FACTS)
        if self.phase == "go" and self.stopped:
            if result.get("failed"):
                with open(self.stopped, "w", encoding="utf-8") as handle:
                    handle.write(context.host)
            elif not self._task.check_mode:
                result.setdefault("ansible_facts", {}).update(NOTHING)
        if self.phase == "go" and result.get("changes"):
            display.display(f"emr: {context.host}: {', '.join(result['changes'])}")


def plan(context, args) -> dict:
    """Who takes a turn, in which order and in which batches, from the facts that the nodes gave."""
    size = int(args.get("batch") or 0)
    if size < 0:
        raise Refused(f"a batch of {size} nodes", "Give a number of at least 1")
    facts = ["emr_stale", "emr_refresh"] + (["emr_idle"] if boolean(args.get("idle") or False) else [])
    # A run that only plans has no nodes.
    nodes = context.topology.nodes if context.vars["groups"].get("emr_target") else ()
    names = [n.name for n in nodes if any(context.fact(fact, n.name) for fact in facts)]
    most = 0 if boolean(args.get("force") or False) or not names else together(context, facts, names)
    if 0 < most < size:
        display.display(f"emr: slaves restart {most} at a time, not {size}, since more could hold all copies of a block (--force overrides this)")
    turns = batches(context.topology, names, size, most, boolean(args.get("masters_last") or False)) if names else []
    return {"changed": False, "ansible_facts": {"emr_turns": {"hosts": [n for turn in turns for n in turn],
                                                              "serial": [len(turn) for turn in turns] or [1]}},
            "emr_result": {"turns": turns}}


def together(context, facts, names) -> int:
    """How many slaves may go down at a time so that a copy of every block stays up; 0 where no such daemon goes down."""
    down = {component for fact in facts if fact != "emr_refresh" for name in names for component in context.fact(fact, name) or []}
    limits = []
    for row in components_for(context.services):
        if row.together and row.name in down:
            node = context.topology.running(row)[0]
            limits.append(row.together(effective_config(context.spec, context.topology, node, context.release)))
    return min(limits, default=0)
