"""Benchmarks on the control node: brings what they run with, looks whether there is room, starts the job, and reads results."""
from __future__ import annotations

import io
import json
import os
import tempfile
import time

from ...domain import paths
from ...domain.bench.request import ID, LOCAL_SHARE, REQUEST, bytes_needed, data_folder, results_folder
from ...domain.jobs.usage import at
from ..common import NodeError, file_lock, write_atomic
from ..config.keys import keys_of
from ..daemons.health import namenode, summarize
from ..hdfs.client import WebHdfs
from ..install.install import install
from ..jobs import operations as job, usage as job_usage
from ..jobs.record import settings
from ..jobs.submit import Refusal, account

MOST_RUNS = 1000


def perform(params, check):
    """Start a benchmark (``op`` is submit), or read results: of all runs of a user (list), or of some (show)."""
    if params["op"] == "list":
        return {"changed": False, "runs": _runs(_client(params["user"]), params["user"])}
    if params["op"] == "show":
        return {"changed": False, "runs": [_run(_client(params["user"]), params["user"], name) for name in params["ids"]]}
    if check:
        return {"changed": True}
    return _submit(params)


def _client(user):
    account(user)
    return WebHdfs(settings()["namenode"], user)


def _submit(params):
    request, wanted = params["request"], dict(params["job"])
    client = _client(wanted["user"])
    _room(client, request, wanted["user"])
    with file_lock(f"{paths.STATE}/.bench.lock", params["limit_s"]):
        install({"artifacts": [params["artifact"]], "peer": "", "limit_s": params["limit_s"], "serve_address": "", "signed": params["signed"]}, False)
    room, price = job_usage.capacity(settings()["resourcemanager"]), at(job_usage.prices(), time.time()) or {}
    request = {**request, "user": wanted["user"], "namenode": settings()["namenode"], "slots": room["vcores"], "hourly": price.get("hourly"),
               "currency": price.get("currency", "")}
    with tempfile.TemporaryDirectory(prefix="emr-bench-") as folder:
        write_atomic(f"{folder}/{REQUEST}", json.dumps(request))
        wanted["files"] = [f"{folder}/{REQUEST}", *wanted["files"]]
        return job.submit(wanted)


def _room(client, request, user):
    """Raise Refusal when HDFS, or the disk of this node, has no room for what the benchmark makes."""
    kind, scale = request["kind"], request["scale"]
    there = kind == "tpch" and client.status(data_folder(user, scale))
    if there:
        return
    copies = int(keys_of(f"{paths.HADOOP_CONF}/hdfs-site.xml").get("dfs.replication", "3"))
    need, found = bytes_needed(kind, scale, copies), summarize(namenode(client.base))
    if found and need > found["free_bytes"]:
        raise Refusal(f"{kind} at scale {scale:g} needs {need / 1e9:,.1f} GB of HDFS ({copies} copies), which has {found['free_bytes'] / 1e9:,.1f} GB "
                      "free. Next: a smaller --scale, or emrctl scale NAME")
    disk = os.statvfs(paths.STATE)
    local, free = bytes_needed(kind, scale, 1) * LOCAL_SHARE, disk.f_bavail * disk.f_frsize
    if kind == "tpch" and local > free:
        raise Refusal(f"{kind} at scale {scale:g} needs {local / 1e9:,.1f} GB on the control node's disk for the answers, which has {free / 1e9:,.1f} GB "
                      "free. Next: a smaller --scale")


def _runs(client, user):
    """Results of a user's runs, the newest first."""
    if not client.status(results_folder(user)):
        return []
    names = sorted((row["pathSuffix"] for row in client.listing(results_folder(user)) if row["pathSuffix"].endswith(".json")), reverse=True)
    return [_read(client, f"{results_folder(user)}/{name}") for name in names[:MOST_RUNS]]


def _run(client, user, name):
    path = f"{results_folder(user)}/{name}.json"
    if not ID.match(name) or not client.status(path):
        raise Refusal(f"there is no result of a run {name} of {user}. Next: emrctl bench NAME list")
    return _read(client, path)


def _read(client, path):
    out = io.BytesIO()
    client.read_to(path, out)
    try:
        return json.loads(out.getvalue())
    except ValueError:
        raise NodeError(f"{path} in HDFS is not the result of a run")
