"""Imports and exports: keeps the secrets of the place outside, and starts the job. Runs on Python 3.8 and newer.

Secrets come in the module's own payload. They are kept until the job has ended, for the job's user alone: in a file in
memory (/run/emr/secrets, gone with the machine's power), or in a Hadoop credential provider in HDFS, for containers.
"""
from __future__ import annotations

import json
import os
import pwd
import sys
import tempfile
import time

from ..common import NodeError, write_atomic
from ..config import secret
from ..hdfs.client import WebHdfs, upload
from ..jobs import operations as job
from ..jobs.record import ended, history, ids, record, settings
from ..jobs.submit import Refusal, account

SECRETS, LOCKS = "/run/emr/secrets", "/run/emr/transfers"
# Seconds after which a provider that no job has is left over from a submit that was killed.
LEFT_OVER_S = 3600
FORGET_S = 60


def perform(params, check):
    """Keep the secrets and submit the job; what was kept goes again when that fails."""
    if check:
        return {"changed": True}
    wanted = dict(params["job"])
    account(wanted["user"])
    check_place(settings()["namenode"], str(wanted["user"]), params["place"])
    _folders()
    with tempfile.TemporaryDirectory(prefix="emr-transfer-") as folder:
        wanted["files"] = [_write(folder, name, text) for name, text in params["files"].items()]
        wanted["secrets"] = keep(params)
        try:
            return job.submit(wanted)
        except NodeError as error:
            if "job" not in error.extra:
                forget(wanted["secrets"])
            raise
        except BaseException:
            forget(wanted["secrets"])
            raise


def check_place(namenode, user, place):
    """Raise Refusal when the user may not read, or not make, what the transfer is about: before Spark or YARN start anything.

    ``place`` has ``path`` and ``needs``: ``read``, ``write`` (below the path itself), or ``replace`` (beside it as well).
    """
    try:
        _judge(WebHdfs(namenode, user), user, "/" + place["path"].strip("/"), place["needs"])
    except NodeError as error:
        if error.extra.get("status") == 403:
            raise Refusal(f"user {user} may not look into {place['path']}: {str(error).split(': ', 1)[-1]}. Next: choose a path below "
                          f"/user/{user}, or give --user")
        raise


def _judge(client, user, path, needs):
    if needs == "read":
        found = client.status(path)
        if not found:
            raise Refusal(f"there is no {path} in HDFS. Next: emrctl ls NAME {os.path.dirname(path)}")
        if not client.allows(path, "r-x" if found["type"] == "DIRECTORY" else "r--"):
            raise Refusal(_closed(user, "read", path, found))
        return
    spot = os.path.dirname(path) if needs == "replace" else path
    found = client.status(spot)
    while not found and spot != "/":
        spot = os.path.dirname(spot)
        found = client.status(spot)
    if found["type"] != "DIRECTORY":
        if spot == path:
            return  # one file in place of another: what the job may do with it depends on its source
        raise Refusal(f"{spot} is a file, so nothing can be below it. Next: choose another path")
    if not client.allows(spot, "-wx"):
        raise Refusal(_closed(user, "write", spot, found))


def _closed(user, how, path, found):
    return (f"user {user} may not {how} {path} in HDFS: it belongs to {found['owner']}:{found['group']}, mode {found['permission']}. Next: "
            f"choose a path below /user/{user}, let its owner change that, or give --user")


def _folders():
    os.makedirs(SECRETS, mode=0o711, exist_ok=True)
    os.chmod(SECRETS, 0o711)
    os.makedirs(LOCKS, exist_ok=True)
    os.chmod(LOCKS, 0o1777)


def _write(folder, name, text):
    path = os.path.join(folder, name)
    write_atomic(path, text)
    return path


def keep(params):
    """Keep ``secrets`` ({alias: secret}) where ``keep`` says. Returns what ``forget`` needs; no secret is in it."""
    secrets = params.get("secrets") or {}
    user, path = params["job"]["user"], params["provider_path"]
    namenode = settings()["namenode"]
    sweep(namenode, user)
    # The path in HDFS in both cases: a program that got its secrets in memory makes a provider of them there.
    # ``again`` is for people who want to have the job once more: no retry can bring the secrets back.
    kept = {"user": user, "hdfs": path, "namenode": namenode, "file": "", "again": params["again"]}
    if not secrets:
        return kept
    if params["keep"] == "memory":
        _in_memory(user, params["secret_file"], json.dumps(secrets))
        return dict(kept, file=params["secret_file"])
    with tempfile.TemporaryDirectory(prefix="emr-secret-", dir="/run") as folder:
        local = os.path.join(folder, "provider")
        secret.keep(local, secrets, settings()["environment"])
        client = WebHdfs(namenode, user)
        client.make(os.path.dirname(path), "700")
        upload(client, local, path, mode="600")
    return kept


def _in_memory(user, path, text):
    try:
        account = pwd.getpwnam(user)
    except KeyError:
        raise NodeError(f"there is no user {user} on this cluster. Next: emrctl user list NAME")
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as out:
        out.write(text)
        os.fchown(out.fileno(), account.pw_uid, account.pw_gid)


def forget(kept):
    """Delete what was kept for a job. Fine when it is gone already; what HDFS does not let go, the next sweep finds."""
    if not kept:
        return
    if kept.get("file") and os.path.exists(kept["file"]):
        os.unlink(kept["file"])
    deadline = time.monotonic() + FORGET_S
    while kept.get("hdfs"):
        try:
            WebHdfs(kept["namenode"], kept["user"]).delete(kept["hdfs"])
            return
        except NodeError as error:
            if time.monotonic() > deadline:
                print(f"{kept['hdfs']} is still in HDFS: {error}", file=sys.stderr)
                return
            time.sleep(2)


def sweep(namenode, user):
    """Delete providers of this user that belong to no job which goes on: their job or submit was killed with the machine."""
    used = {(record(name).get("secrets") or {}).get("hdfs") for name in ids() if not ended(history(name)[-1])}
    client = WebHdfs(namenode, user)
    folder = f"/user/{user}/.emr/secrets"
    for row in client.listing(folder) if client.status(folder) else []:
        path = f"{folder}/{row['pathSuffix']}"
        if path not in used and time.time() - row["modificationTime"] / 1000 > LEFT_OVER_S:
            client.delete(path)
