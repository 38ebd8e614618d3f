"""Drain the nodes that leave: from the control node, step by step, telling people how far it is in between."""
from __future__ import annotations

import time

from ansible.utils.display import Display

from ansible_collections.emr.cluster.plugins.module_utils.domain.errors import EmrError, Refused
from ansible_collections.emr.cluster.plugins.module_utils.domain.scale.drain_progress import Patience, describe, stuck
from ansible_collections.emr.cluster.plugins.module_utils.domain.spec.model import spec_from_dict
from ansible_collections.emr.cluster.plugins.module_utils.services.registry import COMPONENTS, components_for, homes
from ansible_collections.emr.cluster.plugins.plugin_utils.context import plain
from ansible_collections.emr.cluster.plugins.plugin_utils.node_action import NodeAction

# Seconds: for containers to end by themselves; without any progress of HDFS; of one step on the node; for the NameNode's fsck.
DRAIN_LIMIT_S, STALL_LIMIT_S, STEP_S, LOOK_LIMIT_S = 600, 300, 10, 120
# Seconds that the ResourceManager may take to end what is over its limit.
GRACE_S = 90


class ActionModule(NodeAction):
    """See the module's documentation."""

    MODULE = "drain"
    REFUSES = True

    def work(self, context, args):
        nodes = [self._node(context, node) for node in context.draining]
        nodes = [n for n in nodes if n["parts"] or n["drains"]]
        if args.get("op") == "name" and nodes:
            # The daemons of the nodes themselves are told once, by the control node.
            return self._options(context, op="name", nodes=[dict(n, drains=[]) for n in nodes], drain_s=seconds(args, "limit_s", DRAIN_LIMIT_S))
        if not context.is_control_node:
            return {"result": {"changed": False}}
        if args.get("op") == "look":
            return self._look(context, args)
        if not nodes:
            # Gateways hold nothing; that they may go has to be told all the same.
            drained = sorted(n.name for n in context.draining)
            return {"result": {"changed": False, "drained": drained, "ansible_facts": {"emr_drained": drained}}}
        return {"result": self._drain(context, nodes, seconds(args, "limit_s", DRAIN_LIMIT_S),
                                      seconds(args, "stall_s", STALL_LIMIT_S))}

    @staticmethod
    def _node(context, node) -> dict:
        # It is not part of the topology any more, but its daemons run until it goes.
        here = components_for(context.services, node.role)
        return {"name": node.name, "address": node.address,
                "parts": [home.name for home in homes(context.services) if home.members and COMPONENTS[home.members] in here],
                "drains": [{"component": c.name, "base": f"http://{node.address}:{c.ports[c.drain.port]}", "path": c.drain.path} for c in here if c.drain]}

    @staticmethod
    def _options(context, **more) -> dict:
        return {"answers": context.answers(), "nodes": [], "copies_over": 0, "drain_s": DRAIN_LIMIT_S, "limit_s": STEP_S, **more}

    def _look(self, context, args) -> dict:
        """What the nodes hold; how many copies files have is asked when the spec wants another number of slaves than there is."""
        spec = spec_from_dict(plain(args["spec"])) if args.get("spec") else context.spec
        return self._options(context, op="look", copies_over=spec.count("slave"), limit_s=LOOK_LIMIT_S)

    def after(self, context, result):
        if result.get("loads"):
            result.setdefault("ansible_facts", {})["emr_loads"] = result["loads"]
            if not all(((told or {}).get("replication") or {}).get("whole", True) for told in result["loads"].values()):
                _say(f"the copies of all files were not counted within {LOOK_LIMIT_S} s; drained is by the NameNode's word anyway")

    def _drain(self, context, nodes, limit_s: int, stall_s: int) -> dict:
        """Begin, then look until all are done. Raises EmrError when it does not go on."""
        names = ", ".join(n["name"] for n in nodes)
        _say(f"draining begins: {names}; containers get up to {limit_s} s")
        found = self._step(context, nodes, op="begin", drain_s=limit_s)
        changed, before, patience = found["changed"], found.get("before"), Patience(limit_s + GRACE_S, stall_s)
        said = ""
        while not found["done"]:
            text = describe(found["nodes"])
            if text != said:
                _say(text)
                said = text
            why = patience.over(found, time.monotonic())
            if why:
                raise EmrError(f"{why}: {stuck(found)}", "Nothing was released. Run the same command again to go on waiting, or "
                               "with --abort to take the nodes back")
            found = self._step(context, nodes, op="wait", drain_s=limit_s, before=before)
        _say(f"drained: {names}")
        drained = sorted(n.name for n in context.draining)
        return {"changed": changed, "drained": drained, "nodes": found["nodes"], "ansible_facts": {"emr_drained": drained},
                "emr_result": {"drained": found["nodes"]}}

    def _step(self, context, nodes, **options) -> dict:
        found = self.step(self._options(context, nodes=nodes, **options))
        if self._task.check_mode:
            return dict(found, done=True)
        return found


def seconds(args: dict, name: str, default: int) -> int:
    """A number of seconds among the arguments. Raises Refused for what is none."""
    text = str(args.get(name) or default).strip()
    if not text.isdigit() or int(text) < 1:
        raise Refused(f"{name}: {text!r} is not a number of seconds", f"Write for example {name}: {default}")
    return int(text)


def _say(text: str) -> None:
    Display().display(f"emr: {text}")
