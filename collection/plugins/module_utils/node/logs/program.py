"""The program emr-lines on every node: log lines of its daemons and of the host, in order of time.

One message on stdin says what is wanted: {components: {name: {unit, path}}, system, since, level, grep, regex, most, follow}. Messages on stdout
(node/files/frames.py): {rows: records}; while it follows, {until: moment up to which all has been told}; at the end {left_out: records}.
It ends when its stdin does.
"""
from __future__ import annotations

import contextlib
import heapq
import os
import select
import sys
import time

from ...domain.logs.lines import Newest, Wanted
from ..files.frames import HELLO, failure, receive, send
from .files import QUIET_S, LogFiles
from .journal import Journal

POLL_S = 0.5
# Records and characters of one message.
ROWS, CHARACTERS = 200, 1 << 20


def main(_arguments):
    """Serve one request. Returns the exit code."""
    source, out = sys.stdin.buffer, sys.stdout.buffer
    send(out, HELLO)
    request = receive(source)[0]
    if request is None:
        return 1
    # Daemons come first.
    os.nice(10)
    sources = _sources(request)
    try:
        _tell(request, sources, source, out)
    except BrokenPipeError:
        return 0
    except OSError as error:
        with contextlib.suppress(OSError):
            send(out, failure(error))
        return 1
    finally:
        for one in sources:
            one.close()
    return 0


def _sources(request):
    named, since = request["components"], request["since"]
    units = {row["unit"]: name for name, row in named.items()}
    return [*(LogFiles(name, row["path"], since) for name, row in named.items()), Journal(units, request["system"], since)]


def _tell(request, sources, source, out):
    wanted = Wanted(request["level"], request["grep"], request["regex"])
    newest, follow = Newest(request["most"]), request["follow"]
    for record in heapq.merge(*map(_whole if not follow else _begun, sources), key=_moment):
        if wanted(record):
            newest.add(record)
    # Threads of a daemon write lines a little out of order.
    _send(out, sorted(newest.rows, key=_moment))
    send(out, {"left_out": newest.left_out})
    while follow and not select.select([source], [], [], POLL_S)[0]:
        # What is written while this looks may be older than what it has found elsewhere.
        now = time.time()
        found = [record for one in sources for record in one.more() if wanted(record)]
        _send(out, sorted(found, key=_moment))
        send(out, {"until": now - QUIET_S - POLL_S})


def _whole(source):
    yield from source.whole()
    yield from source.flush()


def _begun(source):
    yield from source.whole()


def _moment(record):
    return record[0]


def _send(out, records):
    rows, size = [], 0
    for record in records:
        rows.append(record)
        size += len(record[3])
        if len(rows) >= ROWS or size >= CHARACTERS:
            send(out, {"rows": rows})
            rows, size = [], 0
    if rows:
        send(out, {"rows": rows})
