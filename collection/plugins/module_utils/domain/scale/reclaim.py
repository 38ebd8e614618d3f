"""Which nodes get the units that drain spot nodes with a notice, and their files.

A cluster without spot groups has none of them.
"""
from __future__ import annotations

import json

from .. import paths
from ..daemons.units import ENV_DIR, UNIT_DIR
from ..resident import package as resident
from ..resident.files import root_file
from ..topology.endpoints import endpoint

PORT = 8097
WATCH, SERVE = "emr-reclaim-watch.service", "emr-reclaim.service"


def side_units(spec, topology, node) -> list:
    """The side units of one node, as {unit, wanted, files}; see node/daemons/side.py. ``spec`` is a Spec."""
    spot = {name for name, group in spec.node_groups.items() if group.spot is not None}
    nodes = {n.address: n.name for n in topology.nodes if n.group in spot}
    # A group that may grow later: its nodes find the service ready.
    wanted = bool(spot) and "yarn" in spec.expanded_services
    manager = endpoint(topology, "resourcemanager")
    rows = []
    if node.name == manager.host:
        files = [root_file(paths.RECLAIM_NODES, json.dumps(nodes, indent=1, sort_keys=True) + "\n"),
                 root_file(f"{UNIT_DIR}/{SERVE}", _serve_text(topology.cluster, manager.address))]
        rows.append(_row(SERVE, wanted, files))
    if node.role == "task":
        files = [root_file(f"{UNIT_DIR}/{WATCH}", _watch_text(topology.cluster, manager.address))]
        rows.append(_row(WATCH, wanted and node.group in spot, files))
    return rows


def _row(unit: str, wanted: bool, files: list) -> dict:
    # Modules stay when the unit goes: other programs may have them too.
    code = resident.program_files(paths.RECLAIM, "scale.reclaim_program") if wanted else [{"path": paths.RECLAIM}]
    return {"unit": unit, "wanted": wanted, "files": files + code}


def _watch_text(cluster: str, manager: str) -> str:
    return f"""[Unit]
Description=Notice of spot release for a node of cluster {cluster}
After=network-online.target
Wants=network-online.target

[Service]
User=yarn
ExecStart={paths.RECLAIM} watch http://{manager}:{PORT}/
Restart=always
RestartSec=5
NoNewPrivileges=yes

[Install]
WantedBy=multi-user.target
"""


def _serve_text(cluster: str, manager: str) -> str:
    return f"""[Unit]
Description=Drains spot nodes of cluster {cluster} that have notice
After=network-online.target
Wants=network-online.target

[Service]
EnvironmentFile={ENV_DIR}/emr-resourcemanager.env
ExecStart={paths.RECLAIM} serve {manager} {PORT}
Restart=always
RestartSec=5
NoNewPrivileges=yes

[Install]
WantedBy=multi-user.target
"""
