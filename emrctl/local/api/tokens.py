"""ClientToken: a call that is repeated with the same token is answered from memory and does nothing again."""
from __future__ import annotations

import hashlib
import json

from .errors import ApiError, invalid
from .registry import Call

# Two calls are the same when everything but these agrees.
_IGNORED = frozenset({"ClientToken", "DryRun"})


def remembered(call: Call, perform) -> dict:
    """Answer of ``perform()``, or the remembered one of an earlier call with this token.

    Tokens hold per action and region, and are kept in the same transaction as what they bought. Raises ApiError
    IdempotentParameterMismatch when the parameters differ, InvalidClientToken when it is not a token.
    """
    token = call.get("ClientToken")
    if not token:
        return perform()
    if len(token) > 64 or not token.isascii():
        raise invalid("ClientToken")
    wanted = {k: v for k, v in call.params.items() if k not in _IGNORED}
    digest = hashlib.sha256(json.dumps(wanted, sort_keys=True).encode()).hexdigest()
    key = f"{call.action}/{call.region}/{token}"
    known = call.tx.get("token", key)
    if known is not None:
        if known["digest"] != digest:
            raise ApiError("IdempotentParameterMismatch")
        return known["answer"]
    answer = perform()
    call.tx.put("token", key, {"digest": digest, "answer": answer, "at": call.now})
    return answer
