"""The configuration of a node: every value, and where it came from. Pure Python: no Ansible import.

Release defaults < computed sizes < the spec's ``queues`` < its ``config`` < the node group's ``config``. Which values the cluster
decides itself, and the spec therefore may not set, is in config_keys.
"""
from __future__ import annotations

from dataclasses import dataclass

from ..catalogue import COMPONENTS, components_on
from ..jobs import logs as job_logs
from ..people.accounts import scheduler_settings
from ..resident import programs
from ..sizing import memory as sizing
from ..spec.model import as_spec
from ..spec.schema import STEMS
from ..topology.endpoints import default_fs, endpoint
from . import sql as config_sql

HADOOP_HOME = "/opt/emr/hadoop"
HADOOP_CONF = "/etc/emr/hadoop"
STATE = "/var/lib/emr"
# Neither a daemon's user nor a member of hadoop: what an unauthenticated reader of a web page is taken for.
WEB_USER = "nobody"


@dataclass(frozen=True)
class Value:
    """A setting's text and its origin: default, sizing, queues, spec or group."""

    value: str
    origin: str

    def __str__(self) -> str:
        return self.value


def effective_config(spec, topology, node, release=None) -> dict:
    """{file: {key: Value}} for one node; files in the order of schema.STEMS, keys sorted.

    ``spec``: Spec or its plain data; ``release``: a Release (or its name), needed for the version of Spark.
    Raises ValueError when the topology has no master.
    """
    spec = as_spec(spec)
    if not topology.masters:
        raise ValueError(f"cluster {topology.cluster} has no master")
    services = spec.expanded_services
    layers = [("default", _defaults(services, topology, node, _spark_version(spec, release), spec.metastore.database)),
              ("default", job_logs.retention(services, spec.logs)),
              ("sizing", _sized(services, topology, node)),
              ("queues", {"capacity-scheduler": scheduler_settings(spec)}),
              ("spec", spec.config)]
    if node.group in spec.node_groups:
        layers.append(("group", spec.node_groups[node.group].config))
    result: dict = {stem: {} for stem in STEMS}
    for origin, layer in layers:
        for stem, settings in layer.items():
            for key, text in settings.items():
                result[stem][key] = _merged(stem, key, str(text), origin, result[stem].get(key))
    return {stem: dict(sorted(settings.items())) for stem, settings in result.items()}


def _merged(stem: str, key: str, text: str, origin: str, before) -> Value:
    """A later layer replaces a value; JVM options are appended, since the last of two options counts."""
    if stem == "env" and before is not None and key.endswith("_OPTS"):
        text = f"{before.value} {text}".strip()
    return Value(text, origin)


def _spark_version(spec, release) -> str:
    """Version of Spark in this release, or an empty text when the release has none."""
    from ..install.releases import RELEASES

    found = RELEASES.get(spec.release if release is None else release) if not hasattr(release, "components") else release
    return found.components.get("spark", "") if found else ""


def _defaults(services, topology, node, spark_version: str, database=None) -> dict:
    """What a release sets on every cluster, with names and paths of this one."""
    layer = {"core-site": _core(services, topology), "hdfs-site": _hdfs(services, topology, node),
             "yarn-site": _yarn(services, topology, node), "mapred-site": _mapred(services, topology),
             "capacity-scheduler": _scheduler(services)}
    if "spark" in services:
        layer["spark-defaults"] = _spark(topology, spark_version) | config_sql.session(services, topology)
    if "metastore" in services and topology.runs(COMPONENTS["metastore"], node):
        layer["metastore-site"] = config_sql.metastore_site(_dirs(node, "metastore", "metastore", 1), database)
    return layer


def _core(services, topology) -> dict:
    conf = {"hadoop.http.staticuser.user": WEB_USER, "hadoop.prometheus.endpoint.enabled": "true",
            # Minutes that a deleted file stays in the trash: one day.
            "fs.trash.interval": "1440", "fs.trash.checkpoint.interval": "60",
            # A daemon that restarts is a pause for its callers, not a failure. This loop nests in dfs.client.retry.policy (below),
            # so it is short: a client of a dead NameNode gives up after some four minutes, with 45 tries after half an hour.
            "ipc.client.connect.max.retries": "10", "ipc.client.connect.retry.interval": "1000",
            "ipc.client.connect.max.retries.on.timeouts": "1"}
    # oss:// works as soon as there are an endpoint and a key (docs/local-oss.md).
    conf |= {"fs.oss.impl": "org.apache.hadoop.fs.aliyun.oss.AliyunOSSFileSystem",
             "fs.AbstractFileSystem.oss.impl": "org.apache.hadoop.fs.aliyun.oss.OSS"}
    if "hdfs" in services:
        conf["fs.defaultFS"] = default_fs(topology)
    return conf


def data_roots(node) -> list:
    """Folders below which a node keeps its data: one for each data disk, else one on the system disk."""
    return [f"/data/{i}" for i in range(1, len(node.disks) + 1)]


def _dirs(node, below_disk: str, on_system: str, most: int = 64) -> str:
    roots = data_roots(node)[:most]
    return ",".join(f"{root}/{below_disk}" for root in roots) if roots else f"{STATE}/{on_system}"


def _file_uris(paths: str) -> str:
    return ",".join(f"file://{path}" for path in paths.split(","))


def _hdfs(services, topology, node) -> dict:
    if "hdfs" not in services:
        return {}
    conf = {
        "dfs.namenode.rpc-address": endpoint(topology, "namenode", "ipc").authority, "dfs.namenode.rpc-bind-host": "0.0.0.0",
        "dfs.namenode.http-address": endpoint(topology, "namenode").authority, "dfs.namenode.http-bind-host": "0.0.0.0",
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
        # Leave safe mode as soon as the blocks are there.
        "dfs.namenode.safemode.extension": "0",
        # A decommission in seconds, not minutes (measured 51 s -> 16 s for 480 MB).
        "dfs.namenode.decommission.interval": "2", "dfs.namenode.redundancy.interval.seconds": "1",
        "dfs.namenode.replication.work.multiplier.per.iteration": "10",
        # A copy that failed, for its target has just been released, is tried again after 60 s: a decommission waits for it.
        "dfs.namenode.reconstruction.pending.timeout-sec": "60",
    }
    if topology.runs(COMPONENTS["namenode"], node):
        conf["dfs.namenode.name.dir"] = _file_uris(_dirs(node, "dfs/name", "hdfs/name", 2))
    if topology.runs(COMPONENTS["datanode"], node):
        conf["dfs.datanode.hostname"] = node.name
        conf["dfs.datanode.data.dir"] = _file_uris(_dirs(node, "dfs/data", "hdfs/data"))
        if len(node.disks) > 2:
            conf["dfs.datanode.failed.volumes.tolerated"] = "1"
        # Bytes of each volume that HDFS leaves free; more where the operating system shares it.
        conf["dfs.datanode.du.reserved"] = str((1 if node.disks else 4) << 30)
    return conf


def _yarn(services, topology, node) -> dict:
    if "yarn" not in services:
        return {}
    nm = COMPONENTS["nodemanager"].ports
    conf = {
        "yarn.resourcemanager.hostname": endpoint(topology, "resourcemanager").host, "yarn.resourcemanager.bind-host": "0.0.0.0",
        "yarn.resourcemanager.nodes.include-path": f"{HADOOP_CONF}/yarn.include",
        "yarn.resourcemanager.nodes.exclude-path": f"{HADOOP_CONF}/yarn.exclude",
        # Running applications survive a restart of either daemon.
        "yarn.resourcemanager.recovery.enabled": "true",
        "yarn.resourcemanager.store.class":
            "org.apache.hadoop.yarn.server.resourcemanager.recovery.FileSystemRMStateStore",
        "yarn.resourcemanager.fs.state-store.uri": f"file://{STATE}/yarn/rmstore",
        # A NodeManager that is gone is noticed after two minutes, not ten.
        "yarn.nm.liveness-monitor.expiry-interval-ms": "120000",
        # Nobody submits programs by HTTP: without authentication that is how clusters are misused.
        "yarn.webapp.enable-rest-app-submissions": "false",
        # So that queues may be kept for some users later without restarting anything; the queues admit everybody until then.
        "yarn.acl.enable": "true",
        # What a queue is sure of is taken back from those who borrowed it.
        "yarn.resourcemanager.scheduler.monitor.enable": "true",
        "yarn.nodemanager.vmem-check-enabled": "false",
        "yarn.log-aggregation-enable": "true" if "hdfs" in services else "false",
    }
    if "hdfs" in services:
        conf["yarn.nodemanager.remote-app-log-dir"] = "/yarn/logs"
    if "mapreduce" in services:
        conf.update({"yarn.nodemanager.aux-services": "mapreduce_shuffle",
                     "yarn.log.server.url": f"http://{endpoint(topology, 'historyserver').authority}/jobhistory/logs"})
    if topology.runs(COMPONENTS["nodemanager"], node):
        conf.update({
            "yarn.nodemanager.hostname": node.name, "yarn.nodemanager.bind-host": "0.0.0.0",
            # Recovery needs a port that stays the same.
            "yarn.nodemanager.address": f"{node.name}:{nm['ipc']}",
            "yarn.nodemanager.recovery.enabled": "true", "yarn.nodemanager.recovery.supervised": "true",
            "yarn.nodemanager.recovery.dir": f"{STATE}/yarn/nm-recovery",
            "yarn.nodemanager.local-dirs": _dirs(node, "yarn/local", "yarn/local"),
            "yarn.nodemanager.log-dirs": _dirs(node, "yarn/log", "yarn/log"),
            "yarn.nodemanager.disk-health-checker.max-disk-utilization-per-disk-percentage": "95",
            "yarn.nodemanager.disk-health-checker.min-free-space-per-disk-mb": "1024"})
    return conf


def _mapred(services, topology) -> dict:
    if "mapreduce" not in services:
        return {}
    history = {port: endpoint(topology, "historyserver", port).authority for port in COMPONENTS["historyserver"].ports}
    home = f"HADOOP_MAPRED_HOME={HADOOP_HOME}"
    return {
        "mapreduce.framework.name": "yarn",
        "mapreduce.application.classpath":
            "$HADOOP_HOME/share/hadoop/mapreduce/*,$HADOOP_HOME/share/hadoop/mapreduce/lib/*,"
            # DistCp's containers read and write oss://
            "$HADOOP_HOME/share/hadoop/tools/lib/*",
        "yarn.app.mapreduce.am.env": home, "mapreduce.map.env": home, "mapreduce.reduce.env": home,
        "mapreduce.jobhistory.address": history["ipc"], "mapreduce.jobhistory.bind-host": "0.0.0.0",
        "mapreduce.jobhistory.webapp.address": history["http"],
        "mapreduce.jobhistory.admin.address": history["admin"],
        # With the default directories the history server closes /tmp/hadoop-yarn for every other user.
        "yarn.app.mapreduce.am.staging-dir": "/user",
        "mapreduce.jobhistory.intermediate-done-dir": "/mr-history/tmp",
        "mapreduce.jobhistory.done-dir": "/mr-history/done",
        "mapreduce.shuffle.port": str(COMPONENTS["nodemanager"].ports["shuffle"]),
        # Reducers that wait for maps would hold memory the maps need.
        "mapreduce.job.reduce.slowstart.completedmaps": "0.8",
        "mapreduce.client.completion.pollinterval": "1000",
    }


def _scheduler(services) -> dict:
    if "yarn" not in services:
        return {}
    root = "yarn.scheduler.capacity.root"
    return {f"{root}.queues": "default", f"{root}.default.capacity": "100", f"{root}.default.maximum-capacity": "100",
            f"{root}.default.state": "RUNNING", f"{root}.default.user-limit-factor": "1",
            # On a small cluster the default of 0.1 admits one job at a time.
            "yarn.scheduler.capacity.maximum-am-resource-percent": "0.5",
            "yarn.scheduler.capacity.maximum-applications": "10000",
            "yarn.scheduler.capacity.node-locality-delay": "40"}


def _spark(topology, version: str) -> dict:
    history = endpoint(topology, "spark-historyserver")
    conf = {
        "spark.master": "yarn", "spark.submit.deployMode": "client",
        "spark.eventLog.enabled": "true", "spark.eventLog.dir": "hdfs:///spark/events",
        "spark.history.fs.logDirectory": "hdfs:///spark/events", "spark.history.ui.port": str(history.port),
        "spark.yarn.historyServer.address": history.authority,
        # No shuffle service in the NodeManager: executors that hold shuffle data are kept instead.
        "spark.dynamicAllocation.enabled": "true", "spark.dynamicAllocation.shuffleTracking.enabled": "true",
        "spark.pyspark.python": programs.PYTHON,
        # In client mode the page of a starting application races with the filter that its ApplicationMaster sends
        # (ConcurrentModificationException in attachAllHandlers, the job dies). The history server shows running ones too.
        "spark.ui.enabled": "false",
    }
    if version:
        # The jars lie in HDFS, so only clients need Spark.
        conf["spark.yarn.archive"] = f"hdfs:///spark/spark-libs-{version}.zip"
    return conf


def _sized(services, topology, node) -> dict:
    """What follows from the sizes of the nodes."""
    shapes = sizing.shapes_of(topology)
    slaves = len(topology.with_role("slave"))
    layer: dict = {"env": jvm_options(components_on(services, topology, node), node)}
    layer.update({name: config_sql.server(name, node.memory_mib, len(shapes)) for name in config_sql.SERVERS
                  if name in services and topology.runs(COMPONENTS[name], node)})
    if "hdfs" in services:
        layer["hdfs-site"] = {"dfs.replication": str(sizing.replication(slaves)),
                              "dfs.namenode.handler.count": str(sizing.handlers(slaves, topology.running(COMPONENTS["namenode"])[0].vcpus))}
    if "yarn" in services and shapes:
        layer["yarn-site"] = _sized_yarn(sizing.job_sizing(shapes), node, len(shapes), topology.runs(COMPONENTS["nodemanager"], node))
    if "yarn" in services and shapes and any(name in services for name in config_sql.SERVERS):
        layer["capacity-scheduler"] = config_sql.room_for_masters(services, shapes)
    if "mapreduce" in services and shapes:
        layer["mapred-site"] = _sized_mapred(sizing.job_sizing(shapes), min(shapes)[0], slaves)
    if "spark" in services and shapes:
        layer["spark-defaults"] = _sized_spark(sizing.spark_sizing(shapes, config_sql.held(services)), min(shapes)[0], len(shapes))
    return layer


def _sized_yarn(job, node, computing: int, computes: bool) -> dict:
    conf = {"yarn.scheduler.minimum-allocation-mb": job.min_allocation,
            "yarn.scheduler.maximum-allocation-mb": job.max_allocation,
            "yarn.scheduler.minimum-allocation-vcores": 1,
            "yarn.scheduler.maximum-allocation-vcores": job.max_vcores,
            # Containers are given out on heartbeats: a few nodes can afford four a second.
            "yarn.resourcemanager.nodemanagers.heartbeat-interval-ms": 250 if computing <= 20 else 1000}
    if computes:
        conf["yarn.nodemanager.resource.memory-mb"] = sizing.yarn_memory(node.memory_mib)
        conf["yarn.nodemanager.resource.cpu-vcores"] = max(1, node.vcpus)
    return {key: str(value) for key, value in conf.items()}


def _sized_mapred(job, least_memory: int, slaves: int) -> dict:
    flags = _quick_flags(least_memory)
    conf = {"mapreduce.map.memory.mb": job.map_mb, "mapreduce.reduce.memory.mb": job.reduce_mb,
            "yarn.app.mapreduce.am.resource.mb": job.am_mb, "mapreduce.task.io.sort.mb": job.sort_mb,
            "mapreduce.map.java.opts": " ".join((f"-Xmx{job.map_heap}m",) + flags),
            "mapreduce.reduce.java.opts": " ".join((f"-Xmx{job.reduce_heap}m",) + flags),
            "yarn.app.mapreduce.am.command-opts": " ".join((f"-Xmx{job.am_heap}m",) + flags),
            "mapreduce.client.submit.file.replication": max(1, min(10, slaves))}
    return {key: str(value) for key, value in conf.items()}


def _sized_spark(spark, least_memory: int, computing: int) -> dict:
    conf = {"spark.executor.cores": str(spark.cores), "spark.executor.memory": f"{spark.heap}m",
            "spark.executor.memoryOverhead": f"{spark.overhead}m", "spark.driver.memory": f"{spark.driver_heap}m",
            "spark.driver.memoryOverhead": f"{sizing.SPARK_OVERHEAD}m",
            "spark.sql.shuffle.partitions": str(spark.partitions),
            # Asked for while the driver still starts, so that the first stage finds them running.
            "spark.dynamicAllocation.initialExecutors": str(min(2, computing))}
    flags = " ".join(_quick_flags(least_memory))
    if flags:
        conf.update({f"spark.{who}.extraJavaOptions": flags for who in ("executor", "driver", "yarn.am")})
    return conf


def _quick_flags(memory_mib: int) -> tuple:
    """JVM flags for small nodes: the simple collector and the quick compiler halve the time of a short process."""
    return ("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1") if sizing.small(memory_mib) else ()


# The OSS client reads errors with an XML binding that makes classes at run time, which Java 17 forbids: without this flag a
# busy service's answer ends the command instead of being tried again.
CLIENT_FLAGS = "--add-opens=java.base/java.lang=ALL-UNNAMED"


def jvm_options(components, node) -> dict:
    """{variable: options} of these daemons, which run on this node, and of the command-line clients."""
    options = {}
    quick = _quick_flags(node.memory_mib)
    for component in components:
        size = sizing.heap(component.name, node.memory_mib)
        if component.application:
            # Spark takes the heap of its drivers from their settings.
            continue
        # The launcher adds a class-data archive where there is one: naming a missing one costs the JVM its default.
        flags = quick + ("-XX:+ExitOnOutOfMemoryError",) + component.jvm_flags
        if component.service == "spark":
            # Spark's launcher sets -Xmx itself, from this variable.
            options["SPARK_DAEMON_MEMORY"] = f"{size}m"
        else:
            flags = (f"-Xmx{size}m",) + flags
        options[component.jvm_opts_env] = " ".join(flags)
    client = 256 if sizing.small(node.memory_mib) else 512
    options["HADOOP_CLIENT_OPTS"] = " ".join((f"-Xmx{client}m",) + quick + (CLIENT_FLAGS,))
    return options
