"""Calls of the programs that stay on nodes: they cost one command over SSH, not a module that is built and sent."""
from __future__ import annotations

import json

from ..module_utils.domain import paths
from ..module_utils.domain.errors import EmrError, Refused
from ..module_utils.domain.resident import package as resident

# Exit codes of a shell that has no such program, or may not run it.
MISSING = (126, 127)
OLD = ("the master has no programs for jobs yet, it was configured by an older version", "Run emrctl apply with the cluster's spec; emrctl export prints it")


def call(action, verb: str, options: dict, content: bytes = b"", program: str = paths.JOBS_PROGRAM, absent: tuple = OLD) -> dict:
    """The result of a verb of emr-jobs, or of another program of the package, on the task's node. ``content``: files that ``options`` name as ``inline``;
    ``absent``: what it means, with the next step, that there is no such program.

    Raises Refused when the program refuses, EmrError when it fails or is not there.
    """
    found = _asked(action, f"{program} {verb}", json.dumps(options).encode() + b"\n" + content)
    if found is None:
        raise Refused(*absent)
    if found.get("failed"):
        raise (Refused if found.get("emr_refused") else EmrError)(str(found.get("msg", "failed")))
    return found


def perform(action, op: str, options: dict) -> dict | None:
    """The result of an operation of the module ``node``, by the program that the node has of it.

    None where the node has no such program, or another version: nothing was done then, and the module has to do it.
    """
    sent = {"options": options, "check": action._task.check_mode, "diff": action._task.diff, "version": resident.version()}
    found = _asked(action, f"{paths.NODE} {op}", json.dumps(sent).encode())
    return None if found is None or found.get("other_version") else found


def _asked(action, command: str, sent: bytes) -> dict | None:
    """What a program answers, as the last line of its output; None where there is no such program. Raises EmrError without an answer."""
    answer = action._low_level_execute_command(command, sudoable=True, in_data=sent)
    try:
        return json.loads(answer["stdout"].strip().splitlines()[-1])
    except (IndexError, ValueError):
        if answer["rc"] in MISSING:
            return None
        text = (answer.get("stderr") or answer["stdout"]).strip()
        raise EmrError(f"{command} ended with {answer['rc']} and no answer: {text[-2000:]}") from None
