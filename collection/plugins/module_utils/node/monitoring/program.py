"""The program emr-metrics on the control node: questions to Prometheus without Ansible.

    emr-metrics query    (options as a line of JSON on stdin; the result as a line of JSON on stdout)
    emr-metrics watch    (the same; a line every ``every_s`` seconds, until nobody reads any more)

Options of ``query``: {query, since_s}; of ``watch``: {queries: {name: query}, every_s, times}.
"""
from __future__ import annotations

import json
import sys
import time

from ..common import NodeError
from ..jobs.record import settings
from .store import Store, sample


def main(argv):
    """Do what the arguments say. Returns the exit code."""
    verb = argv[0] if len(argv) == 1 else ""
    if verb not in ("query", "watch"):
        print(__doc__, file=sys.stderr)
        return 2
    options = json.loads(sys.stdin.readline() or "{}")
    try:
        if verb == "query":
            _tell(kept().asked(options["query"], options.get("since_s", 0)))
        else:
            _watch(options)
    except NodeError as error:
        _tell(dict(error.extra, failed=True, msg=str(error)))
        return 1
    except BrokenPipeError:
        sys.stdout = None
    return 0


def kept():
    """The store of this cluster. Raises NodeError where it has none."""
    known = settings()
    if not known.get("prometheus"):
        raise NodeError(f"{known['cluster']} keeps no figures: it runs without the service monitoring. Next: emrctl service add {known['cluster']} monitoring",
                        emr_refused=True)
    return Store(known["prometheus"])


def _watch(options):
    store, left, resourcemanager = kept(), options.get("times", 0), settings().get("resourcemanager", "")
    while True:
        _tell(sample(store, options["queries"], resourcemanager))
        left -= 1
        if not left:
            return
        time.sleep(options["every_s"])


def _tell(found):
    print(json.dumps(found), flush=True)
