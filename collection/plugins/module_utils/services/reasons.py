"""Why the cluster decides a setting itself; shown to who tries to set it."""
from __future__ import annotations

ADDRESS = "names and ports of the daemons follow from the component catalogue, and firewall and health checks rely on them"
DIRS = "the directories follow from the node's disks, and moving them under a living cluster loses data"
LIST = "the lists of nodes are kept by scale and release"
HA = "it follows from the number of masters"
SECURE = "Kerberos and TLS are not offered yet"
PATHS = "the directories in HDFS are made with their owners at the first start"
DATABASE = "metastore.database names the database"
TAGS = "the servers of the cluster are known by them"
RECOVERY = "a restart would lose running jobs without it"
