"""A way to a node for tests: writes down each command with what it gets on stdin, and answers as the programs on a master do."""
from __future__ import annotations

import json
import os

from ansible.plugins.connection import ConnectionBase

DOCUMENTATION = """
name: recorder
short_description: Write down what reaches a node
description: [Write down what reaches a node.]
options: {}
"""
ANSWERS = {"emr-jobs": {"changed": True, "job": {"id": "j-1", "state": "SUBMITTED"}, "jobs": [], "log": "", "stdout": "", "stderr": "", "pruned": []},
           "emr-flow": {"changed": True, "flow": {"id": "f-1", "state": "RUNNING", "jobs": []}, "schedule": {"name": "s"}, "schedules": []}}


class Connection(ConnectionBase):
    """Commands end with 0 and an answer that says little."""

    transport = "recorder"
    has_pipelining = True

    def _connect(self):
        self._connected = True
        return self

    def exec_command(self, cmd, in_data=None, sudoable=True):
        """(exit code, stdout, stderr)."""
        super().exec_command(cmd, in_data=in_data, sudoable=sudoable)
        with open(os.environ["RECORDED"], "a", encoding="utf-8") as out:
            out.write(json.dumps({"command": cmd, "stdin": (in_data or b"").decode("utf-8", "surrogateescape")}) + "\n")
        answer = next((text for name, text in ANSWERS.items() if name in cmd), {})
        return 0, json.dumps(answer).encode() + b"\n", b""

    def put_file(self, in_path, out_path):
        """Large files do not travel here."""

    def fetch_file(self, in_path, out_path):
        """Nor back."""

    def close(self):
        """Nothing stays open."""
        self._connected = False
