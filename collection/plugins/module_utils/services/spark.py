"""Spark: its clients, the history server, and the sizes of executors and drivers."""
from __future__ import annotations

from dataclasses import dataclass

from ..domain import paths
from ..domain.config import kinds, texts, writers
from ..domain.install.systems import SPARK_PYTHON
from ..domain.paths import HADOOP_CONF, HADOOP_HOME, HADOOP_NATIVE, SPARK_CONF, SPARK_HOME
from ..domain.resident.files import NOTE
from ..domain.sizing.rules import QUICK_COLLECTOR, clamp, floor, quick_flags, shapes_of, small
from ..domain.text import durations
from . import panels_spark, reasons, spark_native, spark_tables
from .alerts import down
from .hadoop import FILES, PROXY_USERS
from .hdfs import OF_HDFS
from .metastore import METASTORE, WAREHOUSE
from .model import Component, ConfFile, Health, Heap, History, Service, TextFile, first
from .spark_spec import SPEC
from .yarn import job_sizing, yarn_memory

# An executor or application master of Spark needs about 900 MiB: 450 MiB of heap at least and 384 MiB beside it.
SPARK_LEAST = 1024
SPARK_OVERHEAD = 384
# Of the settings of Spark, nearly all are read by the jobs.
NOT_OF_SPARK_HISTORY = ("spark-defaults", (
    r"(?!spark\.(history|hadoop|ui|acls|admin|eventLog|ssl|authenticate|io\.compression)\b)"))
OF_SPARK_HISTORY = ("spark-defaults", r"spark\.history\.")
# Homes that are servers for other people's statements (spark_server.py). The application master of one: 256 MiB of heap and 128 beside it, in the
# unit of allocations.
SERVERS, SERVER_MASTER = ("spark-thrift", "spark-connect"), 512
# Nodes with the clients of Spark.
CLIENTS = ("master", "gateway")
# Where shuffle data goes that no other executor has room for.
FALLBACK = "/spark/fallback"
ENVIRONMENT = {"SPARK_HOME": SPARK_HOME, "SPARK_CONF_DIR": SPARK_CONF, "SPARK_LOG_DIR": "{log_dir}"}
# What a key that Spark ignores is answered with.
ONLY = ("Spark ignores keys that do not begin with spark., expected such a key", "Write spark.hadoop.{key} for a setting of Hadoop.")

HISTORY = Component(
    "spark-historyserver", first("master"), "spark", ("spark-class", "org.apache.spark.deploy.history.HistoryServer"), {"http": 18080},
    Heap(0.05, 256, 4096), Health("http", "http", "/api/v1/applications?limit=1"), FILES | {"spark-defaults"}, ("namenode",),
    "SPARK_HISTORY_OPTS", (), "Spark history server", "http", (*OF_HDFS, PROXY_USERS, NOT_OF_SPARK_HISTORY),
    # Spark's launcher sets -Xmx itself, from this variable.
    heap_env="SPARK_DAEMON_MEMORY", env=ENVIRONMENT)


@dataclass(frozen=True)
class SparkSizing:
    """Sizes of Spark's processes: heap and the overhead beside it in MiB, cores of an executor."""

    cores: int
    heap: int
    overhead: int
    driver_heap: int
    partitions: int


def held(services) -> int:
    """MiB of YARN's memory that the servers hold while nobody works."""
    return SERVER_MASTER * sum(name in services for name in SERVERS)


def spark_sizing(shapes, held: int = 0) -> SparkSizing:
    """Executors for nodes of these (memory MiB, vCPUs): about two on a node of 4 vCPUs, at most 5 cores each.

    The container's memory is the node's share, heap = container / 1.1 with at least 384 MiB beside it. A small node's
    executor takes half of it, so that a driver finds room next to it. ``held``: MiB that daemons take of YARN; a single node
    shares what is left.
    """
    unit = job_sizing(shapes).min_allocation
    cores_all = sum(vcpus for _memory, vcpus in shapes)
    memory, vcpus = min(shapes)
    cores = vcpus if vcpus < 4 else clamp(vcpus // 2, 1, 5)
    per_node = max(2, vcpus // cores)
    yarn = yarn_memory(memory) - (held if len(shapes) == 1 else 0)
    container = clamp(floor(yarn / per_node, unit), min(SPARK_LEAST, yarn), 65536)
    beside = max(SPARK_OVERHEAD, container - int(container / 1.1))
    driver = clamp(floor(yarn / (2 if small(memory) else 4), unit), SPARK_LEAST, 4096)
    driver_heap = min(driver, container) - SPARK_OVERHEAD
    return SparkSizing(max(1, cores), container - beside, beside, driver_heap, clamp(2 * cores_all, 4, 2000))


def session(facts) -> dict:
    """What makes Spark's sessions see the tables of all, where there is a metastore; else each has tables of its own."""
    if not facts.runs("metastore"):
        # Spark's default starts an embedded metastore for every session, slow and seen by nobody else.
        return {"spark.sql.catalogImplementation": "in-memory"}
    return {"spark.sql.catalogImplementation": "hive", "spark.sql.warehouse.dir": WAREHOUSE,
            "spark.hadoop.hive.metastore.uris": ",".join(f"thrift://{e.authority}" for e in facts.topology.endpoints(METASTORE, "thrift")),
            # A metastore that restarts is a pause for its clients: tries about every second.
            "spark.hadoop.hive.metastore.connect.retries": "20", "spark.hadoop.hive.metastore.failure.retries": "20"}


def _leaving() -> dict:
    """What executors do on a node that YARN drains: they take no tasks any more, give what they keep to others, and end. So a node that is
    released takes nothing with it that would have to be computed again."""
    kinds = ("enabled", "shuffleBlocks.enabled", "rddBlocks.enabled", "fallbackStorage.cleanUp")
    return {"spark.decommission.enabled": "true", **{f"spark.storage.decommission.{kind}": "true" for kind in kinds},
            "spark.storage.decommission.fallbackStorage.path": f"hdfs://{FALLBACK}/",
            # A spot node has five minutes: what could not be given away is tried again after seconds, not half a minute.
            "spark.storage.decommission.replicationReattemptInterval": "5s"}


def _defaults(facts) -> dict:
    history, version = facts.endpoint(HISTORY), facts.version("spark")
    conf = {
        "spark.master": "yarn", "spark.submit.deployMode": "client",
        # With the peaks of memory of executors, for `jobs show` and reports.
        "spark.eventLog.logStageExecutorMetrics": "true", "spark.executor.processTreeMetrics.enabled": "true",
        "spark.eventLog.enabled": "true", "spark.eventLog.dir": "hdfs:///spark/events",
        "spark.history.fs.logDirectory": "hdfs:///spark/events", "spark.history.ui.port": str(history.port),
        "spark.yarn.historyServer.address": history.authority,
        # No shuffle service in the NodeManager: executors that hold shuffle data are kept instead.
        "spark.dynamicAllocation.enabled": "true", "spark.dynamicAllocation.shuffleTracking.enabled": "true",
        "spark.pyspark.python": paths.PYTHON,
        # In client mode the page of a starting application races with the filter that its ApplicationMaster sends
        # (ConcurrentModificationException in attachAllHandlers, the job dies). The history server shows running ones too.
        "spark.ui.enabled": "false",
        "spark.history.fs.cleaner.enabled": "true", "spark.history.fs.cleaner.maxAge": f"{durations.seconds(facts.spec.logs.keep)}s",
        # A stream writes its history as long as it lives, 128 MiB a file: older ones are made compact.
        "spark.history.fs.eventLog.rolling.maxFilesToRetain": "8",
    }
    conf.update(_leaving())
    # Native checksums and codecs, and blocks on the same host read as files.
    conf.update({f"spark.{who}.extraLibraryPath": HADOOP_NATIVE for who in ("executor", "driver", "yarn.am")})
    if version:
        # The jars lie in HDFS, so only clients need Spark.
        conf["spark.yarn.archive"] = f"hdfs:///spark/spark-libs-{version}.zip"
    engine = spark_native.settings() if spark_native.wanted(facts.spec) else {}
    tables = spark_tables.settings(facts)
    return {**tables, "spark-defaults": {**conf, **session(facts), **engine, **tables.get("spark-defaults", {})}}


def _sizes(facts) -> dict:
    shapes = shapes_of(facts.topology)
    if not shapes:
        return {}
    size = spark_sizing(shapes, held(facts.services))
    conf = {"spark.executor.cores": str(size.cores), "spark.executor.memory": f"{size.heap}m",
            "spark.executor.memoryOverhead": f"{size.overhead}m", "spark.driver.memory": f"{size.driver_heap}m",
            "spark.driver.memoryOverhead": f"{SPARK_OVERHEAD}m",
            "spark.sql.shuffle.partitions": str(size.partitions),
            # Asked for while the driver still starts, so that the first stage finds them running.
            "spark.dynamicAllocation.initialExecutors": str(min(2, len(shapes)))}
    if spark_native.wanted(facts.spec):
        yarn = yarn_memory(min(shapes)[0]) - (held(facts.services) if len(shapes) == 1 else 0)
        container = spark_native.container_of(yarn, size.heap + size.overhead, job_sizing(shapes).min_allocation)
        conf.update(spark_native.sizes(container))
    conf.update(spark_tables.sizes(facts.spec, size.partitions))
    conf.update(_java_options(min(shapes)[0]))
    return {"spark-defaults": conf}


def _java_options(memory_mib: int) -> dict:
    """Flags of the JVMs of a job on small nodes. The quick compiler alone is for the application master, which does little: what executors and
    drivers compute takes twice the time with it (docs/tuning.md)."""
    quick = quick_flags(memory_mib)
    flags = {"executor": QUICK_COLLECTOR, "driver": QUICK_COLLECTOR, "yarn.am": " ".join(quick)} if quick else {}
    return {f"spark.{who}.extraJavaOptions": text for who, text in flags.items()}


def _too_small(rest):
    """A cluster without room for a driver and an executor. ``rest``: MiB that each node still gives to containers."""
    room = sum(max(0, memory) // SPARK_LEAST for memory in rest)
    if room < 2:
        yield f"the cluster has room for {room} container of {SPARK_LEAST} MiB, Spark needs two (driver, executor)"


def class_path(*more) -> str:
    """What drivers and containers find beside Spark's own jars, by the same path: Hadoop's client of OSS, and ``more``."""
    return ":".join([f"{HADOOP_HOME}/share/hadoop/tools/lib/*", *more])


def spark_env(env, more=()) -> str:
    """spark-env.sh. ``more``: entries of the class path."""
    rows = writers.exports({key: value for key, value in env.items() if key.startswith("SPARK_")})
    return "\n".join([
        f"# {NOTE}", texts.JAVA_HOME, f'export SPARK_HOME="${{SPARK_HOME:-{SPARK_HOME}}}"',
        f'export HADOOP_CONF_DIR="${{HADOOP_CONF_DIR:-{HADOOP_CONF}}}"',
        f'export YARN_CONF_DIR="${{YARN_CONF_DIR:-{HADOOP_CONF}}}"',
        f'export SPARK_DIST_CLASSPATH="${{SPARK_DIST_CLASSPATH:-{class_path(*more)}}}"', *rows, ""])


def _spark_env(facts, effective) -> str:
    engine = (spark_native.JARS,) if spark_native.wanted(facts.spec) else ()
    return spark_env(effective.get("env", {}), (*engine, *spark_tables.jars(facts.spec)))


def _asked(spec, role=None) -> tuple:
    """Artifacts that few clusters want, and that this spec asks for."""
    return (*spark_native.artifacts(spec, role), *spark_tables.artifacts(spec, role))


def _rules(spec, configs):
    yield from spark_native.rules(spec, configs)
    yield from spark_tables.rules(spec, configs)


def _archives(effective) -> list:
    """Spark's jars as one zip for all containers, where they are taken from HDFS."""
    path = str(effective.get("spark-defaults", {}).get("spark.yarn.archive") or "")
    return [{"source": f"{SPARK_HOME}/jars", "path": path[len("hdfs://"):], "owner": "spark"}] if path.startswith("hdfs:///") else []


def check(key: str, text: str) -> None:
    """Raises Unwritable for what one of Spark's own files cannot hold."""
    writers.site_properties({key: text})
    writers.spark_value(key, text)


REMEDIES = {
    "skew": "For joins let Spark split large partitions: --property spark.sql.adaptive.skewJoin.enabled=true with a smaller "
            "spark.sql.adaptive.advisoryPartitionSizeInBytes. Otherwise add a random part to the large key and combine twice; "
            "spark.sql.shuffle.partitions=N helps against several large keys, not against one.",
    "straggler": "Let a second attempt race it: --property spark.speculation=true. If it is always the same node: emrctl check NAME.",
    "containers": "Executors were still on their way, or memory was missing: --property spark.dynamicAllocation.initialExecutors=N, a smaller "
                  "spark.executor.memory, or more nodes (emrctl scale NAME).",
    "spill": "Give each task more memory: more and smaller partitions (--property spark.sql.shuffle.partitions=N), a larger spark.executor.memory, or fewer "
             "spark.executor.cores.",
    "garbage": "Give executors more heap, or fewer tasks at a time: --property spark.executor.memory=…, --property spark.executor.cores=N; cache less.",
    "failed": "See why: emrctl jobs logs NAME JOB --yarn. Executors that are killed for their memory need --property spark.executor.memoryOverhead=….",
    "lost": "Killed for their memory, they need --property spark.executor.memoryOverhead=…; otherwise see emrctl logs NAME --component nodemanager.",
    "memory": "--property spark.executor.memory={heap}m",
    # Spark starts no executor with less: 1.5 times the 300 MiB that it reserves (UnifiedMemoryManager).
    "least_heap_mib": 450,
}

SERVICE = Service(
    history=History("spark.applications", HISTORY.name, REMEDIES),
    pauses=lambda _spec: ["Spark: the history server is away while it restarts."],
    name="spark", used_by=(("SPARK",), ("SPARK", "PYSPARK", "SPARK_SQL", "SPARK_STREAMING")), needs=("hdfs", "yarn"), software="spark",
    home=SPARK_HOME, clients=CLIENTS, more_software=("connectors",), also=_asked, spec=(SPEC,), rules=_rules,
    python=(SPARK_PYTHON, "PySpark", "PySpark, and imports and exports of tables, do not run there"), rate=5.0,
    components=(HISTORY,),
    files=(ConfFile(
        "spark-defaults", f"{SPARK_CONF}/spark-defaults.conf", writers.properties, CLIENTS, prefixes=("spark.",),
        aliases=("spark-defaults.conf", "spark"), only=ONLY, check=check,
        types={**dict.fromkeys(("spark.sql.shuffle.partitions", "spark.default.parallelism", "spark.executor.cores",
                                "spark.executor.instances", "spark.driver.cores"), kinds.INT),
               **dict.fromkeys(("spark.executor.memory", "spark.driver.memory", "spark.yarn.am.memory"), kinds.SIZE)},
        type_patterns=((r"^spark\.", kinds.ENABLED),),
        reserved={"spark.master": "Spark runs on YARN", "spark.eventLog.dir": reasons.PATHS,
                  "spark.history.fs.logDirectory": reasons.PATHS, "spark.yarn.historyServer.address": reasons.ADDRESS,
                  "spark.history.ui.port": reasons.ADDRESS, "spark.sql.warehouse.dir": reasons.PATHS,
                  "spark.hadoop.hive.metastore.uris": reasons.ADDRESS}),),
    texts=(TextFile(f"{SPARK_CONF}/spark-env.sh", _spark_env, CLIENTS),
           TextFile(f"{SPARK_CONF}/log4j2.properties", lambda *_: texts.LOG4J2, CLIENTS)),
    env_names=("SPARK_DAEMON_MEMORY",), env_aliases=("spark-env",),
    defaults=_defaults, sizes=_sizes, too_small=_too_small, archives=_archives,
    alerts=(down("SparkHistoryDown", HISTORY, "Spark's applications run, and their histories cannot be read."),),
    hdfs_paths=(("/spark", "spark", "hadoop", "0755"), ("/spark/events", "spark", "hadoop", "1777"), (FALLBACK, "spark", "hadoop", "1777")),
    directories=((SPARK_CONF, "root", "0755"),),
    programs=("beeline", "pyspark", "spark-shell", "spark-sql", "spark-submit"), panels=panels_spark.PANELS)
