"""Bring a NameNode back from a copy of its metadata.

Until somebody accepts what is lost, the NameNode stays in safe mode, in which it deletes nothing on DataNodes and lets nobody
write: a drop-in of its unit sets a threshold that no number of blocks reaches, so it holds over restarts and reboots.
"""
from __future__ import annotations

import os
import shutil
import tarfile
import tempfile
import time

from ...domain import paths
from .. import hadoop_cli
from ..common import NodeError, ensure_directory, log_tail, owner_ids, run, wait_until, write_atomic
from ..config.configure import inspect
from ..daemons.health import namenode
from .edits import ahead_rows, image_facts, newest_replicas, rows_of_edits, write_segment
from .operations import RECORD, pending
from .tool import BackupError, newest_image, read_json, stamp, verify_copy, write_json

UNIT = "emr-namenode"
DROP_IN = f"{paths.UNITS}/{UNIT}.service.d/restored.conf"
HALF = ".restoring"


def jmx(base):
    """(NameNodeInfo, FSNamesystem, FSNamesystemState) of the NameNode; empty when it does not answer."""
    beans = namenode(base)
    return beans["NameNodeInfo"], beans["FSNamesystem"], beans["FSNamesystemState"]


def look(params):
    """Whether there is anything to restore: {refusal, pending}. ``refusal`` says why not."""
    info = jmx(params["namenode"])[0]
    waiting = pending()
    if waiting and waiting["state"] != "accepting" and (not info or info.get("Safemode")):
        # Nothing can have changed since it was restored, so another copy may take its place. Once somebody has begun to
        # accept it, it can.
        return {"changed": False, "refusal": "", "pending": waiting}
    refusal = ""
    if info:
        refusal = ("the NameNode answers, and knows more than any backup. If its disk is lost all the same, what was written since "
                   "the last backup can still be read: fetch that first (emrctl get), then stop emr-namenode on the master")
    for found in [inspect(path) for path in params["dirs"]]:
        if found["state"] not in ("empty", "missing"):
            refusal = refusal or (f"{found['path']} is not empty. What is there may be newer than any backup, and is not "
                                  "overwritten: start the NameNode with it, or move the folder away if it is of no use")
    return {"changed": False, "refusal": refusal, "pending": None}


def place(params):
    """Unpack the archive, prove it, put it into all name directories and start the NameNode, held in safe mode."""
    folder = params["archive"] + ".d"
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder, mode=0o700)
    try:
        with tarfile.open(params["archive"]) as archive:
            for member in archive.getmembers():
                if not member.isfile() or "/" in member.name:
                    raise NodeError(f"the archive holds {member.name}, which is not a file of a backup")
                archive.extract(member, folder)
        record = verify_copy(folder)
        if record["cluster_id"] != params["cluster_id"]:
            raise NodeError(f"this backup is of cluster {record['cluster_id']}, not of {params['cluster_id']}")
        image = image_facts(newest_image(folder)[1])
        segment = write_segment(folder, record["txid"], ahead_rows(image), record["layout_version"])
        _hold(record, image, params)
        _install(folder, record, segment, params["dirs"])
    except BackupError as error:
        raise NodeError(str(error))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        if os.path.exists(params["archive"]):
            os.unlink(params["archive"])
    _started(params)
    write_json(RECORD, dict(read_json(RECORD), state="held"))
    return {"changed": True, "record": record, "image": image}


def _hold(record, image, params):
    """From now on the NameNode starts into a safe mode that does not end by itself."""
    run(["systemctl", "stop", f"{UNIT}.service"], limit_s=120)
    write_json(RECORD, {"state": "placing", "from": params["id"], "time": record["time"], "began": record["began"],
                        "txid": record["txid"], "layout_version": record["layout_version"], "image": image,
                        "who": params["who"], "when": stamp(time.time())})
    text = ("# The file system came from a backup. `emrctl restore --accept-loss` removes this.\n[Service]\nExecStart=\n"
            f"ExecStart={hadoop_cli.PROGRAMS['hdfs']} namenode -D dfs.namenode.safemode.threshold-pct=2\n")
    write_atomic(DROP_IN, text)
    run(["systemctl", "daemon-reload"])


def _install(folder, record, segment, dirs):
    """Put image and segment into each directory; each becomes real by one rename."""
    txid, image = newest_image(folder)
    uid, gid = owner_ids("hdfs", "hadoop")
    for path in dirs:
        ensure_directory(path, "hdfs", "hadoop", "0700")
        half, current = os.path.join(path, HALF), os.path.join(path, "current")
        shutil.rmtree(half, ignore_errors=True)
        os.makedirs(half, mode=0o700)
        for source in (image, image + ".md5", segment, os.path.join(folder, "VERSION")):
            shutil.copyfile(source, os.path.join(half, os.path.basename(source)))
        with open(os.path.join(half, "seen_txid"), "w", encoding="ascii") as out:
            out.write(f"{txid}\n")
        for name in os.listdir(half):
            os.chown(os.path.join(half, name), uid, gid)
        os.chown(half, uid, gid)
        os.sync()
        if os.path.lexists(current):
            # Left by a restore that was cut off, or that somebody wants from another copy: nothing changed in it.
            shutil.rmtree(current)
        os.rename(half, current)


def _started(params):
    """Start the NameNode and wait until it answers."""
    run(["systemctl", "reset-failed", f"{UNIT}.service"], check=False)
    run(["systemctl", "restart", f"{UNIT}.service"], limit_s=120)

    def look():
        info, system, _state = jmx(params["namenode"])
        return "" if info.get("Safemode") and system else "silent"

    wait_until(params["limit_s"], "the NameNode with the restored image", look, error=lambda _seen: NodeError(
        f"the NameNode does not answer after {params['limit_s']} s with the restored image. Its last lines:\n  "
        + "\n  ".join(log_tail(UNIT, params["log_file"]))))


def append_edits(params):
    """Let files that were appended to after the copy have their last blocks back, as DataNodes have them now.

    ``changed``: of each DataNode [[block, generation stamp, bytes]]. The NameNode starts once more, from the same image.
    """
    record = pending()
    changed = newest_replicas(params["changed"], record["image"]["last_block"])
    rows, paths = rows_of_edits(params["namenode"], changed, params["limit_s"]) if changed else ([], [])
    if not rows:
        return {"changed": False, "appended": []}
    run(["systemctl", "stop", f"{UNIT}.service"], limit_s=120)
    uid, gid = owner_ids("hdfs", "hadoop")
    for current in [os.path.join(path, "current") for path in params["dirs"]]:
        if newest_image(current)[0] != record["txid"]:
            raise NodeError(f"{current} is not as it was restored; run restore again")
        with tempfile.TemporaryDirectory(dir=current, prefix=".edits") as folder:
            made = write_segment(folder, record["txid"], ahead_rows(record["image"]) + rows, record["layout_version"])
            os.chown(made, uid, gid)
            # In safe mode nothing was written but the beginnings and ends of segments. The new one comes first: without it
            # the NameNode would give the numbers of blocks that are there to new ones.
            kept = os.path.basename(made)
            os.rename(made, os.path.join(current, kept))
            for name in os.listdir(current):
                if name.startswith("edits_") and name != kept:
                    os.unlink(os.path.join(current, name))
        write_atomic(os.path.join(current, "seen_txid"), f"{record['txid']}\n", 0o600, uid, gid)
    _started(params)
    write_json(RECORD, dict(record, appended=paths))
    return {"changed": True, "appended": paths}
