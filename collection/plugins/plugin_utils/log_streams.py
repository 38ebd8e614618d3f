"""Log lines of many nodes as one stream in order of time: each node's program, and the merge here."""
from __future__ import annotations

import contextlib
import heapq
import itertools
import os
import queue
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator

from ansible import constants

from ..module_utils.domain import paths
from ..module_utils.domain.errors import EmrError
from ..module_utils.node.files import frames
from .given import plain
from .resident_calls import MISSING

# Connections that are made at a time; messages that wait for the merge; seconds between two attempts to follow a node again.
STARTS, WAITING, AGAIN_S = 10, 8, 5.0
# Seconds that a record waits for older ones of slow nodes while they are followed, and records that may wait.
PATIENCE_S, HELD = 3.0, 50000
TALK = 100


def command(action, context, host: str, program: str = paths.LINES) -> list:
    """The command that runs a program of the package, the one for log lines or another, on a host, as Ansible would connect to it. Raises EmrError."""
    if str(context.get(host, "ansible_connection", "ssh")) not in ("ssh", "smart"):
        raise EmrError(f"streams come through SSH, and the connection to {host} is {context.get(host, 'ansible_connection')}",
                       "Set ansible_connection to ssh")
    there = action._play_context.copy()
    there.remote_addr = str(context.get(host, "ansible_host", host))
    plugin = action._shared_loader_obj.connection_loader.get("ssh", there, os.devnull)
    names = [*constants.config.get_plugin_vars("connection", plugin._load_name), "inventory_hostname"]
    found = {name: plain(context.get(host, name)) for name in names if context.get(host, name) is not None}
    plugin.set_options(var_options=found)
    become = bool(context.get(host, "ansible_become", False)) and str(context.get(host, "ansible_user", "root")) != "root"
    words = plugin._build_command(plugin.get_option("ssh_executable"), "ssh", there.remote_addr, f"{'sudo -n ' * become}{program}")
    return [word.decode() if isinstance(word, bytes) else word for word in words]


class NodeLines:
    """The stream of one node: a thread that puts (node, message) into a queue; {"ended": why, or ''} is the last one of a connection."""

    def __init__(self, node: str, words: list, request: dict, into: queue.Queue, gate: threading.Semaphore):
        self.node, self.words, self.request, self.into, self.gate = node, words, dict(request), into, gate
        self.child: subprocess.Popen | None = None
        self.stopped = False
        threading.Thread(target=self._run, daemon=True).start()

    def stop(self) -> None:
        """End it."""
        self.stopped = True
        if self.child:
            self.child.terminate()

    def _run(self) -> None:
        while not self.stopped:
            self.into.put((self.node, {"ended": self._once()}))
            if not self.request["follow"]:
                return
            time.sleep(AGAIN_S)

    def _once(self) -> str:
        """One connection; returns why it ended, '' when all has come."""
        with tempfile.TemporaryFile() as said:
            try:
                with self.gate:
                    self.child = subprocess.Popen(self.words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=said)
                    self._hello()
                frames.send(self.child.stdin, self.request)
                self._all()
                if not self.request["follow"]:
                    return ""
            except (OSError, ValueError, EmrError) as error:
                if isinstance(error, EmrError):
                    return str(error)
            finally:
                code = self._close()
            if code in MISSING:
                return "it has no program for log lines yet. Next: emrctl apply with the cluster's spec (emrctl export prints it)"
            said.seek(0)
            return " ".join(said.read().decode(errors="replace").strip().splitlines()[-2:]) or f"its program ended with {code}"

    def _hello(self) -> None:
        for _line in range(TALK):
            line = self.child.stdout.readline()
            if not line:
                raise ConnectionError
            with contextlib.suppress(ValueError):
                if frames.json.loads(line) == frames.HELLO:
                    return
        raise EmrError("its login shell prints without end")

    def _all(self) -> None:
        while True:
            message = frames.receive(self.child.stdout)[0]
            if message is None:
                raise ConnectionError
            if "failed" in message:
                raise EmrError(message["failed"])
            if message.get("rows"):
                # After a break it goes on behind what has come.
                self.request["since"] = max(self.request["since"], message["rows"][-1][0] + 0.0005)
            self.into.put((self.node, message))
            if "left_out" in message and not self.request["follow"]:
                return

    def _close(self) -> int:
        if self.child is None:
            return 0
        with contextlib.suppress(OSError):
            self.child.stdin.close()
        if self.request["follow"] or self.stopped:
            self.child.terminate()
        code = self.child.wait()
        self.child.stdout.close()
        return code


class Gathered:
    """Records of all nodes that are there now, in order of time; afterwards ``left_out`` and ``silent`` ({node: why}) are known."""

    def __init__(self, commands: dict, request: dict):
        gate = threading.Semaphore(STARTS)
        self.queues = {node: queue.Queue(WAITING) for node in commands}
        self.streams = [NodeLines(node, words, request, self.queues[node], gate) for node, words in commands.items()]
        self.left_out, self.silent = 0, {}

    def __iter__(self) -> Iterator:
        return heapq.merge(*map(self._rows, self.queues), key=lambda row: row[0])

    def _rows(self, node: str) -> Iterator:
        while True:
            message = self.queues[node].get()[1]
            if "ended" in message:
                if message["ended"]:
                    self.silent[node] = message["ended"]
                return
            self.left_out += message.get("left_out", 0)
            for moment, *rest in message.get("rows", ()):
                yield [moment, node, *rest]


class Followed:
    """Records of all nodes from now on, in order of time as far as they come within PATIENCE_S. Yields records, and texts about nodes; None when
    nothing has come for a moment."""

    def __init__(self, commands: dict, request: dict, clock=time.monotonic):
        gate, self.queue, self.clock = threading.Semaphore(STARTS), queue.Queue(WAITING * max(1, len(commands))), clock
        self.until = dict.fromkeys(commands, 0.0)
        self.held, self.order, self.silent = [], itertools.count(), set()
        self.streams = [NodeLines(node, words, request, self.queue, gate) for node, words in commands.items()]

    def __iter__(self) -> Iterator:
        while True:
            try:
                node, message = self.queue.get(timeout=0.25)
            except queue.Empty:
                yield None
            else:
                yield from self.take(node, message)
            yield from self.due()

    def take(self, node: str, message: dict) -> Iterator:
        """A message of a node."""
        if "ended" in message:
            self.until[node] = float("inf")
            if node not in self.silent:
                self.silent.add(node)
                yield f"{node}: {message['ended']}"
            return
        if node in self.silent:
            self.silent.discard(node)
            yield f"{node}: is followed again"
        self.until[node] = message.get("until", 0.0 if self.until[node] == float("inf") else self.until[node])
        for moment, *rest in message.get("rows", ()):
            heapq.heappush(self.held, (moment, next(self.order), self.clock(), [moment, node, *rest]))

    def due(self) -> Iterator:
        """Records that no older one can come before any more, or that have waited long enough."""
        known = min(self.until.values())
        while self.held and (self.held[0][0] <= known or self.clock() - self.held[0][2] > PATIENCE_S or len(self.held) > HELD):
            yield heapq.heappop(self.held)[3]
