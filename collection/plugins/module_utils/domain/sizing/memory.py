"""What daemons and containers take of a node, and whether it is enough.

All memory is in MiB. The rules come from published tables (Amazon EMR's task configuration, from 8 GiB up) and from
measurements on small hosts (2-4 GiB); the user's own values always win over what is computed here. Sizes of one service's own
processes are in its home (services/).
"""
from __future__ import annotations

from ...services.registry import COMPONENTS, components_for, homes
from ..errors import Refused
from .rules import LEAST_MEMORY, TOLERANCE, heap_of, shapes_of, small


def heap(component_name: str, memory_mib: int) -> int:
    """Heap of a daemon on a node of this size, by the rule of its home."""
    return heap_of(COMPONENTS[component_name].heap, memory_mib)


def overhead(heap_mib: int) -> int:
    """Memory of a JVM beside its heap: class data, compiled code, threads, buffers (measured: 80-110 on idle daemons)."""
    return max(96, heap_mib // 8)


def beside(component, memory_mib: int) -> int:
    """What a daemon needs beside its heap."""
    return max(component.beside, overhead(heap(component.name, memory_mib)) if component.jvm else 0)


def system_memory(memory_mib: int) -> int:
    """Memory kept for the operating system and its caches."""
    return 256 if small(memory_mib) else 512


def demand(services, role: str, memory_mib: int, nodes=()) -> int:
    """What a node, one of ``nodes``, needs in all: system, daemons with their overhead, containers."""
    daemons = [c for c in components_for(services, role) if c.placement.enough(nodes)]
    held = sum(heap(c.name, memory_mib) + beside(c, memory_mib) for c in daemons)
    return system_memory(memory_mib) + held + sum(c.counts(memory_mib) for c in daemons if c.counts)


def check_topology(services, nodes) -> None:
    """Raises Refused, naming every trouble, when these nodes are too small for these (expanded) services.

    ``nodes`` have name, role, memory_mib and vcpus: planned ones before anything is bought, or real ones.
    """
    trouble = []
    for node in nodes:
        if node.memory_mib < LEAST_MEMORY * TOLERANCE and node.role != "gateway":
            trouble.append(f"{node.name} has {node.memory_mib} MiB of memory, expected at least {LEAST_MEMORY}")
        elif (need := demand(services, node.role, node.memory_mib, nodes)) > node.memory_mib:
            trouble.append(f"{node.name} has {node.memory_mib} MiB of memory, its daemons need {need}")
    trouble = trouble or [said for home in homes(services) for said in home.too_small(_rest(services, nodes))]
    if trouble:
        raise Refused("the nodes are too small: " + "; ".join(trouble), "Choose instance types with more memory "
                      "(4 GiB for a first cluster, 8 GiB for real work), or fewer services.")


def _rest(services, nodes) -> list:
    """MiB that each computing node gives to containers, less what daemons take of them; none where nothing computes."""
    giving = [c for c in COMPONENTS.values() if c.counts]
    rest = sorted((c.counts(n.memory_mib) for n in nodes for c in giving if n.role in c.roles), reverse=True)
    for component in [c for c in components_for(services) if c.takes and rest]:
        rest = sorted([rest[0] - component.takes, *rest[1:]], reverse=True)
    return rest


__all__ = ["TOLERANCE", "beside", "check_topology", "demand", "heap", "overhead", "shapes_of", "small", "system_memory"]
