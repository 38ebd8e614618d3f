"""The program emr-metrics on the control node: questions to Prometheus without Ansible.

    emr-metrics query    (options as a line of JSON on stdin; the result as a line of JSON on stdout)
    emr-metrics watch    (the same; a line every ``every_s`` seconds, until nobody reads any more)

Options of ``query``: {query, since_s}; of ``watch``: {queries: {name: query}, every_s, times}.
"""
from __future__ import annotations

import json
import sys
import time

from ...domain import paths
from ..common import NodeError, read_text, say
from .store import Store, sample


def main(argv):
    """Do what the arguments say. Returns the exit code."""
    verb = argv[0] if len(argv) == 1 else ""
    if verb not in ("query", "watch"):
        say(__doc__, err=True)
        return 2
    options = json.loads(sys.stdin.readline() or "{}")
    try:
        if verb == "query":
            _tell(Store(settings()["store"]).asked(options["query"], options.get("since_s", 0)))
        else:
            _watch(options)
    except NodeError as error:
        _tell(dict(error.extra, failed=True, msg=str(error)))
        return 1
    except BrokenPipeError:
        sys.stdout = None
    return 0


def settings():
    """What this node knows of the cluster's figures. Raises NodeError where none are kept."""
    text = read_text(paths.MONITORING_SETTINGS)
    if text is None:
        raise NodeError("this cluster keeps no figures: it runs without the service monitoring. Next: emrctl service add NAME monitoring", emr_refused=True)
    return json.loads(text)


def _watch(options):
    known, left = settings(), options.get("times", 0)
    while True:
        _tell(sample(Store(known["store"]), options["queries"], known["answers"]))
        left -= 1
        if not left:
            return
        time.sleep(options["every_s"])


def _tell(found):
    say(json.dumps(found))
