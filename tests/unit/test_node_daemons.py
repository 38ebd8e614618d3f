"""Health readers and the start of daemons, without daemons."""
from __future__ import annotations

import http.server
import json
import threading
import types

import pytest

from ansible_collections.emr.cluster.plugins.module_utils.node import hadoop_http
from ansible_collections.emr.cluster.plugins.module_utils.node.common import NodeError
from ansible_collections.emr.cluster.plugins.module_utils.node.daemons import (
    health as node_health,
    service as node_service,
    stale as node_stale,
    status as node_status,
)
from ansible_collections.emr.cluster.plugins.module_utils.node.health import verify as node_verify
from ansible_collections.emr.cluster.plugins.module_utils.node.services.hooks import hook
from ansible_collections.emr.cluster.plugins.module_utils.services.registry import COMPONENTS
from ansible_collections.emr.cluster.plugins.plugin_utils.node_action import NodeAction


def jmx(name, **values):
    return {"beans": [dict({"name": f"Hadoop:service=X,name={name}"}, **values)]}


@pytest.mark.parametrize(("kind", "answer", "ready"), [
    ("hdfs.namenode", jmx("NameNodeInfo", Safemode=""), True),
    ("hdfs.namenode", jmx("NameNodeInfo", Safemode="Safe mode is ON. The reported blocks"), False),
    ("hdfs.namenode", {"beans": []}, False),
    ("hdfs.datanode", jmx("DataNodeInfo", BPServiceActorInfo='[{"ActorState": "RUNNING"}]'), True),
    ("hdfs.datanode", jmx("DataNodeInfo", BPServiceActorInfo='[{"ActorState": "CONNECTING"}]'), False),
    ("hdfs.datanode", jmx("DataNodeInfo", BPServiceActorInfo="[]"), False),
    ("yarn.resourcemanager", {"clusterMetrics": {"activeNodes": 3}}, True),
    ("yarn.resourcemanager", {}, False),
    ("yarn.nodemanager", {"nodeInfo": {"nodeHealthy": True}}, True),
    ("yarn.nodemanager", {"nodeInfo": {"nodeHealthy": False, "healthReport": "disks are full"}}, False),
])
def test_readers(kind, answer, ready):
    found, said = hook(kind, "READERS")(answer)
    assert found is ready and said


def test_nobody_answers():
    assert node_health.probe({"kind": "http", "url": "http://127.0.0.1:9/x"}) == (False, "no answer from http://127.0.0.1:9/x")


def component(name, after=()):
    return {"name": name, "label": name, "unit": f"emr-{name}", "after": list(after), "log_file": f"/none/{name}.log",
            "leads": COMPONENTS[name].leads, "survives": COMPONENTS[name].survive, "health": {"kind": "http", "url": name}}


class Machine:
    """Stands for systemd and the daemons: what was run in which order, and what answers."""

    def __init__(self, monkeypatch, states=None, broken=()):
        self.calls, self.states, self.broken = [], states or {}, broken
        monkeypatch.setattr(node_service, "run", self.run)
        monkeypatch.setattr(node_service, "unit_states", lambda units: {u: self.state(u) for u in units})
        monkeypatch.setattr(node_service, "probe", lambda health: (self.answers(health["url"]), "said"))
        monkeypatch.setattr(node_service, "_members", lambda unit: [])
        monkeypatch.setattr(node_stale, "read_text", lambda path: "digest")
        monkeypatch.setattr(node_service, "log_tail", lambda *_args: ["last line of the log"])

    def state(self, unit):
        return dict({"LoadState": "loaded", "ActiveState": "inactive", "NRestarts": "0"}, **self.states.get(unit, {}))

    def run(self, argv, **_options):
        self.calls.append(tuple(argv[1:]))
        if argv[1] in ("start", "restart"):
            for unit in argv[2:]:
                name = unit[:-len(".service")]
                failed = name in self.broken
                self.states[name] = {"ActiveState": "failed" if failed else "active", "ExecMainStatus": "1"}

    def answers(self, name):
        return self.states.get(f"emr-{name}", {}).get("ActiveState") == "active"


def options(*components, **more):
    return dict({"state": "started", "components": list(components), "cluster_id": "emr-1", "format": {}, "file_system": {},
                 "data_dirs": [], "environment": {}, "bootstrap": [], "limit_s": 2}, **more)


def test_start_follows_the_order_on_the_same_node(monkeypatch):
    machine = Machine(monkeypatch)
    parts = [component("namenode"), component("resourcemanager"), component("historyserver", ["namenode"])]
    result = node_service.apply(options(*parts), False)
    started = [unit for call in machine.calls for unit in call[1:]]
    assert started.index("emr-namenode.service") < started.index("emr-historyserver.service")
    assert set(result["emr_ready"]) == {"namenode", "resourcemanager", "historyserver"} and result["changed"]


def test_a_daemon_does_not_wait_here_for_one_on_another_node(monkeypatch):
    machine = Machine(monkeypatch)
    node_service.apply(options(component("datanode", ["namenode"]), component("nodemanager", ["resourcemanager"])), False)
    assert machine.calls == [("start", "emr-datanode.service", "emr-nodemanager.service")]


def test_running_daemons_are_left_alone(monkeypatch):
    machine = Machine(monkeypatch, {"emr-namenode": {"ActiveState": "active"}})
    assert node_service.apply(options(component("namenode")), False)["changed"] is False and machine.calls == []


def test_stale_daemons_are_restarted(monkeypatch):
    machine = Machine(monkeypatch, {"emr-namenode": {"ActiveState": "active"}})
    monkeypatch.setattr(node_stale, "read_text", lambda path: "old" if path.startswith("/run/") else "new")
    assert node_service.apply(options(component("namenode")), False)["changes"] == ["namenode: restarted"]
    assert machine.calls == [("restart", "emr-namenode.service")]


def test_what_a_roll_will_restart_is_kept_only_while_it_serves(monkeypatch):
    machine = Machine(monkeypatch, {"emr-metastore": {"ActiveState": "active"}})
    monkeypatch.setattr(node_stale, "read_text", lambda path: "old" if path.startswith("/run/") else "new")
    monkeypatch.setattr(node_service, "stale_parts", lambda _names: {"restart": [], "refresh": {}, "idle": []})
    parts = [component("metastore"), component("spark-thrift", ["metastore"])]
    node_service.apply(options(*parts, stale="keep"), False)
    assert machine.calls == [("start", "emr-spark-thrift.service")]
    machine.calls, machine.states = [], {"emr-metastore": {"ActiveState": "active"}}
    answers = iter([False])
    monkeypatch.setattr(node_service, "probe", lambda health: (next(answers, True), "its database is away"))
    node_service.apply(options(*parts, stale="keep"), False)
    assert machine.calls == [("restart", "emr-metastore.service"), ("start", "emr-spark-thrift.service")]


def test_check_mode_starts_nothing(monkeypatch):
    machine = Machine(monkeypatch)
    result = node_service.apply(options(component("namenode")), True)
    assert result == {"changed": True, "changes": ["namenode: start"]} and machine.calls == []


def test_a_daemon_that_fails_is_told_with_its_log(monkeypatch):
    Machine(monkeypatch, broken=("emr-namenode",))
    with pytest.raises(NodeError) as caught:
        node_service.apply(options(component("namenode")), False)
    assert "last line of the log" in str(caught.value) and caught.value.extra["component"] == "namenode"


def test_a_daemon_that_never_gets_ready_is_told_after_the_limit(monkeypatch):
    machine = Machine(monkeypatch)
    machine.answers = lambda name: False
    with pytest.raises(NodeError, match="not ready after 0.2 s: said"):
        node_service.apply(options(component("namenode"), limit_s=0.2), False)


def test_a_look_that_is_over_says_what_is_waited_for_and_the_next_goes_on(monkeypatch):
    machine = Machine(monkeypatch, {"emr-namenode": {"NRestarts": "1"}})
    machine.answers = lambda name: False
    found = node_service.apply(options(component("namenode"), limit_s=60, look_s=0.2), False)
    assert found == {"changed": True, "changes": ["namenode: started"], "waits": "namenode: said", "again": {"restarts": {"emr-namenode": 1}}}
    machine.states["emr-namenode"]["NRestarts"] = "4"
    with pytest.raises(NodeError, match="keeps ending .*3 restarts"):  # counted from the first look on
        node_service.apply(options(component("namenode"), limit_s=60, look_s=0.2, **found["again"]), False)
    machine.states["emr-namenode"]["NRestarts"] = "1"
    with pytest.raises(NodeError, match="not ready after 60 s: said"):
        node_service.apply(options(component("namenode"), limit_s=0.2, look_s=20, whole_s=60, **found["again"]), False)
    machine.answers = lambda name: True
    found = node_service.apply(options(component("namenode"), limit_s=50, look_s=0.2, **found["again"]), False)
    assert "waits" not in found and not found["changed"]


def test_queues_are_refreshed_before_an_application_waits_for_its_place_in_one(monkeypatch):
    """A Spark server's application needs the larger share of application masters that comes with it."""
    machine = Machine(monkeypatch, {"emr-resourcemanager": {"ActiveState": "active"}})
    monkeypatch.setattr(node_service, "wants_refresh", lambda name: ["queues"])
    monkeypatch.setattr(node_service, "refresh", lambda row: machine.calls.append(("refresh", row["name"])) or "resourcemanager: queues refreshed")
    rows = [{"component": "resourcemanager", "unit": "emr-resourcemanager", "name": "queues"}]
    thrift = dict(component("spark-thrift"), application=True)
    found = node_service.apply(options(component("metastore"), thrift, refreshes=rows, resourcemanager="http://127.0.0.1:9"), False)
    assert machine.calls == [("refresh", "queues"), ("start", "emr-metastore.service", "emr-spark-thrift.service")]
    assert found["changes"][0] == "resourcemanager: queues refreshed"
    machine.calls, machine.states = [], {}
    node_service.apply(options(thrift, refreshes=rows, resourcemanager="http://127.0.0.1:9"), False)
    assert machine.calls == [("start", "emr-spark-thrift.service")], "a ResourceManager that does not run reads them when it starts"


def test_an_application_that_yarn_has_not_begun_is_told_with_what_holds_its_memory(monkeypatch):
    app = {"id": "application_1_0002", "state": "ACCEPTED", "queue": "root.default", "user": "emr", "applicationTags": "emr-server", "allocatedMB": -1}
    answers = {"/apps": {"apps": {"app": [app, {"id": "application_1_0001", "state": "RUNNING", "queue": "default", "user": "alice",
                                                "applicationTags": "", "allocatedMB": 3072}]}},
               "/metrics": {"clusterMetrics": {"totalMB": 3072, "allocatedMB": 3072, "pendingMB": 512}}}
    monkeypatch.setattr(hadoop_http.Daemon, "look", lambda _self, path: next(v for k, v in answers.items() if k in path))
    assert node_health.waiting_application("http://rm").startswith(
        "YARN has not begun application_1_0002 in the queue default yet: 3072 of 3072 MiB are taken (application_1_0001 of alice 3072 MiB), "
        "and 512 MiB are asked for.")
    app["state"] = "RUNNING"
    assert node_health.waiting_application("http://rm") == ""
    answers["/apps"] = None
    assert node_health.waiting_application("http://rm") == ""


def test_what_waits_is_looked_at_again_and_told_until_its_limit(capsys):
    answers = [{"changed": True, "changes": ["a: started"], "waits": "a: said", "again": {"restarts": {"a": 1}}}, {"changed": False, "waits": "b"},
               {"changed": False, "changes": [], "nodes": 3}]
    asked = []

    class Action(NodeAction):
        def __init__(self):
            self.context = types.SimpleNamespace(host="m1")

        def module(self, options, op=""):
            asked.append(options)
            return answers.pop(0)

    assert Action().patient({"limit_s": 600, "look_s": 20}) == {"changed": True, "changes": ["a: started"], "nodes": 3}
    assert [row.get("restarts") for row in asked] == [None, {"a": 1}, {"a": 1}] and {row["whole_s"] for row in asked} == {600}
    assert all(row["limit_s"] <= 600 for row in asked)
    told = capsys.readouterr().out
    assert "emr: m1 waits: a: said" in told and "emr: m1 waits: b" in told


ARCHIVE = {"source": "/opt/emr/spark/jars", "path": "/spark/libs.zip", "owner": "spark"}


@pytest.fixture
def putting(monkeypatch):
    """The archives that were put into HDFS; HDFS answers with ``told`` in turn, the last for ever."""
    Machine(monkeypatch)
    seen = {"put": [], "told": []}
    monkeypatch.setattr(node_service, "ensure_directories", lambda *_args: [])
    monkeypatch.setattr(node_service.WebHdfs, "status", lambda _self, path: {} if path in seen["put"] else None)
    monkeypatch.setattr(node_service, "ensure_archive", lambda _client, row: seen["put"].append(row["path"]) or True)
    monkeypatch.setattr(node_service, "hdfs_summary", lambda _base: seen["told"].pop(0) if seen["told"][1:] else seen["told"][0])
    return seen


def test_an_archive_waits_for_the_first_datanode(putting):
    ready = {"safe_mode": "", "live": 1, "free_bytes": 1}
    putting["told"] = [None, {**ready, "safe_mode": "Safe mode is ON."}, {**ready, "live": 0}, {**ready, "free_bytes": 0}, ready]
    result = node_service.apply(options(component("namenode"), file_system={"base": "", "directories": [], "archives": [ARCHIVE]}), False)
    assert "HDFS /spark/libs.zip" in result["changes"] and putting["told"] == [ready]


def test_an_archive_that_nobody_takes_is_told_after_the_limit(putting):
    putting["told"] = [{"safe_mode": "", "live": 0, "free_bytes": 0}]
    hdfs = {"base": "", "directories": [], "archives": [ARCHIVE]}
    with pytest.raises(NodeError, match="libs.zip could not be put into HDFS within 0.2 s: 0 DataNodes are live"):
        node_service.apply(options(component("namenode"), file_system=hdfs, limit_s=0.2), False)
    assert not putting["put"]


def test_a_datanode_with_blocks_of_another_cluster_is_not_started(monkeypatch, tmp_path):
    machine = Machine(monkeypatch)
    (tmp_path / "current").mkdir()
    (tmp_path / "current" / "VERSION").write_text("clusterID=emr-other\n")
    with pytest.raises(NodeError, match="holds blocks of cluster emr-other"):
        node_service.apply(options(component("datanode"), data_dirs=[str(tmp_path)]), False)
    assert machine.calls == []


def test_stop_is_one_call_in_reverse_order(monkeypatch):
    machine = Machine(monkeypatch, {"emr-namenode": {"ActiveState": "active"}, "emr-historyserver": {"ActiveState": "active"}})
    parts = [component("namenode"), component("historyserver")]
    result = node_service.apply(options(*parts, state="stopped"), False)
    assert machine.calls == [("stop", "emr-historyserver.service", "emr-namenode.service")]
    assert result["stopped"] == ["historyserver", "namenode"]


@pytest.mark.parametrize(("state", "expected"), [
    ({"LoadState": "not-found"}, "missing"), ({"LoadState": "loaded", "ActiveState": "inactive"}, "stopped"),
    ({"LoadState": "loaded", "ActiveState": "failed"}, "failed"),
    ({"LoadState": "loaded", "ActiveState": "activating"}, "restarting"),
    ({"LoadState": "loaded", "ActiveState": "active"}, "starting")])
def test_states_for_people(state, expected, monkeypatch):
    monkeypatch.setattr(node_status, "probe", lambda health: (False, "no answer"))
    assert node_status._state(component("namenode"), state)[0] == expected


def test_containers_end_with_a_nodemanager_that_is_stopped(monkeypatch):
    machine = Machine(monkeypatch, {"emr-nodemanager": {"ActiveState": "active"}})
    left = iter([["17"], ["17"], []])
    monkeypatch.setattr(node_service, "_members", lambda unit: next(left))
    node_service.apply(options(component("nodemanager"), state="stopped"), False)
    assert machine.calls == [("stop", "emr-nodemanager.service"),
                             ("kill", "--kill-who=all", "--signal=TERM", "emr-nodemanager.service")]


@pytest.fixture
def manager(tmp_path):
    """A ResourceManager as verify asks it: what it answers by path, its address, and its log."""
    answers = {"/ws/v1/cluster/metrics": {"clusterMetrics": {"activeNodes": 1}},
               "/ws/v1/cluster/nodes": {"nodes": {"node": [{"nodeHostName": "s1", "id": "s1:8041", "state": "RUNNING"}]}}}

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            body = json.dumps(answers.get(self.path.split("?")[0], {})).encode()
            self.send_response(200)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_args):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield answers, f"http://127.0.0.1:{server.server_port}", tmp_path / "rm.log"
    server.shutdown()
    server.server_close()


def test_verify_says_which_nodes_it_waits_for_and_who_is_turned_away(manager):
    answers, base, log = manager
    wanted = {"answers": {"yarn": base}, "members": {"yarn": ["s1", "s2"]}, "logs": {"yarn": str(log)}, "limit_s": 600, "look_s": 0.2, "proofs": []}
    assert node_verify.verify(wanted)["waits"] == "1 of 2 NodeManagers are active, without s2"
    log.write_text("x\n2026-11-29 ResourceTrackerService: Disallowed NodeManager from  lab-slave-001, Sending SHUTDOWN signal to the NodeManager.\n")
    assert "(the ResourceManager turns away lab-slave-001, a name that the cluster does not have" in node_verify.verify(wanted)["waits"]
    with pytest.raises(NodeError, match="not complete: 1 of 2 NodeManagers are active, without s2 .*lab-slave-001"):
        node_verify.verify({**wanted, "limit_s": 0.2})
    answers["/ws/v1/cluster/metrics"]["clusterMetrics"]["activeNodes"] = 2
    assert node_verify.verify(wanted)["nodes"]["yarn"]["active"] == 2
