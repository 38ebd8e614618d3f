"""Secrets of a job that copies from or to a place outside.

They come in the module's own payload and are kept until the job has ended, for the job's user alone: in a file in memory
(/run/emr/secrets, gone with the machine's power), or in a Hadoop credential provider in HDFS, for containers.
"""
from __future__ import annotations

import json
import os
import pwd
import tempfile
import time

from ...domain import paths
from ..common import NodeError, say
from ..config import secret
from ..hdfs.client import WebHdfs, upload
from ..jobs.record import ended, history, ids, record, settings

SECRETS = paths.SECRETS
# Seconds after which a provider that no job has is left over from a submit that was killed.
LEFT_OVER_S = 3600
FORGET_S = 60


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
                say(f"{kept['hdfs']} is still in HDFS: {error}", err=True)
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
