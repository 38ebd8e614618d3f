"""Client of the ECS and VPC APIs (versions 2014-05-26 and 2016-04-28, RPC style) over aliyun-python-sdk-core.

What it adds to the SDK: parameters from plain data, bounded retries with jitter, paging, and errors that carry the
API's code. The SDK is imported at the first call only, because that costs 0.2 s. Times are seconds.
"""
from __future__ import annotations

import json
import logging
import os
import random
import re
import sys
import time
from functools import lru_cache
from types import SimpleNamespace
from urllib.parse import urlsplit
from urllib.request import proxy_bypass_environment

from ...domain.errors import EmrError, Refused
from ..credentials.chain import Credentials, find_credentials
from .permissions import ACTIONS

# service -> (version of its API, variable that names another endpoint)
_SERVICES = {"ecs": ("2014-05-26", "ALIBABA_CLOUD_ECS_ENDPOINT"), "vpc": ("2016-04-28", "ALIBABA_CLOUD_VPC_ENDPOINT")}
NETWORK_ERROR = "NetworkError"
# How long one call may be repeated: Throttling.User blocks a caller until the next minute.
PATIENCE = 150.0
_RETRIED = {"ServiceUnavailable", "InternalError", "LastTokenProcessing", "SystemBusy", NETWORK_ERROR}
_NO_PERMISSION = ("Forbidden", "NoPermission", "UnauthorizedOperation")
_BAD_KEY = ("InvalidAccessKeyId", "SignatureDoesNotMatch", "InvalidAccessKeySecret", "InvalidSecurityToken",
            "IncompleteSignature")
_ENDED_TOKEN = ("InvalidSecurityToken", "SecurityTokenExpired")
# action -> (outer key, inner key, kind of paging, largest page)
_LISTS = {
    "DescribeInstances": ("Instances", "Instance", "token", 100),
    "DescribeSecurityGroups": ("SecurityGroups", "SecurityGroup", "token", 100),
    "DescribeDisks": ("Disks", "Disk", "token", 100),
    "DescribeInstanceTypes": ("InstanceTypes", "InstanceType", "token", 100),
    "DescribeKeyPairs": ("KeyPairs", "KeyPair", "page", 50),
    "DescribeImages": ("Images", "Image", "page", 100),
    "DescribeVSwitches": ("VSwitches", "VSwitch", "page", 50),
    "DescribeVpcs": ("Vpcs", "Vpc", "page", 50),
    "DescribeRegions": ("Regions", "Region", "once", 0),
    "DescribeZones": ("Zones", "Zone", "once", 0),
}


class EcsError(EmrError):
    """The API refused a call. ``code`` is the API's, or NetworkError; ``attempts`` how often it was tried."""

    def __init__(self, code: str, message: str, request_id: str = "", action: str = "", attempts: int = 1):
        self.code, self.request_id, self.action, self.attempts = code, request_id, action, attempts
        self.reason = message
        text = f"{action}: {code}: {message}" + (f" (request {request_id})" if request_id else "")
        if attempts > 1:
            text += f"; gave up after {attempts} attempts"
        super().__init__(text, _remedy(code, action), {"code": code, "request_id": request_id, "action": action})

    def is_a(self, *codes: str) -> bool:
        """Whether the code is one of these, or a refinement of one (``Throttling`` covers ``Throttling.User``)."""
        return any(self.code == c or self.code.startswith(c + ".") for c in codes)

    @property
    def denied(self) -> bool:
        """Whether the caller lacks the permission."""
        return self.code.startswith(_NO_PERMISSION)

    @property
    def transient(self) -> bool:
        """Whether the same call may succeed later."""
        return self.code in _RETRIED or self.is_a("Throttling")


def _remedy(code: str, action: str) -> str:
    if code.startswith(_ENDED_TOKEN):
        return "The security token has ended or is wrong: get a new one, or use a profile that renews it (docs/credentials.md)"
    if code.startswith(_BAD_KEY):
        return "Check the access key (environment ALIBABA_CLOUD_ACCESS_KEY_ID/_SECRET, or ~/.aliyun/config.json)"
    if code.startswith(_NO_PERMISSION):
        return permission_remedy(action)
    if code == NETWORK_ERROR:
        return "Check the network, the region's name and ALIBABA_CLOUD_ECS_ENDPOINT"
    return ""


def permission_remedy(action: str) -> str:
    """What to do when an action is denied: the line of the policy that is missing."""
    name = ACTIONS[action].name if action in ACTIONS else f"ecs:{action}"
    return f'Add "{name}" to the RAM policy of this access key; emrctl ram-policy prints all that is needed'


def flatten(params: dict) -> dict:
    """Plain data as the API's query parameters: lists as ``Name.1``, dicts as ``Name.Key``, None left out."""
    flat: dict = {}
    for name, value in params.items():
        if isinstance(value, dict):
            flat.update({f"{name}.{k}": v for k, v in flatten(value).items()})
        elif isinstance(value, (list, tuple)):
            flat.update(flatten({f"{name}.{i}": v for i, v in enumerate(value, 1)}))
        elif isinstance(value, bool):
            flat[name] = "true" if value else "false"
        elif value is not None:
            flat[name] = str(value)
    return flat


def tag_list(tags: dict) -> list:
    """A dict of tags as the parameter ``Tag``. An empty value is left out: as a filter it means any value."""
    return [{"Key": k, "Value": v} if v != "" else {"Key": k} for k, v in tags.items()]


def addresses(instance: dict) -> tuple:
    """(private, public) IPv4 addresses of an instance; empty strings where it has none."""
    vpc = ((instance.get("VpcAttributes") or {}).get("PrivateIpAddress") or {}).get("IpAddress") or []
    inner = (instance.get("InnerIpAddress") or {}).get("IpAddress") or []
    public = (instance.get("PublicIpAddress") or {}).get("IpAddress") or []
    elastic = (instance.get("EipAddress") or {}).get("IpAddress") or ""
    return (vpc or inner or [""])[0], (public or [elastic])[0]


def tags_of(resource: dict) -> dict:
    """The tags of an answer as a dict; a resource whose tags are a dict already keeps them in ``tags``."""
    if "tags" in resource:
        return resource["tags"]
    tags = (resource.get("Tags") or {}).get("Tag") or []
    return {t.get("TagKey", t.get("Key", "")): t.get("TagValue", t.get("Value", "")) for t in tags}


class EcsClient:
    """Calls the APIs of one region. Not for use across a fork: make a new one in the child.

    ``patience`` is for calls to an API that has answered once, ``unheard`` (seconds, too) for the first answer of all: an address where nobody
    is stays so. ``endpoint`` is that of ECS. The VPC API has its own in the cloud; what is not a name of the cloud's (a gateway, a server for tests)
    answers for both, unless the variable of the VPC API says something else.
    """

    def __init__(self, region: str, credentials: Credentials | None = None, endpoint: str | None = None,
                 patience: float = PATIENCE, unheard: float = PATIENCE):
        self.region = region
        self.credentials = credentials or find_credentials()
        self.endpoint = endpoint or os.environ.get("ALIBABA_CLOUD_ECS_ENDPOINT") or f"ecs.{region}.aliyuncs.com"
        self.vpc_endpoint = os.environ.get(_SERVICES["vpc"][1]) or _vpc_endpoint(self.endpoint, region)
        self.patience = patience
        self.unheard, self.heard = min(patience, unheard), False
        self.calls = 0
        self.retries: dict = {}
        self._sdk = None

    def call(self, action: str, **params) -> dict:
        """The answer of one action; RegionId is added. Raises EcsError, transient ones after ``patience`` or ``unheard`` seconds."""
        if action not in ACTIONS:
            raise ValueError(f"{action} is not in permissions.py, so no RAM policy would allow it")
        flat = flatten({"RegionId": self.region, **params})
        start, attempt, renewed = time.monotonic(), 0, False
        while True:
            attempt += 1
            try:
                self.calls += 1
                found = self.send(action, flat)
                self.heard = True
                return found
            except EcsError as error:
                self.heard |= error.code != NETWORK_ERROR
                if error.code.startswith(_ENDED_TOKEN) and self.credentials.renew and not renewed:
                    renewed = True
                    self._refresh(force=True)
                    continue
                if not error.transient:
                    raise
                delay = _back_off(attempt)
                if time.monotonic() - start + delay > (self.patience if self.heard else self.unheard):
                    raise EcsError(error.code, error.reason, error.request_id, action, attempt) from None
                self.retries[error.code] = self.retries.get(error.code, 0) + 1
                time.sleep(delay)

    def items(self, action: str, **params) -> list:
        """All items of a listing action, over all pages, each once."""
        outer, inner, paging, size = _LISTS[action]
        # Between two pages items move: one may come twice, perhaps in another state.
        found: dict = {}
        page = 1
        if paging == "token" and size:
            params = {"MaxResults": size, **params}
        while True:
            if paging == "page":
                params.update(PageNumber=page, PageSize=size)
            answer = self.call(action, **params)
            batch = (answer.get(outer) or {}).get(inner) or []
            found.update({_identity(item): item for item in batch})
            token = answer.get("NextToken")
            more = bool(token) if paging == "token" else (
                paging == "page" and batch and page * size < int(answer.get("TotalCount") or 0))
            if not more:
                return list(found.values())
            params["NextToken"] = token if paging == "token" else None
            page += 1

    def allowed(self, action: str, **params) -> bool:
        """Whether the caller may use this action: a listing answers without permission with an empty list."""
        try:
            self.call(action, DryRun=True, **params)
        except EcsError as error:
            if error.is_a("DryRunOperation"):
                return True
            if error.code.startswith(_NO_PERMISSION):
                return False
            raise
        return True

    def send(self, action: str, flat: dict) -> dict:
        """One HTTP exchange, without repetition. Raises EcsError."""
        sdk = _sdk_modules()
        service = ACTIONS[action].service
        endpoint = self.vpc_endpoint if service == "vpc" else self.endpoint
        scheme, host = split_endpoint(endpoint)
        request = sdk.CommonRequest(domain=host, version=_SERVICES[service][0], action_name=action)
        request.set_protocol_type(scheme)
        request.set_method("POST")
        for name, value in flat.items():
            request.add_query_param(name, value)
        try:
            return json.loads(self._client(host).do_action_with_exception(request))
        except sdk.ServerException as error:
            code = error.get_error_code() or "UnknownError"
            if code.startswith("SDK.") and (error.get_http_status() or 0) >= 500:
                code = "ServiceUnavailable"
            raise EcsError(code, _public(error.get_error_msg() or ""), error.get_request_id() or "", action) from None
        except sdk.ClientException as error:
            raise EcsError(NETWORK_ERROR, f"{endpoint}: {_cause(str(error))}", "", action) from None
        except ValueError:
            raise EcsError("ServiceUnavailable", f"{endpoint} did not answer with JSON", "", action) from None

    def _refresh(self, force: bool = False) -> None:
        """Have a key that is good for now; the SDK's client holds the old one. Raises Refused."""
        current = self.credentials.current(force=force)
        if current is not self.credentials:
            self.credentials, self._sdk = current, None

    def _client(self, host: str):
        self._refresh()
        if self._sdk is None:
            sdk = _sdk_modules()
            # The SDK logs requests with their signature and, unasked, to stderr.
            logger = logging.getLogger("aliyunsdkcore")
            logger.setLevel(logging.CRITICAL + 1)
            key = self.credentials
            secret = (sdk.StsTokenCredential(key.access_key_id, key.access_key_secret, key.security_token)
                      if key.security_token else sdk.AccessKeyCredential(key.access_key_id, key.access_key_secret))
            # The SDK takes HTTP(S)_PROXY for every host and does not know NO_PROXY.
            direct = host.startswith(("127.", "localhost")) or proxy_bypass_environment(host)
            self._sdk = sdk.AcsClient(region_id=self.region, credential=secret, auto_retry=False, timeout=60,
                                      connect_timeout=10, proxy={"http": None, "https": None} if direct else None)
        return self._sdk


@lru_cache(1)
def _sdk_modules() -> SimpleNamespace:
    """What is used of Alibaba Cloud's SDK. Imported at the first call, since it costs as much as a small listing. Raises Refused."""
    try:
        from aliyunsdkcore.acs_exception.exceptions import ClientException, ServerException
        from aliyunsdkcore.auth.credentials import AccessKeyCredential, StsTokenCredential
        from aliyunsdkcore.client import AcsClient
        from aliyunsdkcore.request import CommonRequest
    except ImportError as error:
        raise Refused(f"The Python package aliyun-python-sdk-core is missing ({error})",
                      f"Install it into the Python that runs Ansible: {sys.executable} -m pip install aliyun-python-sdk-core") from None
    return SimpleNamespace(ClientException=ClientException, ServerException=ServerException, AcsClient=AcsClient,
                           AccessKeyCredential=AccessKeyCredential, StsTokenCredential=StsTokenCredential, CommonRequest=CommonRequest)


def _identity(item: dict):
    """What tells items of a listing apart."""
    for key in ("DiskId", "InstanceId", "SecurityGroupId", "KeyPairName", "InstanceTypeId", "ImageId", "VSwitchId", "VpcId"):
        if key in item:
            return item[key]
    return json.dumps(item, sort_keys=True)


def _vpc_endpoint(endpoint: str, region: str) -> str:
    """Where the VPC API answers, next to this endpoint of the ECS API."""
    host = split_endpoint(endpoint)[1]
    if not host.endswith(".aliyuncs.com"):
        return endpoint
    inside = "-vpc" if re.match(r"ecs-(vpc|[a-z0-9-]*internal)", host) else ""
    return f"vpc{inside}.{region}.aliyuncs.com"


def split_endpoint(endpoint: str) -> tuple:
    """(scheme, host with port) of an endpoint; https unless it says http. Raises Refused."""
    parts = urlsplit(endpoint if "//" in endpoint else "https://" + endpoint)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.path not in ("", "/"):
        raise Refused(f"'{endpoint}' is not an endpoint", "Write host, host:port or http://host:port")
    return parts.scheme, parts.netloc


def _back_off(attempt: int) -> float:
    """Seconds to wait after the n-th failure: doubling from 0.2 to 15, the half of it random."""
    return min(15.0, 0.2 * 2 ** (attempt - 1)) * random.uniform(0.5, 1.0)


def _public(message: str) -> str:
    """The message without the string to sign, which holds the access key's id and token."""
    return re.split(r"\s*server string to sign", message, maxsplit=1)[0].strip()


def _cause(text: str) -> str:
    """The reason of a network error. The SDK's text holds the whole signed URL, which must not reach a log."""
    for cause in ("Connection refused", "timed out", "Name or service not known", "No route to host",
                  "Temporary failure in name resolution", "Network is unreachable", "certificate verify failed",
                  "Connection reset", "Connection aborted", "Connection broken"):
        if cause.lower() in text.lower():
            return cause
    return "cannot be reached"
