"""Pictures of YARN's figures: memory and vcores, queues, containers, applications."""
from __future__ import annotations

from .model import Panel
from .panels_hdfs import heap

MIB = 1048576
# The whole cluster, and each queue that has no queues below it. Series with a user repeat what those without have.
_ROOT = '{queue="root",user=""}'
_QUEUES = '{queue!="root",user=""}'


def _root(name: str) -> str:
    return f"max(queue_metrics_{name}{_ROOT})"


def _queue(name: str) -> str:
    return f"max by (queue) (queue_metrics_{name}{_QUEUES})"


def _many(name: str) -> str:
    return f"round(max(increase(queue_metrics_{name}{_ROOT}[$range])))"


def _largest(name: str) -> str:
    return f"topk(12, sum by (application) (emr_application_{name}))"


PANELS = (
    Panel("YARN memory in use", "overview", ((f"100 * {_root('allocated_mb')} / ({_root('allocated_mb')} + {_root('available_mb')})", "used"),),
          "percent", "number"),
    Panel("Applications that run", "overview", ((_root("apps_running"), "run"),), kind="number"),
    Panel("Applications", "overview", ((_root("apps_running"), "run"), (_root("apps_pending"), "wait"))),
    Panel("Memory of YARN", "overview", ((f"{_root('allocated_mb')} * {MIB}", "in use"), (f"{_root('available_mb')} * {MIB}", "free")), "bytes", "area"),
    Panel("Memory", "yarn", ((f"{_root('allocated_mb')} * {MIB}", "in use"), (f"{_root('reserved_mb')} * {MIB}", "reserved"),
                             (f"{_root('available_mb')} * {MIB}", "free")), "bytes", "area"),
    Panel("Memory that is waited for", "yarn", ((f"{_root('pending_mb')} * {MIB}", "asked for"),), "bytes"),
    Panel("Vcores", "yarn", ((_root("allocated_v_cores"), "in use"), (_root("available_v_cores"), "free"), (_root("pending_v_cores"), "waited for"))),
    Panel("Queues: memory in use", "yarn", ((f"{_queue('allocated_mb')} * {MIB}", "{{queue}}"),), "bytes"),
    Panel("Queues: share of what is theirs", "yarn", ((f"100 * {_queue('used_capacity')}", "{{queue}}"),), "percent"),
    Panel("Queues: applications that wait", "yarn", ((_queue("apps_pending"), "{{queue}}"),)),
    Panel("Containers", "yarn", (("sum by (node) (node_manager_metrics_containers_running)", "{{node}}"),)),
    # What nodes tell of their containers; others are those that are small among many.
    Panel("Applications: memory that they use", "yarn", ((_largest("memory_bytes"), "{{application}}"),), "bytes"),
    Panel("Applications: CPUs that they use", "yarn", ((_largest("cpus"), "{{application}}"),)),
    Panel("Containers that failed", "yarn", (("round(sum by (node) (increase(node_manager_metrics_containers_failed[$range])))", "{{node}}"),)),
    Panel("Applications: ends", "yarn", ((_many("apps_completed"), "completed"), (_many("apps_failed"), "failed"), (_many("apps_killed"), "killed"))),
    Panel("NodeManagers", "yarn", (("max(cluster_metrics_num_active_n_ms)", "active"), ("max(cluster_metrics_num_lost_n_ms)", "lost"),
                                   ("max(cluster_metrics_num_unhealthy_n_ms)", "unhealthy"), ("max(cluster_metrics_num_decommissioning_n_ms)", "leaving"))),
    Panel("Heap of the ResourceManager", "yarn", ((heap("resourcemanager"), "{{node}}"),), "percent"),
    Panel("Applications that run and wait", "jobs", ((_root("apps_running"), "run"), (_root("apps_pending"), "wait"))),
    Panel("Containers for them", "jobs", ((_root("allocated_containers"), "have"), (_root("pending_containers"), "wait for"))),
)
