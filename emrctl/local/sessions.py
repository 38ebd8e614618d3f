"""Temporary credentials: who a request comes from, and what STS and the metadata service hand out."""
from __future__ import annotations

import hmac
import secrets
import threading
import time

from .api.errors import ApiError
from .clock import stamp_seconds
from .identity import Principal

# Expired credentials are known for so long, in seconds, to be refused as expired and not as unknown.
REMEMBER = 86400


class Sessions:
    """Temporary credentials of a store; they survive a restart. ``now`` is the clock in seconds."""

    def __init__(self, store, faults, now=time.time):
        self._store = store
        self._faults = faults
        self._now = now
        self._of_instances: dict = {}
        self._lock = threading.Lock()

    def issue(self, role: str, session: str, seconds: float, tx=None) -> dict:
        """New credentials, in the shape of the API: AccessKeyId, AccessKeySecret, SecurityToken, Expiration.

        The fault ``token_seconds`` shortens their life. tx: an open transaction, where there is one.
        """
        limit = self._faults.value("token_seconds")
        record = {"id": "STS." + secrets.token_hex(12), "secret": secrets.token_hex(22), "role": role,
                  "session": session, "token": secrets.token_urlsafe(180), "expires": self._now() + (limit or seconds)}
        if tx is not None:
            self._keep(tx, record)
        else:
            with self._store.transaction() as own:
                self._keep(own, record)
        return {"AccessKeyId": record["id"], "AccessKeySecret": record["secret"], "SecurityToken": record["token"],
                "Expiration": stamp_seconds(record["expires"])}

    def _keep(self, tx, record: dict) -> None:
        for old in tx.all("session"):
            if old["expires"] + REMEMBER < self._now():
                tx.delete("session", old["id"])
        tx.put("session", record["id"], record)

    def of_instance(self, instance_id: str, role: str, seconds: float = 6 * 3600) -> dict:
        """Credentials of the role for an instance: the same ones until half of their life is over."""
        with self._lock:
            known, renew = self._of_instances.get((instance_id, role), (None, 0.0))
            if known is None or self._now() >= renew:
                limit = self._faults.value("token_seconds") or seconds
                known = self.issue(role, instance_id, seconds) | {"LastUpdated": stamp_seconds(self._now())}
                self._of_instances[(instance_id, role)] = (known, self._now() + limit / 2)
            return known

    def secret(self, key_id: str, token: str) -> str | None:
        """Secret of a temporary key whose token is right; None when there is no such key.

        Raises ApiError MissingSecurityToken, InvalidSecurityToken.MismatchWithAccessKey, InvalidSecurityToken.Expired.
        """
        record = self._store.get("session", key_id)
        if record is None:
            return None
        if not token:
            raise ApiError("MissingSecurityToken")
        if not hmac.compare_digest(record["token"].encode(), token.encode()):
            raise ApiError("InvalidSecurityToken.MismatchWithAccessKey")
        if record["expires"] <= self._now():
            raise ApiError("InvalidSecurityToken.Expired")
        return record["secret"]

    def principal(self, key_id: str) -> Principal:
        """Who this key belongs to."""
        record = self._store.get("session", key_id)
        return Principal(key_id, record["role"], record["session"]) if record else Principal(key_id)
