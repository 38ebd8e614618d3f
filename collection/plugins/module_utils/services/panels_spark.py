"""Pictures of Spark's executors, while their applications run."""
from __future__ import annotations

from .model import Panel


def _sum(name: str) -> str:
    # Those without a program are the others of a node, which are there at any time, and containers that have just begun.
    return f'sum by (application) (emr_application_{name}{{program=~"org[.]apache[.]spark[.]executor[.].*|"}})'


def _executors(name: str) -> str:
    return f"topk(12, {_sum(name)})"


# The others may have no container at all.
_COLLECTING = f"topk(12, 100 * {_sum('gc_seconds_per_second')} / clamp_min({_sum('containers')}, 1))"


PANELS = (
    Panel("Executors", "spark", ((_executors("containers"), "{{application}}"),)),
    Panel("Executors: memory that they use", "spark", ((_executors("memory_bytes"), "{{application}}"),), "bytes"),
    Panel("Executors: CPUs that they use", "spark", ((_executors("cpus"), "{{application}}"),)),
    Panel("Executors: time in garbage collection", "spark", ((_COLLECTING, "{{application}}"),), "percent"),
    # What they keep for one another in a shuffle, spill, and read and write of blocks on the same node.
    Panel("Executors: written to disks", "spark", ((_executors("disk_written_bytes_per_second"), "{{application}}"),), "bytes_per_second"),
    Panel("Executors: read from disks", "spark", ((_executors("disk_read_bytes_per_second"), "{{application}}"),), "bytes_per_second"),
)
