"""The people of a cluster: users and queues of its spec, as accounts, HDFS homes and settings of the capacity scheduler.

Sizes are bytes, capacities percent.
"""
from __future__ import annotations

import re
import zlib

from ..errors import Refused
from ..text.names import nearest

ROOT = "yarn.scheduler.capacity.root"
MAPPINGS = "yarn.scheduler.capacity.queue-mappings"
DEFAULT_QUEUE = "default"
# Who runs jobs that nobody claims, the verification among them; must be admitted to the default queue.
JOB_USER = "emr"
# Every user of the spec is a member, which tells the accounts of this project from others on a node.
GROUP = "emr-users"
# Numbers of users: the same on every node, also on one bought years later, because they follow from the name.
FIRST_UID, LAST_UID = 20000, 59999
SIZE = r"[1-9][0-9]{0,5}(\.[0-9]{1,3})? ?[MGTPmgtp](i?[Bb])?"
_UNITS = {"m": 1 << 20, "g": 1 << 30, "t": 1 << 40, "p": 1 << 50}


def uid_of(name: str, uid=None) -> int:
    """Number of a user: what the spec says, else one that follows from the name."""
    return uid or FIRST_UID + zlib.crc32(name.encode()) % (LAST_UID - FIRST_UID + 1)


def check_name(name: str) -> None:
    """Raises Refused for what is not a name of a user: it becomes part of paths."""
    if not re.match(r"^[a-z_][a-z0-9_-]{0,31}$(?!\n)", name):
        raise Refused(f"{name!r} is not a valid user name", "Up to 32 lower-case letters, digits, - and _, with a letter or _ first")


def size_bytes(text: str) -> int:
    """Bytes of a size such as ``500g``, ``1.5 TB`` or ``20 GiB``; units are powers of 1024, as Hadoop has it."""
    match = re.match(r"^([0-9.]+) ?([MGTPmgtp])", text)
    return int(float(match.group(1)) * _UNITS[match.group(2).lower()])


def accounts(spec) -> list:
    """Accounts that every node has, as {name, uid}."""
    return [{"name": user.name, "uid": uid_of(user.name, user.uid)} for _name, user in sorted(spec.users.items())]


def homes(spec) -> list:
    """HDFS homes as {name, path, quota}: bytes of all copies together, -1 for no limit."""
    if "hdfs" not in spec.expanded_services:
        return []
    return [{"name": user.name, "path": f"/user/{user.name}",
             "quota": size_bytes(user.space_quota) if user.space_quota else -1}
            for _name, user in sorted(spec.users.items())]


def scheduler_settings(spec) -> dict:
    """Settings of the capacity scheduler that follow from the spec's queues and users; empty without any."""
    if "yarn" not in spec.expanded_services:
        return {}
    settings = _queue_settings(spec) if spec.queues else {}
    mapped = [f"u:{name}:{user.queue}" for name, user in sorted(spec.users.items()) if user.queue]
    if mapped:
        settings[MAPPINGS] = ",".join(mapped)
    return settings


def _queue_settings(spec) -> dict:
    shares = {name: (queue.capacity, queue.max_capacity, queue.state) for name, queue in spec.queues.items()}
    # Jobs of nobody in particular need a place; without a share of its own it lives on what the others leave.
    shares.setdefault(DEFAULT_QUEUE, (0.0, 100.0, "running"))
    settings = {f"{ROOT}.queues": ",".join(sorted(shares))}
    for name, (capacity, most, state) in shares.items():
        settings.update({
            f"{ROOT}.{name}.capacity": _number(capacity), f"{ROOT}.{name}.maximum-capacity": _number(most),
            f"{ROOT}.{name}.state": state.upper(),
            # YARN's own number follows from the share: a queue without one would accept nothing.
            f"{ROOT}.{name}.maximum-applications": "10000",
            # One user alone may fill the queue; several share it evenly, down to a tenth each.
            f"{ROOT}.{name}.user-limit-factor": "100", f"{ROOT}.{name}.minimum-user-limit-percent": "10"})
    admitted = {name: admitted_users(spec, name) for name in shares}
    if any(admitted.values()):
        # A right of a queue includes those of its parent, and of the root everybody has all rights by default.
        settings.update({f"{ROOT}.acl_submit_applications": "yarn", f"{ROOT}.acl_administer_queue": "yarn"})
        settings.update({f"{ROOT}.{name}.acl_submit_applications": ",".join(users) or "*"
                         for name, users in admitted.items()})
    return settings


def admitted_users(spec, name: str) -> list:
    """Who may submit to a queue; empty when everybody may. A queue that is somebody's own admits them."""
    queue = spec.queues.get(name)
    if queue is None or not queue.users:
        return []
    own = {user for user, row in spec.users.items() if row.queue == name}
    return sorted({*queue.users, *own, *([JOB_USER] if name == DEFAULT_QUEUE else [])})


def _number(value: float) -> str:
    return f"{value:g}"


def edit_users(data: dict, edit: dict, last: dict | None = None) -> dict:
    """The data of a spec (``Spec.to_dict``) with users added, changed (keys given) or removed (None).

    ``last``: the same part of the edit that made the newest revision: the same removal may be asked for again.
    Raises Refused for a user who is not there, or whose removal would open a queue to everybody.
    """
    users = {name: dict(row or {}) for name, row in (data.get("users") or {}).items()}
    queues = {name: dict(row) for name, row in (data.get("queues") or {}).items()}
    for name, row in edit.items():
        if row is None:
            _check_there("user", name, users, last)
            users.pop(name, None)
            _leave_queues(name, queues)
        else:
            users[name] = _merged(users.get(name), row)
            if not users[name].get("uid") and uid_of(name) in _uids(users, name):
                users[name]["uid"] = next(n for n in range(FIRST_UID, LAST_UID) if n not in _uids(users, name))
    return dict(data, users=users, queues=queues)


def edit_queues(data: dict, edit: dict, last: dict | None = None) -> dict:
    """The data of a spec with queues added, changed or removed (None). Raises Refused for one that is not there."""
    queues = {name: dict(row) for name, row in (data.get("queues") or {}).items()}
    for name, row in edit.items():
        if row is None:
            _check_there("queue", name, queues, last)
            queues.pop(name, None)
        else:
            queues[name] = _merged(queues.get(name), row)
    return dict(data, queues=queues)


def _merged(before, row: dict) -> dict:
    return {key: value for key, value in {**(before or {}), **row}.items() if value is not None}


def _uids(users: dict, but: str) -> set:
    return {uid_of(name, row.get("uid")) for name, row in users.items() if name != but}


def _check_there(what: str, name: str, there, last) -> None:
    if name in there or (last or {}).get(name, "") is None:
        return
    guess = nearest(name, there)
    raise Refused(f"the cluster's spec has no {what} {name!r}" + (f"; did you mean {guess}?" if guess else ""),
                  f"Its {what}s: {', '.join(sorted(there)) or 'none'}")


def _leave_queues(name: str, queues: dict) -> None:
    for queue, row in queues.items():
        users = list(row.get("users") or [])
        if users == [name]:
            raise Refused(f"the queue {queue} admits {name} alone, and without users it would admit everybody",
                          f"Give queues.{queue}.users other users, or remove the queue, with: emrctl apply")
        if name in users:
            row["users"] = [user for user in users if user != name]
