"""Accounts of the daemons' users, and of their groups."""
from __future__ import annotations

import grp
import pwd

from ..common import run


def settle_accounts(users, check=False):
    """Make the accounts (rows of name, group, home, shell) that are missing. Returns what was (or would be) made, as texts."""
    notes = []
    for group in sorted({user["group"] for user in users}):
        if not _there(grp.getgrnam, group):
            notes.append(f"group {group}")
            if not check:
                run(["groupadd", "--system", group])
    for user in users:
        if not _there(pwd.getpwnam, user["name"]):
            notes.append(f"user {user['name']}")
            if not check:
                home = ["--create-home"] if user["home"].startswith("/home/") else ["--no-create-home"]
                run(["useradd", "--system", "--gid", user["group"], "--home-dir", user["home"], "--shell", user["shell"], user["name"], *home])
    return notes


def _there(look_up, name):
    try:
        look_up(name)
    except KeyError:
        return False
    return True
