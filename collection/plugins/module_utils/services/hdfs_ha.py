"""HDFS with several NameNodes: the settings that make them one file system, which survives any one of their hosts.

Two NameNodes never change the same file system: each edit is the majority's of three JournalNodes, and who becomes active takes a new epoch
there first, after which they refuse whatever the one before still writes. So the command that cuts that one off has nothing to do.
"""
from __future__ import annotations

from ..domain.config.file_system import one_name_of
from ..domain.config.folders import data_dirs
from .model import Component, Health, Heap, Metrics, quorum

FENCING = "shell(/bin/true)"
# Seconds of a session with ZooKeeper after which its daemon counts as gone: long enough for a pause of a busy host.
SESSION_S = 8


def journal_node(reads, ignores) -> Component:
    """Keeps the edits of the NameNodes, as two others do."""
    return Component(
        "journalnode", quorum("master"), "hdfs", ("hdfs", "journalnode"), {"http": 8480, "ipc": 8485}, Heap(0.02, 64, 1024),
        Health("http", "http", "/jmx?qry=Hadoop:service=JournalNode,name=JournalNodeInfo"), reads, (), "HDFS_JOURNALNODE_OPTS", (), "HDFS JournalNode",
        ignores=ignores, storage=(("hdfs-site", "dfs.journalnode.edits.dir"),), storage_mode="0700", turn="hdfs.journalnode", native=True,
        metrics=Metrics())


def failover_controller(reads, ignores) -> Component:
    """Watches the NameNode of its node, and has it made active when no other is."""
    return Component(
        "zkfc", quorum("master"), "hdfs", ("hdfs", "zkfc"), {"ipc": 8019}, Heap(0.01, 64, 256), Health("tcp", "ipc"), reads, ("zookeeper", "namenode"),
        "HDFS_ZKFC_OPTS", (), "HDFS failover controller", ignores=ignores, prepare="hdfs.zkfc", elects=True,
        words=one_name)


def one_name(effective) -> tuple:
    """Words by which a daemon knows no other name than the file system's own: its host, which may be the second one, is a host for it."""
    rows = {key: str(getattr(value, "value", value)) for key, value in effective.get("hdfs-site", {}).items()}
    return tuple(one_name_of(rows))


def shared(topology, name_nodes) -> dict:
    """hdfs-site of every node and client: the logical name of the file system, and who may serve it.

    The control node, the one master that a cluster has which becomes highly available, is a second name of the same: what tables, checkpoints and
    programs of before keep as ``hdfs://MASTER:8020/…`` is found whoever is active. A client takes a host for such a name when it has a provider.
    """
    name, former, rows = topology.cluster, topology.control_node.name, {}
    for service in (name, former):
        rows.update({
            f"dfs.ha.namenodes.{service}": ",".join(node.name for node in topology.running(name_nodes)),
            f"dfs.client.failover.proxy.provider.{service}": "org.apache.hadoop.hdfs.server.namenode.ha.ConfiguredFailoverProxyProvider",
            **{f"dfs.namenode.rpc-address.{service}.{row.host}": row.authority for row in topology.endpoints(name_nodes, "ipc")}})
    rows = {**rows, "dfs.nameservices": f"{name},{former}",
            # Daemons serve the one, under its own name.
            "dfs.internal.nameservices": name, "dfs.nameservice.id": name,
            # This policy asks the same NameNode again and again: with one it waits for its restart, with several it would never ask the next.
            "dfs.client.retry.policy.enabled": "false",
            # A moment before a client asks the next one, at most a second: the default waits up to 15 s after the failover is over.
            "dfs.client.failover.sleep.base.millis": "250", "dfs.client.failover.sleep.max.millis": "1000", "dfs.client.failover.max.attempts": "200",
            "dfs.ha.automatic-failover.enabled": "true", "dfs.ha.fencing.methods": FENCING,
            # Standing by, a NameNode reads edits as they are written, not when a segment ends: there is little left to read at a failover.
            "dfs.ha.tail-edits.in-progress": "true", "dfs.ha.tail-edits.period": "1s",
            # A JournalNode that was away takes part again from the next segment on.
            "dfs.ha.log-roll.period": "60s"}
    rows.update({f"dfs.namenode.http-address.{name}.{row.host}": row.authority for row in topology.endpoints(name_nodes)})
    return rows


def of_node(facts, name_nodes, journals) -> dict:
    """hdfs-site of a node with a NameNode and a JournalNode besides."""
    name, rows = facts.topology.cluster, {}
    if facts.here(name_nodes):
        places = ";".join(row.authority for row in facts.topology.endpoints(journals, "ipc"))
        rows.update({"dfs.ha.namenode.id": facts.node.name, "dfs.namenode.shared.edits.dir": f"qjournal://{places}/{name}"})
    if facts.here(journals):
        rows["dfs.journalnode.edits.dir"] = data_dirs(facts.node, "dfs/journal", "hdfs/journal", 1)
    return rows


def core(connect: str) -> dict:
    """core-site: how long a silent daemon is waited for. ``connect``: the servers of ZooKeeper."""
    return {"ha.zookeeper.quorum": connect, "ha.zookeeper.session-timeout.ms": str(SESSION_S * 1000),
            # A NameNode that hangs is given up after this, not after 45 s.
            "ha.health-monitor.rpc-timeout.ms": "20000",
            # A host that is gone refuses nothing: whoever asks it goes on to the next one after this, not after 20 s.
            "ipc.client.connect.timeout": "2000",
            # It is asked once to stand by before it is cut off: a second time is a pause for everybody.
            "ha.failover-controller.graceful-fence.connection.retries": "0",
            # A call on its way to a host that vanished without a word is given up after this, not after 2 minutes.
            "ipc.client.rpc-timeout.ms": "60000"}
