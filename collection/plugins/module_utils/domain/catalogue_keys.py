"""Which keys of its files a daemon does not read, and which it takes over while it runs. Columns of the catalogue.

Pure Python: no Ansible import. A row is a pair of a file's stem and a pattern of keys, matched from their beginning. What no
row knows to be harmless wants a restart.
"""
from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Refresh:
    """Settings (rows as above) that a running daemon takes over by a command: words below Hadoop's ``bin``, run as the daemon's
    user, ``{node}`` being the node's name. A command with ``-reconfig`` is started, then asked for its end.
    """

    name: str
    command: tuple
    keys: tuple


# Keys of another daemon, or of the clients.
OF_NAMENODE = ("hdfs-site", r"dfs\.namenode\.(?!.*(address|principal|keytab\.file)$)")
OF_DATANODE = ("hdfs-site", r"dfs\.datanode\.(?!.*address$)")
OF_RESOURCEMANAGER = ("yarn-site", (
    r"yarn\.(scheduler\.|admin\.acl$|resourcemanager\."
    r"(nodemanagers|nodes|scheduler|recovery|store|fs|am|max-completed-applications)\b)"))
OF_NODEMANAGER = ("yarn-site", (
    r"yarn\.nodemanager\.(resource|local-dirs|log-dirs|vmem|pmem|disk-health|recovery|delete|localizer|health-checker|"
    r"container-manager|linux-container|address|hostname|bind-host)"))
TRASH = ("core-site", r"fs\.trash\.")
LOG_AGE = ("yarn-site", r"yarn\.log-aggregation\.retain-")
PROXY_USERS = ("core-site", r"hadoop\.proxyuser\.")
# Of the settings of MapReduce and Spark, nearly all are read by the jobs.
OF_JOBS = ("mapred-site", r"(?!mapreduce\.(shuffle|tasktracker|ssl)\.)")
NOT_OF_HISTORY = ("mapred-site", (
    r"(?!mapreduce\.(jobhistory|cluster|shuffle|ssl|job\.acl)|yarn\.app\.mapreduce\.am\.staging-dir$)"))
NOT_OF_SPARK_HISTORY = ("spark-defaults", (
    r"(?!spark\.(history|hadoop|ui|acls|admin|eventLog|ssl|authenticate|io\.compression)\b)"))
OF_SPARK_HISTORY = ("spark-defaults", r"spark\.history\.")
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
QUEUES = ("capacity-scheduler",
          r"yarn\.scheduler\.capacity\.(?!resource-calculator$|schedule-asynchronously|per-node-heartbeat)")
ADMINS = ("yarn-site", r"yarn\.admin\.acl$")
HISTORY_ADMINS = ("mapred-site", r"mapreduce\.jobhistory\.admin\.acl$")

# Figures computed from the number of nodes: they change with every scale, and do not merit a restart of what runs. The next
# start takes them over. A value that the spec sets is another matter.
COUNTED = frozenset({"dfs.replication", "dfs.namenode.handler.count",
                     "yarn.resourcemanager.nodemanagers.heartbeat-interval-ms"})


def fits(rows, stem: str, key: str) -> bool:
    """Whether one of these rows names the key."""
    return any(stem == s and re.match(pattern, key) for s, pattern in rows)
