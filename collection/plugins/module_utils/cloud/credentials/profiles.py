"""Profiles of ``~/.aliyun/config.json``, with the modes and fields of the official command-line client.

A profile becomes Credentials: at once where it holds a key, else with the way to one.
"""
from __future__ import annotations

from collections.abc import Callable

from ...domain.errors import Refused
from . import sources
from .key import Credentials, Renewal

SESSION = "emr"
SECONDS = 3600
_DEPTH = 5


def read_profile(path: str, profiles: dict, name: str, environ, depth: int = 0) -> Credentials:
    """The credentials of a profile. Raises Refused: unknown, incomplete, of another mode, or a circle of sources."""
    if name not in profiles:
        known = ", ".join(sorted(str(n) for n in profiles)) or "none"
        raise Refused(f"{path} has no profile '{name}' (it has: {known})", "Name one of these, or make it with 'aliyun "
                      "configure'")
    profile = profiles[name]
    mode = profile.get("mode") or "AK"
    where = f"profile {name} of {path}"
    if depth > _DEPTH:
        raise Refused(f"The source profiles of {path} form a circle at '{name}'", "Correct source_profile")
    if mode not in _MODES:
        raise Refused(f"The {where} has mode {mode}, which is not supported", f"Supported are {', '.join(_MODES)}")
    missing = [f for f in _NEEDED[mode] if not profile.get(f)]
    if missing:
        raise Refused(f"The {where} is incomplete for mode {mode}: {', '.join(missing)} is empty",
                      f"Run 'aliyun configure --profile {name}'")

    def other(source: str) -> Credentials:
        return read_profile(path, profiles, source, environ, depth + 1)

    region = profile.get("region_id") or ""
    if mode == "ChainableRamRoleArn":
        return _role(profile, environ, region, where, other(profile["source_profile"]))
    return _MODES[mode](profile, environ, region, where)


def _static(profile: dict, environ, region: str, where: str) -> Credentials:
    return Credentials(profile["access_key_id"], profile["access_key_secret"], region=region, source=where)


def _token(profile: dict, environ, region: str, where: str) -> Credentials:
    """A token that somebody fetched, as ``aliyun configure`` does for CloudSSO; it says when it ends, or does not."""
    return Credentials(profile["access_key_id"], profile["access_key_secret"], profile["sts_token"], region, where,
                       float(profile.get("sts_expiration") or 0))


def _role(profile: dict, environ, region: str, where: str, base: Credentials | None = None) -> Credentials:
    """A role that another key may assume: the profile's own, the instance's, or that of another profile."""
    if base is None:
        token = profile.get("sts_token") or ""
        base = Credentials(profile["access_key_id"], profile["access_key_secret"], token, region, where)
    arn, session, seconds = profile["ram_role_arn"], _session(profile, environ), _seconds(profile)
    endpoint = _sts_endpoint(profile, environ)

    def renew():
        return sources.assume_role(base.current(), arn, session, seconds, endpoint, profile.get("external_id") or "")

    return _later(region, where, f"{base.identity}>{arn}", renew)


def _role_by_instance(profile: dict, environ, region: str, where: str) -> Credentials:
    return _role(profile, environ, region, where, instance_role(profile, environ, region, where))


def instance_role(profile: dict, environ, region: str, where: str) -> Credentials:
    """The RAM role of the ECS instance; its name is the profile's, the environment's, or asked for."""
    name = profile.get("ram_role_name") or environ.get("ALIBABA_CLOUD_ECS_METADATA") or ""
    endpoint, allow_v1 = metadata_settings(environ)
    return _later(region, where, f"ecs-ram-role:{name}", lambda: sources.metadata_role(name, endpoint, allow_v1))


def oidc(profile: dict, environ, region: str, where: str) -> Credentials:
    """A role for the token of an identity provider, such as a pod of ACK has."""
    values = {field: profile.get(field) or environ.get(variable) or "" for field, variable in (
        ("ram_role_arn", "ALIBABA_CLOUD_ROLE_ARN"), ("oidc_provider_arn", "ALIBABA_CLOUD_OIDC_PROVIDER_ARN"),
        ("oidc_token_file", "ALIBABA_CLOUD_OIDC_TOKEN_FILE"))}
    missing = [f for f, v in values.items() if not v]
    if missing:
        raise Refused(f"OIDC of the {where} is incomplete: {', '.join(missing)} is empty",
                      "Fill it in, or export ALIBABA_CLOUD_ROLE_ARN, _OIDC_PROVIDER_ARN and _OIDC_TOKEN_FILE")
    arn, session, seconds = values["ram_role_arn"], _session(profile, environ), _seconds(profile)
    endpoint = _sts_endpoint(profile, environ)
    return _later(region, where, f"{values['oidc_provider_arn']}>{arn}", lambda: sources.assume_role_oidc(
        arn, values["oidc_provider_arn"], values["oidc_token_file"], session, seconds, endpoint))


def uri(profile: dict, environ, region: str, where: str) -> Credentials:
    """The key that a credentials service answers with."""
    address = profile.get("credentials_uri") or environ.get("ALIBABA_CLOUD_CREDENTIALS_URI") or ""
    if not address:
        raise Refused(f"The {where} has no credentials_uri", "Fill it in, or export ALIBABA_CLOUD_CREDENTIALS_URI")
    return _later(region, where, f"uri:{address}", lambda: sources.from_uri(address))


def _process(profile: dict, environ, region: str, where: str) -> Credentials:
    command = profile["process_command"]
    return _later(region, where, f"process:{command}", lambda: sources.from_process(command))


def metadata_settings(environ) -> tuple:
    """(address of the metadata service, whether its mode without a token may be used)."""
    address = environ.get("ALIBABA_CLOUD_ECS_METADATA_ENDPOINT") or sources.METADATA
    only_token = environ.get("ALIBABA_CLOUD_IMDSV1_DISABLED", "").lower() in ("true", "1")
    return address.rstrip("/"), not only_token


def _later(region: str, where: str, name: str, renew: Callable) -> Credentials:
    return Credentials("", "", "", region, where, renew=Renewal(renew), name=name)


def _session(profile: dict, environ) -> str:
    return profile.get("ram_session_name") or environ.get("ALIBABA_CLOUD_ROLE_SESSION_NAME") or SESSION


def _seconds(profile: dict) -> int:
    return int(profile.get("expired_seconds") or SECONDS)


def _sts_endpoint(profile: dict, environ) -> str:
    region = profile.get("sts_region") or environ.get("ALIBABA_CLOUD_STS_REGION") or ""
    return environ.get("ALIBABA_CLOUD_STS_ENDPOINT") or (f"sts.{region}.aliyuncs.com" if region else "sts.aliyuncs.com")


_KEY = ("access_key_id", "access_key_secret")
_MODES = {"AK": _static, "StsToken": _token, "RamRoleArn": _role, "EcsRamRole": instance_role,
          "RamRoleArnWithRoleName": _role_by_instance, "ChainableRamRoleArn": _role, "External": _process,
          "CredentialsURI": uri, "OIDC": oidc, "CloudSSO": _token}
_NEEDED = {"AK": _KEY, "StsToken": (*_KEY, "sts_token"), "RamRoleArn": (*_KEY, "ram_role_arn"), "EcsRamRole": (),
           "RamRoleArnWithRoleName": ("ram_role_arn",), "ChainableRamRoleArn": ("source_profile", "ram_role_arn"),
           "External": ("process_command",), "CredentialsURI": (), "OIDC": (), "CloudSSO": (*_KEY, "sts_token")}
