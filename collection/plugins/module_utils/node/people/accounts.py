"""Accounts of the cluster's users, their HDFS homes, and what runs for a user, queue or service."""
from __future__ import annotations

import grp
import os
import pwd
import shutil

from ..common import NodeError, run, unit_states
from ..hdfs.client import SUPERUSER, WebHdfs
from ..services.hooks import asked
from .members import GROUP, members

# Members are the accounts that this project made for users of the spec; see module people.
NAMENODE = "emr-namenode"
FINAL = ("SUCCEEDED", "FAILED", "KILLED", "LOST")


def perform(params, check):
    """The operation that ``op`` names: guard and list only look, delete takes data away."""
    if params["op"] == "guard":
        return {"changed": False, "reasons": guard(params)}
    if params["op"] == "list":
        return {"changed": False, "users": listing(params)}
    return delete(params, check)


def settle_people(params, check):
    """Accounts of this node; on the control node (it gets ``homes``) their homes too, as soon as HDFS runs.

    Before the first start the operation ``service`` makes them. Returns notes.
    """
    notes = settle_accounts(params, check)
    if params["homes"] and unit_states([NAMENODE]).get(NAMENODE, {}).get("ActiveState") == "active":
        try:
            notes += settle_homes(params["file_system"], params["homes"], check)
        except OSError as error:
            if params["prune"]:
                raise NodeError(f"the NameNode does not answer, so the users' homes in HDFS could not be looked at: {error}. Run "
                                "the command again when it does.")
    return notes


def settle_accounts(params, check):
    """Make the accounts of the spec's users; with ``prune`` take away those that it no longer has. Returns notes.

    Home folders stay when their user goes: they are data, and the number of the user stays the same when they come back.
    """
    notes = [note for user in params["users"] for note in _account(user, check)]
    if params["prune"]:
        wanted = {user["name"] for user in params["users"]}
        notes += [_remove_account(name, check) for name in members() if name not in wanted]
    return notes


def _account(user, check):
    name, uid = user["name"], user["uid"]
    try:
        found = pwd.getpwnam(name)
    except KeyError:
        found = None
    if found and found.pw_uid == uid:
        if name in members():
            return []
        if not check:
            _group(GROUP)
            run(["usermod", "--append", "--groups", GROUP, name])
        return [f"user {name}: group {GROUP}"]
    if found:
        raise NodeError(f"this node has an account {name} with the number {found.pw_uid} already, and the cluster's user has "
                        f"{uid}. Nothing was changed on this node: choose another name, or write users.{name}.uid: "
                        f"{found.pw_uid} in the spec if it is the same person.")
    _check_number(name, uid)
    if not check:
        _group(GROUP)
        _group(name, uid)
        run(["useradd", "--uid", str(uid), "--gid", name, "--groups", GROUP, "--home-dir", f"/home/{name}", "--create-home",
             "--shell", "/bin/bash", "--comment", "user of the cluster", name])
        os.chmod(f"/home/{name}", 0o750)
    return [f"user {name}"]


def _check_number(name, uid):
    try:
        other = pwd.getpwuid(uid).pw_name
    except KeyError:
        return
    raise NodeError(f"the number {uid} of the new user {name} belongs to {other} on this node. Give {name} another one, with "
                    f"users.{name}.uid in the spec.")


def _group(name, gid=None):
    try:
        grp.getgrnam(name)
    except KeyError:
        run(["groupadd"] + (["--gid", str(gid)] if gid else ["--system"]) + [name])


def _remove_account(name, check):
    if not check:
        code, _out, err = run(["userdel", name], check=False)
        if code not in (0, 6):
            raise NodeError(f"the account {name} could not be removed: {err.strip()}. End what it still runs on this node "
                            f"(ps -u {name}), then run the command again.")
    return f"user {name} removed"


def settle_homes(base, homes, check):
    """Make HDFS homes and set their space quotas. Returns notes; raises NodeError when HDFS does not answer."""
    client, notes = WebHdfs(base, SUPERUSER), []
    for row in homes:
        found = client.status(row["path"])
        if not found or found["owner"] != row["name"]:
            notes.append(f"HDFS {row['path']}")
            if not check:
                if not found:
                    client.make(row["path"], "750")
                client.set_owner(row["path"], row["name"], row["name"])
        before = client.quota(row["path"])["spaceQuota"] if found or not check else -1
        if before != row["quota"]:
            notes.append(f"HDFS {row['path']}: space quota {row['quota'] if row['quota'] > 0 else 'none'}")
            if not check:
                client.set_quota(row["path"], row["quota"])
    return notes


def guard(params):
    """Why queues, users or services must not go now, as sentences; empty when they may."""
    if not (params["queues"] or params["users"] or params["services"]):
        return []
    applications = running(params["answers"])
    from ..jobs.operations import listing as all_jobs  # only here: most runs need no jobs

    jobs = [job for job in all_jobs() if job["state"] not in FINAL]
    reasons = []
    for queue in params["queues"]:
        ids = [a["id"] for a in applications if a["queue"].split(".")[-1] == queue]
        if ids:
            reasons.append(f"queue {queue} still has the applications {_some(ids)}; write queues.{queue}.state: stopped in the "
                           "spec, so that nothing new begins there, and remove it when they have ended")
    for user in params["users"]:
        ids = [a["id"] for a in applications if a["user"] == user] + [j["id"] for j in jobs if j["user"] == user]
        if ids:
            reasons.append(f"user {user} still runs {_some(ids)}; wait for the end, or stop it with emrctl jobs kill")
    for service in params["services"]:
        kinds, types = service["applications"], service["jobs"]
        ids = [a["id"] for a in applications if kinds is None or a["applicationType"] in kinds]
        ids += [j["id"] for j in jobs if types is None or j["type"] in types]
        if ids:
            reasons.append(f"{service['name']} is used by {_some(ids)}; wait for the end, or stop it with emrctl jobs kill")
    return reasons


def running(answers):
    """Applications that have not ended, without the cluster's own servers. Raises NodeError when nobody says."""
    return [row for rows in asked(answers, "applications").values() for row in rows]


def _some(ids):
    return ", ".join(ids[:3]) + (f" and {len(ids) - 3} more" if len(ids) > 3 else "")


def listing(params):
    """One row for each user: number, queue, space used and allowed in HDFS (bytes, all copies), running applications."""
    client = WebHdfs(params["file_system"], SUPERUSER) if params["file_system"] else None
    try:
        applications = running(params["answers"])
    except NodeError:
        applications = []
    rows = []
    for user in params["users"]:
        row = dict(user, here=_here(user), applications=sum(a["user"] == user["name"] for a in applications))
        try:
            used = client.quota(f"/user/{user['name']}") if client else {}
            row.update(space_used=used.get("spaceConsumed"), files=used.get("fileAndDirectoryCount"))
        except NodeError as error:
            row["note"] = f"HDFS: {error}"
        rows.append(row)
    return rows


def _here(user):
    try:
        return pwd.getpwnam(user["name"]).pw_uid == user["uid"]
    except KeyError:
        return False


def delete(params, check):
    """Delete folders of HDFS and of this node for ever. Returns what was there."""
    deleted = []
    for path in params["paths"]:
        client = WebHdfs(params["file_system"], SUPERUSER)
        if client.status(path):
            used = client.quota(path)
            deleted.append({"path": f"hdfs://{path}", "bytes": used.get("spaceConsumed", 0)})
            if not check:
                client.delete(path, recursive=True)
    for path in params["local"]:
        if os.path.isdir(path) and not os.path.islink(path):
            deleted.append({"path": path})
            if not check:
                shutil.rmtree(path)
    return {"changed": bool(deleted), "deleted": deleted}
