"""SSH key pairs: names are unique per region."""
from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re

from ..clock import stamp_seconds
from .errors import ApiError
from .registry import Call, action, page
from .tags import matches, parse_tags, tag_list

_NAME = re.compile(r"[A-Za-z\u4e00-\u9fff][A-Za-z0-9\u4e00-\u9fff_:.-]{1,127}")
_KEY_TYPES = ("ssh-rsa", "ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521")


def fingerprint(public_key: str) -> str:
    """MD5 of the key's bytes, as pairs of digits. Raises ApiError InvalidPublicKeyBody.Malformed."""
    parts = public_key.split()
    try:
        if len(parts) < 2 or parts[0] not in _KEY_TYPES:
            raise ValueError
        raw = base64.b64decode(parts[1], validate=True)
        length = int.from_bytes(raw[:4], "big")
        if raw[4:4 + length].decode() != parts[0]:
            raise ValueError
    except (ValueError, binascii.Error):
        raise ApiError("InvalidPublicKeyBody.Malformed") from None
    digest = hashlib.md5(raw).hexdigest()
    return ":".join(digest[i:i + 2] for i in range(0, 32, 2))


@action("ImportKeyPair")
def import_key_pair(call: Call) -> dict:
    """Store a public key under a name; creating is atomic because names are unique."""
    name = call.params["KeyPairName"]
    if not _NAME.fullmatch(name) or name.startswith(("http://", "https://")):
        raise ApiError("InvalidKeyPairName.Malformed")
    key = f"{call.region}/{name}"
    if call.tx.get("keypair", key) is not None:
        raise ApiError("KeyPair.AlreadyExist")
    body = call.params["PublicKeyBody"].strip()
    finger = fingerprint(body)
    call.tx.put("keypair", key, {
        "id": key, "name": name, "region": call.region, "public_key": body, "fingerprint": finger,
        "tags": parse_tags(call.get("Tag")), "created": stamp_seconds(call.now), "seq": call.tx.next_number("seq")})
    return {"KeyPairName": name, "KeyPairFingerPrint": finger}


@action("DescribeKeyPairs", empty_when_denied=True)
def describe_key_pairs(call: Call) -> dict:
    """Key pairs by name (``*`` at either end), fingerprint and tags."""
    wanted = call.get("KeyPairName", "*")
    pattern = re.compile(".*".join(re.escape(part) for part in wanted.split("*")))
    found = [k for k in sorted(call.tx.all("keypair"), key=lambda k: k["seq"])
             if k["region"] == call.region and pattern.fullmatch(k["name"])
             and call.get("KeyPairFingerPrint", k["fingerprint"]) == k["fingerprint"]
             and matches(k, call.get("Tag"), call.now)]
    items, paging = page(call, found, 10, 50)
    rows = []
    for item in items:
        row = {"KeyPairName": item["name"], "KeyPairFingerPrint": item["fingerprint"], "ResourceGroupId": "",
               "CreationTime": item["created"], "Tags": tag_list(item, call.now)}
        if call.get("IncludePublicKey"):
            row["PublicKey"] = item["public_key"]
        rows.append(row)
    return {"KeyPairs": {"KeyPair": rows}, **paging}


@action("DeleteKeyPairs")
def delete_key_pairs(call: Call) -> dict:
    """Delete by a JSON array of names. Names that do not exist are ignored; one bound to an instance refuses all."""
    try:
        names = json.loads(call.params["KeyPairNames"])
        if not isinstance(names, list) or not 1 <= len(names) <= 100 or not all(isinstance(n, str) for n in names):
            raise ValueError
    except ValueError:
        raise ApiError("InvalidKeyPairNames.ValueNotSupported") from None
    bound = {i["key_pair"] for i in call.tx.all("instance") if i["region"] == call.region and not i["released"]}
    if bound & set(names):
        raise ApiError("InvalidParameter.KeypairAlreadyAttachedInstance")
    for name in names:
        call.tx.delete("keypair", f"{call.region}/{name}")
    return {}
