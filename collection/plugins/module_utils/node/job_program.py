"""The program emr-jobs on a master: what its units run, and jobs without Ansible. Runs on Python 3.8 and newer.

    emr-jobs submit|list|logs|kill|…   (options as JSON on stdin; the result as JSON on stdout)
    emr-jobs show ID
    emr-jobs run ID | ended ID | boot  (for the units)
"""
from __future__ import annotations

import json
import sys

from .common import NodeError


def main(argv):
    """Do what the arguments say. Returns the exit code."""
    verb, rest = (argv[0], argv[1:]) if argv else ("", [])
    try:
        if verb in UNITS and len(rest) == UNITS[verb]:
            return _unit(verb, rest)
        if verb in ("show", "kill") and len(rest) == 1:
            return _tell(_perform({"op": verb, "id": rest[0]}))
        if verb and not rest:
            return _tell(_perform(dict(json.loads(sys.stdin.buffer.readline() or "{}"), op=verb)))
    except NodeError as error:
        return _tell(dict(error.extra, failed=True, msg=str(error)), 1)
    print(__doc__, file=sys.stderr)
    return 2


# Verbs of the units -> how many arguments they take.
UNITS = {"run": 1, "ended": 1, "boot": 0}


def _unit(verb, rest):
    if verb == "run":
        from .job_run import supervise
        return supervise(rest[0])
    from . import job_admit
    if verb == "boot":
        print(f"taken up: {', '.join(job_admit.boot()) or 'nothing'}")
    else:
        job_admit.release(rest[0])
    return 0


def _perform(params):
    from . import job
    return job.perform(params, False)


def _tell(result, code=0):
    print(json.dumps(result))
    return code
