"""YARN on a node: how its daemons say that they serve, and what has to hold around their restarts."""
from __future__ import annotations

import os
import re

from ...domain import paths
from ..common import NodeError
from ..config.keys import keys_of
from ..daemons import gates
from ..daemons.health import is_server, waiting_application as waiting, yarn_summary as summary
from ..hadoop_http import ResourceManager
from ..health.details import yarn_details as details
from .drain_yarn import ROW, empty, load, nodes as seen
from .turns import Turn
from .yarn_records import carry_over

# Who answers for all of the service.
DAEMON = ResourceManager
ALIVE = "NEW,NEW_SAVING,SUBMITTED,ACCEPTED,RUNNING"
# So much of the end of the ResourceManager's log tells whom it turns away.
LOG_BYTES = 64 << 10


# What a live view tells of an application.
TOLD = ("id", "name", "user", "queue", "state", "progress", "allocatedMB", "allocatedVCores", "elapsedTime", "applicationType")


def at_work(address):
    """Applications that run or wait, at most 200; None when the ResourceManager does not answer."""
    answer = ResourceManager(address).look(f"/ws/v1/cluster/apps?states={ALIVE}&limit=200")
    return None if answer is None else [{key: row.get(key) for key in TOLD} for row in (answer.get("apps") or {}).get("app") or []]


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
        self.nodes = gates.running_nodes(self.params["answers"]["yarn"])
        self.apps = gates.running_apps(self.params["answers"]["yarn"])

    def after(self, _begun):
        base = self.params["answers"]["yarn"]
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
                  lambda: gates.nodemanager_back(self.params["answers"]["yarn"], self.params["hosts"], begun))


def lacking(address, told, members, log):
    """What is not there yet of these NodeManagers, as a sentence, or ''."""
    if not told:
        return "the ResourceManager does not answer"
    if told["active"] >= len(members):
        return ""
    return gates.fewer("NodeManagers are active", told["active"], members, gates.running_nodes(address)) + _refused(log)


def _refused(log):
    """Of hosts that the ResourceManager has turned away of late by a name that it does not know: what to do. ``log``: its log file."""
    try:
        with open(log or "", "rb") as handle:
            handle.seek(max(0, os.path.getsize(log) - LOG_BYTES))
            names = set(re.findall(r"Disallowed NodeManager from  ?([\w.-]+)", handle.read().decode(errors="replace")))
    except OSError:
        return ""
    return (f" (the ResourceManager turns away {', '.join(sorted(names))}, a name that the cluster does not have: the resolver of that host calls it "
            "so, see its /etc/hosts)" if names else "")


def activity(address, since):
    """{running, ended, what} of YARN's applications; what ended before ``since`` is old news. None: no answer."""
    fields = "deSelects=resourceRequests,timeouts,appNodeLabelExpression,amNodeLabelExpression,resourceInfo"
    manager, path = ResourceManager(address), f"/ws/v1/cluster/apps?{fields}"
    running = manager.look(f"{path}&states={ALIVE}", 20)
    ended = manager.look(f"{path}&states=FINISHED,FAILED,KILLED&finishedTimeBegin={int(since * 1000)}", 20)
    if running is None or ended is None:
        return None
    last = max(((a.get("finishedTime", 0) / 1000.0, a.get("id", "")) for a in _work(ended)), default=(0, ""))
    return {"running": len(_work(running)), "ended": last[0], "what": last[1], "words": "YARN applications"}


def applications(address):
    """Applications that have not ended, without the cluster's own servers. Raises NodeError when the ResourceManager does not say."""
    answer = ResourceManager(address).look(f"/ws/v1/cluster/apps?states={ALIVE}", 10)
    if answer is None:
        raise NodeError("the ResourceManager does not answer, so it is unknown what runs. Nothing was changed: look with emrctl "
                        "status, and run the command again when it is up.")
    return _work(answer)


def _work(answer):
    return [row for row in (answer.get("apps") or {}).get("app") or [] if not is_server(row)]


def resourcemanager(_params, component):
    """Have the first of several ResourceManagers know what the only one knew: the applications that run go on."""
    addresses = keys_of(f"{paths.HADOOP_CONF}/yarn-site.xml")["hadoop.zk.address"]
    count = carry_over("tcp://" + addresses.split(",")[0])
    return "" if count is None else f"{component['name']}: carried over {count} applications"


TURNS = {"resourcemanager": ResourceManagerTurn, "nodemanager": NodeManagerTurn}
BECOME = {"resourcemanager": resourcemanager}

__all__ = ["DAEMON", "READERS", "ROW", "TURNS", "activity", "applications", "details", "empty", "lacking", "load", "seen", "summary", "waiting"]
