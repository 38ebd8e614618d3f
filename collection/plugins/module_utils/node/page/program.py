"""The program emr-page: serves the cluster's page on the port that it is given.

    emr-page PORT
"""
from __future__ import annotations

import os
import sys
import threading

from ...domain import paths
from ..common import say
from .answers import Answers
from .server import Server, leave_for_new_code, read_files

# A thread of this server needs little; the default of 8 MiB would count against the node's memory in accounts of some systems.
STACK = 256 << 10


def main(argv):
    """Serve until the end of this process. Returns the exit code of a wrong call."""
    if len(argv) != 1 or not argv[0].isdigit():
        say(__doc__, err=True)
        return 2
    threading.stack_size(STACK)
    answers = Answers(paths.PAGE_SETTINGS, paths.WORK_SOCKET)
    server = Server(("", int(argv[0])), read_files(paths.PAGE), {
        name: getattr(answers, name) for name in ("about", "panel", "alerts", "health", "work", "applications")},
        lambda: {name for node in answers.settings["nodes"] for name in (node["name"], node["address"])})
    code = [module.__file__ for module in list(sys.modules.values()) if (getattr(module, "__file__", "") or "").startswith(f"{paths.LIB}/")]
    leave_for_new_code([*code, *(os.path.join(paths.PAGE, name) for name in os.listdir(paths.PAGE))])
    server.serve_forever()
    return 0
