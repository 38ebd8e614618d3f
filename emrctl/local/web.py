"""HTTP side of the local ECS: the API at ``/``, OSS, files at ``/dist/``, and ``/_local/`` for whoever runs it."""
from __future__ import annotations

import json
import logging
import os
import re
import socket
import sys
import time
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

from .api import sts
from .api.errors import ApiError, missing
from .api.xml import xml_document
from .faults import FaultError
from .oss.errors import OssError
from .oss.request import is_oss
from .oss.web import serve
from .seed import seed

log = logging.getLogger(__name__)
MOST_BODY_BYTES = 4 << 20
VERSIONS = ("2014-05-26", "2016-04-28", sts.VERSION)
SEED_OPTIONS = {"count": int, "regions": int, "foreign": int, "claims": int, "name": str, "per_cluster": int}
_FILE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]*")
_LOOPBACK_HOST = re.compile(r"(127(\.[0-9]+){3}|localhost|\[::1\])(:[0-9]+)?")


class Server(ThreadingHTTPServer):
    """Serves one cloud on one address."""

    daemon_threads = True
    request_queue_size = 256

    def __init__(self, address: tuple, cloud, verifier, dist: Path, instance_id: str = "", open_metadata=None,
                 oss=None):
        """instance_id: this is the metadata service of one instance and nothing else. open_metadata: opens such a
        server for an instance and returns its port. oss: the buckets, where there are any."""
        self.cloud = cloud
        self.instance_id = instance_id
        self.open_metadata = open_metadata
        self.verifier = verifier
        self.dist = Path(dist)
        self.oss = oss
        super().__init__(address, Handler)

    def handle_error(self, request, client_address) -> None:
        """A client that went away is not an error of this server; anything else is logged."""
        if not isinstance(sys.exc_info()[1], ConnectionError | TimeoutError):
            log.exception("connection of %s", client_address)

    def server_bind(self) -> None:
        """Bind without the reverse lookup of the standard library, which can take seconds."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = self.server_address[:2]


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    server_version = "ECS"
    sys_version = ""
    disable_nagle_algorithm = True
    wbufsize = -1
    timeout = 120

    def do_GET(self) -> None:
        """API call, OSS, file or local page."""
        # self.path has lost slashes at its beginning, which may belong to the name of an object
        target = self.raw_requestline.split()[1].decode("latin-1")
        path = urlsplit(self.path).path
        if self.server.oss and is_oss(self.headers, target):
            serve(self, self.server.oss, target)
        elif path.startswith("/latest/") or self.server.instance_id:
            self._metadata(path)
        elif path.startswith("/dist/"):
            self._file(path[len("/dist/"):])
        elif path.startswith("/_local/"):
            self._local(path)
        else:
            self._api(path)

    do_POST = do_HEAD = do_DELETE = do_PUT = do_GET

    def handle_expect_100(self) -> bool:
        """Let the client send its content: it waits for this before it does."""
        self.send_response_only(100)
        self.end_headers()
        self.wfile.flush()
        return True

    def log_message(self, format, *args) -> None:
        """The access log of the standard library would hold signatures."""

    def _body(self) -> bytes:
        length = self.headers.get("Content-Length") or "0"
        if not length.isdigit() or int(length) > MOST_BODY_BYTES:
            self.close_connection = True
            raise ApiError("InvalidParameter", "Content-Length")
        return self.rfile.read(int(length))

    def _answer(self, status: int, value: dict) -> None:
        self._send(status, json.dumps(value).encode(), "application/json;charset=utf-8")

    def _send(self, status: int, data: bytes, kind: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def _metadata(self, path: str) -> None:
        """The metadata service, for the instance that asks. Proxies must not reach it, so it refuses their header."""
        cloud, headers = self.server.cloud, {name.lower(): value for name, value in self.headers.items()}
        try:
            self._body()
        except ApiError as error:
            self._send(error.status, b"", "text/plain")
            return
        with cloud.store.lock:
            instance = cloud.store.get("instance", self.server.instance_id) if self.server.instance_id else \
                cloud.index.by_ip(self.client_address[0])
        status, text, kind = (403, "not through a proxy\n", "text/plain") if "x-forwarded-for" in headers else \
            cloud.metadata.answer(self.command, unquote(path), headers, instance)
        self._send(status, text.encode(), kind)

    # the API

    def _api(self, path: str) -> None:
        """Verify, do and answer one call. Whatever goes wrong becomes an error answer."""
        request_id = str(uuid.uuid4()).upper()
        began = time.monotonic()
        action, code, status = "", "OK", 200
        self._format = "JSON"
        try:
            action, flat, principal = self._verified(path)
            log.info("%s%s received %s", action, " (dry run)" if flat.get("DryRun", "").lower() == "true" else "", request_id)
            answer = {"RequestId": request_id, **self.server.cloud.handle(action, flat, principal)}
        except ApiError as error:
            code, status = error.code, error.status
            answer = self._error(request_id, error)
        except Exception:  # a fault of this server must look like one of the cloud's
            log.exception("%s", action)
            code, status = "InternalError", 500
            answer = self._error(request_id, ApiError("InternalError"))
        log.info("%s %s %s %.0f ms", action, code, request_id, (time.monotonic() - began) * 1000)
        if code == "Disconnect":
            self.close_connection = True
        elif self._format == "XML":
            self._send(status, xml_document(action, answer), "text/xml;charset=utf-8")
        else:
            self._answer(status, answer)

    def _error(self, request_id: str, error: ApiError) -> dict:
        return {"RequestId": request_id, "HostId": self.headers.get("Host", ""), "Code": error.code,
                "Message": error.message, "Recommend": "", **error.detail}

    def _verified(self, path: str) -> tuple:
        """(action, parameters, caller) of a request whose signature is right. Raises ApiError."""
        body = self._body()
        if self.command not in ("GET", "POST"):
            raise ApiError("UnsupportedHTTPMethod")
        query = dict(parse_qsl(urlsplit(self.path).query, keep_blank_values=True))
        form = {}
        if self.headers.get("Content-Type", "").startswith("application/x-www-form-urlencoded"):
            form = dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))
        flat = {**query, **form}
        self._format = flat.get("Format", "JSON").upper()
        headers = {name.lower(): value for name, value in self.headers.items()}
        if headers.get("authorization", "").startswith("ACS3-"):
            key_id = self.server.verifier.check_v3(self.command, unquote(path), query, headers, body)
        else:
            key_id = self._signed_in_parameters(flat, headers)
        action = headers.get("x-acs-action") or flat.get("Action", "")
        version = headers.get("x-acs-version") or flat.get("Version", "")
        if not action:
            raise missing("Action")
        if version not in VERSIONS:
            raise ApiError("InvalidVersion") if version else missing("Version")
        if (version == sts.VERSION) != (action in sts.ACTIONS_OF_STS):
            raise ApiError("InvalidAction.NotFound")
        return action, flat, self.server.cloud.sessions.principal(key_id)

    def _signed_in_parameters(self, flat: dict, headers: dict) -> str:
        """Access key id of a request with a signature of version 1, empty for one that needs none. Raises ApiError."""
        action = flat.get("Action") or headers.get("x-acs-action", "")
        if not action:
            raise missing("Action")
        if action in sts.UNSIGNED and not flat.get("Signature"):
            return ""
        return self.server.verifier.check_v1(self.command, flat)

    # files

    def _file(self, name: str) -> None:
        """A file of the dist folder: plain names only, so nothing outside can be named."""
        path = self.server.dist / name
        if not _FILE.fullmatch(name) or not path.is_file() or self.command not in ("GET", "HEAD"):
            self._send(404, b"no such file\n", "text/plain")
            return
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            self.send_response(200)
            self.send_header("Content-Type", "application/octet-stream")
            self.send_header("Content-Length", str(size))
            self.end_headers()
            if self.command == "GET":
                self.wfile.flush()
                self.connection.sendfile(file)

    # for whoever runs this server

    def _local(self, path: str) -> None:
        """Faults and status, from this machine only and not through a web page that was lured here."""
        loopback = self.client_address[0].startswith("127.") or self.client_address[0] == "::1"
        if not loopback or not _LOOPBACK_HOST.fullmatch(self.headers.get("Host", "")) or "Origin" in self.headers:
            self._send(403, b"only from this machine\n", "text/plain")
            return
        try:
            status, value = self._local_answer(path, self._body())
        except (ValueError, FaultError, ApiError, OssError) as error:
            status, value = 400, {"error": str(error)}
        self._answer(status, value)

    def _local_answer(self, path: str, body: bytes) -> tuple:
        cloud = self.server.cloud
        if path == "/_local/faults":
            if self.command == "POST":
                return 200, cloud.faults.set(json.loads(body))
            return 200, cloud.faults.clear() if self.command == "DELETE" else cloud.faults.get()
        if path == "/_local/status":
            rows = [{key: i[key] for key in ("id", "name", "status", "type", "ip", "region", "memory_mib", "released")}
                    | {"failure": i.get("failure", "")} for i in cloud.store.all("instance")]
            return 200, {"ok": True, "pid": os.getpid(), "real_hosts": cloud.real_hosts,
                         "memory_mib": cloud.memory_mib, "instances": rows, "faults": cloud.faults.get()}
        if path == "/_local/seed" and self.command == "POST":
            return 200, seed(cloud, **_options(body, SEED_OPTIONS))
        if path == "/_local/metadata" and self.command == "POST":
            port = self.server.open_metadata(str(_options(body, {"instance": str})["instance"]))
            return 200, {"url": f"http://127.0.0.1:{port}"}
        if path == "/_local/bucket" and self.command == "POST":
            return 200, self.server.oss.make_bucket(str(_options(body, {"name": str})["name"]))
        return 404, {"error": "unknown page; there are /_local/status, faults, and seed, metadata and bucket (POST)"}


def _options(body: bytes, known: dict) -> dict:
    """Options of a JSON object, each of its type. Raises ValueError."""
    values = json.loads(body or b"{}")
    for name, value in values.items() if isinstance(values, dict) else [("body", values)]:
        if name not in known or not isinstance(value, known[name]) or isinstance(value, bool):
            raise ValueError(f"{name} cannot be {value!r}; there are: {', '.join(known)}")
    first = next(iter(known))
    if first not in values:
        raise ValueError(f"{first} is missing")
    return values
