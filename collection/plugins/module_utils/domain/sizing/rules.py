"""Rules of size that hold for any service: memory in MiB."""
from __future__ import annotations

LEAST_MEMORY = 2048
SMALL = 8192
# Machines sold as 2 GiB show a little less to their kernel.
TOLERANCE = 0.9


def clamp(value, least, most):
    """``value``, but not under ``least`` nor over ``most``."""
    return max(least, min(most, value))


def floor(value, unit: int) -> int:
    """The largest multiple of ``unit`` that is not above ``value``."""
    return int(value // unit) * unit


def small(memory_mib: int) -> bool:
    """Whether a node is of the small kind, for which starting fast and staying small matter most."""
    return memory_mib < SMALL * TOLERANCE


def heap_of(rule, memory_mib: int) -> int:
    """Heap of a daemon on a node of this size, by its rule (a Heap).

    On small nodes at most 256 MiB, unless the daemon needs more to start at all; from 8 GiB up at least ``roomy``.
    """
    size = int(clamp(memory_mib * rule.share, rule.least, rule.most))
    return min(size, max(256, rule.least)) if small(memory_mib) else max(size, rule.roomy)


# The collector that takes the least memory and threads.
QUICK_COLLECTOR = "-XX:+UseSerialGC"


def quick_flags(memory_mib: int) -> tuple:
    """JVM flags for small nodes: the simple collector and the quick compiler halve the time of a short process."""
    return (QUICK_COLLECTOR, "-XX:TieredStopAtLevel=1") if small(memory_mib) else ()


def shapes_of(topology) -> list:
    """(memory MiB, vCPUs) of the nodes that compute."""
    return [(n.memory_mib, n.vcpus) for n in topology.with_role("slave", "task")]
