"""The nodes of a cluster as each of them remembers them: what the cluster is does not depend on whom a run happens to reach.

An inventory can lose a line and a play can be limited. Neither is an order to take a node away, so what configured the
cluster last leaves its nodes with their shapes, and where components were placed, in a file on each of them, and the next run adds those that it
does not see.
"""
from __future__ import annotations

import json
from dataclasses import asdict

from .. import paths
from .nodes import Disk, Node, Topology

PATH = paths.NODES


def text(topology: Topology, services=()) -> str:
    """The record of a topology: one line of JSON for each node, so that a diff shows who came and went."""
    where = json.dumps({name: list(names) for name, names in topology.placement.items()}, sort_keys=True)
    rows = ",\n".join(json.dumps(asdict(node), sort_keys=True) for node in topology.nodes)
    head = f'"cluster": {json.dumps(topology.cluster)}, "services": {json.dumps(list(services))}, "placement": {where}'
    return f'{{{head}, "nodes": [\n{rows}\n]}}\n'


def services(record, cluster: str = "") -> tuple:
    """The services of a record; none where it is not a record, or of another cluster than ``cluster``."""
    if not isinstance(record, dict) or (cluster and record.get("cluster") != cluster):
        return ()
    found = record.get("services")
    return tuple(str(name) for name in found) if isinstance(found, list) else ()


def nodes(record, cluster: str = "") -> tuple:
    """The Nodes of a record, as decoded from JSON; none where it is not a record, or of another cluster than ``cluster``."""
    if not isinstance(record, dict) or (cluster and record.get("cluster") != cluster):
        return ()
    try:
        return tuple(Node(**dict(row, disks=tuple(Disk(**disk) for disk in row["disks"]))) for row in record["nodes"])
    except (KeyError, TypeError):
        # Written by another version: as good as none.
        return ()


def placement(record) -> dict:
    """Where components were placed, as {component: names}, by such a record or by a revision's meta data; {} where they do not say."""
    found = record.get("placement") if isinstance(record, dict) else None
    if not isinstance(found, dict):
        return {}
    return {str(name): tuple(str(host) for host in hosts) for name, hosts in found.items() if isinstance(hosts, list)}
