"""HDFS from the controller: WebHDFS through SSH to a master, so that content streams and touches no disk on the way.

Each connection is an `ssh -W` to the NameNode or a DataNode, over the master connection that Ansible keeps open.
"""
from __future__ import annotations

import functools
import http.client
import json
import socket
import subprocess
import urllib.parse

from ..module_utils.domain.errors import EmrError
from ..module_utils.node.common import NodeError
from ..module_utils.node.hdfs import WebHdfs, target_of

TIMEOUT_S = 120
BLOCK = 1 << 20


class TunnelledHdfs(WebHdfs):
    """``connection``: the connection plugin of a task on a master."""

    def __init__(self, connection, namenode, user):
        super().__init__(namenode, user)
        self.connection, self._name = connection, None

    def _json(self, method, path, operation, **options):
        place = urllib.parse.urlsplit(self._url(path, operation, **options))
        for last in (False, True):
            self._name = self._name or _Link(place.hostname, place.port, self._command(place.hostname, place.port))
            try:
                self._name.request(method, f"{place.path}?{place.query}")
                answer = self._name.getresponse()
                body = answer.read()
                break
            except (OSError, http.client.HTTPException) as error:
                # A connection that rested may have been closed at the other end.
                self.close()
                if last:
                    raise EmrError(f"the NameNode at {place.netloc} does not answer through SSH: {error}") from error
        if answer.status >= 300:
            try:
                words = json.loads(body)["RemoteException"]["message"].splitlines()[0]
            except (ValueError, KeyError, IndexError):
                words = body[:500].decode(errors="replace")
            raise NodeError(f"HDFS: {words}", status=answer.status)
        return json.loads(body or b"{}")

    def close(self):
        """End the connection to the NameNode."""
        if self._name:
            self._name.close()
        self._name = None

    def link(self, host, port):
        """An HTTP connection for content to a port of a node, as the master reaches it."""
        # Of its own, and without the compression of the one that is kept open: most content is compressed already.
        return _Link(host, port, [word for word in self._command(host, port, "-S", "none") if word != b"-C"])

    def _command(self, host, port, *options):
        if self.connection.transport != "ssh":
            raise EmrError(f"files go through SSH, and the connection to the master is {self.connection.transport}", "Set ansible_connection to ssh")
        return self.connection._build_command(self.connection.get_option("ssh_executable"), "ssh", *options, "-W", f"{host}:{port}",
                                              self.connection.host)

    def read(self, path, take, offset, length):
        """Hand ``length`` bytes to ``take(bytes)``. Raises NodeError, or OSError when the connection breaks."""
        options = {"noredirect": "true", "offset": offset, "length": length}
        place = urllib.parse.urlsplit(self._json("GET", path, "OPEN", **options)["Location"])
        link, total = self.link(place.hostname, place.port), 0
        try:
            link.request("GET", target_of(place))
            answer = link.getresponse()
            if answer.status != 200:
                raise NodeError(f"reading {path}: {answer.status} {answer.read(500).decode(errors='replace')}")
            for block in iter(functools.partial(answer.read, BLOCK), b""):
                take(block)
                total += len(block)
            if total != length:
                raise ConnectionError(f"reading {path} from {place.netloc}: {total} of {length} bytes came")
        except http.client.HTTPException as error:
            raise ConnectionError(f"reading {path} from {place.netloc}: {error}") from error
        finally:
            link.close()


class _Link(http.client.HTTPConnection):
    """An HTTP connection over the input and output of a program, which ends when the socket is closed."""

    def __init__(self, host, port, command):
        super().__init__(host, port, timeout=TIMEOUT_S, blocksize=1 << 18)
        self._command, self._child = command, None

    def connect(self):
        self.sock, theirs = socket.socketpair()
        self.sock.settimeout(TIMEOUT_S)
        with theirs:
            self._child = subprocess.Popen(self._command, stdin=theirs, stdout=theirs, stderr=subprocess.DEVNULL)
