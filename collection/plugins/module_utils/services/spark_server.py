"""What Spark's servers for other people's statements have in common. No home of its own: spark_thrift.py and spark_connect.py are."""
from __future__ import annotations

from ..domain.config import writers
from ..domain.paths import HADOOP_CONF, SPARK_CONF
from ..domain.sizing.rules import heap_of, shapes_of
from . import reasons, spark_native, spark_tables
from .alerts import down
from .hadoop import FILES, PROXY_USERS
from .hdfs import OF_HDFS
from .model import JOB_USER, Component, ConfFile, Health, Heap, Service, first
from .spark import ENVIRONMENT, OF_SPARK_HISTORY, ONLY, SERVER_MASTER, check, class_path, held
from .yarn import LOG_AGE, OF_NODEMANAGER, OF_RESOURCEMANAGER, yarn_memory

# YARN's tag of applications that are daemons of the cluster: they do not count as work.
SERVER_TAG = "emr-server"
HEAP = Heap(0.08, 512, 8192)
# They do not read spark-env.sh. What a cluster has not asked for is not there, and a class path may name it.
CLASS_PATH = class_path(spark_native.JARS, *spark_tables.JARS.values())


def room_for_masters(services, shapes) -> dict:
    """The share of YARN's memory for application masters, with those of the servers on top of what jobs have without them.

    Otherwise the servers alone would fill the share of a small cluster, and no job would begin. ``shapes``: (memory MiB, vCPUs).
    """
    memory = sum(yarn_memory(mib) for mib, _vcpus in shapes)
    return {"yarn.scheduler.capacity.maximum-am-resource-percent": f"{min(0.9, 0.5 + held(services) / max(1, memory)):.2f}"}


def settings(port_key: str, port: int, memory_mib: int, computing: int) -> dict:
    """Settings of one server, besides those of all Spark applications: little while idle, executors as statements need them.

    ``memory_mib``: of its node; ``computing``: nodes that compute.
    """
    return {
        port_key: str(port), "spark.submit.deployMode": "client",
        "spark.driver.memory": f"{heap_of(HEAP, memory_mib)}m", "spark.yarn.tags": SERVER_TAG,
        "spark.yarn.am.memory": "256m", "spark.yarn.am.memoryOverhead": "128m",
        "spark.dynamicAllocation.initialExecutors": "0", "spark.dynamicAllocation.minExecutors": "0",
        "spark.dynamicAllocation.maxExecutors": str(max(1, computing)),
        # Executors that only keep old shuffle data would never go.
        "spark.dynamicAllocation.shuffleTracking.timeout": "300s",
        # Statements of several sessions take turns.
        "spark.scheduler.mode": "FAIR",
    }


def server(name: str, label: str, main: str, port: int, port_key: str, more: dict) -> Service:
    """The home of one server: one application of YARN on the master, with executors as needed."""
    command = ("spark-class", "org.apache.spark.deploy.SparkSubmit", "--class", main, "--name", label.replace(" ", "-"),
               "--properties-file", f"{SPARK_CONF}/{name}.conf", "--load-spark-defaults", "spark-internal")
    row = Component(
        name, first("master"), JOB_USER, command, {"server": port}, HEAP, Health("tcp", "server"),
        FILES | {"yarn-site", "spark-defaults", name}, ("namenode", "resourcemanager", "metastore"), label=label,
        ignores=(*OF_HDFS, PROXY_USERS, OF_NODEMANAGER, OF_RESOURCEMANAGER, LOG_AGE, OF_SPARK_HISTORY), group=JOB_USER, application=True,
        # spark-env.sh holds the heap of the history server, which Spark's launcher would take for this one too. The driver of an
        # application has more libraries (measured: 250), and its master takes of YARN's memory.
        env={**ENVIRONMENT, "SPARK_ENV_LOADED": "1", "SPARK_DIST_CLASSPATH": CLASS_PATH, "YARN_CONF_DIR": HADOOP_CONF}, beside=256, takes=SERVER_MASTER)

    def sizes(facts) -> dict:
        shapes, layer = shapes_of(facts.topology), {}
        if facts.here(row):
            layer[name] = {**settings(port_key, port, facts.node.memory_mib, len(shapes)), **more}
        if shapes:
            layer["capacity-scheduler"] = room_for_masters(facts.services, shapes)
        return layer

    return Service(
        name=name, needs=("hdfs", "yarn", "spark"), software="spark", components=(row,), sizes=sizes,
        alerts=(down("".join(word.title() for word in name.split("-")) + "Down", row, "Its clients cannot connect."),),
        files=(ConfFile(name, f"{SPARK_CONF}/{name}.conf", writers.properties, at=(name,), takes=("spark-defaults",), only=ONLY, check=check,
                        reserved={port_key: reasons.ADDRESS, "spark.yarn.tags": reasons.TAGS}),))
