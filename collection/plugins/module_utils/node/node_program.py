"""The program emr-node: configures a node again without Ansible's module.

    emr-node configure   ({options, check, diff, version} as JSON on stdin; the result as a line of JSON on stdout)

Does nothing, and says so, when the version that is asked for is not its own.
"""
from __future__ import annotations

import json
import os
import sys

from ..domain import requests
from .common import NodeError, node_lock, read_text, say
from .config.configure import configure

OPERATIONS = {"configure": configure}
VERSION = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "VERSION")


def main(argv):
    """Do the operation that the arguments name. Returns the exit code."""
    if len(argv) != 1 or argv[0] not in OPERATIONS:
        say(__doc__, err=True)
        return 2
    asked = json.load(sys.stdin)
    if (read_text(VERSION) or "").strip() != asked["version"]:
        result = {"other_version": True}
    else:
        result = _perform(argv[0], asked)
    say(json.dumps(result))
    return 1 if result.get("failed") else 0


def _perform(op, asked):
    try:
        options = requests.checked(op, asked["options"])
    except ValueError as error:
        return {"failed": True, "changed": False, "msg": f"emr-node: {error}"}
    try:
        with node_lock(op):
            result = OPERATIONS[op](options, asked["check"])
    except NodeError as error:
        return dict(error.extra, failed=True, changed=False, msg=str(error))
    if not asked["diff"]:
        result.pop("diff", None)
    return result
