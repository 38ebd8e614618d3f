"""Messages of alerts: what the spec says, what Alertmanager is told, where secrets lie, and what DingTalk gets."""
from __future__ import annotations

import base64
import json
import os
import stat
import subprocess
import threading
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace

import pytest
import yaml

from ansible_collections.emr.cluster.plugins.module_utils.domain.errors import SpecError
from ansible_collections.emr.cluster.plugins.module_utils.domain.spec.model import parse_spec
from ansible_collections.emr.cluster.plugins.module_utils.node.common import NodeError
from ansible_collections.emr.cluster.plugins.module_utils.node.config import secret_files
from ansible_collections.emr.cluster.plugins.module_utils.node.figures import dingtalk
from ansible_collections.emr.cluster.plugins.module_utils.services import monitoring_files
from emrctl.dist import build, fetch
from emrctl.dist.lock import parse_lock
from emrctl.dist.monitoring import LIBRARY_FOLDER, LOADER

SPEC = {"name": "sales", "region": "cn-hangzhou", "zone": "cn-hangzhou-h", "image": "m-bp1abc", "services": ["hadoop", "monitoring"],
        "network": {"vswitch_id": "vsw-abc", "ssh_from": "203.0.113.0/24"},
        "node_groups": {"master": {"instance_types": ["ecs.g7.xlarge"]}, "slave": {"count": 2, "instance_types": ["ecs.g7.xlarge"]}}}
ALL = {"hook": {"type": "webhook", "url": "https://hooks.example.com/emr", "secret": True},
       "ops": {"type": "email", "to": "ops@example.com", "sender": "emr@example.com", "smarthost": "smtp.example.com:465", "user": "emr@example.com"},
       "plain": {"type": "email", "to": ["a@example.com", "b@example.com"], "sender": "emr@example.com", "smarthost": "mail:25"},
       "ding": {"type": "dingtalk", "severity": "critical"}, "alive": {"type": "webhook", "url": "https://watch.example.com/1", "severity": "watchdog"}}


def spec(found: dict):
    return parse_spec(yaml.safe_dump({**SPEC, "monitoring": {"receivers": found}}))


def told(found: dict) -> dict:
    """Alertmanager's configuration of a spec with these receivers."""
    it = spec(found)
    return json.loads(monitoring_files.alertmanager_yml(SimpleNamespace(spec=it, services=it.expanded_services)))


def test_alertmanager_takes_what_it_is_told(tmp_path):
    inputs = parse_lock(next(build.LOCKS.glob("monitoring-*.lock")).read_text())
    for path in fetch.fetch([item for item in inputs if item.coordinates.startswith(("prometheus-alertmanager:", "libc6:"))], print).values():
        subprocess.run(["dpkg-deb", "-x", str(path), str(tmp_path)], check=True)
    (tmp_path / "am.yml").write_text(json.dumps(told(ALL)))
    library = tmp_path / LIBRARY_FOLDER
    done = subprocess.run([str(library / LOADER), "--library-path", str(library), str(tmp_path / "usr/bin/amtool"), "check-config", str(tmp_path / "am.yml")],
                          text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    assert done.returncode == 0 and "6 receivers" in done.stdout, done.stdout


def test_receivers_get_what_they_ask_for_and_no_secret_is_written():
    made = told(ALL)
    alive, *rows = made["route"]["routes"]
    assert alive["matchers"] == ['severity="watchdog"'] and [row["receiver"] for row in alive["routes"]] == ["alive"] and "continue" not in alive
    routes = {row["receiver"]: row for row in rows}
    assert "alive" not in routes
    assert routes["ding"]["matchers"] == ['severity="critical"'] and "matchers" not in routes["hook"] and all(r["continue"] for r in routes.values())
    by_name = {row["name"]: row for row in made["receivers"]}
    assert by_name["hook"]["webhook_configs"][0]["http_config"]["authorization"]["credentials_file"] == "/etc/emr/monitoring/secrets/hook"
    assert by_name["ops"]["email_configs"][0]["auth_password_file"] == "/etc/emr/monitoring/secrets/ops"
    assert "auth_username" not in by_name["plain"]["email_configs"][0] and by_name["plain"]["email_configs"][0]["to"] == "a@example.com, b@example.com"
    assert by_name["ding"]["webhook_configs"][0]["url"] == "http://127.0.0.1:9094/ding"


def test_a_dead_node_and_a_dead_master_send_one_message():
    rules = told({})["inhibit_rules"]
    node = [row for row in rules if row.get("equal") == ["node"]]
    assert node and node[0]["source_matchers"] == ['alertname="NodeDown"']
    explained = {row["target_matchers"][0]: row["source_matchers"][0] for row in rules if "equal" not in row}
    assert "NodeDown" in explained['alertname="DataNodesDead"'] and "DataNodesDead" in explained['alertname="HdfsUnderReplicated"']


@pytest.mark.parametrize("wrong", [{"type": "webhook"}, {"type": "email", "to": "a@example.com"}, {"type": "pager"}, {"type": "webhook", "url": "oss://bucket/x"}])
def test_a_receiver_that_cannot_work_is_refused(wrong):
    with pytest.raises(SpecError):
        spec({"x": wrong})


def test_a_spec_without_receivers_has_the_digest_that_it_had():
    assert parse_spec(yaml.safe_dump(SPEC)).digest() == spec({}).digest() != spec(ALL).digest()


def test_secrets_come_once_and_go_with_their_receiver(tmp_path, monkeypatch):
    monkeypatch.setattr(secret_files, "owner_ids", lambda *_: (os.getuid(), os.getgid()))
    folder = tmp_path / "secrets"
    row = {"of": "monitoring.receivers.hook", "what": "the secret of the receiver hook", "path": f"{folder}/hook", "variable": "EMR_RECEIVER_HOOK",
           "alias": "", "component": "alertmanager", "user": "monitor", "group": "monitor"}
    wanted = {"secret_files": {"rows": [row], "folders": [str(folder)]}}
    with pytest.raises(NodeError, match="EMR_RECEIVER_HOOK"):
        secret_files.check(wanted)
    given = {**wanted, "secrets": {"files": {row["path"]: "s3cret", f"{folder}/other": "x"}}}
    secret_files.check(given)
    assert secret_files.settle(given, True) == [row["what"]] and not folder.exists()
    assert secret_files.settle(given, False) and secret_files.settle(given, False) == [] and secret_files.settle(wanted, False) == []
    assert os.listdir(folder) == ["hook"] and (folder / "hook").read_text() == "s3cret" and stat.S_IMODE((folder / "hook").stat().st_mode) == 0o640
    secret_files.check(wanted)
    assert secret_files.settle({"secret_files": {"rows": [], "folders": [str(folder)]}}, False) == [f"{folder}/hook is forgotten"]
    assert not os.listdir(folder)


@pytest.fixture
def robot():
    """Something that answers as a robot of DingTalk does: (address, what it got)."""
    got = []

    class Robot(BaseHTTPRequestHandler):
        def do_POST(self):
            got.append((self.path, json.loads(self.rfile.read(int(self.headers["Content-Length"])))))
            self.send_response(200)
            self.end_headers()
            good = "access_token=good" in self.path
            self.wfile.write(json.dumps({"errcode": 0 if good else 310000, "errmsg": "ok" if good else "token bad is not known"}).encode())

        def log_message(self, *_words):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Robot)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/robot/send", got
    server.shutdown()


TOLD = {"status": "firing", "groupLabels": {"alertname": "DiskFull"}, "alerts": [
    {"status": "firing", "labels": {"alertname": "DiskFull", "node": f"s{n}", "severity": "critical"}, "annotations": {"means": "It is full.", "help": "emrctl check x"}}
    for n in range(25)]}


def test_dingtalk_gets_a_message_of_its_own_form(robot):
    url, got = robot
    assert dingtalk.send(url, "good SEC123", TOLD) == ""
    path, message = got[0]
    assert "access_token=good" in path and "timestamp=" in path and "sign=" in path and "SEC123" not in path
    text = message["markdown"]["text"]
    assert message["msgtype"] == "markdown" and message["markdown"]["title"] == "DiskFull (25)" and "s19" in text and "s20" not in text and "and 5 more" in text
    assert dingtalk.send(url, "bad", TOLD) == "DingTalk refused it: 310000 token *** is not known"
    assert "DingTalk at http://127.0.0.1:1" in dingtalk.send("http://127.0.0.1:1/robot/send", "good", TOLD)


def test_the_relay_knows_its_receivers_alone(robot, tmp_path, monkeypatch):
    url, got = robot
    (tmp_path / "dingtalk.json").write_text(json.dumps({"ding": url}))
    (tmp_path / "ding").write_text("good")
    monkeypatch.setattr(dingtalk.paths, "DINGTALK_SETTINGS", str(tmp_path / "dingtalk.json"))
    monkeypatch.setattr(dingtalk.paths, "MONITORING_SECRETS", str(tmp_path))
    server = ThreadingHTTPServer(("127.0.0.1", 0), dingtalk.Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()

    def post(name):
        request = urllib.request.Request(f"http://127.0.0.1:{server.server_port}/{name}", json.dumps(TOLD).encode(), method="POST")
        try:
            with urllib.request.urlopen(request) as answer:
                return answer.status
        except urllib.error.HTTPError as error:
            return error.code

    assert post("ding") == 200 and len(got) == 1 and [post(name) for name in ("other", "../ding", "")] == [404, 404, 404]
    (tmp_path / "ding").write_text("bad")
    assert post("ding") == 502
    server.shutdown()


def test_the_signature_is_what_dingtalk_documents():
    # HMAC-SHA256 of "timestamp\nkey" with the key, in base64; openssl is the judge.
    digest = subprocess.run(["openssl", "dgst", "-sha256", "-hmac", "SEC of mine", "-binary"], input=b"1577262236757\nSEC of mine", stdout=subprocess.PIPE, check=True).stdout
    assert dingtalk.signature("SEC of mine", 1577262236.757) == {"timestamp": "1577262236757", "sign": base64.b64encode(digest).decode()}
