"""The way to Hadoop's daemons, with real servers: which of several addresses is asked, what errors say, and that nothing waits for long."""
from __future__ import annotations

import io
import json
import socket
import ssl
import subprocess
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from ansible_collections.emr.cluster.plugins.module_utils.node import hadoop_http
from ansible_collections.emr.cluster.plugins.module_utils.node.common import NodeError
from ansible_collections.emr.cluster.plugins.module_utils.node.hadoop_http import (
    Daemon,
    HttpError,
    NameNode,
    ResourceManager,
)
from ansible_collections.emr.cluster.plugins.module_utils.node.hdfs.client import WebHdfs

STANDBY = json.dumps({"RemoteException": {"exception": "StandbyException", "javaClassName": "org.apache.hadoop.ipc.StandbyException",
                                          "message": "Operation category READ is not supported in state standby.\n\tat org.apache"}})


class Server:
    """A daemon on loopback. ``reply(method, path)``: (status, headers, text); what was asked is kept."""

    def __init__(self, reply, hold_s=0.0, tls=None):
        self.asked, self.bodies, self.connections, self.reply = [], [], 0, reply
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self):
                outer.connections += 1
                super().setup()

            def do(self):
                outer.bodies.append(self.rfile.read(int(self.headers.get("Content-Length") or 0)))
                outer.asked.append(f"{self.command} {self.path}")
                time.sleep(hold_s)
                status, headers, text = outer.reply(self.command, self.path)
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                if "Content-Length" not in headers:
                    self.send_header("Content-Length", str(len(text.encode())))
                self.end_headers()
                for piece in [text] if isinstance(text, str) else text:
                    self.wfile.write(piece.encode())

            do_GET = do_PUT = do_DELETE = do

            def log_message(self, *_):
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = True
        if tls:
            self.http.socket = tls.wrap_socket(self.http.socket, server_side=True)
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.http.server_port}"
        threading.Thread(target=self.http.serve_forever, args=(0.05,), daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.http.shutdown()
        self.http.server_close()


def namenode(state):
    """What a NameNode in this state answers."""
    def reply(_method, path):
        if "NameNodeStatus" in path:
            return 200, {}, json.dumps({"beans": [{"State": state}]})
        if path.startswith("/webhdfs") and state == "standby":
            return 403, {}, STANDBY
        return 200, {}, json.dumps({"FileStatus": {"type": "FILE"}, "said": state})
    return reply


def manager(state, active=""):
    """What a ResourceManager answers; one that stands by leads to the active one."""
    def reply(_method, path):
        if path.startswith("/ws/v1/cluster/info"):
            return 200, {}, json.dumps({"clusterInfo": {"state": "STARTED", "haState": state}})
        if state == "STANDBY":
            return 307, {"Location": active + path}, f"This is standby RM. The redirect url is: {active}{path}"
        return 200, {}, json.dumps({"said": state})
    return reply


def dead() -> str:
    """An address at which nobody listens."""
    with socket.socket() as place:
        place.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{place.getsockname()[1]}"


@pytest.fixture
def hanging():
    """An address that takes connections and says nothing."""
    with socket.socket() as place:
        place.bind(("127.0.0.1", 0))
        place.listen(8)
        yield f"http://127.0.0.1:{place.getsockname()[1]}"


def test_of_two_namenodes_the_active_one_is_asked_and_remembered():
    with Server(namenode("standby")) as first, Server(namenode("active")) as second:
        daemon = NameNode([first.url, second.url])
        assert daemon.look("/jmx?qry=x") == {"FileStatus": {"type": "FILE"}, "said": "active"}
        assert NameNode(f"{first.url},{second.url}").look("/jmx?qry=x")["said"] == "active"
        assert len(first.asked) == 1 and second.asked.count("GET /jmx?qry=x") == 2, "who is active is asked once"


def test_an_address_at_which_nobody_is_does_not_matter():
    with Server(namenode("active")) as second:
        assert NameNode([dead(), second.url]).look("/jmx?qry=x")["said"] == "active"


def test_an_address_that_hangs_costs_little(hanging, monkeypatch):
    monkeypatch.setattr(hadoop_http, "STATE_S", 0.3)
    with Server(namenode("active")) as second:
        assert NameNode([hanging, second.url]).look("/jmx?qry=x")["said"] == "active"


def test_when_none_is_active_the_error_has_what_each_said(hanging, monkeypatch):
    monkeypatch.setattr(hadoop_http, "STATE_S", 0.2)
    nobody = dead()
    with Server(namenode("standby")) as second, pytest.raises(HttpError) as caught:
        NameNode([nobody, second.url, hanging]).ask("/jmx")
    text = str(caught.value)
    assert "NameNode" in text and f"{second.url}: standby" in text and f"{nobody}: " in text and f"{hanging}: nothing came for 0.2 s" in text
    assert caught.value.extra == {"again": True} and NameNode([nobody]).look("/jmx") is None


def test_a_failover_is_noticed_by_the_answer_of_one_that_stands_by():
    with Server(namenode("active")) as first, Server(namenode("standby")) as second:
        client = WebHdfs([first.url, second.url], "alice")
        assert client.status("/x") == {"type": "FILE"}
        first.reply, second.reply = namenode("standby"), namenode("active")
        assert client.status("/x") == {"type": "FILE"}
        client.set_mode("/x", "700")
        assert second.asked[-1].startswith("PUT /webhdfs/v1/x?op=SETPERMISSION&permission=700&user.name=alice")


def test_what_may_have_been_done_is_not_done_twice():
    def broken(_method, path):
        if "NameNodeStatus" in path:
            return 200, {}, json.dumps({"beans": [{"State": "active"}]})
        return 200, {"Content-Length": "9", "Connection": "close"}, "cut"
    with Server(broken) as first, Server(namenode("standby")) as second:
        with pytest.raises(HttpError, match="does not answer PUT /x"):
            NameNode([first.url, second.url]).ask("/x", "PUT")
        assert sum(row == "PUT /x" for row in first.asked + second.asked) == 1


def test_of_two_resourcemanagers_the_active_one_is_asked():
    with Server(manager("ACTIVE")) as second, Server(manager("STANDBY")) as first:
        assert ResourceManager([first.url, second.url]).look("/ws/v1/cluster/apps") == {"said": "ACTIVE"}
        assert not [row for row in first.asked if "apps" in row]


@pytest.mark.parametrize("headers", [{}, {"Refresh": "3; url=x"}])
def test_a_resourcemanager_that_has_become_standby_is_left(headers):
    with Server(manager("ACTIVE")) as first, Server(manager("STANDBY")) as second:
        daemon = ResourceManager([first.url, second.url])
        assert daemon.look("/ws/v1/cluster/apps") == {"said": "ACTIVE"}
        old = manager("STANDBY", second.url)
        # Some releases lead on by a header alone, with status 200.
        first.reply = lambda method, path: (200, headers, "This is standby RM") if headers and "info" not in path else old(method, path)
        second.reply = manager("ACTIVE")
        assert daemon.look("/ws/v1/cluster/apps") == {"said": "ACTIVE"} and "GET /ws/v1/cluster/apps" in second.asked


def test_one_address_alone_is_followed_to_where_it_leads():
    with Server(manager("ACTIVE")) as second, Server(manager("STANDBY", second.url)) as first:
        assert ResourceManager(first.url).look("/ws/v1/cluster/apps") == {"said": "ACTIVE"}


def test_an_error_says_daemon_address_question_and_last_answer():
    with Server(lambda *_: (404, {}, json.dumps({"RemoteException": {"message": "no such thing\n\tat java"}}))) as server:
        with pytest.raises(NodeError) as caught:
            ResourceManager(server.url, "alice").kill("application_1_1")
        assert str(caught.value) == (f"the ResourceManager at {server.url} answered 404 to PUT /ws/v1/cluster/apps/application_1_1/state: "
                                     "no such thing")
        assert caught.value.extra == {"status": 404} and server.asked == ["PUT /ws/v1/cluster/apps/application_1_1/state?user.name=alice"]


def test_an_answer_that_drips_ends_at_its_limit():
    def drops():
        for _drop in range(100):
            time.sleep(0.05)
            yield "x"
    with Server(lambda *_: (200, {"Content-Length": "100"}, drops())) as server, pytest.raises(HttpError, match="came (within|for) 0.4 s"):
        Daemon(server.url).ask("/x", limit_s=0.4)


def test_a_body_that_is_cut_off_is_no_answer():
    with Server(lambda *_: (200, {"Content-Length": "100", "Connection": "close"}, "{}")) as server:
        assert Daemon(server.url).look("/x") is None
        with pytest.raises(HttpError, match="98"), Daemon(server.url).stream("/x") as answer:
            while answer.read(10):
                pass


def test_a_kept_connection_serves_many_requests_and_may_have_been_closed():
    with Server(namenode("active")) as server:
        client = WebHdfs(server.url, "alice")
        assert all(client.status("/x") for _ in range(20)) and server.connections == 1
        client.namenode._kept()[server.url].sock.shutdown(socket.SHUT_RDWR)
        assert client.status("/x") and server.connections == 2


@pytest.mark.parametrize("method, sent", [("PUT", b"12345"), ("GET", b"")])
def test_a_datanode_that_is_gone_is_passed_over(tmp_path, method, sent):
    named = ["http://left.invalid:9864", dead(), "http://left.invalid:9864"]
    got: list = []
    with Server(lambda *_: (200, {}, "content")) as datanode:
        def namenode(_method, path):
            # As HDFS does it: any one that it has not found dead yet, but for those by whose number it is told.
            left = [place for place in named if "excludedatanodes=127.0.0.1" not in path or "127.0.0.1" not in place]
            place = left[len(server.asked) - 1] if len(server.asked) <= len(left) else datanode.url
            return 200, {}, json.dumps({"Location": f"{place}/webhdfs/v1/f?op=X"})

        with Server(namenode) as server:
            client = WebHdfs(server.url, "alice")
            if method == "PUT":
                client.write("/f", io.BytesIO(sent), len(sent))
            else:
                client.read("/f", got.append)
            assert 3 <= len(server.asked) <= 4 and any("excludedatanodes=127.0.0.1" in asked for asked in server.asked)
    assert [asked.split()[0] for asked in datanode.asked] == [method] and datanode.bodies == [sent]
    assert b"".join(got) == (b"content" if method == "GET" else b"")


def test_when_all_datanodes_are_gone_each_is_named_once():
    location = json.dumps({"Location": f"{dead()}/webhdfs/v1/f?op=OPEN"})
    with Server(lambda *_: (200, {}, location)) as server, \
            pytest.raises(NodeError, match="/f in HDFS: the DataNode at .* does not answer") as caught:
        WebHdfs(server.url, "alice").read("/f", print)
    assert str(caught.value).count("does not answer") == 1 and caught.value.extra["again"] and len(server.asked) > 1


@pytest.mark.parametrize("headers", [{}, {"Connection": "close"}, {"Connection": "close", "Content-Length": "2"}, {"Content-Length": "2"}])
@pytest.mark.parametrize("keep", [False, True])
def test_every_way_to_end_an_answer_is_understood(headers, keep):
    with Server(lambda *_: (200, headers, "{}")) as server:
        daemon = Daemon(server.url, keep=keep)
        assert [daemon.look("/x") for _ in range(3)] == [{}] * 3


def test_lines_come_as_they_are_sent():
    with Server(lambda *_: (200, {}, "one\ntwo\n")) as server, NameNode(server.url).fsck(5, path="/a b") as answer:
        assert list(answer) == [b"one\n", b"two\n"] and server.asked == ["GET /fsck?ugi=hdfs&path=%2Fa+b"]


class Token:
    """In place of Kerberos: a header that gets old."""

    def __init__(self, context):
        self.number, self.context = 1, context

    def query(self, _user):
        return {}

    def headers(self, _address):
        return {"Authorization": f"Negotiate {self.number}"}

    def renewed(self, _address):
        self.number += 1
        return self.number < 4

    def tls(self):
        return self.context


def test_authentication_and_tls_are_put_in_at_one_place(tmp_path, monkeypatch):
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", certificate, "-days", "2", "-subj", "/CN=127.0.0.1",
                    "-addext", "subjectAltName=IP:127.0.0.1"], check=True, capture_output=True)
    server_side = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server_side.load_cert_chain(certificate, key)
    token = Token(ssl.create_default_context(cafile=certificate))
    monkeypatch.setattr(hadoop_http._Hook, "authentication", hadoop_http.Simple())
    with Server(lambda *_: (401 if token.number < 3 else 200, {"WWW-Authenticate": "Negotiate"}, "{}"), tls=server_side) as server:
        with pytest.raises(HttpError, match="(?i)certificate"):
            Daemon(server.url, "alice").ask("/x")
        hadoop_http.authenticate(token)
        assert Daemon(server.url, "alice").look("/x") == {} and server.asked == ["GET /x"] * 3, "no name in the query any more"
        monkeypatch.setattr(server, "reply", lambda *_: (401, {}, "no"))
        with pytest.raises(HttpError, match="answered 401 to GET /x: no"):
            Daemon(server.url).ask("/x")
