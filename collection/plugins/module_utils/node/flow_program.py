"""The program emr-flow on a master: what the units of flows and schedules run. Runs on Python 3.8 and newer.

    emr-flow run ID | boot | fire SCHEDULE
    emr-flow show ID | list
"""
from __future__ import annotations

import json
import sys

from .common import NodeError


def main(argv):
    """Do what the arguments say. Returns the exit code."""
    try:
        if argv[:1] == ["run"] and len(argv) == 2:
            from .flow_run import supervise
            return supervise(argv[1])
        if argv == ["boot"]:
            from .flow_record import boot
            print(f"taken up: {', '.join(boot()) or 'nothing'}")
            return 0
        if argv[:1] == ["fire"] and len(argv) == 2:
            from .schedule import fire
            print(fire(argv[1]))
            return 0
        if argv == ["list"] or (argv[:1] == ["show"] and len(argv) == 2):
            from .flow import perform
            print(json.dumps(perform({"op": argv[0], "id": argv[-1]}, False)))
            return 0
    except NodeError as error:
        print(f"emr-flow: {error}", file=sys.stderr)
        return 1
    print(__doc__, file=sys.stderr)
    return 2
