"""What an upgrade may do, where it goes back to, and what a NameNode tells of it."""
from __future__ import annotations

import http.server
import json
import threading
from dataclasses import replace

import pytest

from ansible_collections.emr.cluster.plugins.module_utils.domain.daemons.scope import batches
from ansible_collections.emr.cluster.plugins.module_utils.domain.errors import Refused, SpecError
from ansible_collections.emr.cluster.plugins.module_utils.domain.install.releases import RELEASES
from ansible_collections.emr.cluster.plugins.module_utils.domain.spec import edits, history
from ansible_collections.emr.cluster.plugins.module_utils.domain.spec.model import spec_from_dict
from ansible_collections.emr.cluster.plugins.module_utils.domain.upgrade import rules
from ansible_collections.emr.cluster.plugins.module_utils.node.services import hdfs_upgrade
from ansible_collections.emr.cluster.plugins.module_utils.services import spark_native
from ansible_collections.emr.cluster.plugins.module_utils.services.findings_hdfs import hdfs as findings
from emrctl import views_upgrade

from .test_edits import SPEC as FULL_SPEC
from .test_scope import cluster

SPEC = replace(FULL_SPEC, artifacts={})
NEW = replace(SPEC, release="emr-1.1")
HADOOP = {name: row.version("hadoop") for name, row in RELEASES.items()}


def state(unfinished=False, held="", passes=True, **versions):
    return {"unfinished": unfinished, "since_ms": 0, "ready": unfinished, "held": held, "passes": passes,
            "versions": versions or {HADOOP["emr-1.0"]: ["NameNode", "a"]}}


@pytest.fixture
def offered(monkeypatch):
    """Every release of the catalogue may be had."""
    monkeypatch.setattr(edits, "OFFERED", tuple(RELEASES))


def test_what_is_not_proven_on_hosts_is_not_to_be_had():
    with pytest.raises(Refused, match="not offered yet"):
        edits.apply_edit(SPEC.to_dict(), {"release": "emr-1.1"})
    with pytest.raises(SpecError, match=r"release(?s:.*)emr-1\.0"):
        spec_from_dict({**SPEC.to_dict(), "release": "emr-1.1"})


def test_an_edit_changes_the_release_and_says_so(offered):
    data = edits.apply_edit(SPEC.to_dict(), edits.check_edit({"release": "emr-1.1", "rollback": False}))
    assert data["release"] == "emr-1.1" and edits.describe({"release": "emr-1.1"}) == "upgrade emr-1.1"
    with pytest.raises(Refused, match=r"emr-1\.7(?s:.*)emr-1\.1"):
        edits.apply_edit(SPEC.to_dict(), {"release": "emr-1.7"})


@pytest.mark.parametrize(("direction", "before", "wanted", "states", "words"), [
    ("forward", SPEC, NEW, {"hdfs": None}, "does not answer"),
    ("forward", SPEC, NEW, {"hdfs": state(held="HDFS is in safe mode")}, "safe mode"),
    ("forward", NEW, SPEC, {"hdfs": state(unfinished=True)}, "--finalize"),
    ("back", NEW, SPEC, {"hdfs": state()}, "nothing to take back")])
def test_what_is_refused(direction, before, wanted, states, words):
    with pytest.raises(Refused, match=words):
        rules.check(before, wanted, direction, states)


def test_several_masters_are_refused():
    three = {"node_groups": {**SPEC.node_groups, "master": replace(SPEC.node_groups["master"], count=3)}}
    with pytest.raises(Refused, match="3 masters"):
        rules.check(replace(SPEC, **three), replace(NEW, **three), "forward", {"hdfs": state()})


@pytest.mark.parametrize(("direction", "before", "wanted", "states"), [
    ("forward", SPEC, NEW, {"hdfs": state()}), ("forward", NEW, NEW, {"hdfs": state(unfinished=True)}), ("forward", SPEC, SPEC, {"hdfs": state()}),
    ("back", NEW, SPEC, {"hdfs": state(unfinished=True)}), ("back", SPEC, SPEC, {"hdfs": state(unfinished=True)}), ("back", SPEC, SPEC, {"hdfs": state()})])
def test_what_goes_on_after_any_interruption(direction, before, wanted, states):
    rules.check(before, wanted, direction, states)


def test_other_data_on_disks_is_no_upgrade(monkeypatch):
    monkeypatch.setitem(RELEASES, "emr-1.1", replace(RELEASES["emr-1.1"], disks="NameNode -68, DataNode -57"))
    with pytest.raises(Refused, match="no way back"):
        rules.check(SPEC, NEW, "forward", {"hdfs": state()})


def test_a_spec_of_another_release_changes_nothing_by_the_way():
    rules.check_same(SPEC, SPEC, "the spec")
    with pytest.raises(Refused, match=f"emrctl upgrade {SPEC.name} emr-1.1"):
        rules.check_same(SPEC, NEW, "the spec")


def test_finalising_waits_for_the_last_daemon():
    mixed = state(True, **{HADOOP["emr-1.1"]: ["NameNode"], HADOOP["emr-1.0"]: ["s-1"]})
    with pytest.raises(Refused, match="s-1"):
        rules.check_finished(NEW, {"hdfs": mixed})
    assert rules.check_finished(NEW, {"hdfs": state(True, **{HADOOP["emr-1.1"]: ["NameNode", "s-1"]})}) == ["hdfs"]
    assert rules.check_finished(SPEC, {"hdfs": state()}) == []
    assert rules.lagging(NEW, {"hdfs": state()}) == {"hdfs": {HADOOP["emr-1.0"]: ["NameNode", "a"]}}


def metas(*rows):
    """Of revisions; a row is a release or (release, whether it came by a rollback)."""
    pairs = [row if isinstance(row, tuple) else (row, False) for row in rows]
    return [{"number": n, "edit": {"rollback": True} if back else {}, **({"release": name} if name else {})} for n, (name, back) in enumerate(pairs, 1)]


@pytest.mark.parametrize(("rows", "to"), [
    (["emr-1.0"], ""), (["", "emr-1.1"], "emr-1.0"), (["", "emr-1.1", "emr-1.1"], "emr-1.0"),
    (["", "emr-1.1", ("emr-1.0", True)], "emr-1.0"), (["", "emr-1.1", ("emr-1.0", True), "emr-1.0", "emr-1.1"], "emr-1.0")])
def test_a_rollback_goes_where_the_release_came_from_and_again_where_it_went(rows, to):
    assert history.release_before(metas(*rows)) == to


def test_masters_take_their_turn_last_on_the_way_back():
    names = [node.name for node in cluster().nodes]
    assert batches(cluster(), names)[0] == ["c-master-001"] and batches(cluster(), names, masters_last=True)[-1] == ["c-master-001"]
    assert sorted(map(tuple, batches(cluster(), names))) == sorted(map(tuple, batches(cluster(), names, masters_last=True)))


def test_the_plan_tells_versions_and_pauses():
    told = rules.described(SPEC, NEW, "forward")
    assert {"software": "hadoop", "from": HADOOP["emr-1.0"], "to": HADOOP["emr-1.1"]} in told["versions"]
    assert not any(row["software"] == "metastore" for row in told["versions"]) and any("NameNode" in sentence for sentence in told["pauses"])
    text = views_upgrade.plan({"plan": {"upgrade": told, "cluster": "c", "buy": [], "changes": [], "empty": False, "nodes": []}})
    assert HADOOP["emr-1.1"] in text and "beside" in text


def test_an_engine_that_a_release_has_not_is_refused():
    data = {**SPEC.to_dict(), "spark": {"engine": "native"}, "services": ["hadoop", "spark"]}
    spec = spec_from_dict(data)
    assert not list(spark_native.rules(spec, [])) and "no native engine" in next(spark_native.rules(replace(spec, release="emr-1.1"), []))[1]


@pytest.fixture
def namenode():
    """Address of an HTTP server that tells what a NameNode tells, and the fields that a test sets."""
    fields = {"name": "Hadoop:service=NameNode,name=NameNodeInfo", "SoftwareVersion": "3.4.2", "Safemode": "", "RollingUpgradeStatus": None,
              "LiveNodes": json.dumps({"a:9866": {"version": "3.4.2"}, "b:9866": {"version": "3.4.3"}})}

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            body = json.dumps({"beans": [fields]}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_words):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}", fields
    server.shutdown()
    server.server_close()


def test_what_a_namenode_tells(namenode, tmp_path, monkeypatch):
    address, fields = namenode
    monkeypatch.setattr(hdfs_upgrade, "MARK", str(tmp_path / "mark"))
    told = hdfs_upgrade.upgrade_state(address)
    assert told["versions"] == {"3.4.2": ["NameNode", "a"], "3.4.3": ["b"]} and not told["unfinished"] and not told["held"]
    fields["RollingUpgradeStatus"] = {"startTime": 7, "createdRollbackImages": True, "finalizeTime": 0}
    told = hdfs_upgrade.upgrade_state(address)
    assert told["unfinished"] and told["ready"] and told["since_ms"] == 7
    fields["Safemode"] = "Safe mode is ON. It was turned on manually. Use leave."
    told = hdfs_upgrade.upgrade_state(address)
    assert told["held"] and not told["passes"]
    (tmp_path / "mark").write_text("")
    assert not hdfs_upgrade.upgrade_state(address)["held"], "it is the upgrade's own"
    assert hdfs_upgrade.upgrade_state("http://127.0.0.1:9") is None


def test_check_warns_of_what_is_not_finalised_or_not_finished():
    node = {"node": "s-1", "state": "in service", "failed_volumes": 0, "last_contact_s": 0, "version": "3.4.3"}
    found = {"safe_mode": "", "version": "3.4.3", "upgrade_since_ms": 1, "datanodes": [node], "capacity_bytes": 0, "live": 1, "blocks": 1}
    seen = {"cluster": "c", "control": "m", "nodes": {"m": {"check": {"asked": ["hdfs"], "hdfs": found}}}}
    (row,) = findings(seen)
    assert row["state"] == "warn" and "--finalize" in row["next"]
    node["version"] = "3.4.2"
    (row,) = findings(seen)
    assert "interrupted" in row["detail"] and "s-1" in row["detail"]
