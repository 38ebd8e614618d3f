"""What of a host shows figures, for people who have a Prometheus of their own."""
from __future__ import annotations

from ...services.monitoring_files import target
from ...services.registry import SERVICES, components_for


def targets(name: str, variables: dict, control: bool, alike: int) -> list:
    """Rows of Prometheus' discovery by files for the daemons of the host ``name`` with these variables, as ``node_hostvars`` gives them.

    ``control``: it is its cluster's control node, where components run that are on one node of a role; ``alike``: nodes of its role in its
    cluster, of which some components need several.
    """
    services = tuple(name for name in variables["emr_services"] if name in SERVICES)
    rows = [target(component, name, variables["emr_private_ip"], variables["emr_role"], variables["emr_group"])
            for component in components_for(services, variables["emr_role"]) if component.metrics and alike >= component.placement.least
            and (control or not component.placement.count or component.placement.count >= alike)]
    return [{**row, "labels": {"cluster": variables["emr_cluster_name"], **row["labels"]}} for row in rows]
