"""Conditions and ranges of a request."""
from __future__ import annotations

import re
from calendar import timegm
from email.utils import parsedate

from .errors import OssError
from .index import Stored

_RANGE = re.compile(r"bytes=(\d*)-(\d*)")


def check(headers: dict, stored: Stored, prefix: str = "") -> None:
    """If-Match and its family, with a prefix for the source of a copy. Raises OssError."""
    def value(name: str) -> str:
        return headers.get(prefix + name, "")

    modified = int(stored.modified)
    match, none = value("if-match"), value("if-none-match")
    since, unless = _seconds(value("if-modified-since")), _seconds(value("if-unmodified-since"))
    if match and not _names(match, stored.etag) or unless is not None and modified > unless:
        raise OssError("PreconditionFailed", Condition="If-Match" if match else "If-Unmodified-Since")
    if none and _names(none, stored.etag) or since is not None and modified <= since:
        raise OssError("NotModified", ETag=stored.etag)


def _names(header: str, etag: str) -> bool:
    return header.strip() == "*" or etag in (part.strip().strip('"').upper() for part in header.split(","))


def _seconds(text: str) -> int | None:
    parsed = parsedate(text) if text else None
    return timegm(parsed) if parsed else None


def span(header: str, size: int, strict: bool) -> tuple | None:
    """(first, length) that a Range asks for, None for all of it.

    OSS ignores a range that does not lie within the object, and of several takes the first. With ``strict``
    (x-oss-range-behavior: standard) it cuts the end, and raises OssError InvalidRange for what begins behind it.
    """
    match = _RANGE.fullmatch(header.split(",")[0].replace(" ", ""))
    if not match or match.group(1) == match.group(2) == "":
        return None
    first, last = match.groups()
    if not first:
        begin, end = (size - int(last) if int(last) <= size else (0 if strict else -1)), size - 1
    else:
        begin, end = int(first), int(last) if last else size - 1
        if end >= size and strict:
            end = size - 1
    if 0 <= begin <= end < size:
        return begin, end - begin + 1
    if strict and (begin >= size or not first):
        raise OssError("InvalidRange", RangeHeader=header, ActualObjectSize=size)
    return None
