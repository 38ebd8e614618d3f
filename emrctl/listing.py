"""`emrctl list`: straight to the API, since it must answer at once."""
from __future__ import annotations

from emrctl.verbs import OUTPUT, REGION, Format, emit


def list_clusters(region: str = REGION, output: Format = OUTPUT) -> None:
    """List the clusters of a region."""
    from emrctl import cloud
    from emrctl.output import table

    found = cloud.clusters(region)
    columns = ["name", "state", "nodes", "release", "services", "zone", "created"]
    emit(found, output, table(found, columns) if found else "No clusters. Next: emrctl create cluster.yml")
