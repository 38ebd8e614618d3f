"""Draining without daemons: what NameNode and ResourceManager say, what is told, when waiting ends, who reads lists again."""
from __future__ import annotations

import json
import os
import time

import pytest

from ansible_collections.emr.cluster.plugins.module_utils.domain.scale.drain_progress import Patience, describe, stuck
from ansible_collections.emr.cluster.plugins.module_utils.node import hadoop_cli, hadoop_http
from ansible_collections.emr.cluster.plugins.module_utils.node.common import NodeError
from ansible_collections.emr.cluster.plugins.module_utils.node.hdfs import balance as node_balance, drain as hdfs_drain
from ansible_collections.emr.cluster.plugins.module_utils.node.scale import drain as node_drain, lists as node_lists
from ansible_collections.emr.cluster.plugins.module_utils.node.services import hooks as node_hooks

NODE = {"name": "shop-slave-003", "address": "10.0.0.4", "parts": ["hdfs", "yarn"]}


class Daemons:
    """In place of NameNode and ResourceManager."""

    def __init__(self, monkeypatch):
        self.live, self.dead, self.decom, self.missing, self.nodes, self.down = {}, {}, {}, 0, [], set()
        self.safe_mode, self.copying = "", 0
        monkeypatch.setattr(hadoop_http.Daemon, "look", lambda _daemon, path, _limit=5: self.answer(path))

    def answer(self, url):
        if ("nn" if "jmx" in url else "rm") in self.down:
            return None
        if "jmx" in url:
            info = {"name": "Hadoop:service=NameNode,name=NameNodeInfo", "Safemode": self.safe_mode,
                    "LiveNodes": json.dumps(self.live), "DeadNodes": json.dumps(self.dead), "DecomNodes": json.dumps(self.decom)}
            return {"beans": [info, {"name": "Hadoop:service=NameNode,name=FSNamesystem", "MissingBlocks": self.missing,
                               "UnderReplicatedBlocks": self.copying}]}
        return {"nodes": {"node": self.nodes} if self.nodes else None}

    def datanode(self, state, left=0):
        self.live = {"shop-slave-003:9866": {"adminState": state, "numBlocks": 40, "usedSpace": 9, "remaining": 7, "capacity": 20}}
        self.decom = {"shop-slave-003:9866": {"underReplicatedBlocks": left}} if "Progress" in state else {}

    def nodemanager(self, state, containers=0, name="shop-slave-003"):
        self.nodes.append({"nodeHostName": name, "state": state, "numContainers": containers})


@pytest.fixture
def daemons(monkeypatch):
    return Daemons(monkeypatch)


def progress(*nodes):
    return node_drain.progress({"answers": {"hdfs": "http://nn", "yarn": "http://rm"}, "nodes": list(nodes or [NODE])})


def test_a_namenode_that_starts_anew_calls_nobody_drained(daemons):
    daemons.nodemanager("DECOMMISSIONED")
    daemons.dead = {"shop-slave-003:9866": {"adminState": "Decommissioned"}}
    assert progress()["done"]
    daemons.safe_mode = "Safe mode is ON."
    found = progress()
    assert not found["done"] and found["nodes"][0]["hdfs"] == "unknown"


def test_a_name_without_address_is_not_put_into_the_lists(daemons):
    node = dict(NODE, name="no-such-host.invalid")
    with pytest.raises(NodeError, match="no-such-host.invalid cannot be drained: its name has no address"):
        node_drain.begin({"answers": {"hdfs": "http://nn"}, "nodes": [node], "drain_s": 1})


def test_done_is_what_both_say(daemons):
    daemons.datanode("In Service")
    daemons.nodemanager("RUNNING", 2)
    assert not progress()["done"]
    daemons.datanode("Decommission In Progress", 0)
    daemons.nodes.clear()
    daemons.nodemanager("DECOMMISSIONED", 5)
    found = progress()
    assert not found["done"], "no block left to copy is not the end: nobody may have looked yet"
    assert found["nodes"][0]["containers"] == 0
    daemons.datanode("Decommissioned")
    assert progress()["done"]


def test_a_node_that_came_back_is_what_it_is_now(daemons):
    daemons.datanode("Decommissioned")
    daemons.nodemanager("RUNNING", 1)
    daemons.nodemanager("DECOMMISSIONED")
    assert progress()["nodes"][0]["yarn"] == "running"


@pytest.mark.parametrize("dead", [True, False])
def test_a_node_that_hdfs_does_not_see_is_done_unless_blocks_are_missing(daemons, dead):
    daemons.dead = {"shop-slave-003:9866": {"adminState": "In Service"}} if dead else {}
    assert progress()["done"]
    daemons.missing = 3
    found = progress()
    assert not found["done"] and "3 blocks are missing" in stuck(found)


def test_a_node_that_hdfs_forgets_while_it_is_drained_is_done_when_what_it_held_is_copied(daemons):
    daemons.datanode("In Service")
    daemons.nodemanager("DECOMMISSIONED")
    daemons.copying = 2
    given = {"answers": {"hdfs": "http://nn", "yarn": "http://rm"}, "nodes": [NODE]}
    given["before"] = node_hooks.asked(given["answers"], "before_drain")
    daemons.live, daemons.copying = {}, 42
    found = node_drain.progress(given)
    assert not found["done"] and "40 blocks are missing or have too few copies" in stuck(found)
    daemons.copying = 2  # as before: not of this node
    assert node_drain.progress(given)["done"]


def test_daemons_that_do_not_answer_are_no_end(daemons):
    for down in ("nn", "rm"):
        daemons.down = {down}
        found = progress()
        assert not found["done"] and not found["answers"] and "does not answer" in stuck(found)


def test_task_nodes_need_no_hdfs(daemons):
    daemons.missing = 9
    daemons.nodemanager("LOST")
    assert progress(dict(NODE, parts=["yarn"]))["done"]


def test_what_is_told(daemons):
    daemons.datanode("Decommission In Progress", 12)
    daemons.nodemanager("DECOMMISSIONING", 3)
    rows = progress()["nodes"]
    assert describe(rows) == "draining shop-slave-003: 3 containers, 12 of 40 blocks to be copied"
    assert "applications that ran there" in describe([dict(rows[0], containers=0)])
    many = [dict(rows[0], name=f"n{n}") for n in range(9)] + [dict(rows[0], done=True)]
    assert "5 more nodes: 15 containers, 60 blocks left; 1 of 10 done" in describe(many)


def test_waiting_ends_only_when_nothing_moves(daemons):
    daemons.datanode("Decommission In Progress", 12)
    daemons.nodemanager("DECOMMISSIONING", 3)
    patience = Patience(1000, 300)
    assert patience.over(progress(), 0) == "" and patience.over(progress(), 299) == ""
    daemons.datanode("Decommission In Progress", 11)
    assert patience.over(progress(), 310) == "" and patience.over(progress(), 600) == ""
    assert "nothing has moved for 300 s" in patience.over(progress(), 611)
    daemons.datanode("Decommissioned")
    assert patience.over(progress(), 700) == ""
    assert patience.over(progress(), 999) == "", "containers may take their time"
    assert "containers still run after 1000 s" in patience.over(progress(), 1001)


FSCK = b"""Connecting to namenode
/data/a b.csv 100 bytes, replicated: replication=3, 1 block(s):  OK
/data/c 100 bytes, replicated: replication=2, 1 block(s):  Under replicated
/user/emr/.staging/job_1/job.jar 100 bytes, replicated: replication=10, 1 block(s):  OK
/user/emr/.sparkStaging/a/x.zip 100 bytes, replicated: replication=9, 1 block(s):  OK
/data/folder <dir>
/data/ec 100 bytes, erasure-coded: policy=RS-6-3-1024k, 1 block(s):  OK
Status: HEALTHY
"""


def test_copies_are_counted_without_what_jobs_put_there():
    found = {"most": 0, "files": 0, "example": ""}
    for line in FSCK.splitlines(keepends=True):
        hdfs_drain._count(line, 2, found)
    assert found == {"most": 3, "files": 1, "example": "/data/a b.csv"}


@pytest.fixture
def lists(monkeypatch, tmp_path):
    monkeypatch.setattr(node_lists, "CONF", str(tmp_path / "conf"))
    monkeypatch.setattr(node_lists, "RUN_DIR", str(tmp_path / "run"))
    monkeypatch.setattr(node_lists, "EXCLUDE_LOCK", str(tmp_path / "lock"))
    monkeypatch.setattr(node_lists, "unit_states", lambda units: {u: {"ActiveState": "active"} for u in units})
    calls = []
    monkeypatch.setattr(hadoop_cli, "run", lambda program, words, *_, **_o: calls.append(words) or (0, "", ""))
    (tmp_path / "conf").mkdir()
    for daemon, at in (("namenode", 100), ("resourcemanager", 100)):
        (tmp_path / "run" / daemon).mkdir(parents=True)
        (tmp_path / "run" / daemon / "config-digest").write_text("x")
        os.utime(tmp_path / "run" / daemon / "config-digest", (at, at))
        for path in node_lists.files_of(daemon):
            open(path, "w").close()
            os.utime(path, (at - 1, at - 1))
    return calls


def test_lists_are_read_again_only_when_they_are_newer(lists):
    assert node_lists.settle(60) == [] and lists == []
    assert node_lists.change({"namenode": ["a"], "resourcemanager": ["a"]})
    assert sorted(node_lists.stale()) == ["namenode", "resourcemanager"]
    time.sleep(0.05)  # times of files have a grain of some milliseconds, and equal ones count as newer
    node_lists.settle(60)
    assert sorted(lists) == [["dfsadmin", "-refreshNodes"], ["rmadmin", "-refreshNodes", "-g", "60", "-server"]]
    assert node_lists.settle(60) == [], "once is enough"
    assert not node_lists.change({"namenode": ["a"]})
    assert node_lists.change(remove=["a"]) and node_lists.excluded() == {"namenode": set(), "resourcemanager": set()}
    lists.clear()
    node_lists.settle(60)
    assert ["rmadmin", "-refreshNodes"] in lists, "nobody is drained, so nobody needs time"


def test_a_refresh_that_failed_is_done_again(lists, monkeypatch):
    node_lists.change({"namenode": ["a"]})
    with monkeypatch.context() as patch:
        patch.setattr(hadoop_cli, "run", lambda *_, **_o: (255, "", "Connection refused"))
        with pytest.raises(NodeError, match="Connection refused"):
            node_lists.settle(60)
    assert node_lists.settle(60) == ["namenode: read its lists of nodes"]


BALANCER = """Time Stamp               Iteration#  Bytes Already Moved  Bytes Left To Move  Bytes Being Moved  NameNode
Nov 24, 2026, 6:20:01 PM          0                  0 B             1.25 GB            512 MB  hdfs://m:8020
Nov 24, 2026, 6:20:11 PM          1             512.5 MB              700 MB            512 MB  hdfs://m:8020
The cluster is balanced. Exiting...
Balancing took 20.5 seconds
"""


def test_the_balancers_table():
    assert node_balance.last_row(BALANCER) == {"iteration": "1", "moved": "512.5 MB", "left": "700 MB", "moving": "512 MB"}
    assert node_balance.last_row("nothing") == {}
