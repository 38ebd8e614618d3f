"""What all services of Hadoop have in common: their clients, their common settings, and the folders in HDFS that belong to all."""
from __future__ import annotations

from ..domain.config import kinds, texts, writers
from ..domain.paths import HADOOP_CONF, HADOOP_HOME
from ..domain.resident.files import NOTE
from . import reasons
from .model import GROUP, JOB_USER, ConfFile, Service, TextFile

# Neither a daemon's user nor a member of hadoop: what an unauthenticated reader of a web page is taken for.
WEB_USER = "nobody"
# Rows of keys that no daemon has to restart for.
TRASH = ("core-site", r"fs\.trash\.")
PROXY_USERS = ("core-site", r"hadoop\.proxyuser\.")
# On Java 17 ResourceManager, NodeManager and JobHistoryServer exit with 255 without it, and WebHDFS answers 500.
OPENS = ("--add-opens=java.base/java.lang=ALL-UNNAMED",)
FILES = frozenset({"core-site", "hdfs-site"})


def xml_aliases(stem: str, *more: str) -> tuple:
    """Other names that people give to a *-site.xml file in a spec."""
    return (f"{stem}.xml", f"{stem}-xml", *more)


def _defaults(_facts) -> dict:
    return {"core-site": {
        "hadoop.http.staticuser.user": WEB_USER, "hadoop.prometheus.endpoint.enabled": "true",
        # Minutes that a deleted file stays in the trash: one day.
        "fs.trash.interval": "1440", "fs.trash.checkpoint.interval": "60",
        # A daemon that restarts is a pause for its callers, not a failure. This loop nests in dfs.client.retry.policy (hdfs), so it
        # is short: a client of a dead NameNode gives up after some four minutes, with 45 tries after half an hour.
        "ipc.client.connect.max.retries": "10", "ipc.client.connect.retry.interval": "1000",
        "ipc.client.connect.max.retries.on.timeouts": "1",
        # oss:// works as soon as there are an endpoint and a key (docs/local-oss.md).
        "fs.oss.impl": "org.apache.hadoop.fs.aliyun.oss.AliyunOSSFileSystem",
        "fs.AbstractFileSystem.oss.impl": "org.apache.hadoop.fs.aliyun.oss.OSS"}}


def hadoop_env(env) -> str:
    """hadoop-env.sh: read by Apache's launcher and by the project's own."""
    rows = writers.exports({key: value for key, value in env.items() if not key.startswith("SPARK_")})
    return "\n".join([
        f"# {NOTE}", texts.JAVA_HOME,
        f'export HADOOP_HOME="${{HADOOP_HOME:-{HADOOP_HOME}}}"',
        *(f'export {name}="${{{name}:-$HADOOP_HOME}}"' for name in (
            "HADOOP_COMMON_HOME", "HADOOP_HDFS_HOME", "HADOOP_YARN_HOME", "HADOOP_MAPRED_HOME")),
        f'export HADOOP_CONF_DIR="${{HADOOP_CONF_DIR:-{HADOOP_CONF}}}"',
        'export HADOOP_LOG_DIR="${HADOOP_LOG_DIR:-${TMPDIR:-/tmp}}"', "export HADOOP_OS_TYPE=Linux",
        *rows, ""])


SERVICE = Service(
    name="hadoop", bundle=("hdfs", "yarn", "mapreduce"), home=HADOOP_HOME,
    files=(ConfFile(
        "core-site", f"{HADOOP_CONF}/core-site.xml", everywhere=True, prefixes=("fs.", "hadoop.", "io.", "ipc.", "net."),
        aliases=xml_aliases("core-site", "core"), types={"fs.trash.interval": kinds.INT},
        type_patterns=((r"^(hadoop|fs|ipc)\.", kinds.ENABLED), (r"^ipc\.", kinds.MILLISECONDS)),
        reserved={"fs.defaultFS": reasons.ADDRESS, "fs.default.name": reasons.ADDRESS, "ha.zookeeper.quorum": reasons.HA,
                  "hadoop.zk.address": reasons.HA, "hadoop.security.authentication": reasons.SECURE,
                  "hadoop.security.authorization": reasons.SECURE, "hadoop.rpc.protection": reasons.SECURE,
                  "hadoop.ssl.enabled": reasons.SECURE, "hadoop.http.authentication.type": reasons.SECURE}),),
    texts=(TextFile(f"{HADOOP_CONF}/hadoop-env.sh", lambda _facts, effective: hadoop_env(effective.get("env", {})), everywhere=True),
           TextFile(f"{HADOOP_CONF}/log4j.properties", lambda *_: texts.LOG4J, everywhere=True)),
    env_names=("HADOOP_CLIENT_OPTS",), env_aliases=("hadoop-env", "hadoop-env.sh", "environment"),
    defaults=_defaults,
    hdfs_paths=(("/tmp", "hdfs", GROUP, "1777"), ("/user", "hdfs", GROUP, "0755"), (f"/user/{JOB_USER}", JOB_USER, JOB_USER, "0755")),
    directories=((HADOOP_CONF, "root", "0755"),),
    programs=("hadoop", "hdfs", "mapred", "yarn"))
