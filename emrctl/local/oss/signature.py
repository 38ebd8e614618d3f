"""Signatures of OSS, in the Authorization header or in the address: version 1 (HMAC-SHA1) and version 4 (HMAC-SHA256).
"""
from __future__ import annotations

import base64
import hashlib
import hmac
import re
import time
from calendar import timegm
from email.utils import parsedate_tz
from urllib.parse import quote

from ..api.errors import ApiError
from .errors import OssError, from_api
from .request import Request

VALID_SECONDS = 900
MOST_SECONDS_V4 = 7 * 86400
# Parameters that version 1 signs as part of the resource: those that the official clients know.
SUBRESOURCES = frozenset([
    "acl", "append", "asyncFetch", "bucketInfo", "callback", "callback-var", "cname", "comp", "continuation-token",
    "cors", "delete", "encryption", "endTime", "img", "inventory", "inventoryId", "lifecycle", "link", "live",
    "location", "logging", "objectInfo", "objectMeta", "partNumber", "policy", "position", "qos", "qosInfo",
    "qosRequester", "referer", "replication", "replicationLocation", "replicationProgress", "requestPayment",
    "requesterQosInfo", "resourceGroup", "response-cache-control", "response-content-disposition",
    "response-content-encoding", "response-content-language", "response-content-type", "response-expires", "restore",
    "security-token", "sequential", "startTime", "stat", "status", "style", "styleName", "symlink", "tagging",
    "transferAcceleration", "uploadId", "uploads", "versionId", "versioning", "versions", "vip", "vod", "vpcip",
    "website", "worm", "wormExtend", "wormId", "x-oss-async-process", "x-oss-process", "x-oss-request-payer",
    "x-oss-traffic-limit",
])
_V1 = re.compile(r"OSS ([^:\s]+):(\S+)")
_V4 = re.compile(r"OSS4-HMAC-SHA256\s+(.+)")


class Checker:
    """Says who signed a request. ``secret(key id, token)`` raises ApiError, ``principal(key id)`` tells the caller."""

    def __init__(self, secret, principal, region: str, now=time.time):
        self._secret = secret
        self._principal = principal
        self._region = region
        self._now = now

    def caller(self, request: Request):
        """The Principal of a signed request, None when it has no signature. Raises OssError."""
        authorization = request.headers.get("authorization", "").strip()
        if authorization.startswith("OSS4-"):
            key_id = self._header_v4(request, authorization)
        elif authorization.startswith("OSS "):
            key_id = self._header_v1(request, authorization)
        elif authorization:
            raise OssError("InvalidArgument", "Unsupported authorization type; the local OSS knows versions 1 and 4.")
        elif "OSSAccessKeyId" in request.query:
            key_id = self._address_v1(request)
        elif request.query.get("x-oss-signature-version") == "OSS4-HMAC-SHA256":
            key_id = self._address_v4(request)
        else:
            return None
        return self._principal(key_id)

    # version 1

    def _header_v1(self, request: Request, authorization: str) -> str:
        match = _V1.fullmatch(authorization)
        if not match:
            raise OssError("InvalidArgument", "Authorization header is invalid.")
        key_id, given = match.groups()
        secret = self._key(key_id, request.headers.get("x-oss-security-token", ""))
        date = request.headers.get("x-oss-date") or request.headers.get("date", "")
        parsed = parsedate_tz(date)
        if not parsed:
            raise OssError("AccessDenied", "OSS authentication requires a valid Date.")
        self._fresh(timegm(parsed[:6] + (0, 1, 0)) - (parsed[9] or 0))
        self._compare(key_id, given, text_v1(request, date), lambda text: sign_v1(secret, text))
        return key_id

    def _address_v1(self, request: Request) -> str:
        query = request.query
        key_id, expires = query["OSSAccessKeyId"], query.get("Expires", "")
        secret = self._key(key_id, query.get("security-token", ""))
        if not expires.isdigit():
            raise OssError("InvalidArgument", "Expires is not a number of seconds.")
        if int(expires) < self._now():
            raise OssError("AccessDenied", "Request has expired.")
        self._compare(key_id, query.get("Signature", ""), text_v1(request, expires), lambda text: sign_v1(secret, text))
        return key_id

    # version 4

    def _header_v4(self, request: Request, authorization: str) -> str:
        match = _V4.fullmatch(authorization)
        fields = dict(part.strip().partition("=")[::2] for part in match.group(1).split(",")) if match else {}
        stamp = request.headers.get("x-oss-date", "")
        if not fields.get("Credential") or not fields.get("Signature"):
            raise OssError("InvalidArgument", "Authorization header is invalid.")
        key_id = self._scoped(fields["Credential"], stamp)
        self._fresh(_seconds_v4(stamp))
        secret = self._key(key_id, request.headers.get("x-oss-security-token", ""))
        self._check_v4(request, key_id, secret, fields, stamp)
        return key_id

    def _address_v4(self, request: Request) -> str:
        query = request.query
        stamp, lives = query.get("x-oss-date", ""), query.get("x-oss-expires", "")
        fields = {"Credential": query.get("x-oss-credential", ""), "Signature": query.get("x-oss-signature", ""),
                  "AdditionalHeaders": query.get("x-oss-additional-headers", "")}
        key_id = self._scoped(fields["Credential"], stamp)
        if not lives.isdigit() or not 0 < int(lives) <= MOST_SECONDS_V4:
            raise OssError("InvalidArgument", "x-oss-expires is not a number of seconds up to 604800.")
        began = _seconds_v4(stamp)
        if began > self._now() + VALID_SECONDS or began + int(lives) < self._now():
            raise OssError("AccessDenied", "Request has expired.")
        secret = self._key(key_id, query.get("x-oss-security-token", ""))
        self._check_v4(request, key_id, secret, fields, stamp)
        return key_id

    def _scoped(self, credential: str, stamp: str) -> str:
        """Key id of ``KEY/DATE/REGION/oss/aliyun_v4_request``."""
        parts = credential.split("/")
        if len(parts) != 5 or parts[1] != stamp[:8] or parts[3:] != ["oss", "aliyun_v4_request"]:
            raise OssError("InvalidArgument", "Invalid credential in Authorization header.")
        if parts[2] != self._region:
            raise OssError("InvalidArgument", f"Invalid signing region in Authorization header. The region is "
                                              f"{self._region}.")
        return parts[0]

    def _check_v4(self, request: Request, key_id: str, secret: str, fields: dict, stamp: str) -> None:
        scope = fields["Credential"].partition("/")[2]
        text = text_v4(request, fields.get("AdditionalHeaders", ""), stamp, scope)
        self._compare(key_id, fields["Signature"], text, lambda text: sign_v4(secret, scope, text))

    # both

    def _key(self, key_id: str, token: str) -> str:
        try:
            return self._secret(key_id, token)
        except ApiError as error:
            raise from_api(error) from None

    def _fresh(self, seconds: float) -> None:
        if abs(seconds - self._now()) > VALID_SECONDS:
            raise OssError("RequestTimeTooSkewed")

    @staticmethod
    def _compare(key_id: str, given: str, text: bytes, sign) -> None:
        if not hmac.compare_digest(sign(text).encode(), given.encode("utf-8", "replace")):
            raise OssError("SignatureDoesNotMatch", OSSAccessKeyId=key_id, SignatureProvided=given,
                           StringToSign=text.decode("utf-8", "replace"), StringToSignBytes=text.hex(" ").upper())


def _seconds_v4(stamp: str) -> float:
    try:
        return timegm(time.strptime(stamp, "%Y%m%dT%H%M%SZ"))
    except ValueError:
        raise OssError("InvalidArgument", "x-oss-date is not a time such as 20260131T235959Z.") from None


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _oss_headers(request: Request, also=()) -> bytes:
    """Lines ``name:value`` of all x-oss- headers, and of others that are named, sorted."""
    return b"".join(f"{name}:{value.strip()}\n".encode("latin-1") for name, value in sorted(request.headers.items())
                    if name.startswith("x-oss-") or name in also)


def text_v1(request: Request, date: str) -> bytes:
    """What version 1 signs; ``date`` is the time of expiry for a signed address."""
    head = [request.method, request.headers.get("content-md5", ""), request.headers.get("content-type", ""), date]
    pairs = sorted((name, value) for name, value in request.query.items() if name in SUBRESOURCES)
    query = "&".join(f"{name}={value}" if value else name for name, value in pairs)
    return b"".join(line.strip().encode("latin-1") + b"\n" for line in head) + _oss_headers(request) + \
        request.resource + (b"?" + _bytes(query) if query else b"")


def sign_v1(secret: str, text: bytes) -> str:
    """Base64 of HMAC-SHA1."""
    return base64.b64encode(hmac.digest(secret.encode(), text, "sha1")).decode()


def text_v4(request: Request, additional: str, stamp: str, scope: str) -> bytes:
    """What version 4 signs: the algorithm, time and scope, and the digest of the canonical request."""
    pairs = sorted((quote(_bytes(name), safe="~"), quote(_bytes(value), safe="~"))
                   for name, value in request.query.items() if name != "x-oss-signature")
    query = "&".join(f"{name}={value}" if value else name for name, value in pairs)
    named = {"content-type", "content-md5", *filter(None, additional.lower().split(";"))}
    canonical = b"\n".join((request.method.encode(), quote(request.resource, safe="/~").encode(), query.encode(),
                            _oss_headers(request, named), additional.encode(),
                            request.headers.get("x-oss-content-sha256", "UNSIGNED-PAYLOAD").encode()))
    return f"OSS4-HMAC-SHA256\n{stamp}\n{scope}\n{hashlib.sha256(canonical).hexdigest()}".encode()


def sign_v4(secret: str, scope: str, text: bytes) -> str:
    """Hex of HMAC-SHA256 with the key made for the scope ``DATE/REGION/oss/aliyun_v4_request``."""
    key = b"aliyun_v4" + secret.encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    return hmac.new(key, text, "sha256").hexdigest()
