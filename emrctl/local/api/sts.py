"""STS (version 2015-04-01): temporary credentials for roles, and who the caller is."""
from __future__ import annotations

import base64
import json
import re

from ..identity import ACCOUNT_ID, USER, Principal
from .errors import ApiError
from .registry import Call, action

VERSION = "2015-04-01"
ACTIONS_OF_STS = frozenset({"AssumeRole", "AssumeRoleWithOIDC", "GetCallerIdentity"})
# The caller shows a token of its identity provider instead of a signature.
UNSIGNED = frozenset({"AssumeRoleWithOIDC"})
_ARN = re.compile(r"acs:ram::([0-9]+):role/([A-Za-z0-9._-]{1,64})")
_SESSION = re.compile(r"[A-Za-z0-9.@_-]{2,64}")
_PROVIDER = re.compile(rf"acs:ram::{ACCOUNT_ID}:oidc-provider/[A-Za-z0-9._-]{{1,128}}")


def _role(arn: str) -> str:
    """Name of a role of this account. Raises ApiError InvalidParameter.RoleArn, NoPermission."""
    match = _ARN.fullmatch(arn)
    if not match:
        raise ApiError("InvalidParameter.RoleArn")
    if match[1] != ACCOUNT_ID:
        raise ApiError("NoPermission")
    return match[2]


def _assumed(call: Call) -> dict:
    """Credentials and role of RoleArn, RoleSessionName and DurationSeconds. Raises ApiError."""
    role, session = _role(call.params["RoleArn"]), call.params["RoleSessionName"]
    if not _SESSION.fullmatch(session):
        raise ApiError("InvalidParameter.RoleSessionName")
    seconds = call.get("DurationSeconds", 3600)
    if not 900 <= seconds <= 43200:
        raise ApiError("InvalidParameter.DurationSeconds")
    if call.get("Policy"):
        raise ApiError("OperationDenied.LocalNotSupported", "Policy")
    who = Principal("", role, session)
    return {"Credentials": call.cloud.sessions.issue(role, session, seconds, call.tx),
            "AssumedRoleUser": {"Arn": who.arn, "AssumedRoleId": f"{who.role_id}:{session}"}}


@action("AssumeRole")
def assume_role(call: Call) -> dict:
    """Temporary credentials for a role; any role of the account can be assumed."""
    return _assumed(call)


@action("AssumeRoleWithOIDC")
def assume_role_with_oidc(call: Call) -> dict:
    """Temporary credentials against the token of an identity provider. The token's signature is not verified here."""
    if not _PROVIDER.fullmatch(call.params["OIDCProviderArn"]):
        raise ApiError("InvalidParameter.OIDCProviderArn")
    claims = _claims(call.params["OIDCToken"])
    if not isinstance(claims.get("exp"), (int, float)) or not claims.get("sub"):
        raise ApiError("AuthenticationFail.OIDCToken.Invalid")
    if claims["exp"] <= call.now:
        raise ApiError("AuthenticationFail.OIDCToken.Expired")
    audience = claims.get("aud", "")
    return _assumed(call) | {"OIDCTokenInfo": {
        "Subject": claims["sub"], "Issuer": claims.get("iss", ""), "VerificationInfo": "Success",
        "ClientIds": ",".join(audience) if isinstance(audience, list) else str(audience)}}


def _claims(token: str) -> dict:
    """Claims of a JSON web token. Raises ApiError."""
    try:
        _, body, _ = token.split(".")
        claims = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    except ValueError:
        claims = None
    if not isinstance(claims, dict):
        raise ApiError("AuthenticationFail.OIDCToken.Invalid")
    return claims


@action("GetCallerIdentity")
def get_caller_identity(call: Call) -> dict:
    """Account, role and name of the caller."""
    who = call.principal
    if who.role:
        return {"IdentityType": "AssumedRoleUser", "AccountId": ACCOUNT_ID, "Arn": who.arn, "RoleId": who.role_id,
                "PrincipalId": f"{who.role_id}:{who.session}", "UserId": ""}
    return {"IdentityType": "RAMUser", "AccountId": ACCOUNT_ID, "Arn": who.arn, "RoleId": "",
            "PrincipalId": "2" + ACCOUNT_ID, "UserId": "2" + ACCOUNT_ID}


def forbidden(action_name: str, principal: Principal) -> ApiError:
    """The refusal of a caller without permission, with the name of the action that a policy must allow."""
    service = "sts" if action_name in ACTIONS_OF_STS else "ecs"
    right = f"{service}:{action_name}"
    detail = {"AccessDeniedDetail": {
        "AuthAction": right, "AuthPrincipalType": "AssumedRoleUser" if principal.role else "SubUser",
        "AuthPrincipalDisplayName": f"{principal.role}:{principal.session}" if principal.role else USER,
        "AuthPrincipalOwnerId": ACCOUNT_ID, "NoPermissionType": "ImplicitDeny",
        "PolicyType": "AccountLevelIdentityBasedPolicy", "EncodedDiagnosticMessage": ""}}
    return ApiError("NoPermission" if service == "sts" else "Forbidden.RAM", right, detail=detail)
