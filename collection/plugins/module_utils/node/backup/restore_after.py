"""After a restore: what DataNodes have that the copy does not know, what is missing, and the end of the safe mode."""
from __future__ import annotations

import os
import re
import tarfile
import time

from .. import hadoop_cli
from ..common import NodeError, run, wait_until
from ..hadoop_http import NameNode
from .edits import environment
from .operations import RECORD, pending, restored
from .restore import DROP_IN, append_edits, jmx, look, place
from .tool import BackupError, read_json, stamp, verify_copy, write_json

BLOCK = re.compile(r"blk_(\d+)_(\d+)\.meta")
# /path: MISSING 1 blocks of total size 10 B.   /path: CORRUPT 1 blocks of total size 10 B.
BROKEN = re.compile(r"^(/.*?):\s+(MISSING|CORRUPT) (\d+) blocks? of total size (\d+) B", re.MULTILINE)
# Of dfsadmin -report, for each DataNode: Last Block Report: Never
NEVER = re.compile(r"^Last Block Report: Never\s*$", re.MULTILINE)
SHOWN = 1000
# Seconds for the DataNode of a node that does not answer over SSH: it may live all the same.
SILENT_S = 45
MOST_CHANGED = 100000


def perform(params, check):
    """Do the step that the option ``step`` says. Returns the module's result."""
    if params["step"] == "fetch":
        return pack(params)
    if params["step"] == "look":
        return look(params)
    if check:
        return {"changed": params["step"] in ("place", "accept")}
    return {"place": place, "scan": scan, "edits": append_edits, "report": report, "accept": accept, "restored": restored,
            "finish": finish}[params["step"]](params)


def pack(params):
    """Put one verified copy into a tar file, for the controller to fetch."""
    folder = os.path.join(params["root"], "copies", params["id"])
    try:
        record = verify_copy(folder)
    except BackupError as error:
        raise NodeError(f"this backup is not usable: {error}. Name another one with --from")
    with tarfile.open(params["archive"], "w") as archive:
        for name in sorted(os.listdir(folder)):
            archive.add(os.path.join(folder, name), arcname=name, recursive=False)
    os.chmod(params["archive"], 0o600)
    return {"changed": False, "record": record}


def scan(params):
    """What this DataNode holds from after the copy: replicas, bytes, when the newest was written, and changed blocks.

    ``changed``: [[block, generation stamp, bytes]] of blocks that the copy knows with an older stamp.
    """
    count, size, newest, changed = 0, 0, 0.0, []
    for folder in params["dirs"]:
        for top, _folders, names in os.walk(os.path.join(folder, "current")):
            for name in names:
                match = BLOCK.fullmatch(name)
                if not match or int(match.group(2)) <= params["genstamp"]:
                    continue
                try:
                    found = os.stat(os.path.join(top, f"blk_{match.group(1)}"))
                except OSError:
                    continue
                newest = max(newest, found.st_mtime)
                if int(match.group(1)) > params["last_block"]:
                    count, size = count + 1, size + found.st_size
                elif "/finalized/" in top + "/" and len(changed) < MOST_CHANGED:
                    changed.append([int(match.group(1)), int(match.group(2)), found.st_size])
    return {"changed": False, "blocks": changed, "since": {
        "replicas": count, "bytes": size, "newest": stamp(newest) if newest else "", "appended": len(changed)}}


def report(params):
    """Wait until the DataNodes have told what they have, then say what the restored file system lacks."""
    live, waiting = _reported(params)
    found = fsck(params["namenode"], params["limit_s"])
    data = {"from": read_json(RECORD), "datanodes_live": live, "datanodes": params["datanodes"], "waiting": waiting, **found}
    write_json(RECORD, dict(read_json(RECORD), missing=found["broken"], missing_files=found["broken_files"]))
    return {"changed": False, "report": data}


def _reported(params):
    """(live DataNodes, what was still awaited): all have registered and sent a whole report, or the limit is over.

    ``answering``: DataNodes of nodes that answered in this run; the others are waited for SILENT_S only.
    """
    begun = time.monotonic()
    while True:
        info, _system, state = jmx(params["namenode"])
        live, waited = int(state.get("NumLiveDataNodes", 0)), time.monotonic() - begun
        over = waited > params["limit_s"]
        there = live >= params["datanodes"] or (waited > SILENT_S and live >= params["answering"])
        # What was reported is asked by a program of Hadoop: not while DataNodes are missing.
        unheard = unreported(state) if there or over else ""
        if over or (there and not unheard):
            if not info:
                raise NodeError("the NameNode does not answer any more")
            told = f"{live} of {params['datanodes']} DataNodes are live" + (f", {unheard} have not been reported yet" if unheard else "")
            return live, told if unheard or live < params["datanodes"] else ""
        time.sleep(0.3)


def unreported(state):
    """What live DataNodes have not told of yet since the NameNode started, as words, or ''.

    The number of stale volumes is counted every half a minute at best and begins with none (HeartbeatManager.heartbeatCheck), so a
    NameNode that has just started says that nothing is awaited: whether a DataNode has ever reported, its own row says.
    """
    stale = int(state.get("NumStaleStorages", 1))
    if stale:
        return f"{stale} volumes of DataNodes"
    _code, out, _err = hadoop_cli.run("hdfs", ["dfsadmin", "-report", "-live"], "hdfs", environment())
    never = len(NEVER.findall(out))
    return f"all volumes of {never} DataNodes" if never else ""


def fsck(base, limit_s, **options):
    """Hadoop's own check of the whole tree: {files, blocks, broken: [{path, kind, blocks, bytes}], broken_files}."""
    with NameNode(base).fsck(limit_s, path="/", **options) as answer:
        return parse_fsck(answer.rest(time.monotonic() + limit_s).decode(errors="replace"))


def parse_fsck(text):
    """The same from the text of a check. Raises NodeError when it is not a whole one."""
    files, blocks = (re.search(rf"Total {word}:\s*(\d+)", text) for word in ("files", r"blocks \(validated\)"))
    if not files or not blocks:
        raise NodeError("the check of the file system did not end: " + " ".join(text.strip().splitlines()[-2:]))
    broken = [{"path": m.group(1), "kind": m.group(2).lower(), "blocks": int(m.group(3)), "bytes": int(m.group(4))}
              for m in BROKEN.finditer(text)]
    return {"files": int(files.group(1)), "blocks": int(blocks.group(1)), "broken": broken[:SHOWN],
            "broken_files": len(broken)}


def accept(params):
    """End the safe mode of a restored NameNode: from now on it is the file system. Returns what was deleted.

    Files that have lost all their content are deleted when ``delete`` is set; the list is kept with the record. What was
    accepted by a run that did not come to its end (``finish``) is told once more, so that the same command goes on.
    """
    record = pending()
    if not record:
        record = read_json(RECORD) or {}
        if record.get("state") == "accepted" and not record.get("finished"):
            return _accepted(record, False)
        return {"changed": False, "refusal": "no restore on this master waits to be accepted"}
    info, _system, state = jmx(params["namenode"])
    if not info:
        return {"changed": False, "refusal": "the NameNode does not answer: run restore again"}
    live = int(state.get("NumLiveDataNodes", 0))
    if live < params["datanodes"] and not params["without"]:
        return {"changed": False, "refusal": f"{live} of {params['datanodes']} DataNodes are live, and the others may hold blocks "
                "that are missing now. Bring them back or replace them first, or repeat this with --without-nodes"}
    unheard = "" if params["without"] else unreported(state)
    if unheard:
        return {"changed": False, "refusal": f"{unheard} have not been reported since the NameNode started, and what "
                "they hold would be taken for lost. Run this again in a minute, or with --without-nodes"}
    # Before the safe mode ends: when this is cut off, the file system must not be taken for one that may be replaced.
    record.update(state="accepting")
    write_json(RECORD, record)
    if os.path.exists(DROP_IN):
        os.unlink(DROP_IN)
        run(["systemctl", "daemon-reload"])
    if info.get("Safemode"):
        _leave(params)
    before = fsck(params["namenode"], params["limit_s"])
    if params["delete"] and before["broken_files"]:
        fsck(params["namenode"], params["limit_s"], delete="1")
    record.update(state="accepted", accepted=stamp(time.time()), accepted_by=params["who"], missing=before["broken"],
                  broken_files=before["broken_files"], deleted=bool(params["delete"]))
    write_json(RECORD, record)
    return _accepted(record, True)


def _accepted(record, changed):
    """The result of an acceptance that is on record."""
    return {"changed": changed, "refusal": "", "accepted": {"from": record, "broken": record["missing"],
                                                            "broken_files": record["broken_files"], "deleted": record["deleted"]}}


def finish(_params):
    """Note that all that follows an acceptance is done."""
    record = read_json(RECORD) or {}
    if record.get("state") != "accepted" or record.get("finished"):
        return {"changed": False}
    write_json(RECORD, dict(record, finished=stamp(time.time())))
    return {"changed": True}


def _leave(params):
    """Leave safe mode and wait until it is left."""
    hadoop_cli.run("hdfs", ["dfsadmin", "-safemode", "forceExit"], "hdfs", environment())
    wait_until(60, "the NameNode stays in safe mode", lambda: jmx(params["namenode"])[0].get("Safemode", "it does not answer"), 0.2)
