"""Prove on the control node that the cluster works: nodes, a file written and read, a computation."""
from __future__ import annotations

import hashlib
import io
import os
import re
import time

from .. import hadoop_cli
from ..common import NodeError
from ..daemons import gates
from ..daemons.health import hdfs_summary, yarn_summary
from ..hdfs.client import WebHdfs

# So much of the end of the ResourceManager's log tells whom it turns away.
LOG_BYTES = 64 << 10


def verify(params, check=False):
    """Do the checks that the options ask for. Returns the module's result; raises NodeError at the first failure.

    With ``look_s`` (seconds) it comes back with ``waits`` while nodes are missing, to be run again.
    """
    if check:
        return {"changed": False}
    result = {"changed": False, "seconds": {}}
    begun = time.monotonic()
    missing = _await_nodes(params, result, begun)
    if missing:
        return {"changed": False, "waits": missing}
    result["seconds"]["nodes"] = round(time.monotonic() - begun, 2)
    for name, work in (("storage", storage), ("computation", computation)):
        begun = time.monotonic()
        found = work(params, None)
        if found is not None:
            result[name] = found
            result["seconds"][name] = round(time.monotonic() - begun, 2)
    return result


def _await_nodes(params, result, begun):
    """Wait until every expected DataNode and NodeManager is there. Returns '', or what is missing after one look."""
    while True:
        hdfs = hdfs_summary(params["namenode"]) if params["namenode"] else None
        yarn = yarn_summary(params["resourcemanager"]) if params["resourcemanager"] else None
        missing = "; ".join(_missing(params, hdfs, yarn))
        if not missing:
            result["nodes"] = {"hdfs": hdfs, "yarn": yarn}
            return ""
        passed = time.monotonic() - begun
        if passed > params["limit_s"]:
            raise NodeError(f"the cluster is not complete: {missing}. `emrctl status` shows which daemon is down.")
        if passed > params.get("look_s", params["limit_s"]):
            return missing
        time.sleep(0.15)


def _missing(params, hdfs, yarn):
    """What is not there yet, as sentences."""
    found = []
    if params["namenode"]:
        if not hdfs:
            found.append("the NameNode does not answer")
        elif hdfs["safe_mode"]:
            found.append("HDFS is in safe mode: " + hdfs["safe_mode"].split(".")[0])
        elif hdfs["live"] < len(params["datanodes"]):
            found.append(_fewer("DataNodes are live", hdfs["live"], params["datanodes"], gates.live_datanodes(params["namenode"]) or ()))
    if params["resourcemanager"]:
        if not yarn:
            found.append("the ResourceManager does not answer")
        elif yarn["active"] < len(params["nodemanagers"]):
            there = gates.running_nodes(params["resourcemanager"])
            found.append(_fewer("NodeManagers are active", yarn["active"], params["nodemanagers"], there) + _refused(params.get("manager_log")))
    return found


def _fewer(what, count, wanted, there):
    away = [name for name in wanted if name not in there]
    return f"{count} of {len(wanted)} {what}, without {', '.join(away[:5])}{' and others' if away[5:] else ''}"


def _refused(log):
    """Of hosts that the ResourceManager has turned away of late by a name that it does not know: what to do. ``log``: its log file."""
    try:
        with open(log or "", "rb") as handle:
            handle.seek(max(0, os.path.getsize(log) - LOG_BYTES))
            names = set(re.findall(r"Disallowed NodeManager from  ?([\w.-]+)", handle.read().decode(errors="replace")))
    except OSError:
        return ""
    return (f" (the ResourceManager turns away {', '.join(sorted(names))}, a name that the cluster does not have: the resolver of that host calls it "
            "so, see its /etc/hosts)" if names else "")


def storage(params, _deadline):
    """Write a file, read it, compare, delete it."""
    if not params["full"] or not params["namenode"]:
        return None
    client = WebHdfs(params["namenode"], params["user"])
    path = f"/user/{params['user']}/.emr-verify-{os.getpid()}"
    data = os.urandom(1 << 20)
    try:
        client.write(path, io.BytesIO(data), len(data))
        back = io.BytesIO()
        client.read_to(path, back)
    finally:
        client.delete(path)
    if hashlib.sha256(back.getvalue()).digest() != hashlib.sha256(data).digest():
        raise NodeError(f"HDFS gave back other bytes than were written ({len(back.getvalue())} of {len(data)})")
    return {"bytes": len(data)}


def computation(params, _deadline):
    """Run a small MapReduce program in one container: client, ResourceManager, NodeManager and HDFS all take part."""
    if not params["full"] or not params["examples_jar"]:
        return None
    # Uber mode runs the tasks inside the application master, but only where they ask for no more memory than it has.
    options = {"mapreduce.job.ubertask.enable": "true", "mapreduce.map.memory.mb": "256", "mapreduce.reduce.memory.mb": "256"}
    words = ["jar", params["examples_jar"], "pi",
             *(word for key, value in options.items() for word in ("-D", f"{key}={value}")), "2", "100"]
    _code, out, err = hadoop_cli.run("yarn", words, params["user"], params["environment"], limit_s=params["limit_s"])
    match = re.search(r"Estimated value of Pi is ([\d.]+)", out)
    if not match:
        raise NodeError("the computation gave no result: " + "\n".join((err or out).splitlines()[-15:]))
    application = re.search(r"application_\d+_\d+", err)
    return {"pi": float(match.group(1)), "application": application.group(0) if application else ""}
