"""Pictures of HDFS's figures. Labels of the sink's own, which change with time, are aggregated away everywhere."""
from __future__ import annotations

from .model import Panel

_ROOM = "max(fs_namesystem_capacity_remaining)"
# Growth of the last day, of which there may be less; nothing that grows is full at no time.
_FULL = f"{_ROOM} / clamp_min(max(deriv(max without (totalsynctimes, enabledecpolicies) (fs_namesystem_capacity_used)[1d:5m])), 0)"
_RPC = 'component="namenode"'


def _of(name: str) -> str:
    return f"max(fs_namesystem_{name})"


def heap(component: str) -> str:
    """The share of its heap that a daemon uses, by node."""
    return f'100 * max by (node) (jvm_metrics_mem_heap_used_m{{component="{component}"}} / jvm_metrics_mem_heap_max_m{{component="{component}"}})'


def collecting(component: str) -> str:
    """The share of time that a daemon's JVM collects garbage, by node."""
    return f'max by (node) (rate(jvm_metrics_gc_time_millis{{component="{component}"}}[$range])) / 10'


PANELS = (
    Panel("HDFS is full", "overview", ((_FULL, "at the growth of the last day"),), "until", "number"),
    Panel("HDFS in use", "overview", ((f"100 * (1 - {_ROOM} / {_of('capacity_total')})", "used"),), "percent", "number"),
    Panel("Blocks without a copy", "overview", ((_of("missing_blocks"), "missing"),), kind="number"),
    Panel("Capacity", "hdfs", ((_of("capacity_used"), "HDFS"), (_of("capacity_used_non_dfs"), "other files"), (_of("capacity_remaining"), "free")),
          "bytes", "area"),
    Panel("Full on", "hdfs", ((_FULL, "at the growth of the last day"),), "until", "number"),
    Panel("Files and blocks", "hdfs", ((_of("files_total"), "files and folders"), (_of("blocks_total"), "blocks"))),
    Panel("Blocks in need", "hdfs", ((_of("missing_blocks"), "missing"), (_of("corrupt_blocks"), "corrupt"), (_of("low_redundancy_blocks"), "too few copies"),
                                     (_of("pending_deletion_blocks"), "to be deleted"))),
    Panel("DataNodes", "hdfs", ((_of("num_live_data_nodes"), "live"), (_of("num_dead_data_nodes"), "dead"), (_of("stale_data_nodes"), "stale"),
                                (_of("num_decommissioning_data_nodes"), "leaving"))),
    Panel("Calls of the NameNode", "hdfs", ((f"sum by (port) (rate(rpc_rpc_processing_time_num_ops{{{_RPC}}}[$range]))", "port {{port}}"),), "per_second"),
    Panel("Time of a call", "hdfs", ((f"max(rpc_rpc_queue_time_avg_time{{{_RPC}}}) / 1000", "waiting"),
                                     (f"max(rpc_rpc_processing_time_avg_time{{{_RPC}}}) / 1000", "at work")), "seconds"),
    Panel("Read from DataNodes", "hdfs", (("sum by (node) (rate(datanode_bytes_read[$range]))", "{{node}}"),), "bytes_per_second"),
    Panel("Written to DataNodes", "hdfs", (("sum by (node) (rate(datanode_bytes_written[$range]))", "{{node}}"),), "bytes_per_second"),
    Panel("Heap of the NameNode", "hdfs", ((heap("namenode"), "{{node}}"),), "percent"),
    Panel("Garbage collection of the NameNode", "hdfs", ((collecting("namenode"), "{{node}}"),), "percent"),
    Panel("Heap of the DataNodes", "hdfs", ((heap("datanode"), "{{node}}"),), "percent", kept=True),
)
