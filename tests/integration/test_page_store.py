"""The page's server over a real Prometheus on loopback: pictures, alerts with remedies, daemons that are down or absent, limits, memory."""
from __future__ import annotations

import http.server
import json
import os
import socket
import subprocess
import sys
import tarfile
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from ansible_collections.emr.cluster.plugins.module_utils.node.hadoop_http import HttpError
from ansible_collections.emr.cluster.plugins.module_utils.node.page.answers import Answers
from ansible_collections.emr.cluster.plugins.module_utils.node.page.figures import MOST_SERIES, Refusal, Store

TARBALL = Path.home() / ".cache/emr/dist/monitoring-2.42.0.tar.gz"
HOSTILE = "<img src=x onerror=alert(1)> {{node}} $(id) \u202e"
pytestmark = pytest.mark.skipif(not TARBALL.exists(), reason="the tarball of monitoring is not built: make dist")


def free() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Figures(http.server.BaseHTTPRequestHandler):
    """A daemon's figures, more series than a picture may have among them."""

    def do_GET(self):
        rows = [f'many{{queue="n{number:03}"}} {number}' for number in range(MOST_SERIES + 20)]
        text = "\n".join([f"rises {time.time():.0f}", f"odd{{queue={json.dumps(HOSTILE, ensure_ascii=False)}}} 1", *rows, "endless +Inf", ""])
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_words):
        pass


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """The address of a Prometheus with some minutes of figures, a daemon that is down, and an alert that fires."""
    folder = tmp_path_factory.mktemp("store")
    with tarfile.open(TARBALL) as tar:
        tar.extractall(folder, filter="data")
    home = next(folder.glob("monitoring-*"))
    daemon = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Figures)
    threading.Thread(target=daemon.serve_forever, daemon=True).start()
    port, dead = free(), free()
    (folder / "rules.yml").write_text(json.dumps({"groups": [{"name": "t", "rules": [
        {"alert": "Down", "expr": "up == 0", "for": "0s", "labels": {"severity": "critical"}, "annotations": {"means": HOSTILE[:28], "help": "emrctl status sales"}},
        {"alert": "Later", "expr": "up == 1", "for": "1h", "labels": {"severity": "warning"}}]}]}))
    targets = [{"targets": [f"127.0.0.1:{where}"], "labels": {"component": "datanode", "node": node}} for node, where in (("n1", daemon.server_address[1]), ("n2", dead))]
    (folder / "prometheus.yml").write_text(json.dumps({
        "global": {"scrape_interval": "1s", "evaluation_interval": "1s", "scrape_timeout": "1s"}, "rule_files": [str(folder / "rules.yml")],
        "scrape_configs": [{"job_name": "t", "static_configs": targets}]}))
    process = subprocess.Popen([home / "bin/prometheus", f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data",
                                f"--web.listen-address=127.0.0.1:{port}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        address = f"http://127.0.0.1:{port}"
        end = time.monotonic() + 90
        while True:
            try:
                if Store(address).one("count_over_time(rises[1m]) > 4") and Store(address).alerts():
                    break
            except HttpError as error:
                assert time.monotonic() < end, f"Prometheus: {error}"
            assert time.monotonic() < end, "no figures"
            time.sleep(0.5)
        yield address
    finally:
        process.terminate()
        process.wait(30)
        daemon.shutdown()


def settings(tmp_path, store) -> Path:
    path = tmp_path / "page.json"
    path.write_text(json.dumps({
        "cluster": "sales", "region": "r", "release": "emr-1.0", "services": ["hdfs"], "store": store, "interval_s": 1, "applications": "", "as": "x",
        "nodes": [{"name": "n1", "address": "127.0.0.1"}], "daemons": [{"component": "datanode", "node": node, "label": "D"} for node in ("n1", "n2", "n3")],
        "panels": [{"id": "a", "title": "A", "page": "overview", "unit": "", "kind": "lines", "queries": [["rate(rises[$range])", "rate"]]},
                   {"id": "b", "title": "B", "page": "overview", "unit": "", "kind": "lines", "queries": [["many", "{{queue}}"]]},
                   {"id": "c", "title": "C", "page": "overview", "unit": "until", "kind": "number", "queries": [["endless", "at"]]},
                   {"id": "d", "title": "D", "page": "overview", "unit": "", "kind": "lines", "queries": [["odd", "{{queue}}"]]},
                   {"id": "e", "title": "E", "page": "overview", "unit": "", "kind": "lines", "queries": [["wrong(", "x"]]}]}))
    return path


def test_long_pictures_are_made_of_what_is_kept(store):
    panel = {"id": "x", "kind": "lines", "queries": [["rises", "now"]], "kept": ["rises * 0 + 7"]}
    # The first samples are as old as a step of so long a picture only after a while.
    limit = time.monotonic() + 90
    while True:
        end = time.time()
        found = [Store(store, 1).picture(panel, end - hours * 3600, end, 400)["series"] for hours in (4, 3)]
        if all(found):
            break
        assert time.monotonic() < limit, found
        time.sleep(1)
    long, short = (rows[0]["values"] for rows in found)
    assert {value for value in long if value is not None} == {7.0} and min(value for value in short if value is not None) > 1e9


def test_pictures_are_drawn_within_limits(store, tmp_path):
    answers = Answers(str(settings(tmp_path, store)), "")
    rate = answers.panel({"id": "a", "start": str(time.time() - 300), "end": str(time.time())})
    assert [row["name"] for row in rate["series"]] == ["rate"] and all(len(row["values"]) == len(rate["times"]) for row in rate["series"])
    assert any(value is not None and 0.5 < value < 2 for value in rate["series"][0]["values"]), "a clock runs a second a second"
    young = {"start": str(time.time() - 300), "end": str(time.time())}
    many = answers.panel({"id": "b", **young})
    assert len(many["series"]) == MOST_SERIES and many["left"] == 20 and many["series"][0]["name"] == "n000"
    assert answers.panel({"id": "c"})["values"] == [{"name": "at", "value": "never"}]
    assert answers.panel({"id": "d", **young})["series"][0]["name"] == HOSTILE
    for wrong in ({"id": "up"}, {"id": "a", "points": "many"}, {"id": "a", "start": "0"}):
        with pytest.raises(Refusal):
            answers.panel(wrong)


def test_alerts_come_with_their_remedies_the_gravest_first(store, tmp_path):
    found = Answers(str(settings(tmp_path, store)), "").alerts({})["alerts"]
    assert [(row["name"], row["state"], row["severity"], row["node"]) for row in found] == [("Down", "firing", "critical", "n2"), ("Later", "pending", "warning", "n1")]
    assert found[0]["means"] == HOSTILE[:28] and found[0]["help"] == "emrctl status sales"


def test_a_daemon_without_figures_is_absent_not_well(store, tmp_path):
    found = Answers(str(settings(tmp_path, store)), "").health({})
    assert [(row["node"], row["state"]) for row in found["daemons"]] == [("n1", "up"), ("n2", "down"), ("n3", "absent")]


SERVE = """
import sys
from ansible_collections.emr.cluster.plugins.module_utils.node.page import program
from ansible_collections.emr.cluster.plugins.module_utils.domain import paths
paths.PAGE_SETTINGS, paths.WORK_SOCKET, paths.PAGE = sys.argv[1], sys.argv[2], sys.argv[3]
program.main([sys.argv[4]])
"""


def test_the_server_stays_small_and_says_what_is_away(store, tmp_path):
    port, static = free(), Path(sys.modules[Answers.__module__].__file__).parent / "static"
    records = tmp_path / "work.socket"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(records))
        listener.listen()

        def tell():
            link, _address = listener.accept()
            with link:
                link.sendall(b'{"jobs": [], "flows": [], "price": {}}')
        threading.Thread(target=tell, daemon=True).start()
        process = subprocess.Popen([sys.executable, "-c", SERVE, settings(tmp_path, store), records, static, str(port)], cwd=Path(__file__).resolve().parents[2],
                                   env={**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2])})
        try:
            def ask(path):
                try:
                    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=30) as answer:
                        return answer.status, json.loads(answer.read())
                except urllib.error.HTTPError as error:
                    return error.code, json.loads(error.read())
            end = time.monotonic() + 60
            while True:
                try:
                    assert ask("/api/about")[1]["cluster"] == "sales"
                    break
                except urllib.error.URLError:
                    assert time.monotonic() < end
                    time.sleep(0.2)
            assert ask("/api/work") == (200, {"jobs": [], "flows": [], "price": {}})
            assert ask("/api/panel?id=e")[0] == 502 and "parse error" in ask("/api/panel?id=e")[1]["error"]
            for _round in range(40):
                assert ask("/api/panel?id=b&points=400")[0] == 200 and ask("/api/health")[0] == 200
            status = Path(f"/proc/{process.pid}/status").read_text()
            resident = int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1])
            assert resident <= 30 << 10, f"{resident} KiB"
        finally:
            process.terminate()
            process.wait(20)
