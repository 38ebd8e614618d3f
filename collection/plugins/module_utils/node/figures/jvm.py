"""How long a JVM has stood still for its garbage collections, from the counters that each one keeps in a file for jstat and the like.

Form of the file: HotSpot's src/hotspot/share/runtime/perfMemory.hpp. Whoever runs the JVM could write anything into it, so nothing but numbers is taken.
"""
from __future__ import annotations

import os
import stat
import struct

# Bytes of a file, and of a name in it, that are looked at: the names wanted here are short.
MAGIC, MOST_BYTES, NAME_BYTES = b"\xca\xfe\xc0\xc0", 1 << 20, 64
FREQUENCY, PREFIX, SUFFIX = b"sun.os.hrt.frequency", b"sun.gc.collector.", b".time"
LONG, ENTRY = ord("J"), 20


def gc_seconds(path):
    """Seconds of all collections of the JVM with this file of counters, since it began; None where it cannot be known. Raises OSError."""
    return told(_content(path))


def told(content):
    """The same of the file's content."""
    try:
        order = "<" if content[4] else ">"
        _used, _over, _stamp, place, count = struct.unpack_from(f"{order}iiqii", content, 8)
        if content[:4] != MAGIC or not content[7]:
            return None
        found = {}
        for _entry in range(count):
            length, name_at, _vector, kind, _flags, _unit, _varies, value_at = struct.unpack_from(f"{order}iiiBBBBi", content, place)
            if length < ENTRY or place < 0:
                return None
            name = content[place + name_at:place + name_at + NAME_BYTES].partition(b"\0")[0]
            if kind == LONG and (name == FREQUENCY or name.startswith(PREFIX) and name.endswith(SUFFIX)):
                (found[name],) = struct.unpack_from(f"{order}q", content, place + value_at)
            place += length
        frequency = found.pop(FREQUENCY, 0)
    except (IndexError, ValueError, struct.error):
        return None
    return sum(found.values()) / frequency if frequency > 0 and found else None


def _content(path):
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    with os.fdopen(handle, "rb") as file:
        return file.read(MOST_BYTES) if stat.S_ISREG(os.fstat(handle).st_mode) else b""
