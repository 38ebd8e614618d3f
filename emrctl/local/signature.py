"""Verification of request signatures as Alibaba Cloud's gateway does it.

Version 1: HMAC-SHA1 over ``METHOD&%2F&<encoded sorted parameters>``, all in the query (or, for POST, also in a form
body). Version 3: ``Authorization: ACS3-HMAC-SHA256 Credential=..,SignedHeaders=..,Signature=..`` over a canonical
request. Times are UTC; a request is good for 15 minutes and its nonce for one use.
"""
from __future__ import annotations

import base64
import hashlib
import hmac
import re
import threading
import time
from calendar import timegm
from urllib.parse import quote

from .api.errors import ApiError, missing

VALID_SECONDS = 900
_AUTHORIZATION = re.compile(r"ACS3-HMAC-SHA256\s+Credential=([^,\s]+),\s*SignedHeaders=([^,\s]+),\s*"
                            r"Signature=([0-9a-f]+)")


def encode(text: str) -> str:
    """Percent-encoding of the API: unreserved characters stay, a space is %20."""
    return quote(text, safe="-_.~")


class Verifier:
    """Checks requests against access keys, ``{key id: secret}``, and temporary ones (emrctl.local.sessions)."""

    def __init__(self, keys: dict, now=time.time, sessions=None):
        self._keys = keys
        self._sessions = sessions
        self._now = now
        self._nonces: dict = {}
        self._prune_at = 0.0
        self._lock = threading.Lock()

    def check_v1(self, method: str, params: dict) -> str:
        """Access key id of a request signed in its parameters. Raises ApiError."""
        for name in ("AccessKeyId", "Signature", "Timestamp", "SignatureNonce"):
            if not params.get(name):
                raise missing(name)
        if params.get("SignatureMethod", "HMAC-SHA1") != "HMAC-SHA1" or params.get("SignatureVersion") != "1.0":
            raise ApiError("IncompleteSignature")
        secret = self.secret(params["AccessKeyId"], params.get("SecurityToken", ""))
        self._fresh(params["Timestamp"])
        text = string_to_sign_v1(method, params)
        if not hmac.compare_digest(sign_v1(secret, text).encode(), params["Signature"].encode()):
            raise ApiError("SignatureDoesNotMatch", text)
        self._once(params["SignatureNonce"])
        return params["AccessKeyId"]

    def check_v3(self, method: str, path: str, query: dict, headers: dict, body: bytes) -> str:
        """Access key id of a request signed in its headers (names in lower case). Raises ApiError."""
        match = _AUTHORIZATION.fullmatch(headers.get("authorization", "").strip())
        if not match:
            raise ApiError("IncompleteSignature")
        key_id, signed, signature = match.groups()
        for name in ("x-acs-date", "x-acs-signature-nonce", "x-acs-content-sha256", "host"):
            if name not in headers:
                raise missing(name)
            if name not in signed.split(";"):
                raise ApiError("IncompleteSignature")
        if headers.get("x-acs-security-token") and "x-acs-security-token" not in signed.split(";"):
            raise ApiError("IncompleteSignature")
        secret = self.secret(key_id, headers.get("x-acs-security-token", "") or query.get("SecurityToken", ""))
        self._fresh(headers["x-acs-date"])
        digest = hashlib.sha256(body).hexdigest()
        if digest != headers["x-acs-content-sha256"]:
            raise ApiError("SignatureDoesNotMatch", "the digest of the body is " + digest)
        text = string_to_sign_v3(method, path, query, headers, signed, digest)
        if not hmac.compare_digest(sign_v3(secret, text), signature):
            raise ApiError("SignatureDoesNotMatch", text)
        self._once(headers["x-acs-signature-nonce"])
        return key_id

    def secret(self, key_id: str, token: str) -> str:
        """Secret of a key that is the account's own (without token) or a temporary one (with its). Raises ApiError."""
        secret = self._keys.get(key_id)
        if secret is not None:
            if token:
                raise ApiError("InvalidSecurityToken.MismatchWithAccessKey")
            return secret
        secret = self._sessions.secret(key_id, token) if self._sessions else None
        if secret is None:
            raise ApiError("InvalidAccessKeyId.NotFound")
        return secret

    def _fresh(self, stamp: str) -> None:
        try:
            seconds = timegm(time.strptime(stamp, "%Y-%m-%dT%H:%M:%SZ"))
        except ValueError:
            raise ApiError("InvalidTimeStamp.Format") from None
        if abs(seconds - self._now()) > VALID_SECONDS:
            raise ApiError("InvalidTimeStamp.Expired")

    def _once(self, nonce: str) -> None:
        now = self._now()
        with self._lock:
            if now >= self._prune_at:
                self._nonces = {n: t for n, t in self._nonces.items() if now - t < 2 * VALID_SECONDS}
                self._prune_at = now + 60
            if now - self._nonces.get(nonce, -1e12) < 2 * VALID_SECONDS:
                raise ApiError("SignatureNonceUsed")
            self._nonces[nonce] = now


def string_to_sign_v1(method: str, params: dict) -> str:
    """What version 1 signs: all parameters except the signature itself."""
    pairs = sorted((k, v) for k, v in params.items() if k != "Signature")
    query = "&".join(f"{encode(k)}={encode(v)}" for k, v in pairs)
    return f"{method}&%2F&{encode(query)}"


def sign_v1(secret: str, text: str) -> str:
    """Base64 of HMAC-SHA1 with the secret and ``&`` as key."""
    digest = hmac.new(f"{secret}&".encode(), text.encode(), hashlib.sha1).digest()
    return base64.b64encode(digest).decode()


def string_to_sign_v3(method: str, path: str, query: dict, headers: dict, signed: str, digest: str) -> str:
    """What version 3 signs: the algorithm's name and the digest of the canonical request."""
    canonical_query = "&".join(f"{encode(k)}={encode(v)}" for k, v in sorted(query.items()))
    canonical_headers = "".join(f"{name}:{headers.get(name, '').strip()}\n" for name in sorted(signed.split(";")))
    request = "\n".join((method, path or "/", canonical_query, canonical_headers, signed, digest))
    return "ACS3-HMAC-SHA256\n" + hashlib.sha256(request.encode()).hexdigest()


def sign_v3(secret: str, text: str) -> str:
    """Hex of HMAC-SHA256."""
    return hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()
