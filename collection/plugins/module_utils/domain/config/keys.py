"""What a spec's ``config`` may set: which file a key belongs to, keys the cluster decides itself, types, secrets."""
from __future__ import annotations

import re

from ..catalogue import COMPONENTS
from ..text.credential_words import secret_key
from . import writers

STEM_ALIASES = {name + suffix: name for name in ("core-site", "hdfs-site", "yarn-site", "mapred-site",
                                                 "capacity-scheduler") for suffix in (".xml", "-xml")}
STEM_ALIASES.update({"spark-defaults.conf": "spark-defaults", "spark": "spark-defaults", "hdfs": "hdfs-site",
                     "core": "core-site", "yarn": "yarn-site", "mapreduce": "mapred-site", "mapred": "mapred-site",
                     "hadoop-env": "env", "hadoop-env.sh": "env", "spark-env": "env", "environment": "env"})
SECRET_REMEDY = ("Remove it. Keep data credentials in a Hadoop credential provider on the cluster, readable by the job's "
                 "user alone, and name that with hadoop.security.credential.provider.path.")
ENV_NAMES = tuple(c.jvm_opts_env for c in COMPONENTS.values() if c.jvm_opts_env) + ("HADOOP_CLIENT_OPTS", "SPARK_DAEMON_MEMORY")

_KEY = re.compile(r"^(?=.{3,255}$)[A-Za-z][A-Za-z0-9_*-]*(\.[A-Za-z0-9_/*$-]+)+$")
_ENV_VALUE = re.compile(r"^[A-Za-z0-9 ._:/=+,@%-]*$")

# Keys whose value holds the cluster together; the reason is shown to the reader.
_ADDRESS = "names and ports of the daemons follow from the component catalogue, and firewall and health checks rely on them"
_DIRS = "the directories follow from the node's disks, and moving them under a living cluster loses data"
_LIST = "the lists of nodes are kept by scale and release"
_HA = "high availability is not offered yet"
_SECURE = "Kerberos and TLS are not offered yet"
_PATHS = "the directories in HDFS are made with their owners at the first start"
_DATABASE = "metastore.database names the database"
_TAGS = "the servers of the cluster are known by them"
_RECOVERY = "a restart would lose running jobs without it"
RESERVED = {
    "fs.defaultFS": _ADDRESS, "fs.default.name": _ADDRESS, "hadoop.security.authentication": _SECURE,
    "hadoop.security.authorization": _SECURE, "hadoop.rpc.protection": _SECURE, "dfs.http.policy": _SECURE,
    "yarn.http.policy": _SECURE, "hadoop.ssl.enabled": _SECURE, "mapreduce.jobhistory.http.policy": _SECURE,
    "hadoop.http.authentication.type": _SECURE, "dfs.block.access.token.enable": _SECURE,
    "dfs.namenode.name.dir": _DIRS, "dfs.namenode.edits.dir": _DIRS, "dfs.datanode.data.dir": _DIRS,
    "dfs.name.dir": _DIRS, "dfs.data.dir": _DIRS, "yarn.nodemanager.local-dirs": _DIRS,
    "yarn.nodemanager.log-dirs": _DIRS, "yarn.nodemanager.recovery.dir": _DIRS,
    "yarn.resourcemanager.fs.state-store.uri": _DIRS, "yarn.resourcemanager.store.class": _RECOVERY,
    "yarn.resourcemanager.recovery.enabled": _RECOVERY, "yarn.nodemanager.recovery.enabled": _RECOVERY,
    "yarn.nodemanager.recovery.supervised": _RECOVERY, "dfs.hosts": _LIST, "dfs.hosts.exclude": _LIST,
    "yarn.resourcemanager.nodes.include-path": _LIST, "yarn.resourcemanager.nodes.exclude-path": _LIST,
    "dfs.nameservices": _HA, "dfs.ha.automatic-failover.enabled": _HA, "yarn.resourcemanager.ha.enabled": _HA,
    "dfs.permissions.superusergroup": "the daemons' users get their rights by this group",
    "mapreduce.framework.name": "jobs run on YARN", "yarn.app.mapreduce.am.staging-dir": _PATHS,
    "mapreduce.jobhistory.done-dir": _PATHS, "mapreduce.jobhistory.intermediate-done-dir": _PATHS,
    "yarn.nodemanager.remote-app-log-dir": _PATHS, "spark.master": "Spark runs on YARN",
    "spark.eventLog.dir": _PATHS, "spark.history.fs.logDirectory": _PATHS,
    "spark.yarn.historyServer.address": _ADDRESS, "spark.history.ui.port": _ADDRESS,
    "yarn.nodemanager.aux-services": "the shuffle of MapReduce needs its own value",
    "yarn.resourcemanager.scheduler.class": "the queues are those of the capacity scheduler",
    "yarn.log.server.url": _ADDRESS, "mapreduce.shuffle.port": _ADDRESS,
    "metastore.thrift.port": _ADDRESS, "metastore.warehouse.dir": _PATHS, "spark.sql.warehouse.dir": _PATHS,
    "spark.hadoop.hive.metastore.uris": _ADDRESS, "spark.hadoop.hive.server2.thrift.port": _ADDRESS,
    "spark.connect.grpc.binding.port": _ADDRESS, "emr.metastore.dir": _DIRS, "javax.jdo.option.ConnectionURL": _DATABASE,
    "javax.jdo.option.ConnectionDriverName": _DATABASE, "javax.jdo.option.ConnectionUserName": _DATABASE, "spark.yarn.tags": _TAGS,
}
_RESERVED_PATTERNS = (
    (re.compile(r"^(dfs\.(namenode|datanode)|yarn\.(resourcemanager|nodemanager)|mapreduce\.jobhistory)\."
                r"(.*[.-])?(address|bind-host|hostname)$"), _ADDRESS),
    (re.compile(r"^dfs\.ha\.namenodes\."), _HA),
)

# Where keys belong, by prefix; the first that fits decides.
_HOMES = (("yarn.scheduler.capacity.", "capacity-scheduler"), ("yarn.app.mapreduce.", "mapred-site"),
          ("mapreduce.", "mapred-site"), ("mapred.", "mapred-site"), ("dfs.", "hdfs-site"), ("yarn.", "yarn-site"),
          ("spark.", "spark-defaults"), ("fs.", "core-site"), ("hadoop.", "core-site"), ("io.", "core-site"),
          ("ipc.", "core-site"), ("net.", "core-site"), ("metastore.", "metastore-site"), ("javax.jdo.", "metastore-site"),
          ("datanucleus.", "metastore-site"))
# Files with settings of Spark; those of its servers come on top of the ones for all of its applications.
_SPARK_STEMS = ("spark-defaults", "spark-thrift", "spark-connect")

# Types of keys by name: a wrong one stops a daemon, or is silently replaced by a default.
_INT, _BOOL, _SHARE = "a whole number", "true or false", "a number from 0 to 1"
_TYPES = {
    "dfs.replication": _INT, "dfs.namenode.replication.min": _INT, "dfs.replication.max": _INT,
    "dfs.namenode.handler.count": _INT, "dfs.datanode.handler.count": _INT, "dfs.namenode.replication.max-streams": _INT,
    "dfs.datanode.du.reserved": _INT, "dfs.datanode.failed.volumes.tolerated": _INT, "fs.trash.interval": _INT,
    "dfs.namenode.heartbeat.recheck-interval": _INT, "mapreduce.client.submit.file.replication": _INT,
    "mapreduce.job.reduces": _INT, "mapreduce.job.maps": _INT, "mapreduce.task.io.sort.mb": _INT,
    "mapreduce.task.io.sort.factor": _INT, "mapreduce.reduce.shuffle.parallelcopies": _INT,
    "yarn.nodemanager.vmem-pmem-ratio": "a number", "yarn.log-aggregation.retain-seconds": "a number",
    "mapreduce.job.reduce.slowstart.completedmaps": _SHARE, "dfs.namenode.safemode.threshold-pct": "a number",
    "yarn.scheduler.capacity.maximum-am-resource-percent": _SHARE,
    "dfs.permissions.enabled": _BOOL, "yarn.log-aggregation-enable": _BOOL, "yarn.acl.enable": _BOOL,
    "yarn.nodemanager.vmem-check-enabled": _BOOL, "yarn.nodemanager.pmem-check-enabled": _BOOL,
    "hadoop.prometheus.endpoint.enabled": _BOOL, "spark.eventLog.enabled": _BOOL,
    "spark.dynamicAllocation.enabled": _BOOL, "spark.dynamicAllocation.shuffleTracking.enabled": _BOOL,
    "spark.sql.shuffle.partitions": _INT, "spark.default.parallelism": _INT, "spark.executor.cores": _INT,
    "spark.executor.instances": _INT, "spark.driver.cores": _INT,
    "spark.executor.memory": "a size such as 2g or 1536m", "spark.driver.memory": "a size such as 2g or 1536m",
    "spark.yarn.am.memory": "a size such as 2g or 1536m",
}
_TYPE_PATTERNS = (
    (re.compile(r"^(yarn|mapreduce)\..*(memory[.-]mb|resource\.mb|allocation-mb|vcores|cpu-vcores|allocation-vcores)$"),
     _INT),
    (re.compile(r"^(dfs|yarn|mapreduce|spark|hadoop|fs|ipc)\..*\.enabled$"), _BOOL),
    (re.compile(r"^(yarn|ipc|dfs|mapreduce)\..*[.-](interval|timeout)-ms$"), _INT),
)
_CHECKS = {_INT: re.compile(r"^-?\d+$"), _BOOL: re.compile(r"^(true|false)$"), "a number": re.compile(r"^-?\d+(\.\d+)?$"),
           _SHARE: re.compile(r"^(0(\.\d+)?|1(\.0+)?|\.\d+)$"),
           "a size such as 2g or 1536m": re.compile(r"^[1-9]\d*[kmgt]b?$", re.IGNORECASE)}
_EXAMPLES = {_INT: "2", _BOOL: "true", "a number": "2.1", _SHARE: "0.5", "a size such as 2g or 1536m": "2g"}


def home_of(key: str) -> str:
    """The file a key belongs to, or an empty text when nothing is known of it."""
    return next((stem for prefix, stem in _HOMES if key.startswith(prefix)), "")


def reserved(key: str) -> str:
    """Why the cluster decides this key itself, or an empty text."""
    return RESERVED.get(key) or next((why for pattern, why in _RESERVED_PATTERNS if pattern.match(key)), "")


def expected_type(key: str) -> str:
    """Type of a known key in words, or an empty text."""
    return _TYPES.get(key) or next((kind for pattern, kind in _TYPE_PATTERNS if pattern.match(key)), "")


def check_key(stem: str, key: str):
    """None, or (message, remedy) when ``stem`` must not hold this key."""
    if stem == "env":
        if key in ENV_NAMES:
            return None
        from ..spec.check import instead

        return "unknown variable", instead(key, ENV_NAMES)
    if not _KEY.match(key):
        return ("not the name of a setting, expected words joined by dots",
                "Copy the name from the documentation of Hadoop or Spark, for example dfs.blocksize.")
    if secret_key(key):
        return "credentials do not belong in a spec, which is stored and shown in many places", SECRET_REMEDY
    why = reserved(key)
    if why:
        return f"the cluster decides this itself: {why}", "Remove the line."
    home = home_of(key)
    # Spark reads settings of Hadoop only behind spark.hadoop., and hadoop.* keys occur in several files.
    if home == "spark-defaults" and stem in _SPARK_STEMS:
        return None
    if home and home != stem and not (home == "core-site" and stem not in _SPARK_STEMS):
        return f"does not belong in {stem}", f"Move it to {home}: under config, {home}: {{{key}: …}}."
    if stem in _SPARK_STEMS:
        return ("Spark ignores keys that do not begin with spark., expected such a key",
                f"Write spark.hadoop.{key} for a setting of Hadoop.")
    return None


def check_value(stem: str, key: str, text: str, kind: str):
    """None, or (message, remedy) when the value cannot be right for this key. ``kind`` is the YAML type as written."""
    if stem == "env":
        if kind != "str" or not _ENV_VALUE.match(text):
            return (f'found "{text[:60]}", expected options without quotes, dollars and backslashes',
                    "Write plain options, for example: HDFS_NAMENODE_OPTS: -Xmx4g")
        if key == "SPARK_DAEMON_MEMORY" and not re.match(r"^[1-9]\d*[mg]$", text):
            return f'found "{text[:60]}", expected a size such as 1g', "Write for example: SPARK_DAEMON_MEMORY: 1g"
        return None
    if len(text) > 4096:
        return f"{len(text)} characters, expected at most 4096", "Put such data into a file of its own."
    try:
        writers.site_properties({key: text})
        if stem in _SPARK_STEMS:
            writers.spark_value(key, text)
    except writers.Unwritable as error:
        return error.message.split(": ", 1)[1], error.remedy
    expected = expected_type(key)
    if expected and not _CHECKS[expected].match(text):
        return f'found "{text[:60]}", expected {expected}', f"Write for example: {key}: {_EXAMPLES[expected]}"
    if kind == "bool" and expected and expected != _BOOL:
        return f"found a truth value, expected {expected}", f"Write for example: {key}: {_EXAMPLES[expected]}"
    return None
