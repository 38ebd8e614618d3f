"""`emrctl list`: straight to the API, since it must answer at once."""
from __future__ import annotations

from emrctl.verbs import OUTPUT, REGION, Format, emit


def list_clusters(region: str = REGION, output: Format = OUTPUT) -> None:
    """List the clusters of a region."""
    from emrctl import cloud
    from emrctl.output import table

    found = cloud.clusters(region)
    columns = ["name", "state", "nodes", "release", "services", "zone", "created"]
    rows = [{**cluster, "state": _state(cluster)} for cluster in found]
    emit(found, output, table(rows, columns) if found else "No clusters. Next: emrctl create cluster.yml")


def _state(cluster: dict) -> str:
    """`Running`, or how many are in which state; `unfinished` when a purchase was interrupted."""
    states = cluster.get("states") or {}
    text = next(iter(states), "-") if len(states) < 2 else ", ".join(f"{n} {s}" for s, n in sorted(states.items()))
    return text if cluster.get("complete", True) else f"{text} (unfinished)"
