"""The journal of a node: the host's own messages, and what daemons print beside their log files."""
from __future__ import annotations

import heapq
import json
import queue
import subprocess
import threading
import time

from ...domain.logs.lines import goes_on, head, joined, of_priority
from .files import QUIET_S

FIELDS = "MESSAGE,PRIORITY,SYSLOG_IDENTIFIER,_SYSTEMD_UNIT"
LINES = 1000


class Journal:
    """Messages from a moment on. ``units``: {unit: component} of daemons; with ``all`` those of the host too."""

    def __init__(self, units, everything, since):
        self.units, self.everything, self.since = units, everything, since
        # {daemon: [its newest record, when that was read, the moment of its last line]}; records that wait for older ones; the newest moment.
        self.pending, self.ready, self.newest = {}, [], 0.0
        self.cursor, self.child, self.queue = "", None, None

    def whole(self):
        """All records that are there, in order of time; the last ones may go on."""
        with subprocess.Popen(self._command(f"--since=@{self.since:.6f}"), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as child:
            for line in child.stdout:
                for record in self._take(line):
                    heapq.heappush(self.ready, record)
                # A daemon that has been silent since has no more to say of its record.
                for name in [name for name, (_record, _seen, last) in self.pending.items() if self.newest - last > QUIET_S]:
                    heapq.heappush(self.ready, self.pending.pop(name)[0])
                oldest = min((row[0][0] for row in self.pending.values()), default=self.newest)
                while self.ready and self.ready[0][0] <= oldest:
                    yield heapq.heappop(self.ready)

    def more(self):
        """Records that have come since. To be called again and again."""
        if self.child is None:
            self._follow()
        waited, self.ready = sorted(self.ready), []
        yield from waited
        while True:
            try:
                line = self.queue.get_nowait()
            except queue.Empty:
                break
            yield from self._take(line)
        quiet = [name for name, (_record, seen, _last) in self.pending.items() if time.monotonic() - seen > QUIET_S]
        yield from sorted(self.pending.pop(name)[0] for name in quiet)

    def flush(self):
        """The records that might have gone on."""
        yield from sorted([*self.ready, *(row[0] for row in self.pending.values())])
        self.pending, self.ready = {}, []

    def close(self):
        """Read no further."""
        if self.child:
            self.child.kill()
            self.child.wait()

    def _command(self, begin):
        named = [] if self.everything else [word for unit in self.units for word in ("-u", f"{unit}.service")]
        return ["journalctl", "--no-pager", "-q", "-o", "json", f"--output-fields={FIELDS}", begin, *named]

    def _follow(self):
        begin = f"--after-cursor={self.cursor}" if self.cursor else f"--since=@{self.since:.6f}"
        self.child = subprocess.Popen([*self._command(begin), "-f", "--no-tail"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.queue = queue.Queue(LINES)
        threading.Thread(target=lambda: [self.queue.put(line) for line in self.child.stdout], daemon=True).start()

    def _take(self, line):
        """Records that are complete with this entry; there may be none."""
        try:
            entry = json.loads(line)
            moment = int(entry["__REALTIME_TIMESTAMP"]) / 1e6
        except (ValueError, KeyError, TypeError):
            return
        self.cursor, self.newest = entry.get("__CURSOR") or self.cursor, max(self.newest, moment)
        text, unit = _text(entry.get("MESSAGE")), (entry.get("_SYSTEMD_UNIT") or "").replace(".service", "")
        daemon = self.units.get(unit)
        if daemon is None and not self.everything:
            return
        if daemon is None:
            yield [moment, entry.get("SYSLOG_IDENTIFIER") or unit or "kernel", of_priority(entry.get("PRIORITY")), text]
            return
        found = head(text)
        before = self.pending.get(daemon)
        if found is None and before and goes_on(text):
            joined(before[0], text)
            self.pending[daemon] = (before[0], time.monotonic(), moment)
            return
        if before:
            yield before[0]
        # The journal's own time has microseconds; what a daemon prints may have none.
        record = [moment, daemon, (found[1] if found else "") or of_priority(entry.get("PRIORITY")), found[2] if found else text]
        self.pending[daemon] = (record, time.monotonic(), moment)


def _text(message):
    """A message as the journal's JSON has it: a text, or a list of bytes where it is none."""
    if isinstance(message, list):
        return bytes(byte for byte in message if isinstance(byte, int) and 0 <= byte < 256).decode(errors="replace")
    return str(message or "")
