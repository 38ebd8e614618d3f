"""ZooKeeper, by which the daemons of several masters agree on who of them is active. A cluster with one master has none.

Its server is in Hadoop's own software, so it needs no artifact of its own.
"""
from __future__ import annotations

import re

from ..domain.config import kinds, writers
from ..domain.config.folders import data_dirs
from ..domain.paths import HADOOP_BIN, HADOOP_CONF, ZOOKEEPER_PROGRAM
from . import reasons
from .alerts import down
from .model import Component, ConfFile, Health, Heap, Service, TextFile, quorum

STEM, USER = "zookeeper", "zookeeper"
CONF, NUMBER = f"{HADOOP_CONF}/zoo.cfg", f"{HADOOP_CONF}/zookeeper.number"
SETTINGS = ("tickTime", "initLimit", "syncLimit", "maxClientCnxns", "minSessionTimeout", "maxSessionTimeout", "snapCount", "globalOutstandingLimit",
            "autopurge.snapRetainCount", "autopurge.purgeInterval")

ZOOKEEPER = Component(
    "zookeeper", quorum("master"), USER, (ZOOKEEPER_PROGRAM,), {"client": 2181, "peers": 2888, "election": 3888}, Heap(0.01, 64, 1024),
    Health("zookeeper.server", "client"), frozenset({STEM}), jvm_opts_env="ZOOKEEPER_OPTS", label="ZooKeeper", group=USER,
    storage=((STEM, "dataDir"),), storage_mode="0700", turn="zookeeper.server")


def numbered(nodes) -> dict:
    """{node's name: its number among the servers}, the same whoever else is there: the number in its name, where all have one of their own."""
    found = {node.name: int((re.findall(r"[0-9]+", node.name) or ["0"])[-1]) for node in nodes}
    if len(set(found.values())) == len(found) and all(0 < number < 256 for number in found.values()):
        return found
    return {node.name: number for number, node in enumerate(nodes, 1)}


def connect_string(topology) -> str:
    """The servers as their clients want them."""
    return ",".join(row.authority for row in topology.endpoints(ZOOKEEPER, "client"))


def _defaults(facts) -> dict:
    if not facts.here(ZOOKEEPER):
        return {}
    ports, servers = ZOOKEEPER.ports, facts.topology.running(ZOOKEEPER)
    return {STEM: {
        "clientPort": str(ports["client"]), "dataDir": data_dirs(facts.node, "zookeeper", "zookeeper", 1),
        # Two seconds to a tick: a session lives from 4 to 40 s, and a server that lags behind by 10 s leaves the quorum.
        "tickTime": "2000", "initLimit": "10", "syncLimit": "5",
        # A host's own name may mean its loopback in its hosts file.
        "quorumListenOnAllIPs": "true", "admin.enableServer": "false", "4lw.commands.whitelist": "srvr",
        "autopurge.snapRetainCount": "3", "autopurge.purgeInterval": "1",
        **{f"server.{number}": f"{name}:{ports['peers']}:{ports['election']}" for name, number in numbered(servers).items()}}}


def _check(key: str, text: str) -> None:
    if key in SETTINGS and not re.fullmatch(r"[0-9]{1,9}", text):
        raise writers.Unwritable(f"{key}: found {text!r}, expected {kinds.INT}", f"Write for example: {key}: 2000")


def _program(_facts, effective) -> str:
    """What becomes the server: Hadoop's launcher with the options of this daemon alone, and its number where ZooKeeper looks for it."""
    return f"""#!/bin/sh
. {HADOOP_CONF}/hadoop-env.sh
export HADOOP_OPTS="$ZOOKEEPER_OPTS"
cp {NUMBER} {writers.shell_word(str(effective[STEM]["dataDir"]))}/myid || exit 1
exec {HADOOP_BIN}/hdfs org.apache.zookeeper.server.quorum.QuorumPeerMain {CONF}
"""


SERVICE = Service(
    name="zookeeper", components=(ZOOKEEPER,), deletable=False, defaults=_defaults,
    files=(ConfFile(
        STEM, CONF, writers.properties, at=(ZOOKEEPER.name,), key=re.compile(f"^({'|'.join(map(re.escape, SETTINGS))})$"), check=_check,
        key_hint=f"Choose from {', '.join(SETTINGS)}.",
        reserved={"dataDir": reasons.DIRS, "clientPort": reasons.ADDRESS}),),
    texts=(TextFile(ZOOKEEPER_PROGRAM, _program, at=(ZOOKEEPER.name,), mode="0755"),
           TextFile(NUMBER, lambda facts, _effective: f"{numbered(facts.topology.running(ZOOKEEPER))[facts.node.name]}\n", at=(ZOOKEEPER.name,))),
    alerts=(down("ZooKeeperDown", ZOOKEEPER, "The masters agree on who is active as long as two of three answer.", "critical"),))
