"""Request parameters: flat query names (``Tag.1.Key``) to typed, nested values, checked against the API's own list.

``parameters.json`` holds the parameters of every action: a letter for the type (s text, i integer, f number,
b boolean, o structure, a array, r repeated) and ``!`` when mandatory; ``["r", {...}]`` for repeated structures.
The cloud ignores names it does not know; here they are refused, so that a misspelt parameter is found before
it costs money.
"""
from __future__ import annotations

import json
import re
from functools import lru_cache
from pathlib import Path

from .errors import ApiError, invalid, missing

# Understood by the gateway for every action.
COMMON = frozenset({
    "Action", "Version", "Format", "AccessKeyId", "Signature", "SignatureMethod", "SignatureVersion", "SignatureType",
    "SignatureNonce", "Timestamp", "SecurityToken", "RegionId", "OwnerId", "OwnerAccount", "ResourceOwnerId",
    "ResourceOwnerAccount",
})
_INDEX = re.compile(r"[1-9][0-9]{0,3}")


@lru_cache(maxsize=1)
def known_actions() -> dict:
    """Action -> its parameters, as written in parameters.json."""
    return json.loads(Path(__file__).with_name("parameters.json").read_text())


def parse(action: str, flat: dict) -> dict:
    """Typed parameters of one request; repeated ones become lists ordered by their index.

    Raises ApiError: InvalidAction.NotFound, Missing<Name>, Invalid<Name>, InvalidParameter.
    """
    known = known_actions().get(action)
    if known is None:
        raise ApiError("InvalidAction.NotFound")
    result: dict = {}
    repeated: dict = {}
    for name, text in flat.items():
        if name in known:
            kind = _letter(known[name])
            # a repeated parameter without an index is the first element
            if kind == "r":
                repeated.setdefault(name, {})[1] = text
            else:
                result[name] = _convert(name, text, kind)
        elif not _nested(known, name, text, repeated, result) and name not in COMMON:
            raise ApiError("InvalidParameter", name)
    for name, items in repeated.items():
        result[name] = [items[i] for i in sorted(items)]
    result.setdefault("RegionId", flat.get("RegionId", ""))
    _check_mandatory(known, result)
    return result


def _letter(definition) -> str:
    text = definition if isinstance(definition, str) else definition[0]
    return text[0]


def _nested(known: dict, name: str, text: str, repeated: dict, result: dict) -> bool:
    """Store ``Base.N[.Sub[.M]]`` or ``Struct.Sub``; False when the name is unknown."""
    parts = name.split(".")
    definition = known.get(parts[0])
    if definition is None or len(parts) < 2:
        return False
    kind = _letter(definition)
    if kind == "o":
        result.setdefault(parts[0], {})[".".join(parts[1:])] = text
        return True
    if kind not in "ra" or not _INDEX.fullmatch(parts[1]):
        return False
    items = repeated.setdefault(parts[0], {})
    index = int(parts[1])
    if kind == "a":
        items.setdefault(index, {})[".".join(parts[2:])] = text
        return len(parts) > 2
    fields = definition[1] if isinstance(definition, list) else None
    if fields is None:
        items[index] = text
        return len(parts) == 2
    if len(parts) < 3 or parts[2] not in fields:
        return False
    entry = items.setdefault(index, {})
    field_kind = _letter(fields[parts[2]])
    if field_kind == "r":
        entry.setdefault(parts[2], []).append(text)
    else:
        entry[parts[2]] = _convert(name, text, field_kind)
    return True


def _convert(name: str, text: str, kind: str):
    """One text as its type. Booleans are the words true and false in any case, as in the cloud."""
    try:
        if kind == "i":
            if not re.fullmatch(r"[+-]?[0-9]{1,18}", text):
                raise ValueError
            return int(text)
        if kind == "f":
            return float(text)
        if kind == "b":
            return {"true": True, "false": False}[text.lower()]
    except (ValueError, KeyError):
        raise invalid(name) from None
    return text


def _check_mandatory(known: dict, result: dict) -> None:
    for name, definition in known.items():
        text = definition if isinstance(definition, str) else definition[0]
        if text.endswith("!") and result.get(name) in (None, "", []):
            raise missing(name)
        if isinstance(definition, list):
            wanted = [f for f, d in definition[1].items() if (d if isinstance(d, str) else d[0]).endswith("!")]
            for entry in result.get(name, ()):
                for field in wanted:
                    if field not in entry:
                        raise missing(f"{name}.{field}" if "." not in name else name)
