"""Where things are on a node. No other module spells these paths."""
from __future__ import annotations

# What is installed: one folder below ROOT for each version of an artifact, and a link with its plain name.
ROOT = "/opt/emr"
HADOOP_HOME, SPARK_HOME, METASTORE_HOME = f"{ROOT}/hadoop", f"{ROOT}/spark", f"{ROOT}/metastore"
MONITORING_HOME = f"{ROOT}/monitoring"
HADOOP_BIN, SPARK_BIN = f"{HADOOP_HOME}/bin", f"{SPARK_HOME}/bin"
# Hadoop's native library.
HADOOP_NATIVE = f"{HADOOP_HOME}/lib/native"
# The engine of native code for Spark SQL.
NATIVE_ENGINE = f"{ROOT}/native"
# Formats of tables for Spark.
ICEBERG, DELTA = f"{ROOT}/iceberg", f"{ROOT}/delta"
# JDBC drivers of databases.
DRIVERS = f"{ROOT}/connectors/jdbc"
# What tells that an artifact is complete, in its folder.
ARTIFACT_MARK = ".emr-artifact.json"

# A link to the Python of the node, from 3.8 on; made by the first step on it (domain/install/systems.py).
PYTHON = f"{ROOT}/bin/python3"
# The resident package (domain/resident/package.py) and its programs.
LIB, LIBEXEC = f"{ROOT}/lib", f"{ROOT}/libexec"
FILES, JOBS_PROGRAM, FLOWS_PROGRAM = f"{LIBEXEC}/emr-files", f"{LIBEXEC}/emr-jobs", f"{LIBEXEC}/emr-flow"
COPY, LOGS_PROGRAM, NODE, LINES = f"{LIBEXEC}/emr-copy", f"{LIBEXEC}/emr-logs", f"{LIBEXEC}/emr-node", f"{LIBEXEC}/emr-lines"
# spark-submit takes it for Python by its name.
JDBC, BENCH, TABLES = f"{LIBEXEC}/emr_jdbc.py", f"{LIBEXEC}/emr_bench.py", f"{LIBEXEC}/emr_tables.py"
# Figures of every node's own; what passes alerts on to DingTalk.
FIGURES_PROGRAM, DINGTALK = f"{LIBEXEC}/emr-figures", f"{LIBEXEC}/emr-dingtalk"
# On the node of monitoring: its daemons, the cluster's page with its files, and what tells it of jobs and flows through a socket.
PROMETHEUS, ALERTMANAGER, METRICS = f"{LIBEXEC}/emr-prometheus", f"{LIBEXEC}/emr-alertmanager", f"{LIBEXEC}/emr-metrics"
PAGE_PROGRAM, WORK_PROGRAM, PAGE = f"{LIBEXEC}/emr-page", f"{LIBEXEC}/emr-work", f"{LIB}/page"
# What becomes ZooKeeper's server.
ZOOKEEPER_PROGRAM = f"{LIBEXEC}/emr-zookeeper"
# On the node that makes backups; on the one that takes notices of spot nodes, and on those.
BACKUP, RECLAIM = f"{LIBEXEC}/emr-backup", f"{LIBEXEC}/emr-reclaim"

# Configuration.
ETC = "/etc/emr"
HADOOP_CONF, SPARK_CONF = f"{ETC}/hadoop", f"{ETC}/spark"
# Environments of units, and the digests of what daemons shall run with.
UNIT_ENV, DIGESTS = f"{ETC}/units", f"{ETC}/digest"
CAPACITY_SCHEDULER = f"{HADOOP_CONF}/capacity-scheduler.xml"
METASTORE_PASSWORD = f"{ETC}/metastore/database.jceks"
MONITORING_CONF = f"{ETC}/monitoring"
MONITORING_SETTINGS = f"{MONITORING_CONF}/settings.json"
PAGE_SETTINGS = f"{MONITORING_CONF}/page.json"
DINGTALK_SETTINGS = f"{MONITORING_CONF}/dingtalk.json"
MONITORING_SECRETS, FIGURES_SETTINGS = f"{MONITORING_CONF}/secrets", f"{ETC}/figures.json"
JOBS_SETTINGS, LOGS_SETTINGS, LOGS_KEY = f"{ETC}/jobs.json", f"{ETC}/logs.json", f"{ETC}/logs/key.json"
NODES = f"{ETC}/nodes.json"
RECLAIM_NODES = f"{ETC}/reclaim.json"
BACKUP_CONF = f"{ETC}/backup"
BACKUP_SETTINGS, BACKUP_KEY = f"{BACKUP_CONF}/backup.json", f"{BACKUP_CONF}/secret/key.json"

# State that outlives the machine's power.
STATE = "/var/lib/emr"
CLUSTER = f"{STATE}/cluster"
PRICES = f"{CLUSTER}/prices.json"
REVISIONS, ACTIVITY, RESTORED = f"{CLUSTER}/spec", f"{CLUSTER}/activity.json", f"{CLUSTER}/restore.json"
BOOTSTRAP, RESTART_MARKS = f"{STATE}/bootstrap", f"{STATE}/restart"
JOBS, FLOWS, SCHEDULES = f"{STATE}/jobs", f"{STATE}/flows", f"{STATE}/schedules"
# Figures that the node's exporter reads from files.
FIGURES = f"{STATE}/figures"
HDFS_STATE, YARN_STATE = f"{STATE}/hdfs", f"{STATE}/yarn"

# State that does not.
RUN = "/run/emr"
SECRETS, TRANSFERS = f"{RUN}/secrets", f"{RUN}/transfers"
WORK_SOCKET = f"{RUN}/work.socket"
NODE_LOCK, EXCLUDE_LOCK, LOGS_LOCK = "/run/lock/emr.lock", "/run/lock/emr-exclude.lock", "/run/lock/emr-logs.lock"

LOG = "/var/log/emr"
CACHE = "/var/cache/emr"

# Of the system.
UNITS = "/etc/systemd/system"
JOURNAL_LIMIT = "/etc/systemd/journald.conf.d/90-emr.conf"
PROFILE = "/etc/profile.d/emr.sh"
CLIENTS = "/usr/local/bin"
