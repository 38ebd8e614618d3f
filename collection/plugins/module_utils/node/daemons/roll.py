"""Restart the daemons of one node of a living cluster, each between its gates. Runs on Python 3.8 and newer.

The NameNode goes first and alone, since everything waits for it; what else the node has restarts together.
"""
from __future__ import annotations

import time

from .. import hadoop_cli
from ..common import NodeError, unit_states
from . import gates
from .refresh import refresh, unit_environment
from .service import Start
from .stale import RUNNING, mark, stale_parts, wants_refresh, wants_restart

LEAVE_S = 30


def perform(params, check):
    """The operation ``roll``: ``phase`` mark (ask for restarts, tell what is stale) or go (do them)."""
    if params["phase"] == "mark":
        names = params["names"]
        if params["mark"] and not check:
            mark(names)
        found = stale_parts(names)
        if params["mark"] and check:
            found["restart"] = [name for name in names if name not in found["idle"]]
        return {"changed": bool(params["mark"] and names), "emr_stale": found["restart"], "emr_refresh": found["refresh"],
                "emr_idle": found["idle"]}
    return Roll(params, check).run()


class Roll:
    """One node's turn. ``params``: components, refreshes, namenode, resourcemanager, host names, limits, force, again."""

    def __init__(self, params, check):
        self.params, self.check = params, check
        self.hosts = params["hosts"]
        self.changes, self.seconds = [], {}

    def run(self):
        """Refresh what a command can refresh, restart the rest, step by step."""
        verbs = self._verbs()
        if self.check:
            return {"changed": bool(verbs), "changes": [f"{name}: {verb}" for name, verb in verbs.items()]}
        try:
            for step in self._steps([c for c in self.params["components"] if verbs.get(c["name"]) in ("start", "restart")]):
                self._step(step, verbs)
            for row in self.params["refreshes"]:
                if verbs.get(row["component"]) == "refresh" and row["name"] in wants_refresh(row["component"]):
                    self.changes.append(refresh(row))
        except NodeError as error:
            raise NodeError(f"{error}\nThe restart stopped here; daemons that wait for theirs still run with the former "
                            f"configuration. Go on with: {self.params['again']}", changes=self.changes, **error.extra)
        return {"changed": bool(self.changes), "changes": self.changes, "seconds": self.seconds}

    def _verbs(self):
        """{component: start, restart or refresh} of those that need one now."""
        states = unit_states([c["unit"] for c in self.params["components"]])
        verbs = {}
        for component in self.params["components"]:
            name = component["name"]
            if states.get(component["unit"], {}).get("ActiveState") not in RUNNING:
                verbs[name] = "start"
            elif wants_restart(name):
                verbs[name] = "restart"
            elif wants_refresh(name):
                verbs[name] = "refresh"
        return verbs

    @staticmethod
    def _steps(components):
        first = [c for c in components if c["name"] == "namenode"]
        rest = [c for c in components if c["name"] != "namenode"]
        return [step for step in (first, rest) if step]

    def _step(self, components, verbs):
        names = [c["name"] for c in components]
        before = self._before(names, verbs)
        begun, clock = time.time(), time.monotonic()
        todo = {name: verbs[name] for name in names}
        if todo.get("datanode") == "restart" and gates.files_open(self.params["namenode"]):
            self._leave_pipelines(next(c for c in components if c["name"] == "datanode"))
        start = Start(dict(self.params, components=components, format={}, hdfs={}, data_dirs=[], bootstrap=[]), False)
        start.relaunch(todo)
        self._after(names, before, begun)
        self.changes += start.changes
        self.seconds["+".join(names)] = round(time.monotonic() - clock, 1)

    def _leave_pipelines(self, component):
        """Let a DataNode tell its writers that it comes back soon: they wait for it instead of losing the copy."""
        address = f"{self.hosts[0]}:{self.params['datanode_ipc']}"
        code = hadoop_cli.run("hdfs", ["dfsadmin", "-shutdownDatanode", address, "upgrade"], "hdfs", unit_environment(component["unit"]),
                              limit_s=60, check=False)[0]
        deadline = time.monotonic() + LEAVE_S
        while code == 0 and time.monotonic() < deadline:
            if unit_states([component["unit"]])[component["unit"]].get("ActiveState") not in RUNNING:
                return
            time.sleep(0.1)

    def _before(self, names, verbs):
        """Wait until these daemons may go down; what is to be compared afterwards."""
        seen = {"datanodes": [], "nodes": [], "apps": []}
        remedy = "Look with: emrctl status. Or restart anyway with --force"
        if "datanode" in names and verbs["datanode"] == "restart" and not self.params["force"]:
            gates.wait(f"the DataNode of {self.hosts[0]} cannot be stopped now", gates.Blocks(self.params["namenode"]),
                       self.params["gate_limit_s"], remedy)
        if "namenode" in names:
            seen["datanodes"] = list(gates.live_datanodes(self.params["namenode"]) or ())
        if "resourcemanager" in names:
            seen["nodes"] = gates.running_nodes(self.params["resourcemanager"])
            seen["apps"] = gates.running_apps(self.params["resourcemanager"])
        return seen

    def _after(self, names, seen, begun):
        """Wait until the cluster has these daemons back."""
        limit = self.params["gate_limit_s"]
        here, yarn, hdfs = self.hosts[0], self.params["resourcemanager"], self.params["namenode"]
        remedy = "Look at the logs of both daemons: emrctl status"
        if "namenode" in names:
            gates.wait("the NameNode was restarted", lambda: gates.datanodes_back(hdfs, seen["datanodes"]), limit, remedy)
        if "resourcemanager" in names:
            gates.wait("the ResourceManager was restarted", lambda: gates.nodemanagers_back(yarn, seen["nodes"]), limit, remedy)
            apps = gates.Applications(yarn, seen["apps"])
            gates.wait("the ResourceManager was restarted", apps, limit, remedy)
            if apps.lost:
                raise NodeError("applications that ran before the restart of the ResourceManager did not go on: "
                                + "; ".join(f"{name} {why}" for name, why in sorted(apps.lost.items())))
        if "datanode" in names:
            gates.wait(f"the DataNode of {here} was restarted", lambda: gates.datanode_back(hdfs, here), limit, remedy)
        if "nodemanager" in names:
            gates.wait(f"the NodeManager of {here} was restarted",
                       lambda: gates.nodemanager_back(yarn, self.hosts, begun), limit, remedy)
