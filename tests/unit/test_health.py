"""What is seen of a cluster, and what is made of it."""
from __future__ import annotations

import copy
import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from ansible_collections.emr.cluster.plugins.action.check import ActionModule as Check
from ansible_collections.emr.cluster.plugins.module_utils.cloud.repair import instances
from ansible_collections.emr.cluster.plugins.module_utils.domain.errors import EmrError, Refused
from ansible_collections.emr.cluster.plugins.module_utils.domain.health.findings import judge
from ansible_collections.emr.cluster.plugins.module_utils.domain.repair import decisions
from ansible_collections.emr.cluster.plugins.module_utils.domain.repair.hdfs import Healing, healed, progress
from ansible_collections.emr.cluster.plugins.module_utils.node.health import (
    check as node_check,
    copies as node_copies,
    details as node_details,
)
from ansible_collections.emr.cluster.plugins.plugin_utils.clock_offset import measure_clock
from ansible_collections.emr.cluster.plugins.plugin_utils.reachability import unanswered
from emrctl import views_health
from emrctl.runner import Result

HDFS = {"safe_mode": "", "live": 2, "dead": 0, "blocks": 10, "missing_blocks": 0, "corrupt_blocks": 0,
        "under_replicated_blocks": 0, "capacity_bytes": 100, "free_bytes": 60,
        "datanodes": [{"node": f"s-slave-00{n}", "state": "in service", "failed_volumes": 0, "last_contact_s": 1} for n in (1, 2)]}
YARN = {"active": 2, "nodes": [{"node": f"s-slave-00{n}", "state": "running", "report": ""} for n in (1, 2)]}


def instance(name, status="Running"):
    role = name.split("-")[1]
    return {"name": name, "instance_id": f"i-{name}", "status": status, "group": role, "role": role, "cluster_id": "emr-1"}


def node(*daemons, **more):
    rows = [{"component": name, "state": "running", "detail": ""} for name in daemons]
    return {"silent": "", "error": "", "clock": {"offset_s": 0.01, "error_s": 0.02}, "host": {"changes": []},
            "check": {"components": rows, "drift": {}, "disks": [{"mount": "/", "used_share": 0.3, "inodes_share": 0.1}],
                      "strays": [], "crashes": [], **more}}


@pytest.fixture
def seen():
    """A cluster of one master and two slaves with which nothing is wrong."""
    names = ["s-master-001", "s-slave-001", "s-slave-002"]
    work = {"storage": {"seconds": 1.0}, "computation": {"seconds": 9.0}}
    found = {"cluster": "s", "control": names[0], "spec": {"release": "emr-1.0", "services": ["hadoop"], "backup": {"enabled": False}, "node_groups": {
        "master": {"count": 1, "role": "master"}, "slave": {"count": 2, "role": "slave"}}},
        "inspection": {"instances": [instance(n) for n in names], "foreign": [], "twice": [], "homeless": [], "intents": [],
                       "holder": "", "anchor": True},
        "nodes": {names[0]: node("namenode", "resourcemanager", asked=["hdfs", "yarn"], hdfs=HDFS, yarn=YARN, **work),
                  names[1]: node("datanode", "nodemanager"), names[2]: node("datanode", "nodemanager")}}
    return copy.deepcopy(found)


def wrong(seen):
    """(state, check, node) of everything that is not ok, and the texts."""
    rows = [row for row in judge(seen) if row["state"] != "ok"]
    assert all(row["next"] for row in rows), rows
    return [(row["state"], row["check"], row["node"]) for row in rows]


def test_nothing_is_wrong_with_a_healthy_cluster(seen):
    rows = judge(seen)
    assert {row["state"] for row in rows} == {"ok"} and len({row["check"] for row in rows}) == len(rows) >= 13


def test_the_report_learns_how_backups_stand(seen):
    seen["spec"]["backup"]["enabled"] = True
    assert wrong(seen) == [("fail", "backup", "-")]
    backup = {"age_s": 60, "overdue": False, "error": "", "copies": 2, "last": {"id": "x"}}
    told = {**seen["nodes"]["s-slave-001"]["check"], "backup": backup, "restored": None}
    Check.after(object.__new__(Check), None, told)
    seen["nodes"]["s-slave-001"]["check"] = told["ansible_facts"]["emr_check"]
    assert not wrong(seen)


def slave(seen, **change):
    seen["nodes"]["s-slave-001"]["check"].update(change)


def hdfs(seen, **change):
    seen["nodes"]["s-master-001"]["check"]["hdfs"].update(change)


BROKEN = [
    (lambda s: s["inspection"]["instances"][1].update(status="Stopped"), ("fail", "instances", "s-slave-001")),
    (lambda s: s["inspection"]["instances"].pop(), ("fail", "instances", "-")),
    (lambda s: s["spec"]["node_groups"]["slave"].update(count=1), ("warn", "instances", "-")),
    (lambda s: s["inspection"].update(anchor=False), ("fail", "instances", "-")),
    (lambda s: s["inspection"]["homeless"].append(instance("s-slave-003")), ("fail", "instances", "s-slave-003")),
    (lambda s: s["inspection"]["foreign"].append(instance("x-1-1")), ("fail", "foreign nodes", "x-1-1")),
    (lambda s: s["inspection"]["twice"].append(instance("s-slave-001")), ("fail", "foreign nodes", "s-slave-001")),
    (lambda s: s["inspection"]["intents"].append({"nodes": ["a"], "age_s": 3}), ("warn", "operations", "-")),
    (lambda s: s["inspection"].update(holder="me@host"), ("warn", "operations", "-")),
    (lambda s: s["nodes"]["s-slave-001"].update(silent="no answer", check={}, clock={}), ("fail", "reachable", "s-slave-001")),
    (lambda s: s["nodes"]["s-slave-001"].update(error="no Java", check={}), ("fail", "examined", "s-slave-001")),
    (lambda s: s["nodes"]["s-slave-001"].update(clock={"offset_s": 90, "error_s": 0.1}), ("fail", "clocks", "s-slave-001")),
    (lambda s: s["nodes"]["s-slave-001"].update(clock={"offset_s": -9, "error_s": 0.1}), ("warn", "clocks", "s-slave-001")),
    (lambda s: slave(s, components=[{"component": "datanode", "state": "failed", "detail": "x"}]), ("fail", "daemons", "s-slave-001")),
    (lambda s: slave(s, components=[{"component": "datanode", "state": "running", "stale": True}]), ("warn", "daemons", "s-slave-001")),
    (lambda s: slave(s, strays=["emr-namenode"]), ("warn", "daemons", "s-slave-001")),
    (lambda s: slave(s, without_native=["datanode"]), ("warn", "daemons", "s-slave-001")),
    (lambda s: slave(s, crashes=[{"component": "datanode", "file": "/x", "what": "OutOfMemoryError"}]), ("warn", "daemons", "s-slave-001")),
    (lambda s: slave(s, drift={"changed_files": ["/etc/x"], "changed_keys": {"/etc/x": ["k"]}}), ("fail", "drift", "s-slave-001")),
    (lambda s: slave(s, drift={"links": ["/etc/y"]}), ("fail", "drift", "s-slave-001")),
    (lambda s: s["nodes"]["s-slave-001"].update(host={"changes": ["/etc/hosts"]}), ("fail", "drift", "s-slave-001")),
    (lambda s: slave(s, drift={"installed": {"hadoop": ""}}), ("fail", "versions", "s-slave-001")),
    (lambda s: slave(s, disks=[{"mount": "/", "used_share": 0.9, "inodes_share": 0.1}]), ("warn", "disks", "s-slave-001")),
    (lambda s: slave(s, disks=[{"mount": "/", "used_share": 0.1, "inodes_share": 0.99}]), ("fail", "disks", "s-slave-001")),
    (lambda s: slave(s, disks=[{"mount": "/", "used_share": 0, "inodes_share": 0, "read_only": True}]), ("fail", "disks", "s-slave-001")),
    (lambda s: hdfs(s, missing_blocks=1), ("fail", "hdfs", "-")),
    (lambda s: hdfs(s, corrupt_blocks=1), ("warn", "hdfs", "-")),
    (lambda s: hdfs(s, under_replicated_blocks=1), ("warn", "hdfs", "-")),
    (lambda s: hdfs(s, safe_mode="on. x"), ("fail", "hdfs", "-")),
    (lambda s: hdfs(s, free_bytes=5), ("warn", "hdfs", "-")),
    (lambda s: s["nodes"]["s-master-001"]["check"]["hdfs"]["datanodes"][1].update(state="dead"), ("fail", "hdfs", "s-slave-002")),
    (lambda s: s["nodes"]["s-master-001"]["check"]["yarn"]["nodes"][0].update(state="unhealthy"), ("fail", "yarn", "s-slave-001")),
    (lambda s: s["nodes"]["s-master-001"]["check"].update(hdfs=None), ("fail", "hdfs", "s-master-001")),
    (lambda s: s["nodes"]["s-master-001"]["check"].update(computation={"error": "no"}), ("fail", "work", "s-master-001")),
]


@pytest.mark.parametrize(("damage", "finding"), BROKEN)
def test_each_damage_is_found_and_nothing_else(seen, damage, finding):
    damage(seen)
    assert wrong(seen) == [finding]


def test_a_clock_that_is_off_by_less_than_the_measure_knows_is_no_finding(seen):
    for found in seen["nodes"].values():
        found["clock"] = {"offset_s": 4.0, "error_s": 3.0}
    assert not wrong(seen)


def test_when_all_nodes_agree_it_is_this_machine_that_is_wrong(seen):
    for found in seen["nodes"].values():
        found["clock"] = {"offset_s": 90.0, "error_s": 0.1}
    assert wrong(seen) == [("warn", "clocks", "-")]


def test_drift_is_only_told_while_nodes_are_missing(seen):
    seen["inspection"]["instances"].pop()
    slave(seen, drift={"changed_files": ["/etc/hosts"]})
    assert ("warn", "drift", "s-slave-001") in wrong(seen)


def test_a_stopped_cluster_is_one_finding_and_wants_to_be_started(seen):
    for instance_ in seen["inspection"]["instances"]:
        instance_["status"] = "Stopped"
    for found in seen["nodes"].values():
        found.update(silent="the instance is Stopped", check={}, clock={})
    rows = [row for row in judge(seen) if row["state"] != "ok"]
    assert [(row["check"], row["next"]) for row in rows if row["check"] != "work"] == [("instances", "emrctl start s")]


def test_the_worst_findings_come_first(seen):
    hdfs(seen, under_replicated_blocks=1)
    seen["inspection"]["instances"][2]["status"] = "Stopped"
    assert [row["state"] for row in judge(seen)][:3] == ["fail", "warn", "ok"]


def test_the_clock_is_measured_by_the_quickest_answer():
    times = iter([100.0, 108.0, 200.0, 200.2])
    answers = iter([{"rc": 0, "stdout": "1000099.0\n"}, {"rc": 0, "stdout": "1000200.5\n"}])
    assert measure_clock(lambda: next(answers), 2, lambda: 1000000 + next(times)) == {"offset_s": 0.4, "error_s": 0.1}


def test_a_node_without_a_clock_tells_none():
    assert measure_clock(lambda: {"rc": 127, "stdout": "no such command"}) == {}


def test_a_port_that_nobody_serves_is_told_at_once():
    assert "no answer from 127.0.0.1 port 1" in unanswered("127.0.0.1", 1)


# --- what is to be mended

def repairable(seen):
    """The same cluster as a repair sees it."""
    for found in seen["nodes"].values():
        found["status"] = found.pop("check")
    return seen


def test_a_whole_cluster_needs_no_repair(seen):
    plan = decisions.plan(repairable(seen))
    assert plan.empty and plan.edit == {"groups": {"master": 1, "slave": 2}}


def test_what_is_stopped_silent_missing_and_down_is_told_apart(seen):
    seen = repairable(seen)
    seen["inspection"]["instances"][1]["status"] = "Stopped"
    seen["nodes"]["s-slave-001"].update(silent="the instance is Stopped", status={})
    seen["nodes"]["s-slave-002"].update(silent="no answer", status={})
    seen["nodes"]["s-master-001"]["status"]["components"][0]["state"] = "failed"
    seen["spec"]["node_groups"]["slave"]["count"] = 4
    plan = decisions.plan(seen)
    assert (plan.start, plan.silent, plan.daemons, plan.missing) == (
        ["s-slave-001"], ["s-slave-002"], {"s-master-001": ["namenode"]}, {"slave": 2})


def test_strangers_are_refused_before_any_change(seen):
    seen["inspection"]["foreign"].append(instance("s-slave-009"))
    with pytest.raises(Refused, match="s-slave-009"):
        decisions.plan(repairable(seen))


def test_one_node_is_not_repaired_while_another_is_dead(seen):
    seen["inspection"]["instances"][1]["status"] = "Stopped"
    with pytest.raises(Refused, match="s-slave-001 cannot be used either"):
        decisions.plan(repairable(seen), "s-slave-002")


def test_a_node_that_is_not_there_and_not_missing_is_refused(seen):
    with pytest.raises(Refused, match="no node s-slave-007"):
        decisions.plan(repairable(seen), "s-slave-007")


@pytest.mark.parametrize("gone", [True, False])
def test_a_master_is_never_replaced(seen, gone):
    if gone:
        seen["inspection"]["instances"].pop(0)
    with pytest.raises(Refused, match="metadata"):
        decisions.refuse_masters(seen, [] if gone else ["s-master-001"])


def test_a_node_that_hdfs_hears_is_not_dead():
    rows = [{"node": "s-slave-001", "state": "in service", "last_contact_s": 1},
            {"node": "s-slave-002", "state": "in service", "last_contact_s": 31},
            {"node": "s-slave-003", "state": "dead", "last_contact_s": 0}]
    told = decisions.contradicted(["s-slave-001", "s-slave-002", "s-slave-003"], rows)
    assert [node for node, _why in told] == ["s-slave-001"] and decisions.contradicted(["s-slave-002"], None) == []


# --- what HDFS says

FSCK = b"""FSCK started by hdfs (auth:SIMPLE) from /10.0.0.2 for path / at Tue Nov 24 10:00:00 UTC 2026

/tmp <dir>
/user/emr/a b 20 bytes, replicated: replication=2, 2 block(s):  OK
0. BP-1-10.0.0.2-1:blk_1_1 len=10 Live_repl=2  [DatanodeInfoWithStorage[10.0.0.3:9866,DS-1,DISK], DatanodeInfoWithStorage[10.0.0.4:9866,DS-2,DISK]]
1. BP-1-10.0.0.2-1:blk_2_1 len=10 Live_repl=1  [DatanodeInfoWithStorage[10.0.0.3:9866,DS-1,DISK]]

/user/emr/c 10 bytes, replicated: replication=1, 1 block(s):  Under replicated
0. BP-1-10.0.0.2-1:blk_3_1 len=10 Live_repl=1  [DatanodeInfoWithStorage[10.0.0.4:9866,DS-2,DISK]]

/user/emr/d 10 bytes, replicated: replication=1, 1 block(s): MISSING 1 blocks of total size 10 B
0. BP-1-10.0.0.2-1:blk_4_1 len=10 MISSING!

Status: CORRUPT
"""


@pytest.mark.parametrize(("dead", "blocks", "files"), [
    (["10.0.0.3"], 2, ["/user/emr/a b", "/user/emr/d"]), (["10.0.0.4"], 2, ["/user/emr/c", "/user/emr/d"]),
    (["10.0.0.3", "10.0.0.4"], 4, ["/user/emr/a b", "/user/emr/c", "/user/emr/d"]), (["10.0.0.30"], 1, ["/user/emr/d"])])
def test_blocks_that_only_dead_nodes_have_are_counted(dead, blocks, files):
    assert node_copies.count_sole(FSCK.splitlines(True), dead) == {"blocks": blocks, "files": files, "checked": 4}


def test_an_answer_that_was_cut_off_proves_nothing():
    assert "error" in node_copies.count_sole(FSCK.splitlines(True)[:6], ["10.0.0.9"])


def test_hdfs_has_healed_when_every_block_has_its_copies():
    assert healed(HDFS, 2) and not healed(None, 2) and not healed(HDFS, 3)
    assert not healed({**HDFS, "live": 3}, 2) and "not noticed yet which nodes are gone" in progress({**HDFS, "live": 3}, 2)
    assert not healed({**HDFS, "datanodes": [{**HDFS["datanodes"][0], "last_contact_s": 40}]}, 2)
    assert not healed({**HDFS, "under_replicated_blocks": 1}, 2) and not healed({**HDFS, "safe_mode": "on"}, 2)
    assert "1 of 10 blocks have too few copies" in progress({**HDFS, "under_replicated_blocks": 1}, 2)


def test_copies_that_no_datanode_can_hold_are_not_waited_for():
    lacking = {**HDFS, "under_replicated_blocks": 1, "copying_blocks": 0}
    look = Healing(2)
    assert look(HDFS, 0) and not look(lacking, 10) and not look(lacking, 60) and look(lacking, 71)
    assert not look({**lacking, "under_replicated_blocks": 2}, 80) and not look({**lacking, "under_replicated_blocks": 2}, 130)
    assert not look({**lacking, "copying_blocks": 1}, 200) and not look(lacking, 210) and look(lacking, 271)
    assert not Healing(3)(HDFS, 0) and not Healing(2)(None, 0)


def test_datanodes_are_told_with_what_they_still_have_to_move():
    info = {"name": "Hadoop:service=NameNode,name=NameNodeInfo",
            "LiveNodes": json.dumps({"n1:9866": {"adminState": "Decommission In Progress", "numBlocks": 5, "capacity": 9},
                                     "n2:9866": {"adminState": "In Service", "volfails": 1}}),
            "DeadNodes": json.dumps({"n3:9866": {"lastContact": 700, "adminState": "In Service"}}),
            "DecomNodes": json.dumps({"n1:9866": {"underReplicatedBlocks": 4, "decommissionOnlyReplicas": 2}})}
    found = node_details.datanodes(info)
    assert [(r["node"], r["state"], r["blocks_to_move"]) for r in found["datanodes"]] == [
        ("n1", "decommissioning", 4), ("n2", "in service", 0), ("n3", "dead", 0)]
    assert found["sole_copies"] == 2 and found["datanodes"][1]["failed_volumes"] == 1


def test_queues_are_told_with_their_children():
    answer = {"scheduler": {"schedulerInfo": {"queueName": "root", "queues": {"queue": [
        {"queueName": "a", "queuePath": "root.a", "absoluteCapacity": 60, "state": "RUNNING", "queues": {"queue": [
            {"queueName": "b", "queuePath": "root.a.b", "absoluteCapacity": 30.04, "numPendingApplications": 2}]}},
        {"queueName": "c", "queuePath": "root.c"}]}}}}
    rows = node_details.yarn_queues(answer)
    assert [row["queue"] for row in rows] == ["a", "a.b", "c"] and rows[1]["capacity_percent"] == 30.0
    assert rows[1]["apps_pending"] == 2 and node_details.yarn_queues(None) == [] and node_details.yarn_nodes(None) == []


def test_a_process_without_the_native_library_is_told_from_one_with_it(tmp_path):
    library = tmp_path / "libhadoop.so"
    library.write_bytes(b"x" * 4096)
    code = "import mmap, sys; f = open(sys.argv[1]); m = mmap.mmap(f.fileno(), 0, prot=mmap.PROT_READ); print('up', flush=True); sys.stdin.read()"
    for file, loaded in ((library, True), (Path(__file__), False)):
        with subprocess.Popen([sys.executable, "-c", code, str(file)], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
            process.stdout.readline()
            assert node_check.native_loaded(process.pid) is loaded
            process.stdin.close()
    assert node_check.native_loaded(0)


def test_a_crash_is_seen_in_the_log(tmp_path):
    log = tmp_path / "datanode.log"
    log.write_text("fine\n")
    daemon = {"name": "datanode", "service": "hdfs", "log_file": str(log)}
    assert node_check.crashes(daemon) == []
    log.write_text("2020-01-01 10:00:00,123 WARN java.lang.OutOfMemoryError: Java heap space\n")
    assert node_check.crashes(daemon) == []
    log.write_text("x java.lang.OutOfMemoryError: Java heap space\nmore\n")
    (tmp_path / "hs_err_pid12.log").write_text("#")
    assert [row["what"] for row in node_check.crashes(daemon)] == ["java.lang.OutOfMemoryError: Java heap space", "a JVM crashed"]


def test_disks_are_told_once_each(tmp_path):
    rows = node_check.disks([str(tmp_path), str(tmp_path / "not" / "there"), str(tmp_path)])
    assert len(rows) == 1 and 0 < rows[0]["used_share"] < 1 and rows[0]["mount"]


@pytest.mark.parametrize(("data", "told"), [({}, "needed no repair"), ({"started": ["n1"], "hdfs": HDFS}, "Started: n1")])
def test_a_repair_tells_what_it_did(data, told, tmp_path):
    changed = {"changed": {"localhost": 1}} if data else {}
    assert told in views_health.repaired("s", Result("repair", tmp_path, data=data, stats=changed), "9s")


def test_the_matrix_shows_states_stale_daemons_and_hosts_that_are_down():
    rows = [{"node": "m", "component": "namenode", "state": "running", "stale": True, "detail": "older"},
            {"node": "s", "component": "-", "state": "unreachable", "detail": "no answer"}]
    text = views_health.status({"components": rows, "nodes": [{"name": "m", "role": "master"}, {"name": "s", "role": "slave"}],
                                "hdfs": None, "yarn": None})
    lines = text.splitlines()
    assert lines[0].split() == ["NODE", "ROLE", "NAMENODE"] and lines[1].split() == ["m", "master", "running*"]
    assert lines[2].split() == ["s", "slave", "unreachable"] and "no answer" in text


def test_findings_are_told_with_what_to_run(seen):
    seen["inspection"]["instances"][1]["status"] = "Stopped"
    rows = judge(seen)
    text = views_health.findings({"name": "s", "findings": rows, "counts": {"ok": 12, "warn": 0, "fail": 1}})
    assert text.startswith("FAIL  instances: s-slave-001: the instance is Stopped\n      next: emrctl repair s")


def test_an_instance_that_cannot_be_started_is_dead_and_ends_nothing(monkeypatch):
    told = []
    operation = SimpleNamespace(changed=False, client=None, name="s", say=told.append)
    monkeypatch.setattr(instances, "_by_name", lambda op: {"s-slave-001": {"InstanceId": "i-1", "Status": "Stopped"}})

    def sold_out(client, ids):
        raise EmrError("sold out")

    monkeypatch.setattr(instances, "start_instances", sold_out)
    assert instances.recover(operation, decisions.Repair("s", start=["s-slave-001"]), 1) == ([], ["s-slave-001"])
    assert told == ["s-slave-001 cannot be started: sold out", "s-slave-001 is dead: it does not start"]


def test_status_shows_jobs_flows_and_schedules():
    work = {"jobs": {"going": [{"id": "j-1", "name": "daily", "type": "MR", "state": "RUNNING", "user": "emr", "seconds": 3.2}],
                     "ended": {"SUCCEEDED": 7, "FAILED": 1}}, "flows": {"going": [], "ended": {}},
            "schedules": [{"name": "nightly", "state": "ACTIVE", "next": "2026-11-30 02:30:00", "last": "SUCCEEDED"}]}
    data = {"name": "sales", "components": [{"node": "m", "component": "namenode", "state": "running"}], "work": work}
    text = views_health.status(data)
    assert "Jobs: 1 going on; ended within a day: 1 FAILED, 7 SUCCEEDED (emrctl jobs list sales)" in text
    assert "j-1" in text and "Flows" not in text and "nightly" in text and "2026-11-30 02:30:00" in text
    assert "Jobs" not in views_health.status({**data, "work": None})
