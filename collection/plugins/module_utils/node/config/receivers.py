"""The secrets of those who get messages of alerts: a file for each, which the daemon that sends alone reads.

They come once, from the controller's environment, in the module's secrets.
"""
from __future__ import annotations

import os

from ..common import NodeError, owner_ids, read_text, write_atomic


def check(params):
    """Raises NodeError, before anything is changed, when a secret that is needed is neither here nor given."""
    wanted = params.get("receivers") or {}
    for name, variable in wanted.get("variables", {}).items():
        if not _given(params).get(name) and not os.path.exists(f"{wanted['folder']}/{name}"):
            raise NodeError(f"the secret of the receiver {name} is not on this node yet, and none was given. Nothing was changed on this node. "
                            f"Next: export {variable}=… (read -rs keeps it out of the history) and run the command again; later commands need it no more.")


def settle(params, checking):
    """Keep the secrets that are new, and forget those of receivers that are gone. Returns a note, or ''."""
    wanted = params.get("receivers") or {}
    if not wanted:
        return ""
    folder, names = wanted["folder"], set(wanted["variables"])
    uid, gid = (0, 0) if checking else owner_ids("root", wanted["group"])
    known = set(os.listdir(folder)) if os.path.isdir(folder) else set()
    fresh = {name: secret for name, secret in _given(params).items() if name in names and secret and read_text(f"{folder}/{name}") != secret}
    if not checking:
        for name in known - names:
            os.unlink(f"{folder}/{name}")
        os.makedirs(folder, exist_ok=True)
        os.chmod(folder, 0o750)
        os.chown(folder, uid, gid)
        for name, secret in fresh.items():
            # The daemon reads it for each message, so nothing restarts.
            write_atomic(f"{folder}/{name}", secret, 0o640, uid, gid)
    return "secrets of receivers" if fresh or known - names else ""


def _given(params):
    return (params.get("secrets") or {}).get("receivers") or {}
