"""What an operation gives back: status, headers and a body, or a part of a file."""
from __future__ import annotations

import time
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import BinaryIO

from .index import Stored


@dataclass
class Answer:
    """An answer. With ``file``, ``length`` bytes of it from ``start`` on are the body; whoever sends it closes it."""

    status: int = 200
    headers: dict = field(default_factory=dict)
    body: bytes = b""
    file: BinaryIO | None = None
    start: int = 0
    length: int = 0


def iso(seconds: float) -> str:
    """2026-01-31T23:59:59.000Z"""
    return time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(seconds))


def http_date(seconds: float) -> str:
    """Sat, 31 Jan 2026 23:59:59 GMT"""
    return formatdate(seconds, usegmt=True)


def xml(content: bytes, status: int = 200, **headers) -> Answer:
    """An XML document as an answer."""
    return Answer(status, {"Content-Type": "application/xml", **headers}, content)


def sums(stored: Stored) -> dict:
    """Headers with which clients verify what they sent."""
    return {"ETag": f'"{stored.etag}"', "x-oss-hash-crc64ecma": str(stored.crc)}
