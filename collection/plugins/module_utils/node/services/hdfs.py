"""HDFS on a node: how its daemons say that they serve, and what has to hold around their restarts."""
from __future__ import annotations

import json
import time

from .. import hadoop_cli
from ..common import unit_states
from ..daemons import gates
from ..daemons.health import bean
from ..daemons.refresh import unit_environment
from ..daemons.stale import RUNNING
from .turns import Turn

LEAVE_S = 30


def _namenode(answer):
    info = bean(answer, "NameNodeInfo")
    if not info:
        return False, "starting"
    safe_mode = info.get("Safemode", "")
    return (False, "in safe mode: " + safe_mode.split(".")[0]) if safe_mode else (True, "safe mode off")


def _datanode(answer):
    info = bean(answer, "DataNodeInfo")
    actors = json.loads(info.get("BPServiceActorInfo") or "[]")
    states = [actor.get("ActorState", "") for actor in actors]
    if actors and all(state == "RUNNING" for state in states):
        return True, "registered"
    return False, "not registered with the NameNode yet" + (f" ({', '.join(states)})" if states else "")


READERS = {"namenode": _namenode, "datanode": _datanode}


class NameNodeTurn(Turn):
    """Every DataNode that was there has to come back."""

    def before(self):
        self.seen = list(gates.live_datanodes(self.params["namenode"]) or ())

    def after(self, _begun):
        self.wait("the NameNode was restarted", lambda: gates.datanodes_back(self.params["namenode"], self.seen))


class DataNodeTurn(Turn):
    """All blocks have their copies before, and the NameNode hears it after."""

    def before(self):
        if self.verb == "restart" and not self.params["force"]:
            gates.wait(f"the DataNode of {self.here} cannot be stopped now", gates.Blocks(self.params["namenode"]), self.params["gate_limit_s"],
                       "Look with: emrctl status. Or restart anyway with --force")

    def leave(self):
        if self.verb == "restart" and gates.files_open(self.params["namenode"]):
            self._leave_pipelines()

    def _leave_pipelines(self):
        """Let a DataNode tell its writers that it comes back soon: they wait for it instead of losing the copy."""
        unit = self.component["unit"]
        address = f"{self.here}:{self.component['ports']['ipc']}"
        code = hadoop_cli.run("hdfs", ["dfsadmin", "-shutdownDatanode", address, "upgrade"], "hdfs", unit_environment(unit),
                              limit_s=60, check=False)[0]
        deadline = time.monotonic() + LEAVE_S
        while code == 0 and time.monotonic() < deadline:
            if unit_states([unit])[unit].get("ActiveState") not in RUNNING:
                return
            time.sleep(0.1)

    def after(self, _begun):
        self.wait(f"the DataNode of {self.here} was restarted", lambda: gates.datanode_back(self.params["namenode"], self.here))


TURNS = {"namenode": NameNodeTurn, "datanode": DataNodeTurn}
