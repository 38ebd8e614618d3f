"""Where temporary credentials come from: STS, the metadata service of an ECS instance, a URI, a program.

Each function answers ``Key`` or raises Refused. Nothing of a request or an answer that could hold a secret gets into an
error. Standard library alone, imported when it is needed: most callers have an access key and never come here.
"""
from __future__ import annotations

import base64
import calendar
import hashlib
import hmac
import json
import time
import uuid
from dataclasses import dataclass, field
from urllib.parse import quote

from ...domain.errors import Refused

STS_VERSION = "2015-04-01"
METADATA = "http://100.100.100.200"
# Seconds: the metadata service is a hop away or not there at all; STS crosses the internet.
METADATA_TIMEOUT, TIMEOUT, PROCESS_TIMEOUT = 2.0, 20.0, 60.0
_LARGEST_ANSWER = 1 << 20


@dataclass(frozen=True)
class Key:
    """An access key; ``expires`` is seconds since the epoch, 0 for never."""

    access_key_id: str = field(repr=False)
    access_key_secret: str = field(repr=False)
    security_token: str = field(default="", repr=False)
    expires: float = 0.0


def assume_role(key: Key, arn: str, session: str, seconds: int, endpoint: str, external_id: str = "",
                policy: str = "") -> Key:
    """A role's key from STS, asked for with another key."""
    params = {"RoleArn": arn, "RoleSessionName": session, "DurationSeconds": str(seconds), "ExternalId": external_id,
              "Policy": policy}
    return _sts("AssumeRole", params, endpoint, key)


def assume_role_oidc(arn: str, provider: str, token_file: str, session: str, seconds: int, endpoint: str) -> Key:
    """A role's key from STS for a token of an identity provider; the token is read anew each time, since it changes."""
    try:
        with open(token_file, encoding="utf-8") as stream:
            token = stream.read().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise Refused(f"Cannot read the OIDC token {token_file}: {_reason(error)}",
                      "Check ALIBABA_CLOUD_OIDC_TOKEN_FILE or oidc_token_file of the profile") from None
    params = {"RoleArn": arn, "OIDCProviderArn": provider, "OIDCToken": token, "RoleSessionName": session,
              "DurationSeconds": str(seconds)}
    return _sts("AssumeRoleWithOIDC", params, endpoint, None)


def metadata_role(role: str, endpoint: str = METADATA, allow_v1: bool = True) -> Key:
    """The key of the RAM role of the ECS instance on which this runs; without a name, of the one that it has."""
    headers = _metadata_token(endpoint, allow_v1)
    path = "/latest/meta-data/ram/security-credentials/"
    what = "the metadata service"
    name = role or _get(endpoint + path, what, headers, METADATA_TIMEOUT, direct=True).decode("utf-8", "replace").strip()
    if not name or "<" in name:
        raise Refused("This ECS instance has no RAM role", "Attach a RAM role to it, or export an access key")
    answer = _get(endpoint + path + quote(name, safe=""), f"{what} (role {name})", headers, METADATA_TIMEOUT, direct=True)
    return _key_of_answer(answer, f"the metadata service, role {name}")


def reachable(endpoint: str) -> bool:
    """Whether a metadata service listens there: on other machines the address leads nowhere."""
    import socket
    from urllib.parse import urlsplit
    parts = urlsplit(endpoint)
    try:
        with socket.create_connection((parts.hostname, parts.port or 80), timeout=1.0):
            return True
    except OSError:
        return False


def metadata_region(endpoint: str = METADATA, allow_v1: bool = True) -> str:
    """The region of the ECS instance on which this runs; empty when it does not say."""
    try:
        answer = _get(endpoint + "/latest/meta-data/region-id", "the metadata service",
                      _metadata_token(endpoint, allow_v1), METADATA_TIMEOUT, direct=True)
    except Refused:
        return ""
    return answer.decode("utf-8", "replace").strip()


def from_uri(uri: str) -> Key:
    """The key that a local credentials service answers with."""
    if not uri.startswith(("http://", "https://")):
        raise Refused(f"'{uri}' is not a credentials URI", "Write http://host:port/path or https://…")
    return _key_of_answer(_get(uri, "the credentials URI", {}, TIMEOUT), "the credentials URI")


def from_process(command: str) -> Key:
    """The key that a program prints, in the form that the official command-line client defines."""
    import shlex
    import subprocess
    where = f"The credentials program '{(command.split(maxsplit=1) or [''])[0]}'"
    try:
        done = subprocess.run(shlex.split(command), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL, timeout=PROCESS_TIMEOUT, check=False)
        answer = json.loads(done.stdout) if done.returncode == 0 else None
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Refused(f"{where} does not run: {_reason(error)}", "Check process_command of the profile") from None
    except ValueError:
        answer = {}
    if answer is None:
        raise Refused(f"{where} ended with {done.returncode}", "Run it by hand to see why")
    if not isinstance(answer, dict) or answer.get("mode") not in ("AK", "StsToken"):
        raise Refused(f"{where} did not print a JSON object with mode AK or StsToken",
                      "It must print mode, access_key_id, access_key_secret and, for StsToken, sts_token")
    token = answer.get("sts_token") or ""
    if answer["mode"] == "StsToken" and not token:
        raise Refused(f"{where} printed mode StsToken without sts_token", "Run it by hand to see why")
    return _key(answer.get("access_key_id"), answer.get("access_key_secret"), token, answer.get("expiration"), where)


def _sts(action: str, params: dict, endpoint: str, key: Key | None) -> Key:
    """One call of STS, signed with ``key`` or, without one, not at all."""
    flat = {k: v for k, v in params.items() if v}
    flat.update(Action=action, Version=STS_VERSION, Format="JSON", SignatureNonce=uuid.uuid4().hex,
                Timestamp=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()))
    if key:
        flat.update(AccessKeyId=key.access_key_id, SignatureMethod="HMAC-SHA1", SignatureVersion="1.0")
        if key.security_token:
            flat["SecurityToken"] = key.security_token
        text = "POST&%2F&" + _encode("&".join(f"{_encode(k)}={_encode(v)}" for k, v in sorted(flat.items())))
        digest = hmac.new(f"{key.access_key_secret}&".encode(), text.encode(), hashlib.sha1).digest()
        flat["Signature"] = base64.b64encode(digest).decode()
    url = endpoint if "//" in endpoint else "https://" + endpoint
    body = "&".join(f"{_encode(k)}={_encode(v)}" for k, v in flat.items()).encode()
    what = f"STS ({action}, role {params['RoleArn']})"
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    return _key_of_answer(_get(url.rstrip("/") + "/", what, headers, TIMEOUT, body), what)


def _encode(text: str) -> str:
    return quote(text, safe="-_.~")


def _metadata_token(endpoint: str, allow_v1: bool) -> dict:
    """Header of the hardened mode. Old images know only the plain one, which is used when that is allowed."""
    try:
        token = _get(endpoint + "/latest/api/token", "the metadata service",
                     {"X-aliyun-ecs-metadata-token-ttl-seconds": "21600"}, METADATA_TIMEOUT, method="PUT", direct=True)
    except Refused:
        if allow_v1:
            return {}
        raise
    return {"X-aliyun-ecs-metadata-token": token.decode("ascii", "replace").strip()}


def _get(url: str, what: str, headers: dict, timeout: float, body: bytes | None = None, method: str | None = None,
         direct: bool = False) -> bytes:
    """One HTTP exchange. ``direct`` goes past any proxy: a proxy would ask its own metadata service."""
    from urllib import error, request
    opener = request.build_opener(*([request.ProxyHandler({})] if direct else []))
    for attempt in (1, 2, 3):
        try:
            asked = request.Request(url, data=body, headers=headers, method=method)
            with opener.open(asked, timeout=timeout) as answer:
                return answer.read(_LARGEST_ANSWER)
        except error.HTTPError as failure:
            if failure.code < 500 or attempt == 3:
                raise Refused(f"No credentials from {what}: {_refusal(failure)}", _next_step(failure.code)) from None
        except (OSError, ValueError) as failure:
            # A service that is not there does not come back within a second; one that is slow might.
            if attempt == 3 or direct:
                raise Refused(f"No credentials from {what}: {_reason(failure)}",
                              "Check that it can be reached from here") from None
        time.sleep(0.3 * attempt)
    raise AssertionError("unreachable")


def _refusal(failure) -> str:
    """Code and request id of an error answer: its message may repeat what was signed."""
    try:
        answer = json.loads(failure.read(_LARGEST_ANSWER))
        return f"{answer['Code']} (request {answer.get('RequestId', '?')})"
    except (ValueError, KeyError, TypeError, OSError):
        return f"HTTP status {failure.code}"


def _next_step(status: int) -> str:
    if status == 404:
        return ("Check the name of the RAM role; on a machine that has none, export ALIBABA_CLOUD_ACCESS_KEY_ID and "
                "ALIBABA_CLOUD_ACCESS_KEY_SECRET, or make a profile in ~/.aliyun/config.json")
    return "Check the role, its trust policy (sts:AssumeRole) and the key that asks for it"


def _key_of_answer(answer: bytes, what: str) -> Key:
    """The key in an answer of STS (inside ``Credentials``), the metadata service or a credentials URI."""
    try:
        value = json.loads(answer)
        value = value.get("Credentials") or value
        if value.get("Code", "Success") != "Success":
            raise Refused(f"No credentials from {what}: it answers {value['Code']}", "")
        return _key(value.get("AccessKeyId"), value.get("AccessKeySecret"), value.get("SecurityToken"),
                    value.get("Expiration"), what)
    except (ValueError, AttributeError):
        raise Refused(f"No credentials from {what}: the answer is not a JSON object", "") from None


def _key(key_id, secret, token, expiration, what: str) -> Key:
    if not key_id or not secret:
        raise Refused(f"No credentials from {what}: the answer holds no access key", "")
    return Key(key_id, secret, token or "", _seconds(expiration, what))


def _seconds(text, what: str) -> float:
    """A UTC time such as 2026-01-31T08:00:00Z as seconds since the epoch; 0 when there is none."""
    if not text:
        return 0.0
    if isinstance(text, (int, float)):
        return float(text)
    try:
        return float(calendar.timegm(time.strptime(str(text)[:19], "%Y-%m-%dT%H:%M:%S")))
    except ValueError:
        raise Refused(f"No credentials from {what}: its expiration is not a time", "") from None


def _reason(error: Exception) -> str:
    """What went wrong, without URL or content."""
    inner = getattr(error, "reason", error)
    return getattr(inner, "strerror", None) or type(inner).__name__
