"""YARN on a node: how its daemons say that they serve, and what has to hold around their restarts."""
from __future__ import annotations

from ..common import NodeError
from ..daemons import gates
from .turns import Turn


def _resourcemanager(answer):
    metrics = answer.get("clusterMetrics")
    return (True, f"{metrics.get('activeNodes', 0)} active nodes") if metrics else (False, "starting")


def _nodemanager(answer):
    info = answer.get("nodeInfo", {})
    if info.get("nodeHealthy"):
        return True, "healthy"
    return False, info.get("healthReport") or "not healthy yet"


READERS = {"resourcemanager": _resourcemanager, "nodemanager": _nodemanager}


class ResourceManagerTurn(Turn):
    """The NodeManagers and the applications that ran go on."""

    def before(self):
        self.nodes = gates.running_nodes(self.params["resourcemanager"])
        self.apps = gates.running_apps(self.params["resourcemanager"])

    def after(self, _begun):
        base = self.params["resourcemanager"]
        self.wait("the ResourceManager was restarted", lambda: gates.nodemanagers_back(base, self.nodes))
        apps = gates.Applications(base, self.apps)
        self.wait("the ResourceManager was restarted", apps)
        if apps.lost:
            raise NodeError("applications that ran before the restart of the ResourceManager did not go on: "
                            + "; ".join(f"{name} {why}" for name, why in sorted(apps.lost.items())))


class NodeManagerTurn(Turn):
    """The ResourceManager has heard of it since it began anew."""

    def after(self, begun):
        self.wait(f"the NodeManager of {self.here} was restarted",
                  lambda: gates.nodemanager_back(self.params["resourcemanager"], self.params["hosts"], begun))


TURNS = {"resourcemanager": ResourceManagerTurn, "nodemanager": NodeManagerTurn}
