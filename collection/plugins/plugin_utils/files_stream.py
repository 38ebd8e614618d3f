"""The program emr-files on a master, from here: messages over one SSH connection of its own."""
from __future__ import annotations

import contextlib
import queue
import subprocess
import tempfile
import threading
from typing import Self

from ..module_utils.domain import paths
from ..module_utils.domain.errors import EmrError, Refused
from ..module_utils.node.files import frames
from .resident_calls import MISSING

# Lines that a login shell may say before the program does.
TALK = 100
# What ssh leaves with when it is not the program that ended.
SSH_BROKE = 255


class FilesProgram:
    """One run. ``connection``: the connection plugin of a task on a master. A context manager.

    Raises EmrError for what is refused, ConnectionError when the connection broke.
    """

    def __init__(self, connection, request: dict):
        if connection.transport != "ssh":
            raise EmrError(f"files go through SSH, and the connection to the master is {connection.transport}", "Set ansible_connection to ssh")
        # A connection of its own, and without the compression of the one that Ansible keeps open: most content is compressed already.
        command = connection._build_command(connection.get_option("ssh_executable"), "ssh", "-S", "none", connection.host, paths.FILES)
        self._said = tempfile.TemporaryFile()  # noqa: SIM115
        self._child = subprocess.Popen([word for word in command if word != b"-C"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                       stderr=self._said)
        self._queue: queue.Queue | None = None
        self._hello()
        self.send(request)

    def _hello(self) -> None:
        for _line in range(TALK):
            line = self._child.stdout.readline()
            if not line:
                self._ended()
            with contextlib.suppress(ValueError):
                if frames.json.loads(line) == frames.HELLO:
                    return
        raise EmrError("the login shell of the master prints without end", "Make its start-up files silent for programs")

    def send(self, message: dict, content: bytes = b"") -> None:
        """Send a message; what the program said at its end wins over a pipe that is closed."""
        try:
            frames.send(self._child.stdin, message, content)
        except BrokenPipeError:
            while True:
                self.receive()

    def receive(self) -> tuple:
        """(message, content)."""
        if not self._queue:
            return self._receive()
        found = self._queue.get()
        if isinstance(found, BaseException):
            self._queue.put(found)
            raise found
        return found

    def _receive(self) -> tuple:
        try:
            message, content = frames.receive(self._child.stdout)
        except ValueError as error:
            raise ConnectionError(f"the master sent something that is not a message: {error}") from None
        if message is None:
            self._ended()
        if "failed" in message:
            raise EmrError(message["failed"]) if message["final"] else ConnectionError(message["failed"])
        return message, content

    def listen(self) -> None:
        """Receive in another thread from now on, for a side that sends much."""
        self._queue = queue.Queue()

        def work():
            try:
                while True:
                    self._queue.put(self._receive())
            except (EmrError, OSError, ValueError) as error:
                self._queue.put(error)

        threading.Thread(target=work, daemon=True).start()

    def _ended(self) -> None:
        """Raise what the end of the program means."""
        code = self._child.wait()
        if code in MISSING:
            raise Refused("the master has no program for files yet: it was configured by an older version",
                          "Run emrctl apply with the cluster's spec; emrctl export prints it")
        self._said.seek(0)
        said = self._said.read().decode(errors="replace").strip().splitlines()[-3:]
        text = " ".join(said) or f"the connection to the master ended ({code})"
        raise ConnectionError(text) if code < 0 or code == SSH_BROKE else EmrError(f"{paths.FILES}: {text}")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error) -> None:
        with contextlib.suppress(OSError):
            self._child.stdin.close()
        if _error[0]:
            self._child.terminate()
        self._child.wait()
        self._child.stdout.close()
        self._said.close()
