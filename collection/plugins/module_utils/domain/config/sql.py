"""Settings of the services for SQL: the metastore, and Spark's servers for other people's statements. Pure Python: no Ansible import."""
from __future__ import annotations

from ..catalogue import COMPONENTS
from ..sizing import memory as sizing
from ..topology.endpoints import endpoints

# The password of a database of the user's own: where it is kept, and the controller's variable that it comes from.
PASSWORD_FILE = "/etc/emr/metastore/database.jceks"
PASSWORD_VARIABLE = "EMR_METASTORE_PASSWORD"
_CONNECTION = "javax.jdo.option.Connection"
WAREHOUSE = "/hive/warehouse"
# YARN's tag of applications that are daemons of the cluster: they do not count as work.
SERVER_TAG = "emr-server"
SERVERS = ("spark-thrift", "spark-connect")
_PORT_KEYS = {"spark-thrift": "spark.hadoop.hive.server2.thrift.port", "spark-connect": "spark.connect.grpc.binding.port"}


def database(url: str) -> dict:
    """Settings for a database of the user's own, with MariaDB's driver for MySQL as well."""
    kind, _colon, place = url.partition(":")
    if kind == "postgresql":
        return {_CONNECTION + "URL": f"jdbc:{url}", _CONNECTION + "DriverName": "org.postgresql.Driver"}
    # Hive goes by the name that the driver gives, and knows none but MySQL.
    return {_CONNECTION + "URL": f"jdbc:mariadb:{place}?useMysqlMetadata=true", _CONNECTION + "DriverName": "org.mariadb.jdbc.Driver"}


def metastore_site(folder: str, own=None) -> dict:
    """metastore-site of the master; ``folder`` is the one on its disk, ``own`` the spec's Database or None."""
    conf = _metastore_site(folder)
    if own:
        conf.update(database(own.url))
        conf.update({_CONNECTION + "UserName": own.user, "hadoop.security.credential.provider.path": f"localjceks://file{PASSWORD_FILE}"})
    return conf


def _metastore_site(folder: str) -> dict:
    return {
        "emr.metastore.dir": folder, "metastore.thrift.port": str(COMPONENTS["metastore"].ports["thrift"]),
        "metastore.warehouse.dir": WAREHOUSE,
        _CONNECTION + "URL": f"jdbc:derby:{folder}/db",
        _CONNECTION + "DriverName": "org.apache.derby.jdbc.EmbeddedDriver",
        # The default comes with Hive's own engine, which is not here; Spark sends filters as text.
        "metastore.expression.proxy": "org.apache.hadoop.hive.metastore.DefaultPartitionExpressionProxy",
        # The default starts threads for Hive's transactions and compactions as well.
        "metastore.task.threads.always": "org.apache.hadoop.hive.metastore.events.EventCleanerTask",
        # 200 idle threads by default.
        "metastore.server.min.threads": "4", "metastore.server.max.threads": "200",
    }


def session(services, topology) -> dict:
    """What makes Spark's sessions see the tables of all, where there is a metastore; else each has tables of its own."""
    if "metastore" not in services:
        # Spark's default starts an embedded metastore for every session, slow and seen by nobody else.
        return {"spark.sql.catalogImplementation": "in-memory"}
    return {"spark.sql.catalogImplementation": "hive", "spark.sql.warehouse.dir": WAREHOUSE,
            "spark.hadoop.hive.metastore.uris": ",".join(f"thrift://{e.authority}" for e in endpoints(topology, "metastore", "thrift")),
            # A metastore that restarts is a pause for its clients: tries about every second.
            "spark.hadoop.hive.metastore.connect.retries": "20", "spark.hadoop.hive.metastore.failure.retries": "20"}


def held(services) -> int:
    """MiB of YARN's memory that the servers hold while nobody works."""
    return sizing.SERVER_MASTER * sum(name in services for name in SERVERS)


def room_for_masters(services, shapes) -> dict:
    """The share of YARN's memory for application masters, with those of the servers on top of what jobs have without them.

    Otherwise the servers alone would fill the share of a small cluster, and no job would begin. ``shapes``: (memory MiB, vCPUs).
    """
    memory = sum(sizing.yarn_memory(mib) for mib, _vcpus in shapes)
    return {"yarn.scheduler.capacity.maximum-am-resource-percent": f"{min(0.9, 0.5 + held(services) / max(1, memory)):.2f}"}


def server(name: str, memory_mib: int, computing: int) -> dict:
    """Settings of one server, besides those of all Spark applications: little while idle, executors as statements need them.

    ``memory_mib``: of its node; ``computing``: nodes that compute.
    """
    conf = {
        _PORT_KEYS[name]: str(COMPONENTS[name].ports["server"]), "spark.submit.deployMode": "client",
        "spark.driver.memory": f"{sizing.heap(name, memory_mib)}m", "spark.yarn.tags": SERVER_TAG,
        "spark.yarn.am.memory": "256m", "spark.yarn.am.memoryOverhead": "128m",
        "spark.dynamicAllocation.initialExecutors": "0", "spark.dynamicAllocation.minExecutors": "0",
        "spark.dynamicAllocation.maxExecutors": str(max(1, computing)),
        # Executors that only keep old shuffle data would never go.
        "spark.dynamicAllocation.shuffleTracking.timeout": "300s",
        # Statements of several sessions take turns.
        "spark.scheduler.mode": "FAIR",
    }
    if name == "spark-thrift":
        conf["spark.hadoop.hive.server2.thrift.bind.host"] = "0.0.0.0"
    else:
        # So that executors get Spark's Python library, for the functions of Python clients.
        conf["spark.yarn.isPython"] = "true"
    return conf
