"""Finds the cloud credentials, in the order of Alibaba Cloud's own tools, and renews those that end.

A profile asked for by name; the environment (access key, OIDC, credentials URI); the current profile of
``~/.aliyun/config.json``; the RAM role of the ECS instance on which this runs. What needs the network is asked at the
first use (``Credentials.current``), so that finding out *which* credentials apply costs nothing. Secrets never appear in a representation or in an error.
"""
from __future__ import annotations

import json
import os

from ...domain.errors import Refused
from . import sources
from .key import Credentials
from .profiles import instance_role, metadata_settings, oidc, read_profile, uri

# (access key id, secret, session token, region) of each family of names, in order of preference.
_FAMILIES = (
    (("ALIBABA_CLOUD_ACCESS_KEY_ID",), ("ALIBABA_CLOUD_ACCESS_KEY_SECRET",), ("ALIBABA_CLOUD_SECURITY_TOKEN",)),
    (("ALIBABACLOUD_ACCESS_KEY_ID",), ("ALIBABACLOUD_ACCESS_KEY_SECRET",), ("ALIBABACLOUD_SECURITY_TOKEN",)),
    (("ALICLOUD_ACCESS_KEY_ID", "ALICLOUD_ACCESS_KEY"), ("ALICLOUD_ACCESS_KEY_SECRET", "ALICLOUD_SECRET_KEY"),
     ("ALICLOUD_SECURITY_TOKEN",)),
)
_REGION_NAMES = ("ALIBABA_CLOUD_REGION_ID", "ALIBABACLOUD_REGION_ID", "ALICLOUD_REGION_ID", "ALICLOUD_REGION")
_PROFILE_NAMES = ("ALIBABA_CLOUD_PROFILE", "ALIBABACLOUD_PROFILE", "ALICLOUD_PROFILE")
_REMEDY = ("Export ALIBABA_CLOUD_ACCESS_KEY_ID and ALIBABA_CLOUD_ACCESS_KEY_SECRET, or make a profile with "
           "'aliyun configure' (docs/credentials.md lists all ways)")


def find_credentials(environ=None, profile: str | None = None, config_file: str | None = None) -> Credentials:
    """The first credentials found. A ``profile`` that is asked for by name wins over the environment.

    Raises Refused: nothing found, half a pair, or a profile that is wrong or of a mode that is not understood.
    """
    environ = os.environ if environ is None else environ
    profile = profile or _first(environ, _PROFILE_NAMES)
    if not profile:
        found = _from_environment(environ)
        if found:
            return found
    path = config_file or environ.get("ALIBABA_CLOUD_CONFIG_FILE") or os.path.join(
        environ.get("HOME") or os.path.expanduser("~"), ".aliyun", "config.json")
    if profile or os.path.exists(path):
        return _from_file(path, profile, environ)
    found = _from_instance(environ)
    if found:
        return found
    raise Refused(f"No Alibaba Cloud credentials: none in the environment, no {path}, and no metadata service", _REMEDY)


def default_region(environ=None) -> str:
    """The region of the environment, or empty."""
    return _first(os.environ if environ is None else environ, _REGION_NAMES)


def _first(environ, names) -> str:
    return next((environ[n] for n in names if environ.get(n)), "")


def _from_environment(environ) -> Credentials | None:
    """Access key, OIDC or credentials URI of the environment."""
    region = default_region(environ)
    for ids, secrets, tokens in _FAMILIES:
        key, secret = _first(environ, ids), _first(environ, secrets)
        if key and secret:
            return Credentials(key, secret, _first(environ, tokens), region, "environment " + ids[0])
        if key or secret:
            missing = secrets[0] if key else ids[0]
            raise Refused(f"Only half of an access key is set: {missing} is empty", _REMEDY)
    if environ.get("ALIBABA_CLOUD_OIDC_PROVIDER_ARN") and environ.get("ALIBABA_CLOUD_ROLE_ARN"):
        return oidc({}, environ, region, "environment ALIBABA_CLOUD_OIDC_PROVIDER_ARN")
    if environ.get("ALIBABA_CLOUD_CREDENTIALS_URI"):
        return uri({}, environ, region, "environment ALIBABA_CLOUD_CREDENTIALS_URI")
    return None


def _from_file(path: str, wanted: str | None, environ) -> Credentials:
    """The wanted or the current profile of the file."""
    try:
        with open(path, encoding="utf-8") as stream:
            config = json.load(stream)
    except FileNotFoundError:
        raise Refused(f"There is no {path} to hold the profile '{wanted}'", _REMEDY) from None
    except (OSError, ValueError) as error:
        # The text of a JSON error shows no content of the file, only a position.
        raise Refused(f"Cannot read the credentials file {path}: {error}", _REMEDY) from None
    rows = config.get("profiles") if isinstance(config, dict) else None
    profiles = {p.get("name"): p for p in rows or [] if isinstance(p, dict)}
    return read_profile(path, profiles, wanted or config.get("current") or "default", environ)


def _from_instance(environ) -> Credentials | None:
    """The RAM role of the instance, when there is a metadata service and nobody forbids to ask it."""
    if environ.get("ALIBABA_CLOUD_ECS_METADATA_DISABLED", "").lower() in ("true", "1"):
        return None
    endpoint, allow_v1 = metadata_settings(environ)
    if not sources.reachable(endpoint):
        return None
    region = default_region(environ) or sources.metadata_region(endpoint, allow_v1)
    return instance_role({}, environ, region, "the RAM role of this ECS instance")
