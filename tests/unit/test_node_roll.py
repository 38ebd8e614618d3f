"""Gates and turns of a rolling restart, without daemons."""
from __future__ import annotations

import json

import pytest

from ansible_collections.emr.cluster.plugins.module_utils.node import hadoop_cli, hadoop_http
from ansible_collections.emr.cluster.plugins.module_utils.node.common import NodeError
from ansible_collections.emr.cluster.plugins.module_utils.node.daemons import (
    gates as node_gates,
    refresh as node_refresh,
    roll as node_roll,
    service as node_service,
    stale as node_stale,
)
from ansible_collections.emr.cluster.plugins.module_utils.services.registry import COMPONENTS


@pytest.fixture
def node(tmp_path, monkeypatch):
    """A node whose files lie in a folder: read_text and the markers are redirected there."""
    monkeypatch.setattr(node_stale, "MARKS", str(tmp_path / "marks"))
    monkeypatch.setattr(node_stale, "read_text", lambda path: _read(tmp_path, path))
    monkeypatch.setattr(node_stale, "write_atomic", lambda path, text: _write(tmp_path, path, text))
    _write(tmp_path, "/etc/emr/digest/namenode", "new\n")
    _write(tmp_path, "/run/emr/namenode/config-digest", "new\n")
    _write(tmp_path, "/etc/emr/digest/namenode.refresh", "proxyusers a\nsettings b\n")
    _write(tmp_path, "/run/emr/namenode/refresh-digest", "proxyusers a\nsettings b\n")
    return tmp_path


def _place(folder, path):
    return folder / path.lstrip("/") if not path.startswith(str(folder)) else type(folder)(path)


def _read(folder, path):
    place = _place(folder, path)
    return place.read_text() if place.exists() else None


def _write(folder, path, text):
    place = _place(folder, path)
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(text)


def test_a_daemon_is_stale_by_its_digest_or_by_a_marker(node):
    assert not node_stale.wants_restart("namenode")
    node_stale.mark(["namenode"])
    assert node_stale.wants_restart("namenode")
    (node / "marks" / "namenode").unlink()
    _write(node, "/run/emr/namenode/config-digest", "old\n")
    assert node_stale.wants_restart("namenode")


def test_a_refresh_is_lacking_until_it_is_recorded(node):
    assert node_stale.wants_refresh("namenode") == []
    _write(node, "/etc/emr/digest/namenode.refresh", "proxyusers c\nsettings b\n")
    assert node_stale.wants_refresh("namenode") == ["proxyusers"]
    node_stale.note_refreshed("namenode", "proxyusers", "c")
    assert node_stale.wants_refresh("namenode") == []


def test_stopped_daemons_are_idle_not_stale(node, monkeypatch):
    node_stale.mark(["namenode", "datanode"])
    monkeypatch.setattr(node_stale, "unit_states", lambda units: {"emr-namenode": {"ActiveState": "active"}})
    assert node_stale.stale_parts(["namenode", "datanode"]) == {"restart": ["namenode"], "refresh": {}, "idle": ["datanode"]}


def row(name="proxyusers", argv=("hdfs", "dfsadmin", "-refresh")):
    return {"component": "namenode", "label": "HDFS NameNode", "unit": "emr-namenode", "user": "hdfs", "name": name,
            "argv": list(argv)}


def test_a_refresh_that_fails_is_not_recorded(node, monkeypatch):
    _write(node, "/etc/emr/digest/namenode.refresh", "proxyusers c\nsettings b\n")

    def fails(*_args, **_options):
        raise NodeError("ended with 255")

    monkeypatch.setattr(hadoop_cli, "run", fails)
    with pytest.raises(NodeError, match="did not accept its new proxyusers"):
        node_refresh.refresh(row())
    assert node_stale.wants_refresh("namenode") == ["proxyusers"]


@pytest.mark.parametrize(("status", "good"), [
    ("Reconfiguring status: started at x and finished at y.\nSUCCESS: Changed property dfs.x", True),
    ("Reconfiguring status: started at x and finished at y.\nFAILED: Change property dfs.x\n", False)])
def test_a_reconfiguration_is_waited_for_and_judged(node, monkeypatch, status, good):
    said = iter(["", "started at x and is still running.", status])
    monkeypatch.setattr(hadoop_cli, "run", lambda *_a, **_o: (0, next(said), ""))
    monkeypatch.setattr("time.sleep", lambda _s: None)
    wanted = row("settings", ("hdfs", "dfsadmin", "-reconfig", "namenode", "m:8020"))
    if good:
        assert node_refresh.refresh(wanted) == "namenode: settings refreshed"
    else:
        with pytest.raises(NodeError, match="did not accept"):
            node_refresh.refresh(wanted)


def namenode(monkeypatch, live=(), safe="", **numbers):
    """What the NameNode says."""
    nodes = {f"{host}:9866": {"lastContact": seconds} for host, seconds in dict(live).items()}
    answer = {"beans": [{"name": "Hadoop:service=NameNode,name=NameNodeInfo", "Safemode": safe, "LiveNodes": json.dumps(nodes)},
                        {"name": "Hadoop:service=NameNode,name=FSNamesystem", **numbers}]}
    monkeypatch.setattr(hadoop_http.Daemon, "look", lambda *_: answer)


def test_a_datanode_may_go_when_every_block_has_its_copies(monkeypatch):
    namenode(monkeypatch, UnderReplicatedBlocks=0, MissingBlocks=0)
    assert node_gates.Blocks("b")() == ""
    namenode(monkeypatch, safe="Safe mode is ON.")
    assert "safe mode" in node_gates.Blocks("b")()
    namenode(monkeypatch, MissingBlocks=2, CorruptBlocks=0)
    assert "2 missing" in node_gates.Blocks("b")()
    namenode(monkeypatch, MissingBlocks=0, CorruptBlocks=1)
    assert "1 have a bad copy" in node_gates.Blocks("b")()
    monkeypatch.setattr(hadoop_http.Daemon, "look", lambda *_: None)
    assert "does not answer" in node_gates.Blocks("b")()


def test_copies_that_nobody_makes_are_explained_after_a_while(monkeypatch):
    moments = iter([0.0, 14.0, 16.0])
    monkeypatch.setattr(node_gates.time, "monotonic", lambda: next(moments))
    gate = node_gates.Blocks("b")
    # A bad copy of a file that a running job writes stays until it is closed.
    namenode(monkeypatch, UnderReplicatedBlocks=3, PendingReplicationBlocks=0, CorruptBlocks=1)
    assert "3 blocks have too few copies" in gate()
    assert "3 blocks" in gate()
    assert gate() == ""


def test_copies_that_are_being_made_are_waited_for(monkeypatch):
    moments = iter(range(0, 1000, 20))
    monkeypatch.setattr(node_gates.time, "monotonic", lambda: float(next(moments)))
    gate = node_gates.Blocks("b")
    namenode(monkeypatch, UnderReplicatedBlocks=3, PendingReplicationBlocks=2)
    assert all("2 are being copied" in gate() for _ in range(5))


def test_a_datanode_is_back_when_the_namenode_hears_it(monkeypatch):
    namenode(monkeypatch, live={"a": 1, "b": 40})
    assert node_gates.datanode_back("base", "a") == ""
    assert "gets no heartbeat from" in node_gates.datanode_back("base", "b")
    assert "not live" in node_gates.datanode_back("base", "c")
    assert node_gates.datanodes_back("base", ["a", "b"]) == "" and "c" in node_gates.datanodes_back("base", ["a", "c"])


def yarn(monkeypatch, state, update):
    rows = [{"nodeHostName": "a", "state": state, "lastHealthUpdate": update}]
    monkeypatch.setattr(hadoop_http.Daemon, "look", lambda *_: {"nodes": {"node": rows}})


@pytest.mark.parametrize(("state", "update", "back"), [("RUNNING", 200_000, True), ("RUNNING", 99_000, False),
                                                        ("LOST", 200_000, False)])
def test_a_nodemanager_is_back_when_it_reported_after_its_start(monkeypatch, state, update, back):
    yarn(monkeypatch, state, update)
    assert (node_gates.nodemanager_back("base", ["a", "10.0.0.1"], 100.0) == "") is back


def test_applications_go_on_or_are_told_lost(monkeypatch):
    apps = {"1": {"state": "RUNNING"}, "2": {"state": "FINISHED", "finalStatus": "SUCCEEDED"},
            "3": {"state": "FAILED", "finalStatus": "FAILED", "diagnostics": "AM died"}, "4": {"state": "ACCEPTED"}}
    monkeypatch.setattr(hadoop_http.Daemon, "look", lambda _self, path: {"app": apps[path[-1]]})
    gate = node_gates.Applications("base", list(apps))
    assert gate() == "4 did not go on yet"
    apps["4"]["state"] = "RUNNING"
    assert gate() == "" and gate.lost == {"3": "FAILED: AM died"}


def test_waiting_ends_with_what_was_seen_last():
    with pytest.raises(NodeError, match=r"the DataNode cannot be stopped now: 3 blocks, for 0 s now. Do x"):
        node_gates.wait("the DataNode cannot be stopped now", lambda: "3 blocks", 0, "Do x")


def test_the_namenode_restarts_first_and_alone():
    rows = [{"name": name, "leads": name == "namenode"} for name in ("namenode", "resourcemanager", "historyserver")]
    steps = node_roll.Roll._steps(rows)
    assert [[c["name"] for c in step] for step in steps] == [["namenode"], ["resourcemanager", "historyserver"]]
    assert node_roll.Roll._steps([]) == []


class Fleet:
    """Stands for systemd and the masters: what was restarted in which order, and what fails."""

    def __init__(self, monkeypatch, broken=(), idle=()):
        self.done, self.broken, self.waited = [], broken, []
        monkeypatch.setattr(node_roll, "unit_states",
                            lambda units: {u: {"ActiveState": "inactive" if u[4:] in idle else "active"} for u in units})
        monkeypatch.setattr(node_roll, "wants_restart", lambda name: name not in ("resourcemanager",))
        monkeypatch.setattr(node_roll, "wants_refresh", lambda name: ["queues"] if name == "resourcemanager" else [])
        monkeypatch.setattr(node_roll, "refresh", lambda row: f"{row['component']}: {row['name']} refreshed")
        monkeypatch.setattr(node_roll, "Start", self.start)
        monkeypatch.setattr(node_gates, "wait", lambda what, *_: self.waited.append(what))
        monkeypatch.setattr(node_gates, "files_open", lambda base: 0)
        for name in ("live_datanodes", "running_nodes", "running_apps"):
            monkeypatch.setattr(node_gates, name, lambda base: [])

    def start(self, params, check):
        fleet = self
        # Whoever starts daemons reads all of this.
        assert node_service.Start(params, check).params["file_system"] == {}

        class One:
            def relaunch(self, todo):
                for name, verb in todo.items():
                    if name in fleet.broken:
                        raise NodeError(f"{name} on n1: ends again and again. Its last lines:\n  boom", component=name)
                    fleet.done.append((name, verb))
                self.changes = [f"{name}: {verb}ed" for name, verb in todo.items()]
        return One()


def turn(*names, **more):
    return dict({"phase": "go", "components": [{"name": name, "unit": f"emr-{name}", "leads": COMPONENTS[name].leads, "turn": COMPONENTS[name].turn, "ports": COMPONENTS[name].ports} for name in names], "hosts": ["n1", "10.0.0.1"],
                 "refreshes": [{"component": "resourcemanager", "name": "queues"}], "answers": {"hdfs": "http://m:9870",
                 "yarn": "http://m:8088"}, "force": False, "limit_s": 5, "gate_limit_s": 5,
                 "again": "emrctl restart c --continue"}, **more)


def test_a_master_restarts_the_stale_and_refreshes_the_rest(monkeypatch):
    fleet = Fleet(monkeypatch)
    result = node_roll.perform(turn("namenode", "resourcemanager", "historyserver"), False)
    assert fleet.done == [("namenode", "restart"), ("historyserver", "restart")]
    assert result["changes"][-1] == "resourcemanager: queues refreshed" and result["changed"]


def test_a_datanode_that_stands_still_needs_no_gate_before(monkeypatch):
    fleet = Fleet(monkeypatch, idle=("datanode",))
    node_roll.perform(turn("datanode", "nodemanager"), False)
    assert fleet.done == [("datanode", "start"), ("nodemanager", "restart")]
    assert not [what for what in fleet.waited if "cannot be stopped now" in what]
    fleet = Fleet(monkeypatch)
    node_roll.perform(turn("datanode"), False)
    assert fleet.waited[0] == "the DataNode of n1 cannot be stopped now"
    fleet = Fleet(monkeypatch)
    node_roll.perform(turn("datanode", force=True), False)
    assert fleet.waited == ["the DataNode of n1 was restarted"]


def test_the_first_failure_ends_the_turn_and_says_how_to_go_on(monkeypatch):
    fleet = Fleet(monkeypatch, broken=("namenode",))
    with pytest.raises(NodeError) as caught:
        node_roll.perform(turn("namenode", "historyserver"), False)
    assert fleet.done == [] and "boom" in str(caught.value)
    assert str(caught.value).endswith("Go on with: emrctl restart c --continue")


def test_check_mode_restarts_nothing(monkeypatch):
    fleet = Fleet(monkeypatch)
    assert node_roll.perform(turn("namenode", "resourcemanager"), True)["changes"] == [
        "namenode: restart", "resourcemanager: refresh"]
    assert fleet.done == []
