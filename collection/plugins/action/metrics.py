"""Figures of a cluster: a question to Prometheus on the control node, or looks at all of it one after the other."""
from __future__ import annotations

import json
import os
import subprocess
import tempfile

from ansible.module_utils.parsing.convert_bool import boolean

from ansible_collections.emr.cluster.plugins.module_utils.domain import paths
from ansible_collections.emr.cluster.plugins.module_utils.domain.errors import EmrError, Refused
from ansible_collections.emr.cluster.plugins.module_utils.domain.text import durations
from ansible_collections.emr.cluster.plugins.plugin_utils.log_streams import command
from ansible_collections.emr.cluster.plugins.plugin_utils.node_action import NodeAction
from ansible_collections.emr.cluster.plugins.plugin_utils.resident_calls import MISSING, call
from ansible_collections.emr.cluster.plugins.plugin_utils.results import STREAM

from ..module_utils.domain.monitoring.looks import queries


class ActionModule(NodeAction):
    """See the module's documentation."""

    MODULE = "metrics"
    REFUSES = True

    def work(self, context, args):
        if not context.is_control_node:
            return {"result": {"changed": False}}
        if args.get("query"):
            since_s = seconds(args.get("since"))
            found = call(self, "query", {"query": str(args["query"]), "since_s": since_s}, program=paths.METRICS)
            return {"result": {"changed": False, **found, "emr_result": {**found, "since_s": since_s}}}
        return {"result": {"changed": False, **self._watched(context, boolean(args.get("follow") or False), float(args.get("every_s") or 5))}}

    def _watched(self, context, follow: bool, every_s: float) -> dict:
        """Looks at the whole cluster: one as the result, or line by line to emrctl until it does not read any more."""
        pipe = os.environ.get(STREAM)
        if follow and not pipe:
            raise Refused("follow: this door has nowhere to show one look after the other", "Use emrctl top, or run without follow")
        asked = {"queries": queries(), "every_s": max(1.0, every_s), "times": 0 if follow else 1}
        looks = looked(command(self, context, context.host, f"{paths.METRICS} watch"), asked)
        if not follow:
            found = next(looks)
            return {"look": found, "emr_result": {"look": found}}
        with open(pipe, "w", encoding="utf-8") as out:
            for found in looks:
                out.write(json.dumps(found) + "\n")
                out.flush()
        return {}


def looked(words: list, asked: dict):
    """What the program on the node tells, one look after the other. Raises EmrError when it ends without any, Refused when it refuses."""
    with tempfile.TemporaryFile() as said, subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=said) as child:
        told = 0
        try:
            child.stdin.write(json.dumps(asked).encode() + b"\n")
            child.stdin.flush()
            for line in child.stdout:
                found = document(line)
                if found is None:
                    # A login shell that prints.
                    continue
                if found.get("failed"):
                    raise (Refused if found.get("emr_refused") else EmrError)(str(found["msg"]))
                told += 1
                yield found
        finally:
            child.terminate()
        if child.wait() in MISSING:
            raise Refused("the control node has no program for figures yet", "Run emrctl apply with the cluster's spec; emrctl export prints it")
        if not told or not asked["times"]:
            said.seek(0)
            raise EmrError("the connection to the control node ended: " + " ".join(said.read().decode(errors="replace").strip().splitlines()[-2:]),
                           "Look with emrctl status")


def document(line: bytes) -> dict | None:
    """The JSON document of a line, None when it is something else."""
    try:
        found = json.loads(line)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def seconds(text) -> int:
    """How far to look back; 0 is now alone. Raises Refused."""
    if not text:
        return 0
    try:
        return int(durations.seconds(str(text)))
    except ValueError as error:
        raise Refused(f"since: {error}", "Write 30m, 6h or 7d") from error
