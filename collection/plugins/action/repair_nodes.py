"""Parts of a repair that need a node. ``base``: accounts, folders and limits of each node as they should be. On the
control node: ``copies`` asks HDFS who has which blocks, ``wait`` waits, with progress, until all have their copies.
"""
from __future__ import annotations

import time

from ansible.utils.display import Display

from ansible_collections.emr.cluster.plugins.action.host import options as host_options
from ansible_collections.emr.cluster.plugins.module_utils.domain.errors import EmrError
from ansible_collections.emr.cluster.plugins.module_utils.domain.repair.hdfs import Healing, progress
from ansible_collections.emr.cluster.plugins.plugin_utils.context import plain
from ansible_collections.emr.cluster.plugins.plugin_utils.node_action import NodeAction

LOOK_S, TELL_S = 3.0, 10.0
display = Display()


class ActionModule(NodeAction):
    """See the module's documentation."""

    MODULE = "copies"

    def work(self, context, args):
        if args.get("phase") == "base":
            return {"result": self._base(context)}
        if not context.is_control_node or "hdfs" not in context.services:
            return {"result": {"changed": False}}
        limit_s = int(args.get("limit_s") or 600)
        if args.get("phase", "wait") == "copies":
            return {"result": self._copies(context, [str(d) for d in plain(args.get("dead") or [])], limit_s)}
        return {"result": self._wait(context, limit_s)}

    def _base(self, context) -> dict:
        """Accounts, folders and limits as ``host`` makes them; names of nodes are the business of ``configure``."""
        self.MODULE = "host"
        found = self.module(dict(host_options(context, {}), hosts=[], bootstrap=[]))
        return {key: found[key] for key in ("changed", "changes", "diff", "failed", "msg") if key in found}

    def _copies(self, context, dead, limit_s) -> dict:
        if not dead:
            return {"changed": False}
        addresses = [context.address(name) for name in dead]
        found = self.module({"namenode": context.url("namenode"), "dead": addresses, "limit_s": limit_s})
        return {"changed": False, "copies": found.get("copies") or {"error": str(found.get("msg", "no answer"))}}

    def _wait(self, context, limit_s) -> dict:
        """Wait while blocks have too few copies. Raises EmrError at the limit, which says what is still missing."""
        begun = told = time.monotonic()
        wanted = context.count("datanode")
        healed = Healing(wanted)
        while True:
            hdfs = self.module({"namenode": context.url("namenode"), "dead": [], "limit_s": 30}).get("hdfs")
            now = time.monotonic()
            done, text = healed(hdfs, now), progress(hdfs, wanted)
            if done:
                if hdfs["under_replicated_blocks"]:
                    display.display(f"emr: HDFS has healed as far as it can, files want more copies than it makes: {text}")
                return {"changed": False, "hdfs": hdfs, "emr_result": {"hdfs": hdfs, "healed_s": round(now - begun, 1)}}
            if now - begun > limit_s:
                raise EmrError(f"HDFS has not healed after {limit_s} s: {text}",
                               "It goes on by itself; run the command again to wait on, or look with emrctl status")
            if now - told > TELL_S or told == begun:
                told = now
                display.display(f"emr: HDFS heals: {text}")
            time.sleep(LOOK_S)
