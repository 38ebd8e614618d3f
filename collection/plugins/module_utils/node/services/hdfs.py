"""HDFS on a node: how its daemons say that they serve, and what has to hold around their restarts."""
from __future__ import annotations

import hashlib
import io
import json
import os

from ...domain.waiting import wait
from .. import hadoop_cli
from ..common import NodeError, unit_states
from ..daemons import gates
from ..daemons.health import bean, hdfs_summary as summary, namenode
from ..daemons.refresh import unit_environment
from ..daemons.stale import RUNNING
from ..hadoop_http import ACTIVE, Daemon, NameNode, base_of
from ..hdfs.client import WebHdfs
from ..hdfs.drain import ROW, before_drain, check_drain, empty, hdfs_nodes as seen, load
from ..hdfs.names import one_name
from ..health.details import hdfs_details as details
from .hdfs_shared import share_edits
from .hdfs_upgrade import upgrade_finish, upgrade_prepare, upgrade_state
from .turns import QuorumTurn, Turn

LEAVE_S = 30
STANDBY = "standby"
# What `zkfc -formatZK -nonInteractive` ends with where it was formatted already.
THERE = 2
# Who answers for all of the service.
DAEMON = NameNode
# Calls of clients that read or write the content of files. Listings are left out: history servers list all the time.
OPERATIONS = ("CreateFileOps", "FilesAppended", "AddBlockOps", "GetBlockLocations")


def _serves_names(answer):
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
    # Of several NameNodes the active one counts: another may be down for hours.
    if len(actors) > 1 and any(actor.get("ActorState") == "RUNNING" and str(actor.get("NamenodeHaState")).lower() == ACTIVE for actor in actors):
        return True, f"registered ({states.count('RUNNING')} of {len(states)} NameNodes)"
    return False, "not registered with the NameNode yet" + (f" ({', '.join(states)})" if states else "")


READERS = {"namenode": _serves_names, "datanode": _datanode}


class NameNodeTurn(Turn):
    """Every DataNode that was there has to come back."""

    def before(self):
        self.seen = list(gates.live_datanodes(self.params["answers"]["hdfs"]) or ())

    def leave(self):
        """Of several, the active one hands over before it goes, so nobody has to find out that it is gone."""
        others = self.params.get("peers", {}).get(self.component["name"])
        if self.verb == "restart" and others and state_of(own_url(self.component)) == ACTIVE:
            standing = [url for url in others if state_of(url) == STANDBY]
            if standing or not self.params["force"]:
                hand_over(self.here, self._host(standing), unit_environment(self.component["unit"]))

    def hand_over(self):
        """Its failover controller makes another one active, which is faster than a restart."""
        self.leave()

    def _host(self, standing):
        if not standing:
            raise NodeError(f"the NameNode of {self.here} is active, and no other stands by to take over. Look with: emrctl status. Or restart anyway "
                            "with --force")
        return self.params["names"][standing[0]]

    def after(self, _begun):
        self.wait("the NameNode was restarted", lambda: gates.datanodes_back(self.params["answers"]["hdfs"], self.seen))


class JournalTurn(QuorumTurn):
    """A restart of a JournalNode."""

    NAME = "JournalNode"

    def missing(self):
        silent = [url for url in self.params["peers"][self.component["name"]] if Daemon(url).look("/jmx?qry=Hadoop:service=JournalNode,name=*") is None]
        return f"no answer from {', '.join(silent)}, and the others would be left without most of them" if silent else ""

    def after(self, _begun):
        """A NameNode leaves out a JournalNode that missed an edit until it begins another segment; the next one may restart only after that."""
        hadoop_cli.run("hdfs", ["dfsadmin", "-rollEdits"], "hdfs", unit_environment(self.component["unit"]), limit_s=120)


class DataNodeTurn(Turn):
    """All blocks have their copies before, and the NameNode hears it after."""

    def before(self):
        if self.verb == "restart" and not self.params["force"]:
            gates.wait(f"the DataNode of {self.here} cannot be stopped now", gates.Blocks(self.params["answers"]["hdfs"]), self.params["gate_limit_s"],
                       "Look with: emrctl status. Or restart anyway with --force")

    def leave(self):
        if self.verb == "restart" and gates.files_open(self.params["answers"]["hdfs"]):
            self._leave_pipelines()

    def _leave_pipelines(self):
        """Let a DataNode tell its writers that it comes back soon: they wait for it instead of losing the copy."""
        unit = self.component["unit"]
        address = f"{self.here}:{self.component['ports']['ipc']}"
        code = hadoop_cli.run("hdfs", ["dfsadmin", "-shutdownDatanode", address, "upgrade"], "hdfs", unit_environment(unit),
                              limit_s=60, check=False)[0]
        wait(lambda: code == 0 and unit_states([unit])[unit].get("ActiveState") in RUNNING, LEAVE_S, 0.1)

    def after(self, _begun):
        self.wait(f"the DataNode of {self.here} was restarted", lambda: gates.datanode_back(self.params["answers"]["hdfs"], self.here))


def own_url(component):
    """The address of this node's daemon, of its probe."""
    return base_of(component["health"]["url"])[0]


def state_of(url):
    """active, standby, another state, or '' when there is no answer."""
    return NameNode.state(Daemon(url).look(NameNode.STATE, 3) or {})


def hand_over(here, other, environment):
    """Make the NameNode of the host ``other`` the active one in place of that of ``here``."""
    hadoop_cli.run("hdfs", ["haadmin", *one_name(), "-failover", here, other], "hdfs", environment, limit_s=120)


def zkfc(component):
    """Make the place in ZooKeeper where the NameNodes' election is held. Where it is already, nothing happens, whoever made it."""
    words = ["zkfc", *one_name(), "-formatZK", "-nonInteractive"]
    code, out, err = hadoop_cli.run("hdfs", words, "hdfs", unit_environment(component["unit"]), limit_s=120, check=False)
    if code not in (0, THERE):
        raise NodeError(f"hdfs {' '.join(words)} ended with {code}: {hadoop_cli.last_words(out, err)}")
    return "zkfc: made the place of its election in ZooKeeper" if code == 0 else ""


def lacking(address, told, members, _log):
    """What is not there yet of these DataNodes, as a sentence, or ''."""
    if not told:
        return "the NameNode does not answer"
    if told["safe_mode"]:
        return "HDFS is in safe mode: " + told["safe_mode"].split(".")[0]
    return gates.fewer("DataNodes are live", told["live"], members, gates.live_datanodes(address) or ()) if told["live"] < len(members) else ""


def activity(address, _since):
    """{started, operations} of the NameNode since it was started, and how many files are ``open`` for writing; None when it
    does not answer."""
    beans = namenode(address, 20)
    counted, info = beans["NameNodeActivity"], beans["NameNodeInfo"]
    if not counted or not info:
        return None
    system = dict(beans["FSNamesystemState"], **beans["FSNamesystem"])
    return {"started": info.get("NNStartedTimeInMillis", 0), "open": int(system.get("NumFilesUnderConstruction", 0)), "words": "HDFS files",
            "operations": sum(int(counted.get(name, 0)) for name in OPERATIONS)}


def prove(proof):
    """Write a file, read it, compare, delete it."""
    client = WebHdfs(proof["base"], proof["user"])
    path = f"/user/{proof['user']}/.emr-verify-{os.getpid()}"
    data = os.urandom(1 << 20)
    try:
        client.write(path, io.BytesIO(data), len(data))
        back = io.BytesIO()
        client.read_to(path, back)
    finally:
        client.delete(path)
    if hashlib.sha256(back.getvalue()).digest() != hashlib.sha256(data).digest():
        raise NodeError(f"HDFS gave back other bytes than were written ({len(back.getvalue())} of {len(data)})")
    return {"bytes": len(data)}


TURNS = {"namenode": NameNodeTurn, "datanode": DataNodeTurn, "journalnode": JournalTurn}
PREPARE = {"zkfc": zkfc}
BECOME = {"namenode": share_edits}

__all__ = ["DAEMON", "READERS", "ROW", "TURNS", "activity", "before_drain", "check_drain", "details", "empty", "lacking", "load", "prove", "seen",
           "summary", "upgrade_finish", "upgrade_prepare", "upgrade_state"]
