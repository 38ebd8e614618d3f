"""Drains spot nodes that ECS is about to take back: the program emr-reclaim.

``watch URL``, on a spot node: asks the metadata service for a notice, and when there is one tells the ResourceManager's node
at URL until that has answered that the node is draining.
``serve ADDRESS PORT``, on the node of the ResourceManager: takes such messages. Who speaks is known by its address, and a node can say
something of itself alone. It puts the node into the ResourceManager's list of excluded nodes and has that read the list
again: running containers get the time that is left, new ones go elsewhere, and what the node had computed for running
applications is computed again before it is missed.

Times are seconds.
"""
from __future__ import annotations

import calendar
import json
import threading
import time
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from ...domain import paths
from .. import hadoop_cli
from ..common import NodeError, say
from . import lists

METADATA = "http://100.100.100.200/latest"
TOKEN_SECONDS = 21600
POLL = 5.0
# The ResourceManager has finished with a node so long before it goes: applications must hear of it in time.
MARGIN = 30
# A notice comes minutes ahead; anything much further away is a mistake.
FARTHEST = 3600
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def ask(url, method="GET", data=None, headers=None, limit=3.0):
    """(status, body) of an HTTP exchange. Raises OSError when nobody answers."""
    request = urllib.request.Request(url, data=data, method=method, headers=headers or {})
    try:
        with _OPENER.open(request, timeout=limit) as answer:
            return answer.status, answer.read(4096).decode(errors="replace")
    except urllib.error.HTTPError as error:
        return error.code, error.read(4096).decode(errors="replace")


class Metadata:
    """The metadata service in token mode."""

    def __init__(self, base=METADATA):
        self.base, self.token = base, ""

    def notice(self):
        """When this instance is taken back (epoch), or None. Raises OSError when the service does not say."""
        for _attempt in range(2):
            if not self.token:
                status, self.token = ask(self.base + "/api/token", "PUT", headers={
                    "X-aliyun-ecs-metadata-token-ttl-seconds": str(TOKEN_SECONDS)})
                if status != 200:
                    self.token = ""
                    raise OSError(f"no token: status {status}")
            status, text = ask(self.base + "/meta-data/instance/spot/termination-time",
                               headers={"X-aliyun-ecs-metadata-token": self.token})
            if status == 404:
                return None
            if status == 200:
                return parse_time(text)
            self.token = ""
        raise OSError(f"termination-time: status {status}")


def parse_time(text):
    """Epoch of ``2026-01-31T08:15:30Z``. Raises OSError for anything else."""
    try:
        return calendar.timegm(time.strptime(text.strip(), "%Y-%m-%dT%H:%M:%SZ"))
    except ValueError:
        raise OSError(f"termination-time is {text[:40]!r}")


def watch(master, metadata=None, sleep=time.sleep, polls=None):
    """Look every few seconds; after a notice tell the master until it drains. Ends only with ``polls`` (for tests)."""
    metadata, said, draining, trouble = metadata or Metadata(), None, False, ""
    while polls is None or polls > 0:
        polls = None if polls is None else polls - 1
        try:
            until = metadata.notice()
            if until is not None and until != said:
                say(f"notice: the cloud takes this instance back in {until - time.time():.0f} s")
                said, draining = until, False
            if until is not None and not draining:
                draining = tell(master, until)
            trouble = ""
        except OSError as error:
            if str(error) != trouble:
                say(f"does not answer: {error}")
            trouble = str(error)
        sleep(POLL)


def tell(master, until):
    """Tell the master; whether it says that this node is draining."""
    status, text = ask(master, "POST", json.dumps({"until": until}).encode(), limit=10.0)
    if status not in (200, 202):
        say(f"the master answers {status}: {text.strip()}")
    elif status == 200:
        say("draining")
    return status == 200


def exclude(name):
    """Put a node into the ResourceManager's list of excluded nodes; whether it is new there."""
    return lists.change({"resourcemanager": [name]})


def refresh(seconds):
    """Have the ResourceManager read the list again and drain within so many seconds; whether it did."""
    try:
        hadoop_cli.run("yarn", ["rmadmin", "-refreshNodes", "-g", str(seconds), "-server"], "yarn", {"HADOOP_ROOT_LOGGER": "WARN,console"}, limit_s=60)
    except NodeError as error:
        say(f"refreshNodes: {error}")
        return False
    return True


class Drains:
    """Nodes that are going. Notices that come together cost one call of the ResourceManager."""

    def __init__(self, exclude=exclude, refresh=refresh, now=time.time):
        self.exclude, self.refresh, self.now = exclude, refresh, now
        self.wanted, self.done = {}, {}
        self.guard, self.news = threading.Lock(), threading.Event()

    def notice(self, name, until):
        """Take a notice; whether the node is draining by now."""
        with self.guard:
            if self.done.get(name) == until:
                return True
            if self.wanted.get(name) != until:
                say(f"{name} goes in {until - self.now():.0f} s")
                self.exclude(name)
                self.wanted[name] = until
                self.news.set()
            return False

    def work(self):
        """One round: drain what is wanted, within the shortest time that is left to any of them."""
        with self.guard:
            batch = dict(self.wanted)
            self.news.clear()
        if not batch:
            return
        seconds = max(1, int(min(batch.values()) - self.now()) - MARGIN)
        if self.refresh(seconds):
            say(f"draining within {seconds} s: {', '.join(sorted(batch))}")
            with self.guard:
                self.done.update(batch)
                self.wanted = {name: until for name, until in self.wanted.items() if batch.get(name) != until}
        else:
            # Try again soon, until nobody is left to be drained.
            with self.guard:
                self.wanted = {name: until for name, until in self.wanted.items() if until > self.now()}

    def run(self):
        """Work for ever."""
        while True:
            self.news.wait(POLL if self.wanted else None)
            self.work()


def answer(drains, nodes, peer, body, now):
    """(status, text) for a message from address ``peer``. ``nodes``: {address: name} of the spot nodes."""
    name = nodes.get(peer)
    if name is None:
        return 403, "only spot nodes of this cluster may call this"
    try:
        until = json.loads(body)["until"]
        if isinstance(until, bool) or not now - 60 < float(until) < now + FARTHEST:
            raise ValueError
    except (ValueError, TypeError, KeyError):
        return 400, "expected {\"until\": time of release}"
    return (200, "draining") if drains.notice(name, int(until)) else (202, "will drain")


def serve(address, port):
    """Take messages for ever."""
    drains = Drains()

    class Handler(BaseHTTPRequestHandler):
        timeout = 10

        def do_POST(self):
            length = self.headers.get("Content-Length", "")
            body = self.rfile.read(int(length)) if length.isdigit() and int(length) <= 200 else b""
            with open(paths.RECLAIM_NODES) as source:
                nodes = json.load(source)
            status, text = answer(drains, nodes, self.client_address[0], body, time.time())
            self.send_response(status)
            self.end_headers()
            self.wfile.write(text.encode() + b"\n")

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer((address, int(port)), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    # In the main thread: trouble that was not thought of ends the program, and systemd starts it anew.
    drains.run()


def main(arguments):
    """``watch URL`` or ``serve ADDRESS PORT``."""
    if arguments[:1] == ["watch"] and len(arguments) == 2:
        watch(arguments[1])
    elif arguments[:1] == ["serve"] and len(arguments) == 3:
        serve(*arguments[1:])
    else:
        say(__doc__, err=True)
        return 1
    return 0
