"""A node's clock against this machine's, without NTP: a question and its answer bound the difference."""
from __future__ import annotations

import re
import time

TRIES = 4
_SECONDS = re.compile(r"^\s*(\d{6,}\.\d+)\s*$", re.MULTILINE)


def measure_clock(ask, tries: int = TRIES, clock=time.time) -> dict:
    """{offset_s, error_s} of a node; {} when it gives no time. ``ask`` returns the result of ``date +%s.%N`` there.

    The node looked at its clock some time between question and answer, so half the time in between is the error. The
    try with the smallest counts; the first one may have to open the connection.
    """
    best: dict = {}
    for _try in range(tries):
        before = clock()
        answer = ask()
        after = clock()
        match = _SECONDS.search(str(answer.get("stdout", "")))
        if answer.get("rc", 1) != 0 or not match:
            continue
        error = (after - before) / 2
        if not best or error < best["error_s"]:
            best = {"offset_s": round(float(match.group(1)) - (before + after) / 2, 4), "error_s": round(error, 4)}
    return best
