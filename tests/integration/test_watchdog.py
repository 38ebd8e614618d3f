"""A sign of life through the real Prometheus and Alertmanager on loopback: it comes again and again, alone, and not at the end."""
from __future__ import annotations

import http.server
import json
import subprocess
import tarfile
import threading
import time
from types import SimpleNamespace

import pytest
import yaml

from ansible_collections.emr.cluster.plugins.module_utils.domain.spec.model import parse_spec
from ansible_collections.emr.cluster.plugins.module_utils.node.page.figures import Store
from ansible_collections.emr.cluster.plugins.module_utils.services import monitoring_files
from tests.integration.test_page_store import TARBALL, free

pytestmark = pytest.mark.skipif(not TARBALL.exists(), reason="the tarball of monitoring is not built: make dist")


@pytest.fixture
def ears():
    """Somebody who gets messages at two paths: (port, {path: bodies})."""
    got = {"/ops": [], "/alive": []}

    class Ears(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            got[self.path].append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_words):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Ears)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_address[1], got
    server.shutdown()


def until(check, what: str, limit_s: float = 120):
    end = time.monotonic() + limit_s
    while not check():
        assert time.monotonic() < end, what
        time.sleep(0.3)


def test_signs_of_life_come_until_nobody_judges_any_more(tmp_path, ears, monkeypatch):
    port, got = ears
    monkeypatch.setattr(monitoring_files, "SIGN_OF_LIFE", "2s")
    spec = parse_spec(yaml.safe_dump({
        "name": "sales", "region": "cn-hangzhou", "zone": "cn-hangzhou-h", "image": "m-bp1abc", "network": {"vswitch_id": "vsw-abc", "ssh_from": "203.0.113.0/24"},
        "node_groups": {"master": {"instance_types": ["ecs.g7.xlarge"]}, "slave": {"count": 2, "instance_types": ["ecs.g7.xlarge"]}},
        "monitoring": {"receivers": {"ops": {"type": "webhook", "url": f"http://127.0.0.1:{port}/ops"},
                                     "alive": {"type": "webhook", "url": f"http://127.0.0.1:{port}/alive", "severity": "watchdog"}}}}))
    facts = SimpleNamespace(spec=spec, services=(), topology=SimpleNamespace(cluster="sales"))
    rules = {**monitoring_files.alert_settings(facts), "Always.expr": "vector(1)", "Always.for": "0s", "Always.severity": "critical"}
    with tarfile.open(TARBALL) as tar:
        tar.extractall(tmp_path, filter="data")
    home, prometheus, manager = next(tmp_path.glob("monitoring-*")), free(), free()
    (tmp_path / "rules.yml").write_text(monitoring_files.rules_yml(rules))
    (tmp_path / "prometheus.yml").write_text(json.dumps({
        "global": {"evaluation_interval": "1s"}, "rule_files": [str(tmp_path / "rules.yml")],
        "alerting": {"alertmanagers": [{"static_configs": [{"targets": [f"127.0.0.1:{manager}"]}]}]}}))
    # The minute between two looks of Alertmanager at what it has sent is shortened, too.
    told = json.loads(monitoring_files.alertmanager_yml(facts))
    told["route"]["routes"][0].update(group_interval="1s", group_wait="0s")
    (tmp_path / "alertmanager.yml").write_text(json.dumps(told))
    # Debian's Alertmanager reads templates below /usr/share, which nodes have from us; here in a namespace of its own.
    for name in ("default", "email"):
        (tmp_path / "share/prometheus/alertmanager").mkdir(parents=True, exist_ok=True)
        (tmp_path / f"share/prometheus/alertmanager/{name}.tmpl").write_text("")
    programs = [[home / "bin/prometheus", f"--config.file={tmp_path}/prometheus.yml", f"--storage.tsdb.path={tmp_path}/data", f"--web.listen-address=127.0.0.1:{prometheus}",
                 "--rules.alert.resend-delay=3s"],
                ["unshare", "-m", "sh", "-c", 'mount --bind "$0" /usr/share; exec "$@"', tmp_path / "share",
                 home / "bin/alertmanager", f"--config.file={tmp_path}/alertmanager.yml", f"--storage.path={tmp_path}/am", f"--web.listen-address=127.0.0.1:{manager}",
                 "--cluster.listen-address="]]
    running = [subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) for words in programs]
    try:
        until(lambda: len(got["/alive"]) >= 3 and got["/ops"], "no message")
        names = {path: {row["labels"]["alertname"] for body in bodies for row in body["alerts"]} for path, bodies in got.items()}
        assert names == {"/alive": {"Watchdog"}, "/ops": {"Always"}}
        assert [row["name"] for row in Store(f"http://127.0.0.1:{prometheus}").alerts()] == ["Always"], "it is no alert for people"
        running[0].terminate()
        running[0].wait(30)
        # The alert ends on its own when nobody renews it, which is no sign of life.
        until(lambda: [body["status"] for body in got["/ops"]][-1:] == ["resolved"] or time.sleep(1), "Alertmanager does not miss Prometheus", 400)
        count = len(got["/alive"])
        time.sleep(6)
        assert len(got["/alive"]) == count and all(body["status"] == "firing" for body in got["/alive"])
    finally:
        for process in running:
            process.terminate()
            process.wait(30)
