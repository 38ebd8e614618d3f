"""HDFS: NameNode and DataNodes."""
from __future__ import annotations

import math

from ..domain.config import kinds, writers
from ..domain.config.folders import data_dirs, file_uris
from ..domain.paths import HADOOP_CONF, HDFS_STATE, RUN
from ..domain.sizing.rules import clamp
from . import alerts_hdfs, draining_hdfs, findings_hdfs, hdfs_ha, panels_hdfs, reasons
from .hadoop import FILES, OPENS, PROXY_USERS, TRASH, xml_aliases
from .model import Component, ConfFile, Figures, Health, Heap, Metrics, Proof, Refresh, Service, TextFile, on
from .zookeeper import connect_string

# Keys of another daemon, or of the clients: pairs of a file's stem and a pattern, matched from a key's beginning.
OF_NAMENODE = ("hdfs-site", r"dfs\.namenode\.(?!.*(address(\.[^.]+\..+)?|principal|keytab\.file)$)")
OF_DATANODE = ("hdfs-site", r"dfs\.datanode\.(?!.*address$)")
OF_HDFS = (OF_NAMENODE, OF_DATANODE, TRASH)
# What `hdfs dfsadmin -reconfig` changes in a running daemon, in every release offered here.
NAMENODE_LIVE = ("hdfs-site", (
    r"dfs\.(heartbeat\.interval|datanode\.peer\.stats\.enabled|namenode\.heartbeat\.recheck-interval|block\.invalidate\.limit|"
    r"image\.parallel\.load|storage\.policy\.satisfier\.mode|namenode\.(replication\.(max-streams|max-streams-hard-limit|"
    r"work\.multiplier\.per\.iteration)|avoid\.read\.slow\.datanode|max\.slowpeer\.collect\.nodes|"
    r"block-placement-policy\.exclude-slow-nodes\.enabled))$"))
DATANODE_LIVE = ("hdfs-site", (
    r"dfs\.(blockreport\.(intervalMsec|initialDelay)|cachereport\.intervalMsec|datanode\.(balance\.max\.concurrent\.moves|"
    r"max\.transfer\.threads|peer\.stats\.enabled|fileio\.profiling\.sampling\.percentage|outliers\.report\.interval|"
    r"min\.outlier\.detection\.nodes|slowpeer\.low\.threshold\.ms|max\.slowdisks\.to\.exclude))$"))
# Whose nodes have the lists of nodes, of both.
LISTING = ("namenode", "resourcemanager")

NAMENODE = Component(
    "namenode", on("master"), "hdfs", ("hdfs", "namenode"), {"http": 9870, "ipc": 8020},
    # 1 GiB is good for a million blocks.
    Heap(0.10, 192, 65536, roomy=1024),
    Health("hdfs.namenode", "http", "/jmx?qry=Hadoop:service=NameNode,name=*"), FILES,
    jvm_opts_env="HDFS_NAMENODE_OPTS", jvm_flags=OPENS, label="HDFS NameNode", web="http", ignores=(OF_DATANODE,),
    refreshes=(Refresh("proxyusers", ("hdfs", "dfsadmin", "-refreshSuperUserGroupsConfiguration"), (PROXY_USERS,)),
               Refresh("settings", ("hdfs", "dfsadmin", "-reconfig", "namenode", "{node}:8020"), (NAMENODE_LIVE,))),
    storage=(("hdfs-site", "dfs.namenode.name.dir"),), storage_mode="0700", lists=("dfs.hosts", "dfs.hosts.exclude"), leads=True,
    marked=True, turn="hdfs.namenode", native=True, metrics=Metrics(), after=("journalnode",), shares="journalnode",
    becomes="hdfs.namenode", words=hdfs_ha.one_name)
JOURNALNODE = hdfs_ha.journal_node(FILES, (OF_NAMENODE, OF_DATANODE, TRASH, PROXY_USERS))
# It reads a NameNode's addresses, which the pattern leaves out.
ZKFC = hdfs_ha.failover_controller(FILES, (OF_NAMENODE, OF_DATANODE, TRASH, PROXY_USERS))
DATANODE = Component(
    "datanode", on("slave"), "hdfs", ("hdfs", "datanode"), {"http": 9864, "data": 9866, "ipc": 9867}, Heap(0.05, 128, 4096),
    Health("hdfs.datanode", "http", "/jmx?qry=Hadoop:service=DataNode,name=DataNodeInfo"), FILES, ("namenode",),
    "HDFS_DATANODE_OPTS", (), "HDFS DataNode", "http", (OF_NAMENODE, TRASH, PROXY_USERS),
    (Refresh("settings", ("hdfs", "dfsadmin", "-reconfig", "datanode", "{node}:9867"), (DATANODE_LIVE,)),),
    storage=(("hdfs-site", "dfs.datanode.data.dir"),), storage_mode="0700", work="store data", marked=True, turn="hdfs.datanode", native=True,
    metrics=Metrics(),
    # A copy of every block stays up.
    together=lambda effective: max(1, int(str(effective["hdfs-site"]["dfs.replication"])) - 1))


def replication(slaves: int) -> int:
    """Copies of a block: 1 with one slave, 2 with two or three (so that one can leave), 3 from four on."""
    return 1 if slaves <= 1 else 2 if slaves <= 3 else 3


def handlers(nodes: int, vcpus: int) -> int:
    """Threads that answer calls in the NameNode: 20 x ln(nodes), at least 10, at most 16 for each vCPU."""
    return int(clamp(20 * math.log(max(nodes, 1)), 10, max(10, 16 * vcpus)))


def default_fs(topology) -> str:
    """The name of the cluster's file system: the only place that says whose it is.

    With one NameNode it is that daemon's address, with several a name that is nobody's. Files' locations, which tables and histories keep, say
    ``hdfs:///``, so that they stay what they are when the one becomes the other.
    """
    return f"hdfs://{topology.cluster}" if several(topology) else f"hdfs://{topology.endpoints(NAMENODE, 'ipc')[0].authority}"


def several(topology) -> bool:
    """Whether NameNodes stand by for each other."""
    return bool(topology.running(JOURNALNODE))


def _addresses(facts) -> dict:
    """What hdfs-site says of who serves the file system."""
    if several(facts.topology):
        return {**hdfs_ha.shared(facts.topology, NAMENODE), **hdfs_ha.of_node(facts, NAMENODE, JOURNALNODE)}
    return {"dfs.namenode.rpc-address": facts.endpoint(NAMENODE, "ipc").authority, "dfs.namenode.http-address": facts.endpoint(NAMENODE).authority}


def _defaults(facts) -> dict:
    node = facts.node
    conf = {
        "dfs.namenode.rpc-bind-host": "0.0.0.0", "dfs.namenode.http-bind-host": "0.0.0.0",
        "dfs.permissions.superusergroup": "hadoop",
        "dfs.hosts": f"{HADOOP_CONF}/dfs.hosts", "dfs.hosts.exclude": f"{HADOOP_CONF}/dfs.hosts.exclude",
        # dfs.hosts decides who may join; a reverse look-up besides would only refuse new nodes for a stale hosts file.
        "dfs.namenode.datanode.registration.ip-hostname-check": "false",
        # Dead after 2 x 30 s + 10 heartbeats of 3 s = 90 s, not 10.5 minutes; stale, so avoided, after 30 s.
        "dfs.namenode.heartbeat.recheck-interval": "30000", "dfs.namenode.stale.datanode.interval": "30000",
        "dfs.namenode.avoid.read.stale.datanode": "true", "dfs.namenode.avoid.write.stale.datanode": "true",
        # Clients wait out a restart of the NameNode and its safe mode, in which they would fail otherwise: 10 tries about every
        # second, then 10 about every 5.
        "dfs.client.retry.policy.enabled": "true", "dfs.client.retry.policy.spec": "1000,10,5000,10",
        # A reader on a DataNode's own host gets the file itself through this socket, by Hadoop's native library; all others ask over
        # TCP. The folder is the unit's own, so nobody else can put a socket there.
        "dfs.client.read.shortcircuit": "true", "dfs.domain.socket.path": f"{RUN}/{DATANODE.name}/socket",
        # Leave safe mode as soon as the blocks are there.
        "dfs.namenode.safemode.extension": "0",
        # A decommission in seconds, not minutes (measured 51 s -> 16 s for 480 MB).
        "dfs.namenode.decommission.interval": "2", "dfs.namenode.redundancy.interval.seconds": "1",
        "dfs.namenode.replication.work.multiplier.per.iteration": "10",
        # A copy that failed, for its target has just been released, is tried again after 60 s: a decommission waits for it.
        "dfs.namenode.reconstruction.pending.timeout-sec": "60",
        **_addresses(facts),
    }
    if facts.here(NAMENODE):
        conf["dfs.namenode.name.dir"] = file_uris(data_dirs(node, "dfs/name", "hdfs/name", 2))
    if facts.here(DATANODE):
        conf["dfs.datanode.hostname"] = node.name
        conf["dfs.datanode.data.dir"] = file_uris(data_dirs(node, "dfs/data", "hdfs/data"))
        if len(node.disks) > 2:
            conf["dfs.datanode.failed.volumes.tolerated"] = "1"
        # Bytes of each volume that HDFS leaves free; more where the operating system shares it.
        conf["dfs.datanode.du.reserved"] = str((1 if node.disks else 4) << 30)
    core = hdfs_ha.core(connect_string(facts.topology)) if several(facts.topology) else {}
    return {"core-site": {"fs.defaultFS": default_fs(facts.topology), **core}, "hdfs-site": conf}


def _sizes(facts) -> dict:
    slaves = len(facts.topology.with_role(*DATANODE.roles))
    return {"hdfs-site": {"dfs.replication": str(replication(slaves)),
                          "dfs.namenode.handler.count": str(handlers(slaves, facts.topology.running(NAMENODE)[0].vcpus))}}


def _rules(spec, configs):
    """Copies of blocks that the nodes cannot hold. ``configs``: (path, settings) of the spec and of its groups."""
    slaves = spec.count(*DATANODE.roles)
    if spec.count(*NAMENODE.roles) > 1 and spec.backup.enabled:
        yield ("backup.enabled", "backups of the metadata are not made yet where NameNodes stand by for each other",
               "Write backup: {enabled: false}. Each of the three masters has all of the metadata.")
    for path, config in configs:
        text = config.get("hdfs-site", {}).get("dfs.replication")
        if text is None or not slaves:
            continue
        key = f"{path}.hdfs-site.dfs.replication"
        if int(text) < 1:
            yield key, f"found {text}, expected at least 1", "Write 2 or 3, or 1 for data that may be lost."
        elif int(text) > slaves:
            yield (key, f"found {text} copies of each block, but there are only {slaves} slave nodes to hold them",
                   f"Write at most {slaves}, or raise the count of a slave group.")


def _offers(spec, rows) -> dict:
    """The capacity of HDFS in GiB, raw and after replication. ``rows``: (node, how many such, configuration)."""
    raw = replicas = 0
    for node, number, conf in rows:
        if node.role in DATANODE.roles:
            replicas = int(str(conf["hdfs-site"]["dfs.replication"]))
            raw += number * _gib(spec, node, int(str(conf["hdfs-site"]["dfs.datanode.du.reserved"])) >> 30)
    return {"hdfs_raw_gib": raw, "replication": replicas, "hdfs_gib": raw // replicas if replicas else 0}


def _gib(spec, node, reserved: int) -> int:
    """GiB that a DataNode offers: its volumes less what each keeps free; the system disk also holds the system."""
    if node.disks:
        return sum(max(0, d.size_gib - reserved) for d in node.disks)
    group = spec.node_groups.get(node.group)
    return max(0, (group.system_disk.size_gib if group else 0) - reserved)


def _troubles(told) -> list:
    return (["HDFS is in safe mode"] if told.get("safe_mode") else []) + (
        [f"HDFS has {told['missing_blocks']} missing blocks"] if told.get("missing_blocks") else [])


def _storing(facts, _effective) -> str:
    return writers.node_list([n.name for n in facts.topology.nodes + facts.draining if n.role in DATANODE.roles])


FIGURES = (Figures("HDFS", "", (
    ("used", "max(fs_namesystem_capacity_used)", "bytes"), ("capacity", "max(fs_namesystem_capacity_total)", "bytes"),
    ("share", "100 * max(fs_namesystem_capacity_used) / max(fs_namesystem_capacity_total)", "percent"),
    ("blocks", "max(fs_namesystem_blocks_total)", ""), ("missing", "max(fs_namesystem_missing_blocks)", ""),
    ("under_replicated", "max(fs_namesystem_under_replicated_blocks)", ""), ("live_datanodes", "max(fs_namesystem_num_live_data_nodes)", ""))),)


def _pauses(_spec) -> list:
    """What of HDFS waits during an upgrade."""
    return ["HDFS: programs that write wait for some seconds while the NameNode keeps an image of what is there.",
            "HDFS: everything waits until the NameNode has restarted. DataNodes restart in turns, and writers wait for theirs."]


SERVICE = Service(
    name="hdfs", figures=FIGURES, pauses=_pauses, answers="namenode", members="datanode", counted="live", draining=draining_hdfs.DRAINING, troubles=_troubles,
    proof=Proof("storage", "a file was written, read back and compared"), used_by=(None, None), deletable=False,
    components=(NAMENODE, DATANODE, JOURNALNODE, ZKFC),
    files=(ConfFile(
        "hdfs-site", f"{HADOOP_CONF}/hdfs-site.xml", everywhere=True, prefixes=("dfs.",), takes=("core-site",),
        aliases=xml_aliases("hdfs-site", "hdfs"), counted=("dfs.replication", "dfs.namenode.handler.count"),
        types={**dict.fromkeys((
            "dfs.replication", "dfs.namenode.replication.min", "dfs.replication.max", "dfs.namenode.handler.count",
            "dfs.datanode.handler.count", "dfs.namenode.replication.max-streams", "dfs.datanode.du.reserved",
            "dfs.datanode.failed.volumes.tolerated", "dfs.namenode.heartbeat.recheck-interval"), kinds.INT),
            "dfs.namenode.safemode.threshold-pct": kinds.NUMBER, "dfs.permissions.enabled": kinds.BOOL},
        type_patterns=((r"^dfs\.", kinds.ENABLED), (r"^dfs\.", kinds.MILLISECONDS)),
        reserved={
            "dfs.http.policy": reasons.SECURE, "dfs.block.access.token.enable": reasons.SECURE,
            **dict.fromkeys(("dfs.namenode.name.dir", "dfs.namenode.edits.dir", "dfs.datanode.data.dir", "dfs.name.dir", "dfs.data.dir"),
                            reasons.DIRS),
            "dfs.hosts": reasons.LIST, "dfs.hosts.exclude": reasons.LIST,
            **dict.fromkeys(("dfs.nameservices", "dfs.internal.nameservices", "dfs.nameservice.id"), reasons.HA),
            "dfs.ha.automatic-failover.enabled": reasons.HA,
            "dfs.journalnode.edits.dir": reasons.DIRS, "dfs.ha.fencing.methods": reasons.HA,
            "dfs.permissions.superusergroup": "the daemons' users get their rights by this group"},
        reserved_patterns=((r"^dfs\.(namenode|datanode)\.(.*[.-])?(address|bind-host|hostname)$", reasons.ADDRESS),
                           (r"^dfs\.(ha\.namenodes?|client\.failover\.proxy\.provider|namenode\.shared\.edits)\.", reasons.HA))),),
    texts=(TextFile(f"{HADOOP_CONF}/workers", _storing, at=LISTING, everywhere=True),
           TextFile(f"{HADOOP_CONF}/dfs.hosts", _storing, at=LISTING, everywhere=True),
           TextFile(f"{HADOOP_CONF}/dfs.hosts.exclude", lambda *_: "", at=LISTING, everywhere=True)),
    defaults=_defaults, sizes=_sizes, rules=_rules, offers=_offers, findings=(("hdfs", findings_hdfs.hdfs), ("backup", findings_hdfs.backup)),
    directories=((HDFS_STATE, "hdfs", "0755"),), panels=panels_hdfs.PANELS, alerts=alerts_hdfs.alerts(NAMENODE, DATANODE))
