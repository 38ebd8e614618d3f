"""Lines of daemons' logs: when each was written, how grave it is, and which lines belong together.

A record is a list [seconds of the epoch, component, level, text]. Its text may have several lines: what follows a line with a time, such as
the trace of an exception, is part of it.
"""
from __future__ import annotations

import re
import time
from collections import deque

LEVELS = ("TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL")
# What the journal of a host is called where components are named.
SYSTEM = "system"
# Characters of one record at most, of all records that one side holds, and how many of them there are when nobody says.
RECORD_CHARS, HELD_CHARS, RECORDS = 32 << 10, 32 << 20, 10000
# log4j's %d{ISO8601} of Hadoop, and yy/MM/dd HH:mm:ss of Spark; then the level.
_HEAD = re.compile(r"(?:(\d{4})-(\d\d)-(\d\d)|(\d\d)/(\d\d)/(\d\d)) (\d\d):(\d\d):(\d\d)(?:[,.](\d{3}))? +"
                   r"(?:(TRACE|DEBUG|INFO|WARN|ERROR|FATAL)\b ?)?")
# A line without a time that goes on with the one before, where each line is a message of its own.
_GOES_ON = re.compile(r"\s|(?:Caused by|Suppressed): |[\w.$]+(?:Exception|Error)\b|\.\.\. \d+ more")
# Severities of syslog, from 0 on.
_PRIORITIES = ("FATAL", "FATAL", "FATAL", "ERROR", "WARN", "INFO", "INFO", "DEBUG")


def head(line):
    """(seconds of the epoch, level or '', the rest) of a line that begins with a time of this machine's zone; else None."""
    match = _HEAD.match(line)
    if not match:
        return None
    year, month, day, year2, month2, day2, hour, minute, second, millis, level = match.groups()
    try:
        moment = time.mktime((int(year or f"20{year2}"), int(month or month2), int(day or day2), int(hour), int(minute), int(second), -1, -1, -1))
    except (ValueError, OverflowError):
        return None
    return moment + int(millis or 0) / 1000.0, level or "", line[match.end():]


def goes_on(line):
    """Whether a message without a time is part of the one before: a trace of an exception comes line by line."""
    return not line or bool(_GOES_ON.match(line))


def of_priority(priority):
    """The level that a severity of syslog stands for; of what is none, INFO."""
    try:
        return _PRIORITIES[int(priority)]
    except (ValueError, TypeError, IndexError):
        return "INFO"


class Wanted:
    """Which records somebody wants. ``level``: at least that; ``grep``: a text in them, or with ``regex`` a regular expression.

    Raises re.error for an expression that is none.
    """

    def __init__(self, level="", grep="", regex=False):
        self.ranks = set(LEVELS[LEVELS.index(level):]) if level else set()
        self.find = re.compile(grep if regex else re.escape(grep)).search if grep else None

    def __call__(self, record):
        return (not self.ranks or record[2] in self.ranks) and (not self.find or bool(self.find(record[3])))


class Newest:
    """Takes records in order of time and keeps the newest: so many, and no more characters of their texts, which come last in them, than that; counts
    what it has let go."""

    def __init__(self, most, characters=HELD_CHARS):
        self.most, self.characters = most, characters
        self.rows, self.held, self.left_out = deque(), 0, 0

    def add(self, record):
        """One more."""
        self.rows.append(record)
        self.held += len(record[-1])
        while self.rows and (len(self.rows) > self.most or self.held > self.characters):
            self.held -= len(self.rows.popleft()[-1])
            self.left_out += 1


def joined(record, line):
    """Add a line to a record, as long as there is room."""
    if len(record[3]) < RECORD_CHARS:
        record[3] += "\n" + line[:RECORD_CHARS]
        if len(record[3]) >= RECORD_CHARS:
            record[3] = record[3][:RECORD_CHARS] + " [… the rest is left out]"
