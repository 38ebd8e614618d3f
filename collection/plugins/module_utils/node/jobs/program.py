"""The program emr-jobs on a master: what its units run, and jobs without Ansible.

    emr-jobs submit|list|logs|kill|…   (options as a line of JSON on stdin; the result as JSON on stdout)
    emr-jobs show ID | kill ID
    emr-jobs run ID | ended ID | boot  (for the units)

After the line of JSON come the files that its ``inline`` names, as rows {name, size}, one right after the other.
"""
from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile

from ..common import NodeError, say

# Verbs of the units -> how many arguments they take.
UNITS = {"run": 1, "ended": 1, "boot": 0}
# Seconds that the end of a unit waits for what histories have of its job; systemd gives it 60.
SETTLE_S = 40


def main(argv):
    """Do what the arguments say. Returns the exit code."""
    verb, rest = (argv[0], argv[1:]) if argv else ("", [])
    try:
        if verb in UNITS and len(rest) == UNITS[verb]:
            return _unit(verb, rest)
        if verb in ("show", "kill") and len(rest) == 1:
            return _tell(_perform({"op": verb, "id": rest[0]}))
        if verb and not rest:
            return _tell(_asked(verb, sys.stdin.buffer))
    except NodeError as error:
        return _tell(dict(error.extra, failed=True, msg=str(error)), 1)
    say(__doc__, err=True)
    return 2


def _unit(verb, rest):
    if verb == "run":
        from .supervisor import supervise
        return supervise(rest[0])
    from . import admission as job_admit, usage as job_usage
    if verb == "boot":
        say(f"taken up: {', '.join(job_admit.boot()) or 'nothing'}")
    else:
        from . import operations as job
        job_admit.release(rest[0])
        # Others have its room already.
        job_usage.settle(rest[0], SETTLE_S)
        job.prune({})
    return 0


def _asked(verb, stream):
    """Perform what stdin asks for; the files that come with it are kept until then."""
    params = dict(json.loads(stream.readline() or "{}"), op=verb)
    inline = params.pop("inline", [])
    if not inline:
        return _perform(params)
    folder = tempfile.mkdtemp(prefix="emr-job-")
    try:
        for at, row in enumerate(inline):
            # In a folder of its own each, so that two of one name are seen as such.
            path = os.path.join(folder, str(at), os.path.basename(row["name"]))
            os.mkdir(os.path.dirname(path))
            with open(path, "wb") as out:
                _copy(stream, out, row["size"])
        return _perform(_placed(params, inline, folder))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _copy(stream, out, left):
    while left:
        block = stream.read(min(left, 1 << 20))
        if not block:
            raise NodeError("the files of the job arrived incomplete. Run the command again")
        out.write(block)
        left -= len(block)


def _placed(params, inline, folder):
    """The request with the places of its files: it names them by their numbers, as @0 or @0#alias."""
    def place(row):
        if not row.startswith("@"):
            return row
        number, mark, alias = row[1:].partition("#")
        return os.path.join(folder, number, os.path.basename(inline[int(number)]["name"])) + mark + alias

    more = {kind: [place(row) for row in params[kind]] for kind in ("files", "jars", "py_files", "archives") if kind in params}
    return dict(params, python_env=place(params.get("python_env") or ""), **more)


def _perform(params):
    if params["op"] == "report":
        from .report import report
        return report(params)
    from . import operations as job
    return job.perform(params, False)


def _tell(result, code=0):
    say(json.dumps(result))
    return code
