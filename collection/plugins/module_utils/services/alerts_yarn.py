"""Alerts of YARN: its daemons, nodes, queues and applications."""
from __future__ import annotations

from .alerts import down
from .model import Alert, Component

_VALUE = "{{ printf \"%.0f\" $value }}"
# The whole cluster: without the rows of single queues and users.
_ROOT = '{queue="root",user=""}'


def alerts(resourcemanager: Component, nodemanager: Component) -> tuple:
    """All alerts of the service."""
    return (
        down("ResourceManagerDown", resourcemanager, "No application starts, and those that run get nothing new.", "critical"),
        down("NodeManagerDown", nodemanager, "Its containers end, and others take their place."),
        *_NODES, *_APPLICATIONS)


_NODES = (
    Alert("YarnNoNodes", "max(cluster_metrics_num_active_n_ms) < 1", "YARN has no node that works: no application runs.",
          "emrctl repair {cluster}", "critical", 60, follows=("NodeDown",)),
    Alert("YarnNodesLost", "max(cluster_metrics_num_lost_n_ms) > {at}",
          f"{_VALUE} NodeManagers were lost: they have said nothing for minutes.", "emrctl repair {cluster}", "warning", 0, "0", "nodes",
          follows=("NodeDown", "NodeManagerDown")),
    Alert("YarnNodesUnhealthy", "max(cluster_metrics_num_unhealthy_n_ms) > {at}",
          f"{_VALUE} nodes take no containers, since their disks are full or broken.", "emrctl check {cluster}", "warning", 60, "0", "nodes",
          follows=("NodeManagerDisksBad",)),
    Alert("NodeManagerDisksBad", "max by (node) (node_manager_metrics_bad_local_dirs + node_manager_metrics_bad_log_dirs) > {at}",
          f"{_VALUE} folders of the NodeManager of {{{{ $labels.node }}}} are full or broken.", "emrctl check {cluster}", "warning", 60, "0", "folders",
          follows=("DiskFull",)),
)
_APPLICATIONS = (
    Alert("YarnApplicationsWait", f"max(queue_metrics_apps_pending{_ROOT}) > {{at}}",
          f"{_VALUE} applications have waited for their first container for a while.", "emrctl scale {cluster} task=N", "warning", 900, "0", "applications"),
    Alert("YarnMemoryShort", f"max(queue_metrics_pending_mb{_ROOT}) > {{at}} * max(queue_metrics_allocated_mb{_ROOT} + queue_metrics_available_mb{_ROOT})",
          f"Applications ask for {_VALUE} MiB more than they have, half of the cluster's memory and more: they run, and slowly.",
          "emrctl scale {cluster} task=N", "warning", 1800, "0.5", "of the memory"),
    Alert("YarnApplicationsFail", f"max(increase(queue_metrics_apps_failed{_ROOT}[15m])) > {{at}}",
          f"The masters of {_VALUE} applications have failed within 15 minutes, each as often as it was tried.",
          "emrctl jobs list {cluster} --state FAILED", "warning", 0, "3", "applications",
          follows=("NameNodeDown", "HdfsSafeMode", "ResourceManagerDown")),
    Alert("ContainersFail", "max by (node) (increase(node_manager_metrics_containers_failed[15m])) > {at}",
          f"{_VALUE} containers have failed on {{{{ $labels.node }}}} within 15 minutes.", "emrctl logs {cluster} --component nodemanager --node {node}",
          "warning", 0, "20", "containers", follows=("YarnApplicationsFail",)),
)

__all__ = ["alerts"]
