"""OSS with the credentials of this machine: as it is reached from here, and as the nodes reach it."""
from __future__ import annotations

import re

from ...domain.errors import Refused
from ...node.oss.client import ATTEMPTS, TIMEOUT_S, Oss, endpoint_of

KEY = {"access_key_id": "OSS_ACCESS_KEY_ID", "access_key_secret": "OSS_ACCESS_KEY_SECRET", "security_token": "OSS_SESSION_TOKEN"}
ENDPOINT = "ALIBABA_CLOUD_OSS_ENDPOINT"
# Alibaba Cloud's own public name of the service in a region, which has a twin inside the region's networks.
_PUBLIC = re.compile(r"(?P<scheme>https?://)?oss-(?P<region>[a-z0-9-]+?)(?:-internal)?\.aliyuncs\.com/?$")


def key_of(environ, find) -> dict:
    """The key for OSS: the environment's own for it, else the chain of cloud credentials that ``find()`` returns."""
    key = {name: environ[variable] for name, variable in KEY.items() if environ.get(variable)}
    if not key:
        found = find().current()
        key = {"access_key_id": found.access_key_id, "access_key_secret": found.access_key_secret, "security_token": found.security_token}
    if not key.get("access_key_id") or not key.get("access_key_secret"):
        raise Refused("only half of a key for OSS is set", "Set both OSS_ACCESS_KEY_ID and OSS_ACCESS_KEY_SECRET, or none")
    return key


def client(environ, region: str, find, attempts: int = ATTEMPTS, limit_s: float = TIMEOUT_S) -> Oss:
    """OSS as this machine reaches it."""
    return Oss(endpoint_of(environ.get(ENDPOINT), region, inside=False), region, key_of(environ, find), attempts, limit_s)


def inside(environ, region: str, find) -> Oss:
    """OSS as nodes of the region reach it: by its internal name, unless the environment names an endpoint of another kind."""
    given = environ.get(ENDPOINT) or ""
    public = _PUBLIC.match(given)
    if public:
        given = f"{public['scheme'] or 'https://'}oss-{public['region']}-internal.aliyuncs.com"
    return Oss(endpoint_of(given, region), region, key_of(environ, find))
