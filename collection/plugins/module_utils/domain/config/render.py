"""The configuration files of a node as text: sorted, deterministic. Pure Python: no Ansible import, no template."""
from __future__ import annotations

from ..catalogue import components_on
from ..resident.clients import client_files
from ..resident.files import NOTE, root_file
from ..spec.model import as_spec
from ..topology import record as node_record
from . import writers
from .settings import HADOOP_CONF, HADOOP_HOME
from .sql import SERVERS

SPARK_CONF = "/etc/emr/spark"
SPARK_HOME = "/opt/emr/spark"
# Who admits nodes by lists.
LISTED = {"namenode", "resourcemanager"}
XML_STEMS = ("core-site", "hdfs-site", "yarn-site", "mapred-site", "capacity-scheduler")


def render_conf(effective, spec, topology, node, leaving=()) -> list:
    """Files of a node: list of {path, content, owner, group, mode}, sorted by path.

    ``leaving``: Nodes that are no part of the topology any more, but must stay admitted until they are drained. Draining
    itself is not configuration: the exclude files are empty here, and whoever writes the files keeps what is in them.
    """
    spec = as_spec(spec)
    services = spec.expanded_services
    files = {f"{HADOOP_CONF}/{stem}.xml": writers.site_xml(effective.get(stem, {})) for stem in XML_STEMS}
    files[f"{HADOOP_CONF}/hadoop-env.sh"] = hadoop_env(effective.get("env", {}))
    files[f"{HADOOP_CONF}/log4j.properties"] = LOG4J
    files[node_record.PATH] = node_record.text(topology)
    here = {c.name for c in components_on(services, topology, node)}
    if "metastore" in here:
        files[f"{HADOOP_CONF}/metastore-site.xml"] = writers.site_xml(effective.get("metastore-site", {}))
    if here & LISTED:
        files.update(_node_lists(topology.nodes + tuple(leaving)))
    if "spark" in services and node.role in ("master", "gateway"):
        files[f"{SPARK_CONF}/spark-defaults.conf"] = writers.properties(effective.get("spark-defaults", {}))
        files.update({f"{SPARK_CONF}/{stem}.conf": writers.properties(effective.get(stem, {})) for stem in SERVERS if stem in here})
        files[f"{SPARK_CONF}/spark-env.sh"] = spark_env(effective.get("env", {}))
        files[f"{SPARK_CONF}/log4j2.properties"] = LOG4J2
    rows = [root_file(path, content) for path, content in files.items()]
    return sorted(rows + client_files(), key=lambda row: row["path"])


def _node_lists(nodes) -> dict:
    """The lists of nodes that NameNode and ResourceManager admit or drain."""
    storing = [n.name for n in nodes if n.role == "slave"]
    computing = [n for n in nodes if n.role in ("slave", "task")]
    return {f"{HADOOP_CONF}/workers": writers.node_list(storing), f"{HADOOP_CONF}/dfs.hosts": writers.node_list(storing),
            f"{HADOOP_CONF}/dfs.hosts.exclude": "", f"{HADOOP_CONF}/yarn.exclude": "",
            # A NodeManager is known by the name that its own resolver gives its address: admit it by either.
            f"{HADOOP_CONF}/yarn.include": writers.node_list({n for node in computing for n in (node.name, node.address) if n})}


_JAVA_HOME = 'export JAVA_HOME="${JAVA_HOME:-$(dirname "$(dirname "$(readlink -f "$(command -v java)")")")}"'


def hadoop_env(env) -> str:
    """hadoop-env.sh: read by Apache's launcher and by the project's own."""
    rows = writers.exports({key: value for key, value in env.items() if not key.startswith("SPARK_")})
    return "\n".join([
        f"# {NOTE}", _JAVA_HOME,
        f'export HADOOP_HOME="${{HADOOP_HOME:-{HADOOP_HOME}}}"',
        *(f'export {name}="${{{name}:-$HADOOP_HOME}}"' for name in (
            "HADOOP_COMMON_HOME", "HADOOP_HDFS_HOME", "HADOOP_YARN_HOME", "HADOOP_MAPRED_HOME")),
        f'export HADOOP_CONF_DIR="${{HADOOP_CONF_DIR:-{HADOOP_CONF}}}"',
        'export HADOOP_LOG_DIR="${HADOOP_LOG_DIR:-${TMPDIR:-/tmp}}"', "export HADOOP_OS_TYPE=Linux",
        *rows, ""])


def spark_env(env) -> str:
    """spark-env.sh."""
    rows = writers.exports({key: value for key, value in env.items() if key.startswith("SPARK_")})
    return "\n".join([
        f"# {NOTE}", _JAVA_HOME, f'export SPARK_HOME="${{SPARK_HOME:-{SPARK_HOME}}}"',
        f'export HADOOP_CONF_DIR="${{HADOOP_CONF_DIR:-{HADOOP_CONF}}}"',
        f'export YARN_CONF_DIR="${{YARN_CONF_DIR:-{HADOOP_CONF}}}"',
        # Hadoop's client of OSS, which Spark does not bring; containers get it by the same path.
        f'export SPARK_DIST_CLASSPATH="${{SPARK_DIST_CLASSPATH:-{HADOOP_HOME}/share/hadoop/tools/lib/*}}"', *rows, ""])


LOG4J = f"""# {NOTE}
hadoop.root.logger=INFO,console
hadoop.log.dir=.
hadoop.log.file=hadoop.log
hadoop.security.logger=INFO,NullAppender
hdfs.audit.logger=INFO,NullAppender
rm.audit.logger=INFO,NullAppender
nm.audit.logger=INFO,NullAppender
log4j.rootLogger=${{hadoop.root.logger}}
log4j.threshold=ALL
log4j.appender.NullAppender=org.apache.log4j.varia.NullAppender
log4j.appender.console=org.apache.log4j.ConsoleAppender
log4j.appender.console.target=System.err
log4j.appender.console.layout=org.apache.log4j.PatternLayout
log4j.appender.console.layout.ConversionPattern=%d{{ISO8601}} %p %c{{2}}: %m%n
log4j.appender.RFA=org.apache.log4j.RollingFileAppender
log4j.appender.RFA.File=${{hadoop.log.dir}}/${{hadoop.log.file}}
log4j.appender.RFA.MaxFileSize=64MB
log4j.appender.RFA.MaxBackupIndex=8
log4j.appender.RFA.layout=org.apache.log4j.PatternLayout
log4j.appender.RFA.layout.ConversionPattern=%d{{ISO8601}} %p %c: %m%n
# Says once for each client that the Java implementations are used: true, wanted, and no news.
log4j.logger.org.apache.hadoop.util.NativeCodeLoader=ERROR
"""

LOG4J2 = f"""# {NOTE}
rootLogger.level=info
rootLogger.appenderRef.stderr.ref=console
appender.console.type=Console
appender.console.name=console
appender.console.target=SYSTEM_ERR
appender.console.layout.type=PatternLayout
appender.console.layout.pattern=%d{{yy/MM/dd HH:mm:ss}} %p %c{{1}}: %m%n%ex
logger.native.name=org.apache.hadoop.util.NativeCodeLoader
logger.native.level=error
"""
