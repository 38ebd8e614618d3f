"""The table of actions, and what a handler is given."""
from __future__ import annotations

import base64
import time
from bisect import bisect_right
from dataclasses import dataclass, field

from .errors import ApiError, invalid

ACTIONS: dict = {}


@dataclass
class Call:
    """One request on its way through a handler. ``tx`` is the open transaction; ``after`` runs once it is kept."""

    action: str
    region: str
    params: dict
    cloud: object
    tx: object = None
    denied: bool = False
    principal: object = None
    now: float = field(default_factory=time.time)
    after: list = field(default_factory=list)

    def get(self, name: str, default=None):
        """A parameter; empty text counts as absent."""
        value = self.params.get(name)
        return default if value in (None, "") else value

    def dry_run(self) -> None:
        """End here when the caller asked for a dry run. Raises ApiError DryRunOperation."""
        if self.params.get("DryRun"):
            raise ApiError("DryRunOperation")


def action(*names: str, empty_when_denied: bool = False):
    """Register a handler. ``empty_when_denied``: without permission the answer is an empty list, not an error."""
    def register(handler):
        for name in names:
            ACTIONS[name] = (handler, empty_when_denied)
        return handler
    return register


def page(call: Call, items: list, default_size: int = 10, most: int = 100) -> tuple:
    """(items of the page, paging fields of the answer), by MaxResults/NextToken or PageNumber/PageSize.

    Items need an ascending ``seq``. Raises ApiError InvalidNextToken, InvalidPageSize, InvalidPageNumber.
    """
    if call.get("MaxResults") is not None or call.get("NextToken"):
        size = call.get("MaxResults", 10)
        if not 1 <= size <= 100:
            raise invalid("MaxResults")
        size = max(size, 10)
        start = _decode(call.get("NextToken", "")) if call.get("NextToken") else -1
        first = bisect_right(items, start, key=lambda item: item["seq"])
        last = first + size
        token = _encode(items[last - 1]["seq"]) if len(items) > last else ""
        return items[first:last], {"TotalCount": len(items), "NextToken": token, "PageSize": size, "PageNumber": 0}
    size, number = call.get("PageSize", default_size), call.get("PageNumber", 1)
    if not 1 <= size <= most:
        raise invalid("PageSize")
    if number < 1:
        raise invalid("PageNumber")
    first = (number - 1) * size
    return items[first:first + size], {"TotalCount": len(items), "PageSize": size, "PageNumber": number}


def _encode(seq: int) -> str:
    return base64.urlsafe_b64encode(f"after:{seq}".encode()).decode()


def _decode(token: str) -> int:
    try:
        word, _, number = base64.urlsafe_b64decode(token.encode()).decode().partition(":")
        if word == "after":
            return int(number)
    except ValueError:
        pass
    raise ApiError("InvalidNextToken")
