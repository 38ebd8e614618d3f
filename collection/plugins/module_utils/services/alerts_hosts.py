"""Alerts of hosts: nodes, disks, memory, clock, units."""
from __future__ import annotations

from .alerts import full_soon, silent
from .model import Alert

_VALUE = "{{ printf \"%.0f\" $value }}"
_WHERE = "{{ $labels.mountpoint }} of {{ $labels.node }}"

DISKS = (
    Alert("DiskFull", "100 * min by (node, mountpoint) (node_filesystem_avail_bytes / node_filesystem_size_bytes) < {at}",
          f"Of the disk at {_WHERE} {_VALUE} % are free. Daemons stop when nothing is left.", "emrctl check {cluster}", "critical", 60, "10", "%"),
    Alert("DiskFullSoon", full_soon("node_filesystem_avail_bytes", "node, mountpoint"),
          f"At the pace of the last hours the disk at {_WHERE} is full within a day.", "emrctl check {cluster}", "warning", 1800, "24", "h",
          follows=("DiskFull",)),
    Alert("DiskOutOfInodes", "100 * min by (node, mountpoint) (node_filesystem_files_free / (node_filesystem_files > 0)) < {at}",
          f"Of the disk at {_WHERE} {_VALUE} % of the inodes are free: no new file can be made without one.", "emrctl check {cluster}", "critical", 60,
          "10", "%"),
    Alert("DiskReadOnly", "max by (node, mountpoint) (node_filesystem_readonly) > 0",
          f"The disk at {_WHERE} is mounted read-only, as Linux does after an error of the disk.", "emrctl repair {cluster} --node {node}", "critical", 30),
    Alert("DiskBusy", "100 * max by (node, device) (rate(node_disk_io_time_seconds_total[1m])) > {at}",
          f"The disk {{{{ $labels.device }}}} of {{{{ $labels.node }}}} is busy {_VALUE} % of the time: it holds up all that reads and writes.",
          "emrctl ssh {cluster} {node} -- top -b -n 1", "warning", 1800, "95", "%"),
)
HOSTS = (
    Alert("NodeDown", silent("up", "node, role, group"),
          "Nothing on {{ $labels.node }} answers: the instance is down, or its network is.", "emrctl repair {cluster} --node {node}", "critical", 30),
    Alert("NodeRestarted", "changes(emr_boot_first_seen_seconds[{at}m]) > 0",
          "{{ $labels.node }} was started again within the last minutes.", "emrctl status {cluster}", "warning", 0, "15", "min"),
    Alert("MemoryLow", "100 * min by (node) (node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes) < {at}",
          f"{{{{ $labels.node }}}} has {_VALUE} % of its memory left: soon Linux ends a process.", "emrctl ssh {cluster} {node} -- top -b -n 1",
          "warning", 300, "4", "%"),
    Alert("MemoryPressure", "100 * max by (node) (rate(node_pressure_memory_waiting_seconds_total[1m])) > {at}",
          f"Programs on {{{{ $labels.node }}}} wait {_VALUE} % of the time for memory.", "emrctl ssh {cluster} {node} -- top -b -n 1", "warning", 300,
          "20", "%"),
    Alert("OutOfMemory", "max by (node) (increase(node_vmstat_oom_kill[{at}m])) > 0",
          f"Linux has ended {_VALUE} processes on {{{{ $labels.node }}}}, since memory ran out.",
          "emrctl logs {cluster} --component system --node {node} --grep memory",
          "warning", 0, "15", "min"),
    Alert("CpuPressure", "100 * max by (node) (rate(node_pressure_cpu_waiting_seconds_total[1m])) > {at}",
          f"Programs on {{{{ $labels.node }}}} wait {_VALUE} % of the time for a CPU.", "emrctl ssh {cluster} {node} -- top -b -n 1", "warning", 1800,
          "80", "%"),
    Alert("ClockOff", "abs(max by (node) (timestamp(node_time_seconds) - node_time_seconds)) > {at}",
          "The clock of {{ $labels.node }} differs from the control node's by {{ printf \"%.1f\" $value }} s.", "emrctl check {cluster}", "warning",
          60, "2", "s"),
    Alert("UnitFailed", "max by (node, unit) (emr_unit_failed) > 0",
          "The unit {{ $labels.unit }} on {{ $labels.node }} has failed.", "emrctl logs {cluster} --component system --node {node} --since 1h", "warning", 60),
    Alert("DaemonRestarts", "max by (node, daemon) (increase(emr_daemon_restarts[15m])) > {at}",
          f"{{{{ $labels.daemon }}}} on {{{{ $labels.node }}}} has crashed and was started again {_VALUE} times within 15 minutes.",
          "emrctl logs {cluster} --component {{ $labels.daemon }} --node {node}", "critical", 0, "2", "times"),
)
