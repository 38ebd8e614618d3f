"""The component catalogue: the one list of services and daemons.

Units, start and stop order, status, firewall, links and documentation are all derived from these rows.
Adding a service is: rows here and one role. Pure Python: no Ansible import.
Ports are Hadoop's and Spark's own defaults (hdfs-default.xml, yarn-default.xml, mapred-default.xml of 3.4).
"""
from __future__ import annotations

from dataclasses import dataclass

from . import catalogue_keys as keys
from .catalogue_keys import Refresh
from .topology.placement import Rule, first, on

ROLES = ("master", "slave", "task", "gateway")
# What a spec may write for several services at once.
BUNDLES = {"hadoop": ("hdfs", "yarn", "mapreduce")}
# service -> services that it cannot run without
SERVICES = {"hdfs": (), "yarn": (), "mapreduce": ("hdfs", "yarn"), "metastore": ("hdfs",), "spark": ("hdfs", "yarn"),
            "spark-thrift": ("hdfs", "yarn", "spark"), "spark-connect": ("hdfs", "yarn", "spark")}
# service -> artifact of the release that it runs from, beside Hadoop's.
SOFTWARE = {"metastore": "metastore", "spark": "spark", "spark-thrift": "spark", "spark-connect": "spark"}
# The account of the jobs: what runs other people's statements runs as it, since it has no rights of its own in HDFS.
JOB_USER = "emr"


@dataclass(frozen=True)
class Heap:
    """Heap rule: ``share`` of the node's memory, in MiB not under ``least`` nor over ``most``."""

    share: float
    least: int
    most: int


@dataclass(frozen=True)
class Health:
    """How to ask a daemon whether it serves: GET ``path`` on its ``port`` (a key of ``ports``).

    ``kind`` selects the reader of the answer: ``namenode`` (JMX, safe mode and live DataNodes), ``datanode`` (JMX,
    registered with the NameNode), ``resourcemanager`` (active nodes), ``nodemanager``, ``http`` (any 200 answer), ``metastore`` (its
    databases, by Thrift), ``tcp`` (the port accepts connections); the last two have no path.
    """

    kind: str
    port: str
    path: str


@dataclass(frozen=True)
class Component:
    """One daemon of a service.

    A change of a file that it ``reads`` wants a restart, except for keys that it ``ignores`` (pairs of a stem and a pattern:
    they need nothing) and keys of its ``refreshes``. What is not known to be harmless restarts. ``placement`` says where it runs. An ``application`` is itself an
    application of YARN, which runs as long as the daemon does.
    """

    name: str
    service: str
    placement: Rule
    user: str
    command: tuple
    ports: dict
    heap: Heap
    health: Health
    reads: frozenset
    after: tuple = ()
    jvm_opts_env: str = ""
    jvm_flags: tuple = ()
    label: str = ""
    web: str = ""
    ignores: tuple = ()
    refreshes: tuple = ()
    group: str = "hadoop"
    application: bool = False

    @property
    def roles(self) -> frozenset:
        """Every role on whose nodes it may run."""
        return self.placement.roles

    @property
    def unit(self) -> str:
        """Name of the systemd unit, without ``.service``."""
        return f"emr-{self.name}"

    @property
    def software(self) -> str:
        """The artifact that it runs from."""
        return SOFTWARE.get(self.service, "hadoop")


_HADOOP = frozenset({"core-site", "hdfs-site"})
_YARN = _HADOOP | {"yarn-site"}
# On Java 17 ResourceManager, NodeManager and JobHistoryServer exit with 255 without it, and WebHDFS answers 500.
_OPENS = ("--add-opens=java.base/java.lang=ALL-UNNAMED",)


def _server(name: str, label: str, port: int, main: str, *arguments) -> Component:
    """A server of Spark for other people's statements, on the master: one application of YARN with executors as needed."""
    command = ("spark-class", "org.apache.spark.deploy.SparkSubmit", "--class", main, "--name", label.replace(" ", "-"),
               "--properties-file", f"/etc/emr/spark/{name}.conf", "--load-spark-defaults", *arguments)
    return Component(name, name, first("master"), JOB_USER, command, {"server": port}, Heap(0.08, 512, 8192),
                     Health("tcp", "server", ""), frozenset({"core-site", "hdfs-site", "yarn-site", "spark-defaults", name}),
                     ("namenode", "resourcemanager", "metastore"), "", (), label, "",
                     (*keys.OF_HDFS, keys.PROXY_USERS, keys.OF_NODEMANAGER, keys.OF_RESOURCEMANAGER, keys.LOG_AGE,
                      keys.OF_SPARK_HISTORY),
                     group=JOB_USER, application=True)


_ROWS = (
    Component("namenode", "hdfs", on("master"), "hdfs", ("hdfs", "namenode"),
              {"http": 9870, "ipc": 8020}, Heap(0.10, 192, 65536),
              Health("namenode", "http", "/jmx?qry=Hadoop:service=NameNode,name=*"),
              _HADOOP, (), "HDFS_NAMENODE_OPTS", _OPENS, "HDFS NameNode", "http", (keys.OF_DATANODE,),
              (Refresh("proxyusers", ("hdfs", "dfsadmin", "-refreshSuperUserGroupsConfiguration"), (keys.PROXY_USERS,)),
               Refresh("settings", ("hdfs", "dfsadmin", "-reconfig", "namenode", "{node}:8020"),
                       (keys.NAMENODE_LIVE,)))),
    Component("datanode", "hdfs", on("slave"), "hdfs", ("hdfs", "datanode"),
              {"http": 9864, "data": 9866, "ipc": 9867}, Heap(0.05, 128, 4096),
              Health("datanode", "http", "/jmx?qry=Hadoop:service=DataNode,name=DataNodeInfo"),
              _HADOOP, ("namenode",), "HDFS_DATANODE_OPTS", (), "HDFS DataNode", "http",
              (keys.OF_NAMENODE, keys.TRASH, keys.PROXY_USERS),
              (Refresh("settings", ("hdfs", "dfsadmin", "-reconfig", "datanode", "{node}:9867"),
                       (keys.DATANODE_LIVE,)),)),
    Component("resourcemanager", "yarn", on("master"), "yarn", ("yarn", "resourcemanager"),
              {"http": 8088, "ipc": 8032, "scheduler": 8030, "tracker": 8031, "admin": 8033}, Heap(0.08, 192, 8192),
              Health("resourcemanager", "http", "/ws/v1/cluster/metrics"),
              _YARN | {"capacity-scheduler"}, (), "YARN_RESOURCEMANAGER_OPTS", _OPENS, "YARN ResourceManager", "http",
              (*keys.OF_HDFS, keys.OF_NODEMANAGER, keys.LOG_AGE),
              (Refresh("proxyusers", ("yarn", "rmadmin", "-refreshSuperUserGroupsConfiguration"), (keys.PROXY_USERS,)),
               Refresh("acls", ("yarn", "rmadmin", "-refreshAdminAcls"), (keys.ADMINS,)),
               Refresh("queues", ("yarn", "rmadmin", "-refreshQueues"), (keys.QUEUES,)))),
    Component("nodemanager", "yarn", on("slave", "task"), "yarn", ("yarn", "nodemanager"),
              {"http": 8042, "ipc": 8041, "localizer": 8040, "shuffle": 13562}, Heap(0.04, 128, 2048),
              Health("nodemanager", "http", "/ws/v1/node/info"),
              _YARN | {"mapred-site"}, ("resourcemanager",), "YARN_NODEMANAGER_OPTS", _OPENS, "YARN NodeManager",
              "http", (*keys.OF_HDFS, keys.PROXY_USERS, keys.OF_RESOURCEMANAGER, keys.LOG_AGE, keys.OF_JOBS)),
    Component("historyserver", "mapreduce", first("master"), "mapred", ("mapred", "historyserver"),
              {"http": 19888, "ipc": 10020, "admin": 10033}, Heap(0.04, 128, 4096),
              Health("http", "http", "/ws/v1/history/info"),
              _YARN | {"mapred-site"}, ("namenode",), "MAPRED_HISTORYSERVER_OPTS", _OPENS,
              "MapReduce JobHistoryServer", "http",
              (*keys.OF_HDFS, keys.OF_RESOURCEMANAGER, keys.OF_NODEMANAGER, keys.NOT_OF_HISTORY),
              (Refresh("proxyusers", ("mapred", "hsadmin", "-refreshSuperUserGroupsConfiguration"), (keys.PROXY_USERS,)),
               Refresh("acls", ("mapred", "hsadmin", "-refreshAdminAcls"), (keys.HISTORY_ADMINS,)),
               Refresh("log-age", ("mapred", "hsadmin", "-refreshLogRetentionSettings"), (keys.LOG_AGE,)))),
    Component("spark-historyserver", "spark", first("master"), "spark",
              ("spark-class", "org.apache.spark.deploy.history.HistoryServer"),
              {"http": 18080}, Heap(0.05, 256, 4096),
              Health("http", "http", "/api/v1/applications?limit=1"),
              frozenset({"core-site", "hdfs-site", "spark-defaults"}), ("namenode",), "SPARK_HISTORY_OPTS", (),
              "Spark history server", "http", (*keys.OF_HDFS, keys.PROXY_USERS, keys.NOT_OF_SPARK_HISTORY)),
    Component("metastore", "metastore", first("master"), "hive", ("metastore",), {"thrift": 9083},
              Heap(0.05, 192, 4096), Health("metastore", "thrift", ""), _HADOOP | {"metastore-site"}, ("namenode",),
              "METASTORE_OPTS", (), "Hive metastore", "", (*keys.OF_HDFS, keys.PROXY_USERS)),
    _server("spark-thrift", "Spark Thrift server", 10000, "org.apache.spark.sql.hive.thriftserver.HiveThriftServer2",
            "spark-internal"),
    _server("spark-connect", "Spark Connect server", 15002, "org.apache.spark.sql.connect.service.SparkConnectServer",
            "spark-internal"),
)
COMPONENTS = {row.name: row for row in _ROWS}


def expand_services(names) -> tuple:
    """Services with bundles resolved, in catalogue order, without repetition. Raises KeyError for an unknown name."""
    wanted: set = set()
    for name in names:
        members = BUNDLES.get(name, (name,))
        for member in members:
            if member not in SERVICES:
                raise KeyError(member)
            wanted.add(member)
    return tuple(s for s in SERVICES if s in wanted)


def components_for(services, role: str | None = None) -> tuple:
    """Components of these (expanded) services, optionally only those that run on ``role``, in start order."""
    services = set(services)
    return tuple(c for c in start_order() if c.service in services and (role is None or role in c.roles))


def components_on(services, topology, node) -> tuple:
    """Components of these (expanded) services that run on this node of a topology, in start order."""
    return tuple(c for c in components_for(services, node.role) if topology.runs(c, node))


def start_order() -> tuple:
    """All components so that each comes after what it must start after."""
    done: list = []
    rest = list(_ROWS)
    while rest:
        ready = [c for c in rest if all(COMPONENTS[a] in done for a in c.after)]
        if not ready:
            raise ValueError("circular start order: " + ", ".join(c.name for c in rest))
        done += ready
        rest = [c for c in rest if c not in ready]
    return tuple(done)
