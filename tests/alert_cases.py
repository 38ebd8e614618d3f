"""Small series for each alert: with the first it fires, with the second it stays silent. A step is 15 s; a look comes at 40 minutes, or as LOOKS says."""
from __future__ import annotations

STEADY, NOW = "x160", 160 * 15
# What is full soon has to have been there for a while.
LONG = "x1800"
LOOKS = {name: 7.5 * 3600 for name in ("DiskFullSoon", "HdfsFullSoon")}


def filling(name: str):
    """What shrinks all the time; and what is too young, what has shrunk for an hour alone, and what shrinks slowly: at other nodes."""
    young, lately, slowly = (name.replace("1\"", f"{number}\"", 1) for number in (7, 8, 9))
    return ({name: f"200000-50{LONG}"},
            {young: "_x1500 200000-50x300", lately: "200000x1560 200000-50x240", slowly: f"9000000-50{LONG}"})


M = '{node="m1",component="%s",role="master",group="master"}'
S = '{node="s1",component="%s",role="slave",group="slave"}'


# A daemon that ends, one that has never served, one that misses a scrape alone, and one that takes minutes for its first start.
ENDED, NEVER, MISSED, STARTS = "1x150 0x9", "_x110 0x50", "1x158 0 1 1", "_x140 0x20"


def up(component: str, where: str = M):
    """A daemon that does not answer any more, and what is none."""
    later = where.replace("1\"", "2\"", 1)
    return {f"up{where % component}": ENDED}, {f"up{where % component}": MISSED, f"up{later % component}": STARTS}


def probed(daemon: str):
    """A daemon that its own node asks."""
    name = f'emr_daemon_up{{node="%s",daemon="{daemon}"}}'
    return {name % "m1": ENDED}, {name % "m1": MISSED, name % "m2": STARTS}


def above(name: str, much, little):
    """A figure that is too high, and one that is not."""
    return {name: f"{much}{STEADY}"}, {name: f"{little}{STEADY}"}


def fs(name: str) -> str:
    """A figure of the NameNode."""
    return f"fs_namesystem_{name}{M % 'namenode'}"


def host(name: str, more: str = "") -> str:
    """A figure of a host."""
    return f'{name}{{node="s1",component="node-exporter"{more}}}'


def own(name: str, more: str = "") -> str:
    """A figure of our own."""
    return f'emr_{name}{{node="m1"{more}}}'


DISK = ',mountpoint="/data/1",device="/dev/vdb",fstype="ext4"'
DATASET = "org_apache_hadoop_hdfs_server_datanode_fsdataset_impl_fs_dataset_impl_"
ROOT = '{node="m1",queue="root"}'
# A step in the last ten minutes, and one an hour ago is out of every window: it stands still.
STEP, STILL = "0x140 4x20", "4" + STEADY

CASES = {
    "NameNodeDown": up("namenode"), "DataNodeDown": up("datanode", S), "ResourceManagerDown": up("resourcemanager"),
    "NodeManagerDown": up("nodemanager", S), "JobHistoryDown": up("historyserver"), "AlertmanagerDown": up("alertmanager"),
    "HostFiguresDown": up("node-exporter", S), "MetastoreDown": probed("metastore"), "ZooKeeperDown": probed("zookeeper"),
    "SparkHistoryDown": probed("spark-historyserver"),
    "SparkThriftDown": probed("spark-thrift"), "SparkConnectDown": probed("spark-connect"),
    "HdfsSafeMode": above(own("hdfs_safe_mode"), 1, 0),
    "NameNodeSlow": ({f"rpc_rpc_queue_time_avg_time{M % 'namenode'}": "900" + STEADY, f"rpc_rpc_processing_time_avg_time{M % 'namenode'}": "200" + STEADY},
                     {f"rpc_rpc_queue_time_avg_time{M % 'namenode'}": "1" + STEADY, f"rpc_rpc_processing_time_avg_time{M % 'namenode'}": "2" + STEADY}),
    "NameNodeEditsLong": above(fs("transactions_since_last_checkpoint"), 5000000, 20000),
    # One that was taken out of service on purpose is no fault.
    "DataNodesDead": ({fs("num_dead_data_nodes"): "2" + STEADY, fs("num_decom_dead_data_nodes"): "1" + STEADY},
                      {fs("num_dead_data_nodes"): "1" + STEADY, fs("num_decom_dead_data_nodes"): "1" + STEADY}),
    "DataNodesStale": above(fs("stale_data_nodes"), 1, 0),
    "DataNodeDiskFailed": above(f"datanode_volume_failures{S % 'datanode'}", 1, 0),
    "HdfsMissingBlocks": above(fs("missing_blocks"), 3, 0), "HdfsCorruptBlocks": above(fs("corrupt_blocks"), 3, 0),
    # After a node has gone HDFS has some minutes for the copies.
    "HdfsUnderReplicated": ({fs("under_replicated_blocks"): "70" + STEADY}, {fs("under_replicated_blocks"): "0x130 70x30"}),
    "HdfsDeletionsPending": above(fs("pending_deletion_blocks"), 200000, 500),
    "HdfsFull": ({fs("capacity_remaining"): "10" + STEADY, fs("capacity_total"): "100" + STEADY},
                 {fs("capacity_remaining"): "30" + STEADY, fs("capacity_total"): "100" + STEADY}),
    "HdfsFullSoon": filling(fs("capacity_remaining")),
    "DataNodeFull": ({f"{DATASET}remaining{S % 'datanode'}": "5" + STEADY, f"{DATASET}capacity{S % 'datanode'}": "100" + STEADY},
                     {f"{DATASET}remaining{S % 'datanode'}": "50" + STEADY, f"{DATASET}capacity{S % 'datanode'}": "100" + STEADY}),
    # The clock of the tests begins at 0.
    "BackupTooOld": ({own("backup_last_good_seconds"): "0" + STEADY, own("backup_every_seconds"): "600" + STEADY},
                     {own("backup_last_good_seconds"): "1500" + STEADY, own("backup_every_seconds"): "600" + STEADY}),
    "BackupFailed": above(own("backup_failed"), 1, 0),
    "YarnNoNodes": above(f"cluster_metrics_num_active_n_ms{M % 'resourcemanager'}", 0, 1),
    "YarnNodesLost": above(f"cluster_metrics_num_lost_n_ms{M % 'resourcemanager'}", 1, 0),
    "YarnNodesUnhealthy": above(f"cluster_metrics_num_unhealthy_n_ms{M % 'resourcemanager'}", 1, 0),
    "NodeManagerDisksBad": ({f"node_manager_metrics_bad_local_dirs{S % 'nodemanager'}": "1" + STEADY, f"node_manager_metrics_bad_log_dirs{S % 'nodemanager'}": "0" + STEADY},
                            {f"node_manager_metrics_bad_local_dirs{S % 'nodemanager'}": "0" + STEADY, f"node_manager_metrics_bad_log_dirs{S % 'nodemanager'}": "0" + STEADY}),
    "YarnApplicationsWait": ({f"queue_metrics_apps_pending{ROOT}": "2" + STEADY}, {f"queue_metrics_apps_pending{ROOT}": "0x130 2x30"}),
    "YarnMemoryShort": ({f"queue_metrics_pending_mb{ROOT}": "6000" + STEADY, f"queue_metrics_allocated_mb{ROOT}": "8000" + STEADY, f"queue_metrics_available_mb{ROOT}": "0" + STEADY},
                        {f"queue_metrics_pending_mb{ROOT}": "3000" + STEADY, f"queue_metrics_allocated_mb{ROOT}": "8000" + STEADY, f"queue_metrics_available_mb{ROOT}": "0" + STEADY}),
    "YarnApplicationsFail": ({f"queue_metrics_apps_failed{ROOT}": STEP}, {f"queue_metrics_apps_failed{ROOT}": STILL}),
    "ContainersFail": ({f"node_manager_metrics_containers_failed{S % 'nodemanager'}": "0x140 30x20"}, {f"node_manager_metrics_containers_failed{S % 'nodemanager'}": "0x140 4x20"}),
    "DaemonWithoutFigures": ({f"up{S % 'nodemanager'}": "1" + STEADY, f"scrape_samples_scraped{S % 'nodemanager'}": "0" + STEADY},
                             {f"up{S % 'nodemanager'}": "1" + STEADY, f"scrape_samples_scraped{S % 'nodemanager'}": "250" + STEADY}),
    "NodeFiguresOld": above(host("node_textfile_mtime_seconds", ',file="/var/lib/emr/figures/emr.prom"'), 100, 2390),
    "NodeFiguresMissing": ({f"up{S % 'node-exporter'}": "1" + STEADY},
                           {f"up{S % 'node-exporter'}": "1" + STEADY, 'emr_units_failed{node="s1"}': "0" + STEADY}),
    "FiguresStoreSmall": ({own("store_bytes"): "990" + STEADY, 'prometheus_tsdb_retention_limit_bytes{node="m1"}': "1000" + STEADY, 'prometheus_tsdb_lowest_timestamp_seconds{node="m1"}': "0" + STEADY},
                          {own("store_bytes"): "500" + STEADY, 'prometheus_tsdb_retention_limit_bytes{node="m1"}': "1000" + STEADY, 'prometheus_tsdb_lowest_timestamp_seconds{node="m1"}': "0" + STEADY}),
    "RulesFail": ({'prometheus_rule_evaluation_failures_total{node="m1",rule_group="emr"}': "0+1" + STEADY}, {'prometheus_rule_evaluation_failures_total{node="m1",rule_group="emr"}': STILL}),
    "AlertsNotSent": ({'alertmanager_notifications_failed_total{node="m1",integration="webhook"}': "0x150 3x10"}, {'alertmanager_notifications_failed_total{node="m1",integration="webhook"}': STILL}),
    # Everything on the node is silent, not one daemon alone.
    "NodeDown": ({f"up{S % 'datanode'}": ENDED, f"up{S % 'node-exporter'}": "0" + STEADY},
                 {f"up{S % 'datanode'}": ENDED, f"up{S % 'node-exporter'}": "1" + STEADY, f"up{S.replace('s1', 's2') % 'node-exporter'}": STARTS}),
    # A node that is new has had no other boot.
    "NodeRestarted": ({own("boot_first_seen_seconds"): "10x140 2000x20"}, {own("boot_first_seen_seconds"): "_x140 2000x20"}),
    "MemoryLow": ({host("node_memory_MemAvailable_bytes"): "1" + STEADY, host("node_memory_MemTotal_bytes"): "100" + STEADY},
                  {host("node_memory_MemAvailable_bytes"): "20" + STEADY, host("node_memory_MemTotal_bytes"): "100" + STEADY}),
    "MemoryPressure": ({host("node_pressure_memory_waiting_seconds_total"): "0+6" + STEADY}, {host("node_pressure_memory_waiting_seconds_total"): "0+1" + STEADY}),
    "OutOfMemory": ({host("node_vmstat_oom_kill"): STEP}, {host("node_vmstat_oom_kill"): STILL}),
    "CpuPressure": ({host("node_pressure_cpu_waiting_seconds_total"): "0+14" + STEADY}, {host("node_pressure_cpu_waiting_seconds_total"): "0+8" + STEADY}),
    "ClockOff": ({host("node_time_seconds"): "30+15" + STEADY}, {host("node_time_seconds"): "0+15" + STEADY}),
    "UnitFailed": ({own("unit_failed", ',unit="emr-backup.service"'): "1" + STEADY}, {own("units_failed"): "0" + STEADY}),
    "DaemonRestarts": ({own("daemon_restarts", ',daemon="namenode"'): STEP}, {own("daemon_restarts", ',daemon="namenode"'): "0x140 1x20"}),
    "DiskFull": ({host("node_filesystem_avail_bytes", DISK): "5" + STEADY, host("node_filesystem_size_bytes", DISK): "100" + STEADY},
                 {host("node_filesystem_avail_bytes", DISK): "15" + STEADY, host("node_filesystem_size_bytes", DISK): "100" + STEADY}),
    "DiskFullSoon": filling(host("node_filesystem_avail_bytes", DISK)),
    "DiskOutOfInodes": ({host("node_filesystem_files_free", DISK): "5" + STEADY, host("node_filesystem_files", DISK): "100" + STEADY},
                        # A file system without a number of inodes has none to lose.
                        {host("node_filesystem_files_free", DISK): "0" + STEADY, host("node_filesystem_files", DISK): "0" + STEADY}),
    "DiskReadOnly": above(host("node_filesystem_readonly", DISK), 1, 0),
    "DiskBusy": ({host("node_disk_io_time_seconds_total", ',device="vdb"'): "0+15" + STEADY}, {host("node_disk_io_time_seconds_total", ',device="vdb"'): "0+7" + STEADY}),
    "JobFailed": above(own("job_last_failure_seconds"), 2100, 900), "FlowFailed": above(own("flow_last_failure_seconds"), 2100, 900),
    "JobsWait": above(own("job_longest_wait_seconds"), 2000, 60),
    "StreamRestarts": ({own("stream_attempts", ',id="j-1",name="clicks"'): "1x130 2x5 3x5 4x20"}, {own("stream_attempts", ',id="j-1",name="clicks"'): "1x140 2x20"}),
    "BudgetNear": ({own("budget_share"): "0.85" + STEADY, own("budget_warns"): "1" + STEADY}, {own("budget_share"): "0.5" + STEADY, own("budget_warns"): "0" + STEADY}),
    "BudgetSpent": above(own("budget_share"), 1.2, 0.9),
    "ScheduleFailed": above(own("schedule_failed", ',schedule="nightly"'), 1, 0),
    "ScheduleStopped": above(own("schedule_stopped", ',schedule="nightly"'), 1, 0),
}
