"""The page's server: files that are there at its start, and answers below /api/. It reads and changes nothing.

It is reached through SSH from a browser that shows other pages too, so it answers to its own names alone (a page of a stranger could
have its name point here), is in no frame, and lets no script but its own run.
"""
from __future__ import annotations

import contextlib
import gzip
import http.server
import ipaddress
import json
import os
import socketserver
import sys
import threading
import time
import urllib.parse

from ..common import say
from ..hadoop_http import HttpError
from .figures import Refusal

# Seconds that a client may take for a request; requests at once, answers of /api/ at once; seconds that one waits for its turn.
CLIENT_S, MOST_CLIENTS, MOST_ANSWERS, TURN_S = 20, 32, 4, 15
TYPES = {".html": "text/html; charset=utf-8", ".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8",
         ".svg": "image/svg+xml", ".txt": "text/plain; charset=utf-8"}
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
                               "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY", "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin", "Cross-Origin-Opener-Policy": "same-origin"}
# Bytes from which an answer is packed.
PACK = 1024
# What this process leaves with when its own code was written anew: systemd starts it again.
NEW_CODE = 75


class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    """HTTP with a limit of clients. ``files``: {path: (type, content)}; ``answers``: {name: function of the query}."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, address, files, answers, names):
        self.files, self.answers, self.names = files, answers, names
        self.clients, self.turns = threading.BoundedSemaphore(MOST_CLIENTS), threading.BoundedSemaphore(MOST_ANSWERS)
        super().__init__(address, Handler)

    def process_request(self, request, client_address):
        if not self.clients.acquire(blocking=False):
            self.shutdown_request(request)
            return
        try:
            super().process_request(request, client_address)
        except BaseException:
            self.clients.release()
            raise

    def process_request_thread(self, request, client_address):
        try:
            super().process_request_thread(request, client_address)
        finally:
            self.clients.release()

    def handle_error(self, request, client_address):
        """A client that goes away is no fault; anything else is one line of the journal."""
        error = sys.exc_info()[1]
        if not isinstance(error, (ConnectionError, TimeoutError)):
            say(f"{client_address[0]}: {type(error).__name__}: {error}", err=True)


class Handler(http.server.BaseHTTPRequestHandler):
    """One client's request."""

    protocol_version, server_version, sys_version, timeout = "HTTP/1.1", "emr", "", CLIENT_S

    def do_GET(self):
        """A file or an answer."""
        if not self._own(self.headers.get("Host", "")):
            self._send(421, "text/plain", b"this server answers to the cluster's addresses alone\n")
            return
        place, _mark, query = self.path.partition("?")
        if place.startswith("/api/"):
            self._answer(place[5:], query)
        elif place in self.server.files:
            kind, content = self.server.files[place]
            self._send(200, kind, content)
        else:
            self._send(404, "text/plain", b"not here\n")

    do_HEAD = do_GET

    def _answer(self, name, query):
        make = self.server.answers.get(name)
        if make is None:
            self._json(404, {"error": "there is no such answer"})
        elif not self.server.turns.acquire(timeout=TURN_S):
            self._json(503, {"error": "too many ask at once"})
        else:
            try:
                asked = dict(urllib.parse.parse_qsl(query[:2000], max_num_fields=20))
                status, found = 200, make(asked)
            except Refusal as error:
                status, found = 400, {"error": str(error)}
            except HttpError as error:
                status, found = 502, {"error": str(error)}
            except (ValueError, KeyError, TypeError) as error:
                say(f"/api/{name}: {type(error).__name__}: {error}", err=True)
                status, found = 500, {"error": "an answer that this page does not understand; its journal says more"}
            finally:
                self.server.turns.release()
            self._json(status, found)

    def _json(self, status, found):
        self._send(status, "application/json", json.dumps(found, allow_nan=False).encode(), kept=False)

    def _send(self, status, kind, content, kept=True):
        packed = len(content) >= PACK and "gzip" in self.headers.get("Accept-Encoding", "")
        content = gzip.compress(content, 5) if packed else content
        self.send_response(status)
        for name, value in HEADERS.items():
            self.send_header(name, value)
        self.send_header("Content-Type", kind)
        self.send_header("Cache-Control", "no-cache" if kept else "no-store")
        if packed:
            self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def _own(self, host):
        """Whether a request was meant for this server: it names an address, this machine, or a node of the cluster."""
        name = urllib.parse.urlsplit(f"//{host}").hostname or ""
        if name == "localhost" or name in self.server.names():
            return True
        with contextlib.suppress(ValueError):
            return bool(ipaddress.ip_address(name))
        return False

    def log_message(self, *_words):
        """Nothing: who looked at what is nobody's business."""


def read_files(folder):
    """{path: (type, content)} of the page's files; its start is index.html."""
    found = {}
    for name in sorted(os.listdir(folder)):
        kind = TYPES.get(os.path.splitext(name)[1])
        if kind:
            with open(os.path.join(folder, name), "rb") as handle:
                found[f"/{name}"] = (kind, handle.read())
    found["/"] = found["/index.html"]
    return found


def leave_for_new_code(files, every_s=10.0):
    """Ends this process as soon as one of these files is another than now: systemd starts it with the new ones."""
    before = _marks(files)

    def watch():
        while _marks(files) == before:
            time.sleep(every_s)
        os._exit(NEW_CODE)
    threading.Thread(target=watch, daemon=True).start()


def _marks(files):
    marks = {}
    for path in files:
        try:
            found = os.stat(path)
            marks[path] = (found.st_mtime_ns, found.st_ino)
        except OSError:
            marks[path] = None
    return marks


__all__ = ["NEW_CODE", "Server", "leave_for_new_code", "read_files"]
