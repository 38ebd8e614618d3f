"""HDFS's rolling upgrade: begun before the first daemon runs other software, until it is finalised.

From then on the NameNode keeps an image of what was, and DataNodes keep blocks that are deleted. Between releases whose daemons keep the same form
of data (Release.disks) daemons of either go on with what the other has written, so they start without a word about the upgrade, and the way back
is the same one, DataNodes first. What stands here is asked of the NameNode, never remembered.
"""
from __future__ import annotations

import os

from ...domain import paths
from .. import hadoop_cli
from ..common import NodeError, write_atomic
from ..daemons import gates
from ..daemons.health import listed, namenode, summarize
from ..daemons.refresh import unit_environment

USER = "hdfs"
BY_HAND = "turned on manually"
# Safe mode is ours, and not somebody else's. It ends with the machine's power, as safe mode does.
MARK = f"{paths.RUN}/upgrade-safe-mode"


def upgrade_state(address):
    """{unfinished, since_ms, ready, versions: {version: nodes}, held, passes} of HDFS, None when nobody answers.

    ``held``: why it cannot be begun; ``passes``: that ends by itself.
    """
    info = namenode(address, 20)["NameNodeInfo"]
    if not info:
        return None
    going = info.get("RollingUpgradeStatus") or {}
    versions = {info.get("SoftwareVersion", ""): ["NameNode"]}
    for name, row in sorted(listed(info, "LiveNodes").items()):
        versions.setdefault(row.get("version", ""), []).append(name)
    safe = info.get("Safemode", "")
    return {"unfinished": bool(going), "since_ms": going.get("startTime", 0), "ready": bool(going.get("createdRollbackImages")), "versions": versions,
            "held": "" if not safe or os.path.exists(MARK) else "HDFS is in safe mode: " + safe.split(".")[0], "passes": BY_HAND not in safe}


def upgrade_prepare(address, params):
    """Have the NameNode keep an image to which one could go back, and begin. Returns what was done, '' where it was done before."""
    state = upgrade_state(address)
    done = ""
    if state is None:
        raise NodeError(f"the NameNode does not answer at {address}. Look with: emrctl status")
    if not state["unfinished"]:
        # A single NameNode writes the image in safe mode: clients wait meanwhile.
        os.makedirs(os.path.dirname(MARK), exist_ok=True)
        write_atomic(MARK, "")
        _dfsadmin("-safemode", "enter")
        _dfsadmin("-rollingUpgrade", "prepare")
        done = "hdfs: a rolling upgrade was begun"
    if os.path.exists(MARK):
        _dfsadmin("-safemode", "leave")
        os.unlink(MARK)
    gates.wait("HDFS was told of the upgrade", lambda: _not_ready(address), params["limit_s"], "Look with: emrctl status; then run the command again")
    return done


def _not_ready(address):
    state, numbers = upgrade_state(address), summarize(namenode(address))
    if state is None or numbers is None:
        return f"the NameNode does not answer at {address}"
    if not state["ready"]:
        return "the NameNode has not written the image of what was before"
    return "HDFS is in safe mode: " + numbers["safe_mode"].split(".")[0] if numbers["safe_mode"] else ""


def upgrade_finish(address, params):
    """Once all daemons run the same version, let go of what was kept for the way back. Returns what was done."""
    gates.wait("HDFS cannot be finalised", lambda: _mixed(address), params["limit_s"], "Look with: emrctl status; then run the command again")
    if not upgrade_state(address)["unfinished"]:
        return ""
    _dfsadmin("-rollingUpgrade", "finalize")
    gates.wait("HDFS was told to finalise", lambda: _unfinished(address), params["limit_s"], "Look with: emrctl status; then run the command again")
    return "hdfs: the upgrade is finalised"


def _mixed(address):
    state = upgrade_state(address)
    if state is None:
        return f"the NameNode does not answer at {address}"
    if state["held"]:
        return state["held"]
    return f"its daemons run {', '.join(sorted(state['versions']))}" if len(state["versions"]) > 1 else ""


def _unfinished(address):
    state = upgrade_state(address)
    return "" if state and not state["unfinished"] else "it still keeps what was before"


def _dfsadmin(*words):
    hadoop_cli.run("hdfs", ["dfsadmin", *words], USER, unit_environment("emr-namenode"), limit_s=600)
