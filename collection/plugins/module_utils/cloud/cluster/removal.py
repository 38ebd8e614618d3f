"""What a service leaves behind: files that go with it, and data that only a separate confirmation deletes."""
from __future__ import annotations

from ...domain.config.folders import data_roots
from ...domain.daemons.units import DIGEST_DIR, ENV_DIR, LOG_ROOT, hdfs_directories
from ...domain.paths import STATE
from ...services.registry import COMPONENTS, HOMES, SOFTWARE, homes


def absent(services) -> dict:
    """Units, files and links that a node must not have when the cluster runs these services: {units, paths}."""
    gone = [row for row in COMPONENTS.values() if row.service not in services]
    paths = [path for row in gone for path in (f"{ENV_DIR}/{row.unit}.env", f"{DIGEST_DIR}/{row.name}",
                                               f"{DIGEST_DIR}/{row.name}.refresh")]
    there = homes(services)
    paths += [file.path for home in HOMES.values() if home not in there for file in (*home.files, *home.texts) if not file.everywhere]
    # The unpacked folder stays, so that adding it again costs no download.
    paths += [folder for name, folder in SOFTWARE.items() if name not in {home.software for home in there}]
    return {"units": [row.unit for row in gone], "paths": paths}


def hdfs_data(service: str) -> list:
    """Folders of HDFS with the service's own data."""
    without = {row["path"] for row in hdfs_directories(())}
    paths = [row["path"] for row in hdfs_directories((service,)) if row["path"] not in without]
    return [path for path in paths if path.count("/") == 1]


def local_data(service: str, node) -> list:
    """Folders of a node with the service's own data and logs. HDFS's blocks are none: only a release deletes them."""
    roots = [STATE, *data_roots(node)]
    return [f"{LOG_ROOT}/{service}"] + [f"{root}/{name}" for name in HOMES[service].data for root in roots]


def deletable(service: str) -> bool:
    """Whether the data of a service may be deleted while the cluster lives."""
    return service in HOMES and not HOMES[service].bundle and HOMES[service].deletable
