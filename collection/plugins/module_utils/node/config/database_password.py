"""The password of the metastore's own database: kept in a credential provider that only the metastore's user reads.

It comes once, from the controller's environment, in the module's secrets. Beside it lies a salted digest, which root alone reads, so
that the same password given again changes nothing.
"""
from __future__ import annotations

import hashlib
import hmac
import os

from ..common import NodeError, owner_ids, read_text, write_atomic
from ..daemons.stale import mark
from . import secret

ALIAS = "javax.jdo.option.ConnectionPassword"
ROUNDS = 200000


def check(params):
    """Raises NodeError, before anything is changed, when the password is neither here nor given."""
    if params.get("database") and not given(params) and not os.path.exists(params["database"]["path"]):
        raise NodeError(f"the password of {params['database']['user']} at {params['database']['url']} is not on this node yet, and none "
                        f"was given. Nothing was changed on this node. Next: export {params['database']['variable']}=… (read -rs keeps "
                        "it out of the history) and run the command again; later commands need it no more.")


def given(params):
    """The password that came with this run, or ''."""
    return (params.get("secrets") or {}).get("database_password") or ""


def settle(params, checking):
    """Keep a password that is new. Returns a note, or ''. The metastore then restarts with the next roll."""
    if not params.get("database") or not given(params):
        return ""
    path, password = params["database"]["path"], given(params)
    salt, _space, digest = (read_text(f"{path}.digest") or "").strip().partition(" ")
    if digest and os.path.exists(path) and hmac.compare_digest(digest, _digest(password, salt)):
        return ""
    if not checking:
        uid, gid = owner_ids(params["database"]["owner"], "hadoop")
        folder = os.path.dirname(path)
        os.makedirs(folder, exist_ok=True)
        os.chmod(folder, 0o711)
        secret.keep(path, {ALIAS: password})
        os.chown(path, uid, gid)
        salt = os.urandom(16).hex()
        write_atomic(f"{path}.digest", f"{salt} {_digest(password, salt)}\n", 0o600)
        mark([params["database"]["component"]])
    return "password of the metastore's database"


def _digest(password, salt):
    return hashlib.pbkdf2_hmac("sha256", password.encode(), bytes.fromhex(salt), ROUNDS).hex() if salt else ""
