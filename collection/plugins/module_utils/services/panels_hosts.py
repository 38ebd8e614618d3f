"""Pictures of the hosts' figures. Those of a whole cluster are averages over its nodes, so that they mean the same at 3 nodes and at 300."""
from __future__ import annotations

from .model import Panel

# A disk of the host's own; a file system in memory is none.
_DISK = 'fstype!~"tmpfs|ramfs|squashfs|iso9660"'
_CPU = '100 * (1 - avg{by} (rate(node_cpu_seconds_total{{mode="idle"}}[$range])))'
_MEMORY = "100 * (1 - {one}{by} (node_memory_MemAvailable_bytes) / {one}{by} (node_memory_MemTotal_bytes))"
_SPACE = f"max by (node) (100 * (1 - node_filesystem_avail_bytes{{{_DISK}}} / node_filesystem_size_bytes{{{_DISK}}}))"
# Partitions and mapped devices would count twice what their disk has counted.
_DEVICE = 'device=~"(x?vd|sd)[a-z]+|nvme[0-9]+n[0-9]+"'


def _by_node(what: str) -> str:
    return f"sum by (node) (rate({what}[$range]))"


PANELS = (
    Panel("Nodes that answer", "overview", (('sum(up{component="node-exporter"})', "answer"), ('count(up{component="node-exporter"})', "of")), kind="number"),
    Panel("Daemons that answer", "overview", (("sum(up)", "answer"), ("count(up)", "of")), kind="number"),
    Panel("CPU and memory of all nodes", "overview", ((_CPU.format(by=""), "CPU"), (_MEMORY.format(by="", one="sum"), "memory")), "percent",
          kept=True),
    Panel("CPU in use", "nodes", ((_CPU.format(by=" by (node)"), "{{node}}"),), "percent", kept=True),
    Panel("Memory in use", "nodes", ((_MEMORY.format(by=" by (node)", one="sum"), "{{node}}"),), "percent", kept=True),
    Panel("Fullest disk", "nodes", ((_SPACE, "{{node}}"),), "percent", kept=True),
    Panel("Load for each vCPU", "nodes", (('max by (node) (node_load1) / count by (node) (node_cpu_seconds_total{mode="idle"})', "{{node}}"),), kept=True),
    Panel("Disk: read", "nodes", ((_by_node(f"node_disk_read_bytes_total{{{_DEVICE}}}"), "{{node}}"),), "bytes_per_second"),
    Panel("Disk: written", "nodes", ((_by_node(f"node_disk_written_bytes_total{{{_DEVICE}}}"), "{{node}}"),), "bytes_per_second"),
    Panel("Network: received", "nodes", ((_by_node("node_network_receive_bytes_total"), "{{node}}"),), "bytes_per_second"),
    Panel("Network: sent", "nodes", ((_by_node("node_network_transmit_bytes_total"), "{{node}}"),), "bytes_per_second"),
    Panel("Time that work waits for a disk", "nodes", ((f"100 * {_by_node('node_pressure_io_waiting_seconds_total')}", "{{node}}"),), "percent"),
)
