"""Finds the cloud credentials: environment first, then a profile of ``~/.aliyun/config.json``.

Pure Python: no Ansible import, no network. Secrets never appear in a representation or in an error.
"""
from __future__ import annotations

import json
import os
from dataclasses import dataclass, field

from .errors import Refused

# (access key id, secret, session token, region) of each family of names, in order of preference.
_FAMILIES = (
    (("ALIBABA_CLOUD_ACCESS_KEY_ID",), ("ALIBABA_CLOUD_ACCESS_KEY_SECRET",), ("ALIBABA_CLOUD_SECURITY_TOKEN",)),
    (("ALIBABACLOUD_ACCESS_KEY_ID",), ("ALIBABACLOUD_ACCESS_KEY_SECRET",), ("ALIBABACLOUD_SECURITY_TOKEN",)),
    (("ALICLOUD_ACCESS_KEY_ID", "ALICLOUD_ACCESS_KEY"), ("ALICLOUD_ACCESS_KEY_SECRET", "ALICLOUD_SECRET_KEY"),
     ("ALICLOUD_SECURITY_TOKEN",)),
)
_REGION_NAMES = ("ALIBABA_CLOUD_REGION_ID", "ALIBABACLOUD_REGION_ID", "ALICLOUD_REGION_ID", "ALICLOUD_REGION")
_REMEDY = ("Export ALIBABA_CLOUD_ACCESS_KEY_ID and ALIBABA_CLOUD_ACCESS_KEY_SECRET, or make a profile with "
           "'aliyun configure' (modes AK and StsToken are understood)")


@dataclass(frozen=True)
class Credentials:
    """An access key. ``source`` says where it was found; ``region`` is that source's default region, or empty."""

    access_key_id: str = field(repr=False)
    access_key_secret: str = field(repr=False)
    security_token: str = field(default="", repr=False)
    region: str = ""
    source: str = ""


def find_credentials(environ=None, profile: str | None = None, config_file: str | None = None) -> Credentials:
    """The first credentials found. A ``profile`` that is asked for by name wins over the environment.

    Raises Refused: nothing found, half a pair, or a profile of a mode that is not understood.
    """
    environ = os.environ if environ is None else environ
    profile = profile or environ.get("ALIBABA_CLOUD_PROFILE")
    if not profile:
        found = _from_environment(environ)
        if found:
            return found
    config_file = config_file or environ.get("ALIBABA_CLOUD_CONFIG_FILE") or os.path.join(
        environ.get("HOME") or os.path.expanduser("~"), ".aliyun", "config.json")
    return _from_profile(config_file, profile)


def default_region(environ=None) -> str:
    """The region of the environment, or empty."""
    return _first(os.environ if environ is None else environ, _REGION_NAMES)


def _first(environ, names) -> str:
    return next((environ[n] for n in names if environ.get(n)), "")


def _from_environment(environ) -> Credentials | None:
    for ids, secrets, tokens in _FAMILIES:
        key, secret = _first(environ, ids), _first(environ, secrets)
        if key and secret:
            return Credentials(key, secret, _first(environ, tokens), default_region(environ), "environment " + ids[0])
        if key or secret:
            missing = secrets[0] if key else ids[0]
            raise Refused(f"Half of an access key is set: {missing} is empty", _REMEDY)
    return None


def _from_profile(path: str, wanted: str | None) -> Credentials:
    try:
        with open(path, encoding="utf-8") as stream:
            config = json.load(stream)
    except FileNotFoundError:
        raise Refused("No Alibaba Cloud credentials: none in the environment and no " + path, _REMEDY) from None
    except (OSError, ValueError) as error:
        # The text of a JSON error shows no content of the file, only a position.
        raise Refused(f"Cannot read the credentials file {path}: {error}", _REMEDY) from None
    profiles = {p.get("name"): p for p in config.get("profiles") or [] if isinstance(p, dict)}
    name = wanted or config.get("current") or "default"
    if name not in profiles:
        known = ", ".join(sorted(str(n) for n in profiles)) or "none"
        raise Refused(f"{path} has no profile '{name}' (it has: {known})", _REMEDY)
    return _read_profile(path, name, profiles[name])


def _read_profile(path: str, name: str, profile: dict) -> Credentials:
    mode = profile.get("mode") or "AK"
    if mode not in ("AK", "StsToken"):
        raise Refused(f"Profile '{name}' of {path} has mode {mode}, which is not supported", _REMEDY)
    key, secret = profile.get("access_key_id"), profile.get("access_key_secret")
    token = profile.get("sts_token") or ""
    if not key or not secret or (mode == "StsToken" and not token):
        raise Refused(f"Profile '{name}' of {path} is incomplete for mode {mode}", _REMEDY)
    return Credentials(key, secret, token if mode == "StsToken" else "", profile.get("region_id") or "",
                       f"profile {name} of {path}")
