"""A spot node with notice drains itself: the program on the nodes, the units around it, the lists they write."""
from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from ansible_collections.emr.cluster.plugins.module_utils.domain import paths
from ansible_collections.emr.cluster.plugins.module_utils.domain.resident import package as resident
from ansible_collections.emr.cluster.plugins.module_utils.domain.scale import reclaim
from ansible_collections.emr.cluster.plugins.module_utils.domain.spec.model import parse_spec
from ansible_collections.emr.cluster.plugins.module_utils.domain.topology.nodes import Node, Topology
from ansible_collections.emr.cluster.plugins.module_utils.node.config import configure as node_configure
from ansible_collections.emr.cluster.plugins.module_utils.node.scale import lists as node_lists, reclaim_program
from ansible_collections.emr.cluster.plugins.module_utils.node.scale.reclaim_program import (
    Drains,
    Metadata,
    answer,
    exclude,
    watch,
)
from tests.unit.spec_samples import FULL, changed

NODES = {"10.0.0.9": "sales-night-001"}


class Server:
    """Answers what ``reply(method, path, headers, body)`` gives as (status, text), and keeps what was asked."""

    def __init__(self, reply):
        self.asked = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
                outer.asked.append((self.command, self.path, body))
                status, text = reply(self.command, self.path, {k.lower(): v for k, v in self.headers.items()}, body)
                self.send_response(status)
                self.end_headers()
                self.wfile.write(text.encode())

            do_GET = do_PUT = do_POST = do

            def log_message(self, *_):
                pass

        self.http = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_port}"
        threading.Thread(target=self.http.serve_forever, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.http.shutdown()
        self.http.server_close()


def metadata_service(state):
    """The two pages; ``state``: token that is good now, and the notice or None."""
    def reply(method, path, headers, _body):
        if path == "/api/token":
            good = method == "PUT" and headers.get("x-aliyun-ecs-metadata-token-ttl-seconds", "").isdigit()
            return (200, state["token"]) if good else (400, "")
        if headers.get("x-aliyun-ecs-metadata-token") != state["token"]:
            return 403, "no"
        return (200, state["notice"]) if state["notice"] else (404, "not found")
    return reply


def test_no_notice_then_one_and_an_expired_token_is_renewed():
    state = {"token": "a", "notice": None}
    with Server(metadata_service(state)) as service:
        metadata = Metadata(service.url)
        assert metadata.notice() is None
        state.update(token="b", notice="2026-01-31T08:15:30Z")
        assert metadata.notice() == 1769847330


def test_an_unreadable_time_is_trouble_and_not_a_notice():
    with Server(metadata_service({"token": "a", "notice": "soon"})) as service, pytest.raises(OSError, match="soon"):
        Metadata(service.url).notice()


def test_watch_repeats_until_the_master_drains_and_then_is_silent():
    answers = iter([(503, "starting"), (202, "will drain"), (200, "draining")])
    with Server(metadata_service({"token": "a", "notice": "2026-01-31T08:15:30Z"})) as service, \
            Server(lambda *_: next(answers)) as master:
        watch(master.url, Metadata(service.url), sleep=lambda _: None, polls=6)
    assert [json.loads(body) for _, _, body in master.asked] == [{"until": 1769847330}] * 3


def test_watch_outlives_services_that_do_not_answer(capsys):
    watch("http://127.0.0.1:9/", Metadata("http://127.0.0.1:9"), sleep=lambda _: None, polls=3)
    assert capsys.readouterr().out.count("does not answer") == 1


@pytest.mark.parametrize("peer,body,status", [
    ("10.0.0.8", '{"until": 1100}', 403), ("10.0.0.9", "", 400), ("10.0.0.9", "[1]", 400), ("10.0.0.9", "null", 400),
    ("10.0.0.9", '{"until": true}', 400), ("10.0.0.9", '{"until": 900}', 400), ("10.0.0.9", '{"until": 9999}', 400),
    ("10.0.0.9", '{"until": "x"}', 400), ("10.0.0.9", '{"until": NaN}', 400), ("10.0.0.9", '{"until": 1100}', 202)])
def test_only_a_spot_node_is_heard_and_only_about_itself(peer, body, status):
    excluded = []
    drains = Drains(excluded.append, lambda seconds: True, lambda: 1000.0)
    assert answer(drains, NODES, peer, body, 1000.0)[0] == status
    assert excluded == (["sales-night-001"] if status == 202 else [])


def test_notices_that_come_together_cost_one_refresh_with_the_shortest_time():
    refreshed = []
    drains = Drains(lambda name: True, lambda seconds: refreshed.append(seconds) or True, lambda: 1000.0)
    assert not drains.notice("a", 1300) and not drains.notice("b", 1200) and not drains.notice("a", 1300)
    drains.work()
    drains.work()
    assert refreshed == [200 - reclaim_program.MARGIN]
    assert drains.notice("a", 1300) and drains.notice("b", 1200)


def test_a_refresh_that_fails_is_repeated_until_the_node_is_gone():
    now, results, tries = [1000.0], iter([False, False, True]), []
    drains = Drains(lambda name: True, lambda seconds: tries.append(seconds) or next(results), lambda: now[0])
    drains.notice("a", 1100)
    drains.work()
    assert not drains.notice("a", 1100)
    now[0] = 1099.0
    drains.work()
    now[0] = 1101.0
    drains.work()
    assert tries == [70, 1, 1]
    drains.wanted = {"a": 1100}
    drains.refresh = lambda seconds: False
    drains.work()
    assert drains.wanted == {}


def test_exclude_keeps_the_others_and_adds_once(tmp_path, monkeypatch):
    path = tmp_path / "yarn.exclude"
    monkeypatch.setattr(node_lists, "CONF", str(tmp_path))
    monkeypatch.setattr(node_lists, "EXCLUDE_LOCK", str(tmp_path / "lock"))
    path.write_text("sales-slave-003\n")
    assert exclude("sales-night-001")
    assert not exclude("sales-night-001")
    assert path.read_text() == "sales-night-001\nsales-slave-003\n"
    assert [p.name for p in tmp_path.iterdir() if p.name.endswith(".new")] == []


def test_a_list_is_only_pruned(tmp_path):
    path = tmp_path / "yarn.exclude"
    row = {"path": str(path), "content": "", "keep": ["a", "b"]}
    assert node_configure._pruned(row)["content"] == ""
    path.write_text("gone\nb\n")
    assert node_configure._pruned(row)["content"] == "b\n"


def test_the_program_runs_by_itself(tmp_path):
    """It is copied to nodes that have no collection."""
    for row in resident.node_files() + resident.program_files(paths.RECLAIM, "scale.reclaim_program"):
        target = tmp_path / row["path"].lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(row["content"].replace(paths.LIB, str(tmp_path / paths.LIB.lstrip("/"))) if "/libexec/" in row["path"] else row["content"])
    done = subprocess.run([sys.executable, "-S", tmp_path / paths.RECLAIM.lstrip("/")], capture_output=True, text=True, check=False)
    assert done.returncode == 1 and "watch URL" in done.stderr


def cluster(text):
    """Spec and topology of a master, a slave, two spot nodes and a task node that is none."""
    nodes = [("sales-master-001", "master", "master"), ("sales-slave-001", "slave", "slave"),
             ("sales-night-001", "night", "task"), ("sales-night-002", "night", "task"),
             ("sales-day-001", "day", "task")]
    return parse_spec(text), Topology("sales", "emr-1", tuple(
        Node(name=name, group=group, role=role, address=f"10.0.0.{i}", memory_mib=4096, vcpus=2)
        for i, (name, group, role) in enumerate(nodes)))


def full(spot):
    return FULL if spot else changed("    spot:\n      price_limit: 0.25\n", "")


def test_units_only_where_they_are_needed():
    spec, topology = cluster(full(spot=True))
    rows = {n.name: {r["unit"]: r["wanted"] for r in reclaim.side_units(spec, topology, n)} for n in topology.nodes}
    assert rows == {"sales-master-001": {reclaim.SERVE: True}, "sales-slave-001": {},
                    "sales-night-001": {reclaim.WATCH: True}, "sales-night-002": {reclaim.WATCH: True},
                    "sales-day-001": {reclaim.WATCH: False}}
    master = reclaim.side_units(spec, topology, topology.nodes[0])[0]
    files = {f["path"]: f["content"] for f in master["files"]}
    assert json.loads(files[paths.RECLAIM_NODES]) == {"10.0.0.2": "sales-night-001", "10.0.0.3": "sales-night-002"}
    assert "def watch" in files[f"{resident.PACKAGE}/node/scale/reclaim_program.py"] and "scale.reclaim_program" in files[paths.RECLAIM]


def test_a_cluster_without_spot_groups_has_none():
    spec, topology = cluster(full(spot=False))
    assert not any(r["wanted"] for n in topology.nodes for r in reclaim.side_units(spec, topology, n))


def test_time_is_read_as_utc():
    assert abs(reclaim_program.parse_time(time.strftime("%Y-%m-%dT%H:%M:%SZ\n", time.gmtime())) - time.time()) < 2
