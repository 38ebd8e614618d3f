"""Imports and exports: keeps the secrets of the place outside, and starts the job. Runs on Python 3.8 and newer.

Secrets come in the module's own payload. They are kept until the job has ended, for the job's user alone: in a file in
memory (/run/emr/secrets, gone with the machine's power), or in a Hadoop credential provider in HDFS, for containers.
"""
from __future__ import annotations

import json
import os
import pwd
import tempfile

from . import job, secret
from .common import NodeError
from .hdfs import WebHdfs, upload

SECRETS = "/run/emr/secrets"
HADOOP = "/opt/emr/hadoop/bin/hadoop"


def perform(params, check):
    """Keep the secrets and submit the job; what was kept goes again when that fails."""
    if check:
        return {"changed": True}
    wanted = dict(params["job"])
    if params["secrets"]:
        wanted["secrets"] = keep(params)
    try:
        return job.submit(wanted)
    except BaseException:
        forget(wanted.get("secrets"))
        raise


def keep(params):
    """Keep ``secrets`` ({alias: secret}) where ``keep`` says. Returns what ``forget`` needs; no secret is in it."""
    user, name = params["job"]["user"], params["secret_id"]
    if params["keep"] == "memory":
        path = _in_memory(user, name, json.dumps(params["secrets"]))
        return {"user": user, "file": path}
    with tempfile.TemporaryDirectory(prefix="emr-secret-", dir="/run") as folder:
        path = os.path.join(folder, "provider")
        secret.keep(HADOOP, path, params["secrets"], env=dict(os.environ, **params["job"]["environment"]))
        client = WebHdfs(params["namenode"], user)
        client.make(os.path.dirname(params["provider_path"]), "700")
        upload(client, path, params["provider_path"], mode="600")
    return {"user": user, "hdfs": params["provider_path"], "namenode": params["namenode"]}


def _in_memory(user, name, text):
    try:
        account = pwd.getpwnam(user)
    except KeyError:
        raise NodeError(f"there is no user {user} on this cluster. Next: emrctl user list NAME")
    os.makedirs(SECRETS, mode=0o711, exist_ok=True)
    path = f"{SECRETS}/{name}.json"
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as out:
        out.write(text)
        os.fchown(out.fileno(), account.pw_uid, account.pw_gid)
    return path


def forget(kept):
    """Delete what was kept for a job. Fine when it is gone already."""
    if not kept:
        return
    if kept.get("file"):
        try:
            os.unlink(kept["file"])
        except FileNotFoundError:
            pass
    if kept.get("hdfs"):
        WebHdfs(kept["namenode"], kept["user"]).delete(kept["hdfs"])
