"""Format a NameNode, or give it the file system of others: only when that cannot destroy anything."""
from __future__ import annotations

import os
import shutil

from .. import hadoop_cli
from ..common import NodeError, owner_ids, run
from ..config.configure import inspect
from ..hadoop_http import Daemon, NameNode
from ..hdfs.names import one_name

HALF = ".formatting"


def format_if_empty(plan, environment):
    """Format the NameNode's directories when they are all empty. Returns what was done, as text, or ''.

    ``plan``: {dirs, cluster_id, refusal, others, shared}. ``refusal`` is what the controller knows against it: a DataNode with data, or
    DataNodes nobody has looked at. Where there are ``others`` (addresses of NameNodes), the file system is theirs, and is copied from them;
    ``shared``: addresses of the JournalNodes, which are formatted with the first one. The result of the format appears with one rename, so a
    killed format leaves nothing that could be taken for a file system.
    """
    found = [inspect(path) for path in plan["dirs"]]
    formatted = [row for row in found if row["state"] == "formatted"]
    unclear = [row["path"] for row in found if row["state"] == "unclear"]
    for row in formatted:
        if row["cluster_id"] != plan["cluster_id"]:
            raise NodeError(f"{row['path']} belongs to cluster {row['cluster_id']}, this is {plan['cluster_id']}. It is "
                            "never formatted: move the directory away if you do not need its file system.")
    if unclear:
        raise NodeError(f"{', '.join(unclear)}: neither empty nor a NameNode's directory. It is never formatted: look at "
                        "it, and empty it yourself if you do not need it.")
    missing = [row["path"] for row in found if row["state"] != "formatted"]
    if not missing:
        return ""
    if formatted:
        return _copy(formatted[0]["path"], missing)
    if plan.get("others"):
        return _make(missing, plan["cluster_id"], ["-bootstrapStandby", "-nonInteractive", "-force"], environment, "copied the file system of another "
                     "NameNode to")
    if plan["refusal"]:
        raise NodeError(f"the NameNode has no file system, and formatting one is refused: {plan['refusal']}")
    words = ["-format", "-clusterId", plan["cluster_id"], "-nonInteractive", "-force"]
    return _make(missing, plan["cluster_id"], words, environment, "formatted")


def held(plan):
    """What the directories of a NameNode wait for before they can be made, as a sentence, or ''."""
    if not plan or all(inspect(path)["state"] == "formatted" for path in plan["dirs"]):
        return ""
    others, shared = plan.get("others") or [], plan.get("shared") or []
    if others:
        return "" if any(map(_serves, others)) else "no other NameNode serves, whose file system it could take over"
    silent = [address for address in shared if not _answers(address)]
    return f"no answer from {', '.join(silent)}" if silent else ""


def _serves(address):
    return NameNode.state(Daemon(address).look(NameNode.STATE, 2) or {}) in ("active", "standby")


def _answers(address):
    return Daemon(address).look("/jmx?qry=Hadoop:service=*,name=JvmMetrics", 2) is not None


def _make(dirs, cluster_id, words, environment, done):
    halves = [os.path.join(path, HALF) for path in dirs]
    for half in halves:
        shutil.rmtree(half, ignore_errors=True)
        os.makedirs(half, mode=0o700)
        os.chown(half, *owner_ids("hdfs", "hadoop"))
    hadoop_cli.run("hdfs", ["namenode", *one_name(), "-D", "dfs.namenode.name.dir=" + ",".join(f"file://{h}" for h in halves), *words], "hdfs", environment)
    for path, half in zip(dirs, halves):
        if inspect(half)["cluster_id"] != cluster_id:
            raise NodeError(f"formatting {path} did not make cluster {cluster_id}, but {inspect(half)['cluster_id'] or 'nothing'}")
        os.rename(os.path.join(half, "current"), os.path.join(path, "current"))
        shutil.rmtree(half, ignore_errors=True)
    return f"{done} {', '.join(dirs)}"


def _copy(source, targets):
    """A format that was cut off between two directories: the finished one is copied to the others."""
    for target in targets:
        half = os.path.join(target, HALF)
        shutil.rmtree(half, ignore_errors=True)
        run(["cp", "-a", os.path.join(source, "current"), half])
        os.rename(half, os.path.join(target, "current"))
    return f"copied {source} to {', '.join(targets)}"
