"""HDFS's balancer: start it on the control node, then tell people how far it is until it ends."""
from __future__ import annotations

from ansible.module_utils.parsing.convert_bool import boolean
from ansible.utils.display import Display

from ansible_collections.emr.cluster.plugins.action.drain import seconds
from ansible_collections.emr.cluster.plugins.module_utils.domain.errors import Refused
from ansible_collections.emr.cluster.plugins.module_utils.node.hdfs import balance as node_balance
from ansible_collections.emr.cluster.plugins.plugin_utils.node_action import NodeAction

THRESHOLD, LIMIT_S, STEP_S = 10, 3600, 15


class ActionModule(NodeAction):
    """See the module's documentation."""

    MODULE = "balance"
    REFUSES = True

    def work(self, context, args):
        if not context.is_control_node:
            return {"result": {"changed": False}}
        base = context.url("namenode")
        if not base:
            raise Refused("the cluster has no HDFS, so there are no blocks to spread", "Add the service hdfs first")
        text, limit = str(args.get("threshold") or THRESHOLD), seconds(args, "limit_s", LIMIT_S)
        if not text.isdigit() or not 1 <= int(text) <= 100:
            raise Refused(f"threshold: {text!r} is not a percentage", "Write a whole number from 1 to 100")
        options = {"namenode": base, "threshold": int(text), "run_s": limit, "limit_s": STEP_S,
                   "environment": node_balance.environment()}
        return {"result": self._result(options, boolean(args.get("stop") or False), limit)}

    def _result(self, options, stop: bool, limit: int) -> dict:
        found = self.step(dict(options, op="stop" if stop else "start"))
        changed, said = found["changed"], ""
        # systemd ends it at its limit; a unit that does not end even then is not waited for.
        for _step in range(limit // STEP_S + 10):
            if not found["running"]:
                break
            row = found["row"]
            text = f"balancer: {row['moved']} moved, {row['left']} left" if row else "balancer: looking at the blocks"
            if text != said:
                Display().display(f"emr: {text}")
                said = text
            found = self.step(dict(options, op="wait"))
        data = {key: found.get(key) for key in ("said", "spread", "row", "exit_code")}
        result = {"changed": changed, **data, "emr_result": {"balance": data}}
        if not found.get("ok", True):
            result.update(failed=True, msg=f"the balancer failed: {found['said']}. Its output on the control node: "
                                           f"{node_balance.LOG}")
        return result
