"""Tags of every kind of resource, and TagResources, UntagResources, ListTagResources."""
from __future__ import annotations

import re

from .errors import ApiError
from .registry import Call, action, page

KINDS = {"instance": "instance", "securitygroup": "securitygroup", "keypair": "keypair"}
MOST_TAGS = 20
MOST_RESOURCES = 50
_FORBIDDEN = ("aliyun", "acs:")
_LINK = re.compile("https?://", re.IGNORECASE)


def parse_tags(entries) -> dict:
    """Tags of Tag.N.Key and Tag.N.Value. Raises ApiError for keys or values that the API refuses."""
    if len(entries or ()) > MOST_TAGS:
        raise ApiError("NumberExceed.Tags")
    tags: dict = {}
    for entry in entries or ():
        key = entry.get("Key", entry.get("key", ""))
        value = entry.get("Value", entry.get("value", ""))
        if not key or len(key) > 128 or key.lower().startswith(_FORBIDDEN) or _LINK.search(key):
            raise ApiError("InvalidTagKey.Malformed")
        if key in tags:
            raise ApiError("Duplicate.TagKey")
        if len(value) > 128 or value.lower().startswith(_FORBIDDEN) or _LINK.search(value):
            raise ApiError("InvalidTagValue.Malformed")
        tags[key] = value
    return tags


def seen_tags(item: dict, now: float) -> dict:
    """Tags as readers see them: a change stays invisible for a moment."""
    old = item.get("old_tags")
    return old["tags"] if old and now < old["until"] else item["tags"]


def matches(item: dict, entries, now: float) -> bool:
    """Whether the resource has all these tags; an entry without a value asks for the key alone."""
    tags = seen_tags(item, now)
    for entry in entries or ():
        key = entry.get("Key", entry.get("key", ""))
        value = entry.get("Value", entry.get("value"))
        if key not in tags or (value is not None and tags[key] != value):
            return False
    return True


def tag_list(item: dict, now: float) -> dict:
    """Tags in the shape of Describe answers."""
    return {"Tag": [{"TagKey": k, "TagValue": v} for k, v in sorted(seen_tags(item, now).items())]}


def _find(call: Call) -> tuple:
    """(kind, [keys in the store]) of ResourceType and ResourceId. Raises ApiError."""
    kind = KINDS.get(call.params["ResourceType"])
    if kind is None:
        raise ApiError("InvalidResourceType.NotFound")
    ids = call.get("ResourceId") or []
    if len(ids) > MOST_RESOURCES:
        raise ApiError("NumberExceed.ResourceIds")
    keys = [f"{call.region}/{i}" if kind == "keypair" else i for i in ids]
    for key, name in zip(keys, ids, strict=True):
        item = call.tx.get(kind, key)
        if item is None or item["region"] != call.region or item.get("released"):
            raise ApiError("InvalidResourceId.NotFound", name)
    return kind, keys


def _change(call: Call, kind: str, key: str, tags: dict) -> None:
    item = call.tx.edit(kind, key)
    if tags == item["tags"]:
        return
    if len(tags) > MOST_TAGS:
        raise ApiError("QuotaExceed.TagsPerResource")
    item["old_tags"] = {"tags": seen_tags(item, call.now), "until": call.now + call.cloud.faults.visible_after()}
    item["tags"] = tags


@action("TagResources")
def tag_resources(call: Call) -> dict:
    """Add or overwrite tags of up to 50 resources: all of them or none."""
    kind, keys = _find(call)
    new = parse_tags(call.params["Tag"])
    for key in keys:
        _change(call, kind, key, {**call.tx.get(kind, key)["tags"], **new})
    return {}


@action("UntagResources")
def untag_resources(call: Call) -> dict:
    """Remove tags by key, or all of them with All=true and no keys."""
    kind, keys = _find(call)
    gone = call.get("TagKey")
    if not gone and not call.get("All"):
        return {}
    for key in keys:
        tags = call.tx.get(kind, key)["tags"]
        _change(call, kind, key, {k: v for k, v in tags.items() if gone and k not in gone})
    return {}


@action("ListTagResources", empty_when_denied=True)
def list_tag_resources(call: Call) -> dict:
    """One row per tag of the resources that are asked for by id or tag."""
    kind = KINDS.get(call.params["ResourceType"])
    if kind is None:
        raise ApiError("InvalidResourceType.NotFound")
    ids, wanted = call.get("ResourceId"), call.get("Tag")
    rows = []
    for item in _asked_for(call, kind, ids):
        name = item["name"] if kind == "keypair" else item["id"]
        hidden = item.get("visible_at", 0) > call.now or item.get("released")
        if item["region"] != call.region or hidden or (ids and name not in ids):
            continue
        if not matches(item, wanted, call.now):
            continue
        rows += [{"ResourceType": call.params["ResourceType"], "ResourceId": name, "TagKey": k, "TagValue": v}
                 for k, v in sorted(seen_tags(item, call.now).items())]
    for number, row in enumerate(rows):
        row["seq"] = number
    rows, paging = page(call, rows, 50) if call.get("NextToken") else _first(call, rows)
    return {"TagResources": {"TagResource": [{k: v for k, v in row.items() if k != "seq"} for row in rows]},
            "NextToken": paging.get("NextToken", "")}


def _asked_for(call: Call, kind: str, ids: list | None) -> list:
    """Resources that may be meant, oldest first; named ones cost no search."""
    if ids and kind != "keypair":
        found = [call.tx.get(kind, one) for one in dict.fromkeys(ids)]
    else:
        found = call.tx.all(kind)
    return sorted((item for item in found if item), key=lambda i: i["seq"])


def _first(call: Call, rows: list) -> tuple:
    call.params["MaxResults"] = 50
    return page(call, rows)
