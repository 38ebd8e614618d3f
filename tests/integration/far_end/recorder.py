"""A way to a node for tests: writes down each command with what it gets on stdin, and answers as the programs on a master do."""
from __future__ import annotations

import ast
import json
import os
import re

from ansible.plugins.connection import ConnectionBase

DOCUMENTATION = """
name: recorder
short_description: Write down what reaches a node
description: [Write down what reaches a node.]
options: {}
"""
ANSWERS = {"emr-jobs": {"changed": True, "job": {"id": "j-1", "state": "SUBMITTED"}, "jobs": [], "log": "", "stdout": "", "stderr": "", "pruned": []},
           "emr-flow": {"changed": True, "flow": {"id": "f-1", "state": "RUNNING", "jobs": []}, "schedule": {"name": "s"}, "schedules": []}}

# How the file of a module says what the module is given: until 2.18, and since.
GIVEN = re.compile(r"(?:ANSIBALLZ_PARAMS = |params=)('\{\"ANSIBLE_MODULE_ARGS.*')")


def write_down(command: str, stdin: str) -> None:
    """A line for the test."""
    with open(os.environ["RECORDED"], "a", encoding="utf-8") as out:
        out.write(json.dumps({"command": command, "stdin": stdin}) + "\n")


class Connection(ConnectionBase):
    """Commands end with 0 and an answer that says little."""

    transport = "recorder"
    has_pipelining = True
    # What the module that came last is to do. ANSWERS of a test: {part of a command, or an operation of the module: a text or an object};
    # an operation on one address alone is "status of 10.64.0.2".
    _operation = None

    def _connect(self):
        self._connected = True
        return self

    def exec_command(self, cmd, in_data=None, sudoable=True):
        """(exit code, stdout, stderr)."""
        super().exec_command(cmd, in_data=in_data, sudoable=sudoable)
        write_down(cmd, (in_data or b"").decode("utf-8", "surrogateescape"))
        if "/var/lib/emr/cluster/spec" in cmd and os.environ.get("KEPT_SPEC"):
            return 0, os.environ["KEPT_SPEC"].encode(), b""
        answers = {**ANSWERS, **json.loads(os.environ.get("ANSWERS", "{}"))}
        if "AnsiballZ_node.py" in cmd:
            answer = answers.get(f"{self._operation} of {self._play_context.remote_addr}", answers.get(self._operation, {}))
        else:
            answer = next((row for name, row in answers.items() if name in cmd), {})
        return 0, (answer if isinstance(answer, str) else json.dumps(answer)).encode() + b"\n", b""

    def put_file(self, in_path, out_path):
        """Large files do not travel here; of a module its arguments are written down."""
        with open(in_path, encoding="utf-8", errors="replace") as file:
            given = GIVEN.search(file.read())
        if given:
            write_down("module", ast.literal_eval(given[1]))
            self._operation = json.loads(ast.literal_eval(given[1]))["ANSIBLE_MODULE_ARGS"].get("op")

    def fetch_file(self, in_path, out_path):
        """Nor back."""

    def close(self):
        """Nothing stays open."""
        self._connected = False
