"""Which instances a Describe call means: the visible ones of its region, through the index."""
from __future__ import annotations

import json

from .errors import ApiError
from .registry import Call

# Parameters that choose the page, or do not matter: all pages of a query share one result.
_PAGING = frozenset({"MaxResults", "NextToken", "PageNumber", "PageSize", "DryRun", "AdditionalAttributes"})


def select(call: Call, tags, accept) -> list:
    """Visible instances of the call's region that ``accept(item)``, oldest first; nothing without permission.

    tags: Tag.N of the call, which ``accept`` must check too. Do not change the list.
    """
    if call.denied:
        return []
    wanted = [(t.get("Key", t.get("key", "")), t.get("Value", t.get("value"))) for t in tags or ()]
    key = (call.action, *sorted((n, repr(v)) for n, v in call.params.items() if n not in _PAGING))
    return call.cloud.index.find(call.region, key, wanted, accept, call.now)


def shown_status(item: dict) -> str:
    """Status as readers see it: an instance that is being released is Stopping until it is gone."""
    return "Stopping" if item["released"] else item["status"]


def find_instance(call: Call, instance_id: str) -> dict:
    """The instance, for reading. Raises ApiError: InvalidInstanceId.NotFound, also while a new one is not seen yet;
    IncorrectInstanceStatus while it is being released."""
    item = call.tx.get("instance", instance_id)
    wrong_region = item is not None and call.region and item["region"] != call.region
    if item is None or wrong_region or item["visible_at"] > call.now:
        raise ApiError("InvalidInstanceId.NotFound")
    if item["released"]:
        raise ApiError("IncorrectInstanceStatus")
    return item


def json_list(call: Call, name: str) -> list | None:
    """A JSON array of at most 100 texts; None when absent. Raises ApiError."""
    text = call.get(name)
    if text is None:
        return None
    try:
        values = json.loads(text)
    except ValueError:
        values = None
    if not isinstance(values, list) or len(values) > 100 or not all(isinstance(v, str) for v in values):
        raise ApiError("InvalidInstanceIds.Malformed" if name == "InstanceIds" else "InvalidParameter", name)
    return values
