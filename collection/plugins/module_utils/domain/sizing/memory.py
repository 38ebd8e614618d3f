"""Sizes for daemons, containers and executors, from a node's memory and vCPUs. Pure Python: no Ansible import.

All memory is in MiB. The rules come from published tables (Amazon EMR's task configuration, from 8 GiB up) and from
measurements on small hosts (2-4 GiB); the user's own values always win over what is computed here.
"""
from __future__ import annotations

import math
from dataclasses import dataclass

from ..catalogue import COMPONENTS, components_for
from ..errors import Refused

LEAST_MEMORY = 2048
SMALL = 8192
# An executor or application master of Spark needs about 900 MiB: 450 MiB of heap at least and 384 MiB beside it.
SPARK_LEAST = 1024
SPARK_OVERHEAD = 384
SPARK_BESIDE = 256
# The application master of a daemon that is an application: 256 MiB of heap and 128 beside it, in the unit of allocations.
SERVER_MASTER = 512
# Machines sold as 2 GiB show a little less to their kernel.
TOLERANCE = 0.9


@dataclass(frozen=True)
class JobSizing:
    """Sizes of containers, the same on all nodes since the submitting side chooses them. MiB, heaps too."""

    min_allocation: int
    max_allocation: int
    max_vcores: int
    map_mb: int
    reduce_mb: int
    am_mb: int
    map_heap: int
    reduce_heap: int
    am_heap: int
    sort_mb: int


@dataclass(frozen=True)
class SparkSizing:
    """Sizes of Spark's processes: heap and the overhead beside it in MiB, cores of an executor."""

    cores: int
    heap: int
    overhead: int
    driver_heap: int
    partitions: int


def clamp(value, least, most):
    """``value``, but not under ``least`` nor over ``most``."""
    return max(least, min(most, value))


def small(memory_mib: int) -> bool:
    """Whether a node is of the small kind, for which starting fast and staying small matter most."""
    return memory_mib < SMALL * TOLERANCE


def yarn_memory(memory_mib: int) -> int:
    """Memory that a node gives to YARN's containers.

    From 8 GiB up: RAM - clamp(RAM/4, 2 GiB, 8 GiB), which reproduces Amazon EMR's published table (8 -> 6 GiB,
    32 -> 24, 64 -> 56, 256 -> 248). Below: RAM - max(768, RAM/4), measured with DataNode and NodeManager beside it.
    """
    if small(memory_mib):
        return max(0, memory_mib - max(768, memory_mib // 4))
    return memory_mib - clamp(memory_mib // 4, 2048, 8192)


def heap(component_name: str, memory_mib: int) -> int:
    """Heap of a daemon on a node of this size, by the catalogue's rule.

    On small nodes at most 256 MiB, unless the daemon needs more to start at all. The NameNode gets at least 1 GiB from 8 GiB up (1 GiB is good for a million
    blocks).
    """
    rule = COMPONENTS[component_name].heap
    size = int(clamp(memory_mib * rule.share, rule.least, rule.most))
    if small(memory_mib):
        return min(size, max(256, rule.least))
    return max(size, 1024) if component_name == "namenode" else size


def overhead(heap_mib: int) -> int:
    """Memory of a JVM beside its heap: class data, compiled code, threads, buffers (measured: 80-110 on idle daemons)."""
    return max(96, heap_mib // 8)


def beside(component, memory_mib: int) -> int:
    """What a daemon needs beside its heap; the driver of an application has more libraries (measured: 250)."""
    least = SPARK_BESIDE if component.application else 0
    return max(least, overhead(heap(component.name, memory_mib)))


def system_memory(memory_mib: int) -> int:
    """Memory kept for the operating system and its caches."""
    return 256 if small(memory_mib) else 512


def demand(services, role: str, memory_mib: int) -> int:
    """What a node needs in all: system, daemons with their overhead, YARN's containers."""
    daemons = components_for(services, role)
    held = sum(heap(c.name, memory_mib) + beside(c, memory_mib) for c in daemons)
    yarn = yarn_memory(memory_mib) if any(c.name == "nodemanager" for c in daemons) else 0
    return system_memory(memory_mib) + held + yarn


def child_heap(container: int) -> int:
    """Heap of a task's JVM: 0.8 of its container, and at least 160 MiB less than it in small ones."""
    return min(int(container * 0.8), container - 160)


def job_sizing(shapes) -> JobSizing:
    """Container sizes for nodes of these (memory MiB, vCPUs): those of the smallest fit everywhere.

    Map about RAM_yarn / (2 x vCPU), 1 to 4 GiB (0.5 to 1 GiB on small nodes); reduce twice that, but so that a master and
    a reducer fit on one node; allocations are multiples of the least one.
    """
    shapes = sorted((yarn_memory(memory), max(1, vcpus), memory) for memory, vcpus in shapes)
    yarn, vcpus, memory = shapes[0]
    unit = 256 if small(memory) else 512
    least, most = (512, 1024) if small(memory) else (1024, 4096)
    map_mb = clamp(_floor(yarn / (2 * vcpus), unit), least, most)
    map_mb = min(map_mb, max(unit, _floor(yarn / 2, unit)))
    reduce_mb = max(map_mb, min(2 * map_mb, _floor(yarn - map_mb, unit)))
    map_heap = child_heap(map_mb)
    return JobSizing(unit, shapes[-1][0], max(v for _y, v, _m in shapes), map_mb, reduce_mb, map_mb, map_heap,
                     child_heap(reduce_mb), child_heap(map_mb), clamp(int(map_heap * 0.4), 64, 1024))


def spark_sizing(shapes, held: int = 0) -> SparkSizing:
    """Executors for nodes of these (memory MiB, vCPUs): about two on a node of 4 vCPUs, at most 5 cores each.

    The container's memory is the node's share, heap = container / 1.1 with at least 384 MiB beside it. A small node's
    executor takes half of it, so that a driver finds room next to it. ``held``: MiB that daemons take of YARN; a single node
    shares what is left.
    """
    unit = job_sizing(shapes).min_allocation
    cores_all = sum(vcpus for _memory, vcpus in shapes)
    memory, vcpus = min(shapes)
    cores = vcpus if vcpus < 4 else clamp(vcpus // 2, 1, 5)
    per_node = max(2, vcpus // cores)
    yarn = yarn_memory(memory) - (held if len(shapes) == 1 else 0)
    container = clamp(_floor(yarn / per_node, unit), min(SPARK_LEAST, yarn), 65536)
    beside = max(SPARK_OVERHEAD, container - int(container / 1.1))
    driver = clamp(_floor(yarn / (2 if small(memory) else 4), unit), SPARK_LEAST, 4096)
    driver_heap = min(driver, container) - SPARK_OVERHEAD
    return SparkSizing(max(1, cores), container - beside, beside, driver_heap, clamp(2 * cores_all, 4, 2000))


def _floor(value, unit: int) -> int:
    """The largest multiple of ``unit`` that is not above ``value``."""
    return int(value // unit) * unit


def replication(slaves: int) -> int:
    """Copies of a block: 1 with one slave, 2 with two or three (so that one can leave), 3 from four on."""
    return 1 if slaves <= 1 else 2 if slaves <= 3 else 3


def handlers(nodes: int, vcpus: int) -> int:
    """Threads that answer calls in the NameNode: 20 x ln(nodes), at least 10, at most 16 for each vCPU."""
    return int(clamp(20 * math.log(max(nodes, 1)), 10, max(10, 16 * vcpus)))


def shapes_of(topology) -> list:
    """(memory MiB, vCPUs) of the nodes that compute."""
    return [(n.memory_mib, n.vcpus) for n in topology.with_role("slave", "task")]


def check_topology(services, nodes) -> None:
    """Raises Refused, naming every trouble, when these nodes are too small for these (expanded) services.

    ``nodes`` have name, role, memory_mib and vcpus: planned ones before anything is bought, or real ones.
    """
    trouble = []
    for node in nodes:
        if node.memory_mib < LEAST_MEMORY * TOLERANCE and node.role != "gateway":
            trouble.append(f"{node.name} has {node.memory_mib} MiB of memory, expected at least {LEAST_MEMORY}")
        elif demand(services, node.role, node.memory_mib) > node.memory_mib:
            need = demand(services, node.role, node.memory_mib)
            trouble.append(f"{node.name} has {node.memory_mib} MiB of memory, its daemons need {need}")
    # Every node that passed gives YARN room for one container of Spark; a driver and an executor need two.
    computing = [n for n in nodes if n.role in ("slave", "task")]
    rest = sorted((yarn_memory(n.memory_mib) for n in computing), reverse=True)
    for _server in [c for c in components_for(services) if c.application and rest]:
        rest = sorted([rest[0] - SERVER_MASTER, *rest[1:]], reverse=True)
    room = sum(max(0, memory) // SPARK_LEAST for memory in rest)
    if "spark" in services and computing and not trouble and room < 2:
        trouble.append(f"the cluster has room for {room} container of {SPARK_LEAST} MiB, Spark needs two (driver, executor)")
    if trouble:
        raise Refused("the nodes are too small: " + "; ".join(trouble), "Choose instance types with more memory "
                      "(4 GiB for a first cluster, 8 GiB for real work), or fewer services.")
