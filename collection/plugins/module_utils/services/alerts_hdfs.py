"""Alerts of HDFS: its NameNode, DataNodes, space, blocks, and the backups of its metadata."""
from __future__ import annotations

from .alerts import down, full_soon
from .model import Alert, Component

_LESS_NODES = ("NodeDown", "DataNodeDown", "DataNodesDead")
_VALUE = "{{ printf \"%.0f\" $value }}"
_DATASET = "org_apache_hadoop_hdfs_server_datanode_fsdataset_impl_fs_dataset_impl"


def alerts(namenode: Component, datanode: Component) -> tuple:
    """All alerts of the service."""
    return (
        down("NameNodeDown", namenode, "HDFS cannot be read or written, and what runs on it stands still.", "critical"),
        down("DataNodeDown", datanode, "Its blocks are read from other nodes, as far as those have copies."),
        *_NAMENODE, *_BLOCKS, *_SPACE, *_BACKUP)


_NAMENODE = (
    Alert("HdfsSafeMode", "max(emr_hdfs_safe_mode) > 0",
          "HDFS is in safe mode: files can be read, and not written. After a start it waits for the DataNodes' blocks; else somebody has switched it on.",
          "emrctl check {cluster}", "critical", 300),
    Alert("NameNodeSlow", 'max by (node) (rpc_rpc_queue_time_avg_time{component="namenode"} + rpc_rpc_processing_time_avg_time{component="namenode"}) > {at}',
          f"The NameNode takes {_VALUE} ms to answer a call: everything that opens files is slow.",
          "emrctl logs {cluster} --component namenode --level WARN", "warning", 180, "1000", "ms"),
    Alert("NameNodeEditsLong", "max by (node) (fs_namesystem_transactions_since_last_checkpoint) > {at}",
          f"{_VALUE} changes were made since the last checkpoint of the NameNode's metadata: its next start takes long.",
          "emrctl backup {cluster}", "warning", 60, "4000000", "changes"),
    Alert("DataNodesDead", "max(fs_namesystem_num_dead_data_nodes - fs_namesystem_num_decom_dead_data_nodes) > {at}",
          f"{_VALUE} DataNodes have said nothing for 90 s and count as dead: HDFS copies their blocks to others.",
          # A NameNode that starts counts all as dead that have not come to it yet.
          "emrctl repair {cluster}", "critical", 30, "0", "DataNodes", follows=("NodeDown",)),
    Alert("DataNodesStale", "max(fs_namesystem_stale_data_nodes) > {at}",
          f"{_VALUE} DataNodes have missed heartbeats for 30 s: they are slow, or their network is.",
          "emrctl status {cluster}", "warning", 60, "0", "DataNodes", follows=_LESS_NODES),
    Alert("DataNodeDiskFailed", "max by (node) (datanode_volume_failures) > {at}",
          f"{_VALUE} disks of the DataNode of {{{{ $labels.node }}}} have failed. Their blocks are copied from other nodes.",
          "emrctl repair {cluster} --node {node}", "critical", 0, "0", "disks"),
)
_BLOCKS = (
    Alert("HdfsMissingBlocks", "max(fs_namesystem_missing_blocks) > {at}",
          f"{_VALUE} blocks are missing: no DataNode that lives has a good copy, so their files cannot be read.",
          "emrctl check {cluster}", "critical", 30, "0", "blocks"),
    Alert("HdfsCorruptBlocks", "max(fs_namesystem_corrupt_blocks) > {at}",
          f"{_VALUE} blocks have a damaged copy. HDFS replaces it when there is a good one.", "emrctl check {cluster}", "warning", 120, "0", "blocks"),
    Alert("HdfsUnderReplicated", "max(fs_namesystem_under_replicated_blocks) > {at}",
          f"{_VALUE} blocks have had too few copies for a while: another failure may lose them.",
          "emrctl repair {cluster}", "warning", 900, "0", "blocks", follows=_LESS_NODES),
    Alert("HdfsDeletionsPending", "max(fs_namesystem_pending_deletion_blocks) > {at}",
          f"{_VALUE} blocks wait for their deletion: space that was given up comes back late.",
          "emrctl status {cluster}", "warning", 600, "100000", "blocks"),
)
_SPACE = (
    Alert("HdfsFull", "100 * max(1 - fs_namesystem_capacity_remaining / fs_namesystem_capacity_total) > {at}",
          f"HDFS is {_VALUE} % full.", "emrctl scale {cluster} slave=N", "warning", 300, "80", "%"),
    # Labels of the NameNode's series change; the cluster is one.
    Alert("HdfsFullSoon", full_soon("fs_namesystem_capacity_remaining", "node"),
          "At the pace of the last hours HDFS is full within a day.", "emrctl scale {cluster} slave=N", "warning", 1800, "24", "h"),
    Alert("DataNodeFull", f"100 * max by (node) (1 - {_DATASET}_remaining / {_DATASET}_capacity) > {{at}}",
          f"The DataNode of {{{{ $labels.node }}}} is {_VALUE} % full, and soon takes no blocks.", "emrctl balance {cluster}", "warning", 300, "90", "%",
          follows=("HdfsFull",)),
)
_BACKUP = (
    Alert("BackupTooOld", "time() - max by (node) (emr_backup_last_good_seconds) > {at} * max by (node) (emr_backup_every_seconds) + 900",
          "The last good backup of the NameNode's metadata is {{ humanizeDuration $value }} old. What changed since cannot be restored.",
          "emrctl backup {cluster}", "critical", 60, "2", "periods"),
    Alert("BackupFailed", "max by (node) (emr_backup_failed) > 0",
          "The last attempt to back the NameNode's metadata up has failed; older backups are there.", "emrctl backup {cluster}", "warning", 60,
          follows=("NameNodeDown", "HdfsSafeMode")),
)

__all__ = ["alerts"]
