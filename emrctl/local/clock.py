"""Times and random ids as the API writes them."""
from __future__ import annotations

import secrets
import time


def stamp(seconds: float | None = None) -> str:
    """UTC time with minutes, as DescribeInstances writes it: 2026-01-31T08:15Z."""
    return time.strftime("%Y-%m-%dT%H:%MZ", time.gmtime(seconds))


def stamp_seconds(seconds: float | None = None) -> str:
    """UTC time with seconds: 2026-01-31T08:15:30Z."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def new_id(prefix: str) -> str:
    """A resource id: the prefix and 20 hexadecimal digits."""
    return f"{prefix}-{secrets.token_hex(10)}"
