"""The end of a restore: what is accepted, when, and what a restore may still replace then."""
from __future__ import annotations

import json

import pytest

from ansible_collections.emr.cluster.plugins.module_utils.node.backup import (
    operations as node_backup,
    restore as node_restore,
    restore_after as node_restore_after,
)
from ansible_collections.emr.cluster.plugins.module_utils.node.common import NodeError


@pytest.fixture
def lookable(tmp_path, monkeypatch):
    """A folder for the record and the NameNode's directory; the NameNode does not answer."""
    monkeypatch.setattr(node_backup, "RECORD", str(tmp_path / "restore.json"))
    monkeypatch.setattr(node_restore, "jmx", lambda base: ({}, {}, {}))
    (tmp_path / "name").mkdir()
    return tmp_path


def test_what_somebody_began_to_accept_is_not_replaced_and_can_be_accepted(lookable, monkeypatch):
    (lookable / "name" / "current").mkdir()
    (lookable / "name" / "current" / "fsimage_1").write_text("x")
    for state, said in (("held", ""), ("accepting", "is not empty")):
        (lookable / "restore.json").write_text(json.dumps({"state": state}))
        assert said in node_restore.look({"namenode": "", "dirs": [str(lookable / "name")]})["refusal"]
        assert node_backup.pending()["state"] == state


# What dfsadmin -report says of each DataNode, in parts.
REPORT = """Name: 10.0.0.2:9866 (demo-slave-001)
Last contact: Mon Nov 30 19:07:02 UTC 2026
Last Block Report: Mon Nov 30 19:07:01 UTC 2026
Num of Blocks: 7

Name: 10.0.0.3:9866 (demo-slave-002)
Last contact: Mon Nov 30 19:07:02 UTC 2026
Last Block Report: {}
Num of Blocks: 0
"""


@pytest.fixture
def acceptable(lookable, monkeypatch):
    """A restore that is held; what the NameNode says, and what was called."""
    seen = {"state": {"NumLiveDataNodes": 2, "NumStaleStorages": 0}, "called": [], "report": REPORT.format("Mon Nov 30 19:07:01 UTC 2026")}
    monkeypatch.setattr(node_restore_after, "RECORD", str(lookable / "restore.json"))
    monkeypatch.setattr(node_restore_after, "DROP_IN", str(lookable / "none"))
    monkeypatch.setattr(node_restore_after, "jmx", lambda base: ({"Safemode": "ON"}, {}, seen["state"]))
    monkeypatch.setattr(node_restore_after, "environment", dict)
    monkeypatch.setattr(node_restore_after.hadoop_cli, "run", lambda *_args, **_more: (0, seen["report"], ""))
    monkeypatch.setattr(node_restore_after, "_leave", lambda params: seen["called"].append("leave"))
    (lookable / "restore.json").write_text(json.dumps({"state": "held", "txid": 7}))
    return seen


ACCEPT = {"namenode": "", "datanodes": 2, "without": False, "delete": True, "who": "me", "limit_s": 1}


def test_nothing_is_accepted_before_all_volumes_are_reported(acceptable):
    acceptable["state"]["NumStaleStorages"] = 3
    assert "3 volumes" in node_restore_after.accept(ACCEPT)["refusal"] and not acceptable["called"]


def test_nothing_is_accepted_before_each_datanode_has_reported(acceptable):
    """A NameNode that has just started has counted no stale volumes yet, which looks as if all had been reported."""
    acceptable["report"] = REPORT.format("Never")
    assert "all volumes of 1 DataNodes have not been reported" in node_restore_after.accept(ACCEPT)["refusal"] and not acceptable["called"]


def test_an_acceptance_that_was_cut_off_is_on_record_and_goes_on(acceptable, lookable, monkeypatch):
    def cut(*_args, **_more):
        raise NodeError("cut off")

    monkeypatch.setattr(node_restore_after, "fsck", cut)
    with pytest.raises(NodeError):
        node_restore_after.accept(ACCEPT)
    assert acceptable["called"] and json.loads((lookable / "restore.json").read_text())["state"] == "accepting"
    monkeypatch.setattr(node_restore_after, "fsck", lambda *_args, **_more: {"broken": [], "broken_files": 0})
    assert node_restore_after.accept(ACCEPT)["changed"] and node_backup.pending() is None


def test_an_acceptance_whose_run_was_cut_off_later_is_told_again_until_it_is_finished(acceptable, monkeypatch):
    found = {"broken": [{"path": "/a"}], "broken_files": 1}
    monkeypatch.setattr(node_restore_after, "fsck", lambda *_args, **_more: found)
    first = node_restore_after.accept(ACCEPT)
    again = node_restore_after.accept(ACCEPT)
    assert first["changed"] and not again["changed"] and again["accepted"] == first["accepted"]
    assert again["accepted"]["deleted"] and again["accepted"]["broken_files"] == 1
    assert node_restore_after.finish({})["changed"] and not node_restore_after.finish({})["changed"]
    assert "no restore on this master waits" in node_restore_after.accept(ACCEPT)["refusal"]


def test_the_datanode_of_a_node_that_does_not_answer_is_not_waited_for_long(monkeypatch):
    clock = iter(range(0, 10000, 20))
    monkeypatch.setattr(node_restore_after.time, "monotonic", lambda: next(clock))
    monkeypatch.setattr(node_restore_after.time, "sleep", lambda _s: None)
    monkeypatch.setattr(node_restore_after, "jmx", lambda _base: ({"Safemode": "ON"}, {}, {"NumLiveDataNodes": 2, "NumStaleStorages": 0}))
    monkeypatch.setattr(node_restore_after, "environment", dict)
    monkeypatch.setattr(node_restore_after.hadoop_cli, "run", lambda *_args, **_more: (0, REPORT.format("just now"), ""))
    params = {"namenode": "", "limit_s": 600, "datanodes": 3, "answering": 2}
    assert node_restore_after._reported(params)[0] == 2 and next(clock) < 100
    assert "2 of 3" in node_restore_after._reported(dict(params, answering=3))[1] and next(clock) > 700
