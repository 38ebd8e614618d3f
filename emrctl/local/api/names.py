"""Names of instances: ``web-[001,3]`` patterns and what a host name may be."""
from __future__ import annotations

import re

from .errors import ApiError

_PATTERN = re.compile(r"\[([0-9]{0,6}),([0-6]?)\]")
_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]{0,62}[A-Za-z0-9])")
_INSTANCE = re.compile(r"[A-Za-z\u4e00-\u9fff][A-Za-z0-9\u4e00-\u9fff:_.,\[\]-]{1,127}")


def expand(text: str, amount: int, unique_suffix: bool = False) -> list:
    """Names of ``amount`` instances. A ``[start,digits]`` counts up; UniqueSuffix appends 001, 002, ….

    Without start the count begins at 0, without digits it has 6; a number that needs more digits gets them.
    """
    match = _PATTERN.search(text)
    if match:
        first, digits = int(match[1] or 0), int(match[2] or 6) or 6
        return [f"{text[:match.start()]}{first + i:0{digits}d}{text[match.end():]}" for i in range(amount)]
    if unique_suffix and amount > 1:
        return [f"{text}{i:03d}" for i in range(1, amount + 1)]
    return [text] * amount


def check_host_name(name: str) -> None:
    """Raises ApiError InvalidHostName.Malformed."""
    if not _HOST.fullmatch(name) or re.search(r"[.-]{2}", name) or name.isdigit():
        raise ApiError("InvalidHostName.Malformed")


def check_instance_name(name: str) -> None:
    """Raises ApiError InvalidInstanceName.Malformed."""
    if not _INSTANCE.fullmatch(name) or name.startswith(("http://", "https://")):
        raise ApiError("InvalidInstanceName.Malformed")
