"""The one account of a local ECS and its callers: its key owns everything; a role is any name that someone assumes."""
from __future__ import annotations

import hmac
from dataclasses import dataclass

ACCOUNT_ID = "1000000000000001"
USER = "emr-local"


@dataclass(frozen=True)
class Principal:
    """Who calls. ``role`` and ``session`` are empty for the account's own key."""

    key_id: str
    role: str = ""
    session: str = ""

    @property
    def arn(self) -> str:
        """Name of the caller as GetCallerIdentity answers it."""
        if self.role:
            return f"acs:ram::{ACCOUNT_ID}:assumed-role/{self.role}/{self.session}"
        return f"acs:ram::{ACCOUNT_ID}:user/{USER}"

    @property
    def role_id(self) -> str:
        """A number made from the role's name; empty without a role."""
        return str(3 * 10**17 + int(hmac.digest(b"role", self.role.encode(), "sha256").hex()[:12], 16)) if self.role else ""
