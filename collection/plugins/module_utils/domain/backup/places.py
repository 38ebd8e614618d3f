"""Where backups of the NameNode's metadata are kept and the unit that makes them."""
from __future__ import annotations

import json

from ...services.model import GROUP
from ...services.registry import COMPONENTS
from .. import paths
from ..config import writers
from ..config.texts import LOG4J
from ..daemons.units import ENV_DIR, UNIT_DIR, storage_dirs
from ..resident import package as resident
from ..resident.files import root_file, timer_unit
from ..sizing import memory as sizing
from ..text import durations
from ..topology.endpoints import addresses

UNIT = "emr-backup"
CONF_DIR = paths.BACKUP_CONF
# Seconds: how often the timer looks whether a backup is due, and from configuring to the first look.
TICK_S, FIRST_S = 300, 90


def holder(topology):
    """The node that keeps the backups: the first slave; None when there is none."""
    slaves = sorted(topology.with_role("slave"), key=lambda node: node.name)
    return slaves[0] if slaves else None


def root_of(node) -> str:
    """Folder of the copies on a node, on a data disk where it has one."""
    return "/data/1/dfs/backup" if node.disks else f"{paths.HDFS_STATE}/backup"


def wanted_on(spec, topology, node) -> bool:
    """Whether this node makes the backups."""
    keeper = holder(topology)
    return bool("hdfs" in spec.expanded_services and spec.backup.enabled and keeper and keeper.name == node.name)


def directories(spec, topology, node) -> list:
    """The folder of the copies, as {path, owner, group, mode}. Names of all files are in there: for hdfs alone."""
    if not wanted_on(spec, topology, node):
        return []
    return [{"path": root_of(node), "owner": "hdfs", "group": GROUP, "mode": "0700"}]


def side_units(spec, topology, node, effective) -> list:
    """The timer of the backups with everything that belongs to it, as node/daemons/side.py wants it; nodes without HDFS: none."""
    if node.role != "slave":
        return []
    wanted = wanted_on(spec, topology, node)
    files = _files(spec, topology, node, effective) if wanted else [
        {"path": path} for path in (f"{UNIT_DIR}/{UNIT}.timer", f"{UNIT_DIR}/{UNIT}.service", f"{CONF_DIR}/backup.json")]
    return [{"unit": f"{UNIT}.timer", "wanted": wanted, "files": files}]


def _files(spec, topology, node, effective) -> list:
    name = topology.cluster
    timer = timer_unit(f"Looks whether a backup of the NameNode's metadata of cluster {name} is due", FIRST_S,
                       min(TICK_S, durations.seconds(spec.backup.every)))
    texts = {f"{UNIT_DIR}/{UNIT}.timer": timer, f"{UNIT_DIR}/{UNIT}.service": _service(name),
             f"{CONF_DIR}/core-site.xml": writers.site_xml({"fs.defaultFS": effective["core-site"]["fs.defaultFS"]}),
             f"{CONF_DIR}/hdfs-site.xml": writers.site_xml(_hdfs_site(node, effective)),
             f"{CONF_DIR}/log4j.properties": LOG4J,
             f"{CONF_DIR}/backup.json": json.dumps(_settings(spec, topology, node, effective), indent=1, sort_keys=True) + "\n"}
    return [root_file(path, text) for path, text in texts.items()] + resident.program_files(paths.BACKUP, "backup.tool")


def _hdfs_site(node, effective) -> dict:
    """As much as the checkpoint needs, in a folder of its own: the daemons' files stay as they are on every slave."""
    folder = f"file://{root_of(node)}/checkpoint"
    keys = ("dfs.namenode.rpc-address", "dfs.namenode.http-address")
    return {**{key: str(effective["hdfs-site"][key]) for key in keys}, "dfs.namenode.checkpoint.dir": folder,
            "dfs.namenode.checkpoint.edits.dir": folder}


def _settings(spec, topology, node, effective) -> dict:
    namenode = topology.running(COMPONENTS["namenode"])[0]
    return {"cluster": topology.cluster, "cluster_id": topology.cluster_id, "region": spec.region, "every_s": durations.seconds(spec.backup.every),
            "keep": spec.backup.keep, "oss": spec.backup.oss, "root": root_of(node),
            "oss_endpoint": str(effective["core-site"].get("fs.oss.endpoint") or f"oss-{spec.region}-internal.aliyuncs.com"),
            "environment": f"{ENV_DIR}/{COMPONENTS['datanode'].unit}.env", "namenode": addresses(topology, spec.expanded_services, "namenode"),
            "data_dirs": storage_dirs("datanode", effective),
            # A checkpoint holds the whole namespace in memory, as the NameNode does.
            "heap_mib": sizing.heap("namenode", namenode.memory_mib), "quick": sizing.small(namenode.memory_mib)}


def _service(cluster: str) -> str:
    return f"""[Unit]
Description=Backup of the NameNode's metadata of cluster {cluster}
After=network-online.target

[Service]
Type=oneshot
User=hdfs
Group={GROUP}
ExecStart={paths.BACKUP} --due
TimeoutStartSec=3h
Nice=10
NoNewPrivileges=yes
UMask=0077
"""
