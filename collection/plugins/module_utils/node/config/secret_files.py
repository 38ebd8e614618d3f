"""Secrets that services need, each in a file that the daemon which needs it reads, and no other.

They come once, from variables of the controller's environment, in the module's secrets; later runs find them here. One with an alias
lies in a credential provider of Hadoop; beside it lies a salted digest, which root alone reads, so that the same secret given again
changes nothing, and its daemon, which reads it at the start alone, waits for a restart.
"""
from __future__ import annotations

import hashlib
import hmac
import os

from ..common import NodeError, owner_ids, read_text, write_atomic
from ..daemons.stale import mark
from . import secret

ROUNDS = 200000


def check(params):
    """Raises NodeError, before anything is changed, when a secret is neither here nor given."""
    for row in _rows(params):
        if not _given(params, row) and not os.path.exists(row["path"]):
            raise NodeError(f"{row['of']}: {row['what']} is not on this node yet, and none was given. Nothing was changed on this node. Next: export "
                            f"{row['variable']}=… (read -rs keeps it out of the history) and run the command again; later commands need it no more")


def settle(params, checking):
    """Keep secrets that are new, and forget those in ``folders`` that nobody asks for. Returns notes."""
    notes = []
    for row in _rows(params):
        given = _given(params, row)
        if given and not (_same_in_provider if row["alias"] else _same_in_file)(row, given):
            notes.append(row["what"])
            if not checking:
                (_keep_in_provider if row["alias"] else _keep_in_file)(row, given)
    return notes + _forget(params, checking)


def _rows(params):
    return (params.get("secret_files") or {}).get("rows", [])


def _given(params, row):
    return ((params.get("secrets") or {}).get("files") or {}).get(row["path"], "")


def _forget(params, checking):
    wanted, notes = {row["path"] for row in _rows(params)}, []
    for folder in (params.get("secret_files") or {}).get("folders", []):
        for name in sorted(os.listdir(folder)) if os.path.isdir(folder) else ():
            if f"{folder}/{name}" not in wanted:
                notes.append(f"{folder}/{name} is forgotten")
                if not checking:
                    os.unlink(f"{folder}/{name}")
    return notes


def _same_in_file(row, given):
    return read_text(row["path"]) == given


def _keep_in_file(row, given):
    """The daemon reads it whenever it needs it, so nothing restarts."""
    uid, gid = owner_ids("root", row["group"])
    _folder(row, 0o750, uid, gid)
    write_atomic(row["path"], given, 0o640, uid, gid)


def _same_in_provider(row, given):
    salt, _space, digest = (read_text(f"{row['path']}.digest") or "").strip().partition(" ")
    return bool(digest) and os.path.exists(row["path"]) and hmac.compare_digest(digest, _digest(given, salt))


def _keep_in_provider(row, given):
    _folder(row, 0o711, 0, 0)
    secret.keep(row["path"], {row["alias"]: given})
    os.chown(row["path"], *owner_ids(row["user"], row["group"]))
    salt = os.urandom(16).hex()
    write_atomic(f"{row['path']}.digest", f"{salt} {_digest(given, salt)}\n", 0o600)
    mark([row["component"]])


def _folder(row, mode, uid, gid):
    folder = os.path.dirname(row["path"])
    os.makedirs(folder, exist_ok=True)
    os.chmod(folder, mode)
    os.chown(folder, uid, gid)


def _digest(text, salt):
    return hashlib.pbkdf2_hmac("sha256", text.encode(), bytes.fromhex(salt), ROUNDS).hex() if salt else ""
