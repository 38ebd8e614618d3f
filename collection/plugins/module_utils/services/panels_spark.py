"""Pictures of Spark's executors, while their applications run."""
from __future__ import annotations

from .model import Panel


def _executors(name: str) -> str:
    # Those without a program are the others of a node, which are there at any time, and containers that have just begun.
    return f'topk(12, sum by (application) (emr_application_{name}{{program=~"org[.]apache[.]spark[.]executor[.].*|"}}))'


PANELS = (
    Panel("Executors", "spark", ((_executors("containers"), "{{application}}"),)),
    Panel("Executors: memory that they use", "spark", ((_executors("memory_bytes"), "{{application}}"),), "bytes"),
    Panel("Executors: CPUs that they use", "spark", ((_executors("cpus"), "{{application}}"),)),
)
