"""`emrctl list`: straight to the API, since it must answer at once."""
from __future__ import annotations

from emrctl.verbs import OUTPUT, QUIET, REGION, Format, emit


def list_clusters(region: str = REGION, output: Format = OUTPUT, quiet: bool = QUIET) -> None:
    """List the clusters of a region."""
    from emrctl import cloud
    from emrctl.output import table

    found = cloud.clusters(region)
    columns = ["name", "state", "nodes", "release", "services", "zone", "created"]
    rows = [{**cluster, "state": state_of(cluster)} for cluster in found]
    if found or not quiet or output is not Format.table:
        emit(found, output, table(rows, columns) if found else "There are no clusters. Next: emrctl create cluster.yml")


def state_of(cluster: dict) -> str:
    """`Running`, or how many are in which state; `unfinished` when its create, or a purchase, was interrupted, and a warning."""
    states = cluster.get("states") or {}
    text = next(iter(states), "-") if len(states) < 2 else ", ".join(f"{n} {s}" for s, n in sorted(states.items()))
    ready, nodes = cluster.get("ready"), cluster.get("nodes") or 0
    waiting = ready is not None and ready < nodes
    notes = [f"unfinished: {ready} of {nodes} nodes ready"] if waiting else [] if cluster.get("complete", True) else ["unfinished"]
    notes += [warning(cluster["warned"])] if cluster.get("warned") else []
    return f"{text} ({'; '.join(notes)})" if notes else text


def warning(text: str) -> str:
    """The warning on a cluster's security group (module idle) for people."""
    from ansible_collections.emr.cluster.plugins.module_utils.domain.maintain.idle import read_warned

    found = read_warned(text)
    if found is None:
        return ""
    import time

    return f"warned of its release at {time.strftime('%Y-%m-%d %H:%MZ', time.gmtime(found.at))}: {found.reason}"
