"""What a service leaves behind: files that go with it, and data that only a separate confirmation deletes. Pure Python."""
from __future__ import annotations

from ...domain.catalogue import COMPONENTS, SERVICES
from ...domain.config.settings import STATE, data_roots
from ...domain.config.sql import SERVERS
from ...domain.daemons.units import (
    DIGEST_DIR,
    ENV_DIR,
    HADOOP_CONF,
    HOMES,
    LOG_ROOT,
    SPARK_CONF,
    SPARK_HOME,
    hdfs_directories,
)

SPARK_FILES = ("spark-defaults.conf", "spark-env.sh", "log4j2.properties")


def absent(services) -> dict:
    """Units, files and links that a node must not have when the cluster runs these services: {units, paths}."""
    gone = [row for row in COMPONENTS.values() if row.service not in services]
    paths = [path for row in gone for path in (f"{ENV_DIR}/{row.unit}.env", f"{DIGEST_DIR}/{row.name}",
                                               f"{DIGEST_DIR}/{row.name}.refresh")]
    if "spark" not in services:
        # The unpacked folder stays, so that adding it again costs no download.
        paths += [f"{SPARK_CONF}/{name}" for name in SPARK_FILES] + [SPARK_HOME]
    if "metastore" not in services:
        paths += [f"{HADOOP_CONF}/metastore-site.xml", HOMES["metastore"]]
    paths += [f"{SPARK_CONF}/{name}.conf" for name in SERVERS if name not in services]
    return {"units": [row.unit for row in gone], "paths": paths}


def hdfs_data(service: str) -> list:
    """Folders of HDFS with the service's own data."""
    without = {row["path"] for row in hdfs_directories(())}
    paths = [row["path"] for row in hdfs_directories((service,)) if row["path"] not in without]
    return [path for path in paths if path.count("/") == 1]


def local_data(service: str, node) -> list:
    """Folders of a node with the service's own data and logs. HDFS's blocks are none: only a release deletes them."""
    folders = [f"{LOG_ROOT}/{service}"]
    if service == "yarn":
        folders += [f"{STATE}/yarn"] + [f"{root}/yarn" for root in data_roots(node)]
    if service == "metastore":
        folders += [f"{STATE}/metastore"] + [f"{root}/metastore" for root in data_roots(node)]
    return folders


def deletable(service: str) -> bool:
    """Whether the data of a service may be deleted while the cluster lives."""
    return service in SERVICES and service != "hdfs"
