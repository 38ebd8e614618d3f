"""Durations as a spec writes them: ``90s``, ``15m``, ``2h``, ``7d``."""
from __future__ import annotations

import re

UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_FORM = re.compile(r"([1-9]\d{0,8})([smhd])")


def seconds(text) -> int:
    """The duration in seconds. Raises ValueError for anything that is not a number with one unit."""
    match = _FORM.fullmatch(str(text))
    if not match:
        raise ValueError(f"{text!r} is not a duration, expected a number with s, m, h or d, such as 90m")
    return int(match.group(1)) * UNITS[match.group(2)]


def words(number) -> str:
    """Seconds as a duration for people, rounded down: ``45s``, ``90m``, ``3h``, ``2d``."""
    number = max(0, int(number))
    for unit in ("d", "h", "m"):
        size = UNITS[unit]
        if number >= 2 * size or number == size:
            return f"{number // size}{unit}"
    return f"{number}s"
