"""The journal of a node: the host's own messages, and what daemons print beside their log files."""
from __future__ import annotations

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
        self.pending, self.cursor, self.child, self.queue = {}, "", None, None

    def whole(self):
        """All records that are there; the last one of each program may go on."""
        with subprocess.Popen(self._command(f"--since=@{self.since:.6f}"), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as child:
            for line in child.stdout:
                yield from self._take(line)

    def more(self):
        """Records that have come since. To be called again and again."""
        if self.child is None:
            self._follow()
        while True:
            try:
                line = self.queue.get_nowait()
            except queue.Empty:
                break
            yield from self._take(line)
        quiet = [name for name, (_record, seen) in self.pending.items() if time.monotonic() - seen > QUIET_S]
        yield from sorted(self.pending.pop(name)[0] for name in quiet)

    def flush(self):
        """The records that might have gone on."""
        yield from sorted(record for record, _seen in self.pending.values())
        self.pending = {}

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
        self.cursor = entry.get("__CURSOR") or self.cursor
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
            self.pending[daemon] = (before[0], time.monotonic())
            return
        if before:
            yield before[0]
        # The journal's own time has microseconds; what a daemon prints may have none.
        record = [moment, daemon, (found[1] if found else "") or of_priority(entry.get("PRIORITY")), found[2] if found else text]
        self.pending[daemon] = (record, time.monotonic())


def _text(message):
    """A message as the journal's JSON has it: a text, or a list of bytes where it is none."""
    if isinstance(message, list):
        return bytes(byte for byte in message if isinstance(byte, int) and 0 <= byte < 256).decode(errors="replace")
    return str(message or "")
