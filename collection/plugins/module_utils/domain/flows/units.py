"""The units of flows and schedules on the control node; their program belongs to the package of resident.py. No Ansible import."""
from __future__ import annotations

from .. import paths
from ..daemons.units import UNIT_DIR
from ..jobs.resident import UNIT as JOBS_UNIT
from ..resident.files import boot_unit, root_file

UNIT = "emr-flows.service"


def side_units(topology, node) -> list:
    """The unit that takes up flows again at boot, with the templates of runners and of schedules; see node/daemons/side.py."""
    if node.name != topology.control_node.name:
        return []
    cluster = topology.cluster
    boot = boot_unit(f"Takes up the flows of cluster {cluster} after a boot", f"After={JOBS_UNIT}", f"{paths.FLOWS_PROGRAM} boot")
    texts = {UNIT: boot, "emr-flow@.service": _runner(cluster), "emr-schedule@.service": _due(cluster)}
    return [{"unit": UNIT, "wanted": True, "files": [root_file(f"{UNIT_DIR}/{name}", text) for name, text in texts.items()]}]


def _runner(cluster: str) -> str:
    # A runner that dies is started again and goes on from the flow's record.
    return f"""[Unit]
Description=Flow %i of cluster {cluster}
After={JOBS_UNIT}
CollectMode=inactive-or-failed
StartLimitIntervalSec=300
StartLimitBurst=20

[Service]
ExecStart={paths.FLOWS_PROGRAM} supervise %i
Restart=on-failure
RestartSec=1
"""


def _due(cluster: str) -> str:
    return f"""[Unit]
Description=Starts the flow of schedule %i of cluster {cluster}
After={JOBS_UNIT}
CollectMode=inactive-or-failed
StartLimitIntervalSec=0

[Service]
Type=oneshot
ExecStart={paths.FLOWS_PROGRAM} fire %i
"""
