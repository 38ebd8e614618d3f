"""The program emr-flow on a master: what the units of flows and schedules run, and flows without Ansible.

    emr-flow flow run|list|show|logs|retry|kill       (options as JSON in the first line of stdin, the files' archive after it;
    emr-flow schedule add|list|show|pause|resume|remove                                   the result as JSON on stdout)
    emr-flow supervise ID | boot | fire SCHEDULE      (for the units)
"""
from __future__ import annotations

import json
import sys
import tempfile

from ..common import NodeError, say


def main(argv):
    """Do what the arguments say. Returns the exit code."""
    try:
        if len(argv) == 2 and argv[0] in ("flow", "schedule"):
            return _tell(_perform(argv[0], argv[1]))
        if argv == ["boot"] or (len(argv) == 2 and argv[0] in ("supervise", "fire")):
            return _unit(argv)
    except NodeError as error:
        if argv[0] in ("flow", "schedule"):
            return _tell(dict(error.extra, failed=True, msg=str(error)), 1)
        say(f"emr-flow: {error}", err=True)
        return 1
    say(__doc__, err=True)
    return 2


def _unit(argv):
    if argv[0] == "supervise":
        from .runner import supervise
        return supervise(argv[1])
    if argv[0] == "fire":
        from .schedule import fire
        say(fire(argv[1]))
    else:
        from .record import boot
        say(f"taken up: {', '.join(boot()) or 'nothing'}")
    return 0


def _perform(family, op):
    if family == "flow":
        from .operations import perform
    else:
        from .schedule import perform
    params = dict(json.loads(sys.stdin.buffer.readline() or "{}"), op=op)
    if not params.get("archive_bytes"):
        return perform(params, False)
    with tempfile.NamedTemporaryFile(prefix="emr-flow-") as archive:
        archive.write(sys.stdin.buffer.read(params["archive_bytes"]))
        archive.flush()
        return perform(dict(params, archive=archive.name), False)


def _tell(result, code=0):
    say(json.dumps(result))
    return code
