"""Backups of the NameNode's metadata on the node that keeps them."""
from __future__ import annotations

import json
import os
import pwd
import shutil
import time

from ...domain import paths
from ..common import NodeError, run
from ..hadoop_cli import as_user
from .tool import CONFIG, copies, read_json, write_json

# On the control node: what was restored last, and whether that was accepted.
RECORD = paths.RESTORED
# A missed backup is worth a word when the next one is late by this many seconds as well.
GRACE_S = 900


def perform(params, check):
    """Do what the option ``action`` says: now or list. Returns the module's result."""
    if params["action"] == "list":
        if params.get("bring") and not check:
            bring(params)
        return {"changed": False, "copies": listed(params["root"]), "backup": summary()}
    return {"changed": True} if check else now(params)


def now(params):
    """Make a backup at once; waits for one that is under way."""
    if not read_json(CONFIG):
        raise NodeError("this node makes no backups: the spec switches them off, or was not applied yet")
    # Not by its unit: systemd would join a run that began before this call.
    code, out, err = run(as_user([paths.BACKUP], "hdfs"), limit_s=params["limit_s"], check=False)
    if code:
        raise NodeError((err or out).strip() or f"{paths.BACKUP} ended with {code}")
    return {"changed": True, "made": json.loads(out), "copies": listed(params["root"]), "backup": summary()}


def bring(params):
    """Fetch a copy from OSS, so that it is one of this node's."""
    if not read_json(CONFIG):
        raise NodeError("this node makes no backups, so it has no place in OSS. Apply the spec first")
    code, out, err = run(as_user([paths.BACKUP, "--bring", params["bring"]], "hdfs"), limit_s=params["limit_s"], check=False)
    if code:
        raise NodeError((err or out).strip() or f"{paths.BACKUP} ended with {code}")


def listed(root):
    """The copies on this node, newest first."""
    keys = ("id", "time", "began", "txid", "bytes", "cluster_id", "namespace_id", "node")
    return [{key: row.get(key) for key in keys} for row in reversed(copies(root))]


def summary():
    """How backups stand on the node that makes them; None on every other node.

    {last: {id, time, txid, bytes} or None, age_s, copies, overdue, error}. ``error`` is what the newest attempt said when it
    failed; ``overdue``: the last good copy is older than two periods.
    """
    config = read_json(CONFIG)
    if not config:
        return None
    rows = copies(config["root"])
    state = read_json(os.path.join(config["root"], "state.json"), {})
    attempt = state.get("attempt", {})
    rows = [row for row in rows if row["began"] > state.get("restored", 0)]
    last = rows[-1] if rows else None
    since = last["began"] if last else os.stat(CONFIG).st_mtime
    age = max(0, int(time.time() - since))
    return {"last": {key: last[key] for key in ("id", "time", "txid", "bytes")} if last else None, "age_s": age,
            "copies": len(rows), "every_s": config["every_s"], "oss": config.get("oss"),
            "overdue": age > 2 * config["every_s"] + GRACE_S,
            "error": str(attempt.get("oss_error") or "") if attempt.get("ok", True) else str(attempt.get("error"))}


def pending():
    """The record of a restore that nobody has accepted yet, or None."""
    record = read_json(RECORD)
    return record if record and record.get("state") in ("placing", "held", "accepting") else None


def restored(params):
    """Note that the namespace went back to a copy: later ones are of a past that is gone, and are only kept.

    The work folder of the checkpoint is of that past, too, so the next backup begins anew.
    """
    root = params["root"]
    if not os.path.isdir(root):
        return {"changed": False}
    path = os.path.join(root, "state.json")
    write_json(path, dict(read_json(path, {}), restored=time.time(), restored_txid=params["txid"], attempt={}))
    hdfs = pwd.getpwnam("hdfs")
    os.chown(path, hdfs.pw_uid, hdfs.pw_gid)
    shutil.rmtree(os.path.join(root, "checkpoint"), ignore_errors=True)
    return {"changed": True}
