"""The cluster's page, as far as nothing has to run: its panels, its limits, its files, and what its server answers to whom."""
from __future__ import annotations

import hashlib
import json
import math
import re
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from ansible_collections.emr.cluster.plugins.module_utils.domain.config.render import render_conf
from ansible_collections.emr.cluster.plugins.module_utils.domain.config.settings import effective_config
from ansible_collections.emr.cluster.plugins.module_utils.domain.daemons import asked
from ansible_collections.emr.cluster.plugins.module_utils.domain.spec.model import parse_spec
from ansible_collections.emr.cluster.plugins.module_utils.node.page import figures, server
from ansible_collections.emr.cluster.plugins.module_utils.services import page_files
from ansible_collections.emr.cluster.plugins.module_utils.services.registry import COMPONENTS, HOMES
from tests.unit.test_config import SPEC, topology

STATIC = Path(page_files.__file__).parents[1] / "node/page/static"
PANELS = [panel for home in HOMES.values() for panel in home.panels]
UNITS = {"", "bytes", "bytes_per_second", "per_second", "percent", "seconds", "until"}
# Of npm's package uplot 1.6.32.
UPLOT = {"uplot.min.js": "8df9b8c2bc60abbdd95c5cf260f46681", "uplot.min.css": "c57618bc6a0fa8e8e13309299315930e"}


def page_json():
    spec, top = parse_spec(re.sub(r"(?m)^services: .*$", "services: [hadoop, monitoring]", SPEC)), topology()
    node = top.control_node
    rows = {row["path"]: row["content"] for row in render_conf(effective_config(spec, top, node), spec, top, node)}
    return json.loads(rows["/etc/emr/monitoring/page.json"]), rows


def test_panels_are_well_formed_and_have_names_of_their_own():
    assert len(PANELS) > 30 and len({panel.id for panel in PANELS}) == len(PANELS)
    for panel in PANELS:
        assert panel.unit in UNITS and panel.kind in ("lines", "area", "number") and panel.queries, panel
        assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", panel.id), panel.id
        for query, legend in panel.queries:
            assert query.count("(") == query.count(")") and query.count("{") == query.count("}"), query
            # Only what the legend names may tell series apart: labels of Hadoop's own change with time.
            for label in re.findall(r"\{\{(\w+)\}\}", legend):
                assert f"by ({label})" in query, panel.title


def test_every_page_begins_with_what_is_everywhere():
    found, rows = page_json()
    pages = list(dict.fromkeys(row["page"] for row in found["panels"]))
    assert pages[:2] == ["overview", "nodes"] and {"hdfs", "yarn", "jobs"} <= set(pages)
    assert found["cluster"] and {row["component"] for row in found["daemons"]} >= {"namenode", "datanode", "node-exporter"}
    assert re.fullmatch(r"http://[0-9.]+:8088", found["applications"]) and found["store"].startswith("http://127.0.0.1:")
    assert set(page_files.NAMES) == {path.name for path in STATIC.iterdir()}
    assert {f"/opt/emr/lib/page/{name}" for name in page_files.NAMES} <= set(rows)


def test_the_page_names_no_address_and_no_markup_of_others():
    for path in STATIC.iterdir():
        text = path.read_text()
        if not path.name.startswith("uplot"):
            assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)", text), path.name
            assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|new Function|\bstyle=|\son\w+=\"", text), path.name
    html = (STATIC / "index.html").read_text()
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style", html)


def test_the_chart_library_is_as_npm_has_it():
    assert {name: hashlib.sha512((STATIC / name).read_bytes()).hexdigest()[:32] for name in UPLOT} == UPLOT
    assert "MIT" in (STATIC / "uplot-licence.txt").read_text()


@pytest.mark.parametrize("start,end", [(0, 1e9), (-10, 0), (5, 0), (-40 * 86400, 0), (math.nan, 0), (-3600, 3600), (-math.inf, 0)])
def test_a_time_beyond_the_limits_is_refused(start, end):
    now = time.time()
    with pytest.raises(figures.Refusal):
        figures.span(now + start, now + end, 200)


@pytest.mark.parametrize("seconds,points", [(300, 1), (3600, 200), (86400, 10**9), (30 * 86400, 400), (3600, -5)])
def test_no_picture_has_more_points_than_allowed(seconds, points):
    now = time.time()
    first, last, step = figures.span(now - seconds, now, points)
    assert first % step == last % step == 0 and step >= 15 and (last - first) / step <= figures.MOST_POINTS + 1


def test_legends_take_labels_as_text():
    assert figures.named({"node": "<b>{{queue}}</b>", "queue": "x"}, "at {{node}} {{ nothing }}") == "at <b>{{queue}}</b> "


@pytest.fixture
def page():
    """A server with an answer that fails in every way; yields a function that asks it."""
    def answer(asked):
        kind = asked.get("kind")
        if kind == "refused":
            raise figures.Refusal("no")
        if kind == "broken":
            raise KeyError("x")
        if kind == "slow":
            time.sleep(1.5)
        return {"text": "<script>&\u2028", "many": ["x" * 100] * 50}
    made = server.Server(("127.0.0.1", 0), server.read_files(STATIC), {"it": answer}, lambda: {"node-1"})
    threading.Thread(target=made.serve_forever, daemon=True).start()

    def ask(path, method="GET", **headers):
        request = urllib.request.Request(f"http://127.0.0.1:{made.server_address[1]}{path}", headers=headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=20) as found:
                return found.status, dict(found.headers), found.read()
        except urllib.error.HTTPError as error:
            return error.code, dict(error.headers), error.read()
    yield ask
    made.shutdown()
    made.server_close()


def test_files_come_with_a_strict_policy(page):
    for path in ["/", *(f"/{name}" for name in page_files.NAMES)]:
        status, headers, body = page(path)
        assert status == 200 and body
        policy = headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy and "unsafe" not in policy and "frame-ancestors 'none'" in policy
        assert headers["X-Content-Type-Options"] == "nosniff" and headers["Referrer-Policy"] == "no-referrer"
    assert page("/", "HEAD")[2] == b""


@pytest.mark.parametrize("path", ["/../program.py", "/%2e%2e/work.py", "//etc/passwd", "/page.css/", "/api", "/api/", "/api/none", "/api/../it"])
def test_nothing_else_is_there(page, path):
    assert page(path)[0] == 404


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "PATCH"])
def test_nothing_can_be_changed(page, method):
    assert page("/api/it", method)[0] == 501


@pytest.mark.parametrize("host,status", [("evil.example", 421), ("node-1:9080", 200), ("localhost:1", 200), ("10.0.0.1:9080", 200), ("[::1]:9080", 200), ("", 421)])
def test_a_name_of_a_stranger_is_not_answered(page, host, status):
    assert page("/", Host=host)[0] == status


def test_answers_are_data_and_their_troubles_sentences(page):
    status, headers, body = page("/api/it")
    assert status == 200 and headers["Content-Type"] == "application/json" and headers["Cache-Control"] == "no-store" and json.loads(body)["text"].startswith("<script>")
    assert page("/api/it", **{"Accept-Encoding": "gzip"})[1]["Content-Encoding"] == "gzip"
    assert page("/api/it?kind=refused")[::2] == (400, b'{"error": "no"}')
    status, _headers, body = page("/api/it?kind=broken")
    assert status == 500 and b"KeyError" not in body


def test_many_who_ask_at_once_wait_for_their_turn(page):
    found = []
    threads = [threading.Thread(target=lambda: found.append(page("/api/it?kind=slow")[0])) for _ in range(server.MOST_ANSWERS * 2)]
    begun = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [200] * len(threads) and time.monotonic() - begun >= 3


def test_who_may_ask_what_answers_as_root():
    rows = asked.side_units([COMPONENTS["cluster-page"]], "sales")
    files = {row["path"]: row["content"] for row in rows[0]["files"]}
    socket = next(text for path, text in files.items() if path.endswith(".socket"))
    assert rows[0]["wanted"] and "SocketUser=monitor\n" in socket and "SocketMode=0600\n" in socket and "Accept=yes" in socket
    assert not asked.side_units([COMPONENTS["datanode"]], "sales")[0]["wanted"]
