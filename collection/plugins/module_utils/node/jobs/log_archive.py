"""Copies records, logs and event logs of jobs that have ended to OSS. Runs as root on the control node.

BASE/jobs/ID/ gets job.json (as `emrctl jobs show` tells it), stdout.log, stderr.log, yarn.log (the containers' logs) and events/ (the
histories of Spark and MapReduce); job.json comes last, so what has one is complete. A file ``archived`` in the job's record
says that it is done. Credentials: /etc/emr/logs/key.json, readable by root alone, else the RAM role of the instance.
"""
from __future__ import annotations

import io
import json
import os
import time

from ...domain import paths
from ...domain.waiting import wait
from ..common import NodeError, file_lock, read_text, say, write_atomic
from ..hdfs.client import WebHdfs
from ..host.instance_role import role_key
from ..oss.client import Oss, endpoint_of, split
from . import operations as job, yarn as job_yarn
from .record import JOBS, apps, ended, history, ids, settings, tail

SETTINGS, KEY, LOCK = paths.LOGS_SETTINGS, paths.LOGS_KEY, paths.LOGS_LOCK
MARK = "archived"
# Seconds after a job's end until its containers' logs are all in HDFS; bytes of a log that are copied at most, from its end.
SETTLE_S, MOST = 30, 64 << 20
# Seconds that a last copy waits for one that is on its way.
LAST_LOCK_S = 600
SPARK_EVENTS, MR_HISTORY = "/spark/events", ("/mr-history/done", "/mr-history/tmp")


def main(arguments):
    """Copy what is due; with the argument ``last``, before a release, also what ended just now. Returns the exit code."""
    wanted = json.loads(read_text(SETTINGS) or "{}")
    if not wanted:
        return 0
    last = arguments == ["last"]
    try:
        with file_lock(LOCK, LAST_LOCK_S if last else 1):
            if last:
                _settle()
            say(f"copied to {wanted['oss']}: {', '.join(copy_all(wanted)) or 'nothing new'}")
    except NodeError as error:
        say(f"emr-logs: {error}", err=True)
        return 1
    return 0


def copy_all(wanted):
    """Copy each job that ended and is not there yet. Returns their ids."""
    due = [job_id for job_id in _left() if _settled(job_id)]
    if not due:
        return []
    client = Oss(endpoint_of(wanted["endpoint"], wanted["region"]), wanted["region"], _key())
    for job_id in due:
        copy(client, wanted["oss"], job_id)
        write_atomic(f"{JOBS}/{job_id}/{MARK}", wanted["oss"] + "\n")
    return due


def _left():
    """Jobs that have ended and are not in OSS, the oldest first."""
    return [job_id for job_id in reversed(ids()) if not os.path.exists(f"{JOBS}/{job_id}/{MARK}") and ended(history(job_id)[-1])]


def _settled(job_id):
    return not apps(job_id) or time.time() - history(job_id)[-1]["time"] > SETTLE_S


def _settle():
    """Wait for the logs of the containers of jobs that ended just now."""
    wait(lambda: not all(map(_settled, _left())), SETTLE_S + 5, 1)


def _key():
    text = read_text(KEY)
    if text is not None:
        return json.loads(text)
    found = role_key()
    if not found:
        raise NodeError(f"no credentials for OSS: give the master's instance a RAM role, or write {KEY} (see docs/data/logs.md)")
    return found


def copy(client, base, job_id):
    """Copy one job."""
    bucket, prefix = split(f"{base}/jobs/{job_id}")
    folder, found = f"{JOBS}/{job_id}", job.show(job_id)
    found.pop("secrets", None)
    for name in ("stdout.log", "stderr.log"):
        _put(client, bucket, f"{prefix}/{name}", tail(f"{folder}/{name}", MOST).encode())
    names = [row["id"] for row in apps(job_id)]
    if names:
        _put(client, bucket, f"{prefix}/yarn.log", _containers(names, found["user"]))
        for name, content in _events(names):
            _put(client, bucket, f"{prefix}/events/{name}", content)
    client.put(bucket, f"{prefix}/job.json", json.dumps(found, indent=1).encode())


def _put(client, bucket, key, content):
    if content:
        client.put(bucket, key, content)


def _containers(names, user):
    """The logs of the containers, as `yarn logs` prints them."""
    environment = settings()["environment"]
    return "".join(job_yarn.logs(name, user, environment, MOST // len(names)) for name in names).encode()


def _events(names):
    """(name, content) of each history of these applications."""
    client = WebHdfs(settings()["namenode"], "hdfs")
    numbers = [name.split("_", 1)[1] for name in names]
    for top in (SPARK_EVENTS, *MR_HISTORY):
        for path, row in _walk(client, top):
            if any(number in path for number in numbers) and row["length"] <= MOST:
                out = io.BytesIO()
                if row["length"]:
                    client.read_to(path, out)
                yield path.strip("/").replace("/", "_"), out.getvalue()


def _walk(client, top):
    """(path, status) of each file below a folder."""
    found = client.status(top)
    folders = [top] if found and found["type"] == "DIRECTORY" else []
    while folders:
        folder = folders.pop()
        for row in client.listing(folder):
            path = f"{folder}/{row['pathSuffix']}"
            if row["type"] == "DIRECTORY":
                folders.append(path)
            else:
                yield path, row
