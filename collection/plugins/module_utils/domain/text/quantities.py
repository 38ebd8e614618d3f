"""Numbers for people."""
from __future__ import annotations

_BYTES = ("B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB")


def of_bytes(count) -> str:
    """A number of bytes with a unit of 1024; ``-`` where there is none, or no limit (Hadoop's -1)."""
    if count is None or count < 0:
        return "-"
    size, unit = float(count), 0
    # What would be rounded to 1024.0 is one of the next unit.
    while size >= 1023.95 and unit < len(_BYTES) - 1:
        size, unit = size / 1024, unit + 1
    return f"{size:.0f} B" if unit == 0 else f"{size:.1f} {_BYTES[unit]}"
