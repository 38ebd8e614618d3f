"""The units of flows and schedules on the first master; their program belongs to the package of resident.py. No Ansible import."""
from __future__ import annotations

from .resident import UNIT as JOBS_UNIT
from .units import UNIT_DIR

PROGRAM = "/opt/emr/libexec/emr-flow"
UNIT = "emr-flows.service"


def side_units(topology, node) -> list:
    """The unit that takes up flows again at boot, with the templates of runners and of schedules; see node/side.py."""
    if node.name != topology.first_master.name:
        return []
    cluster = topology.cluster
    texts = {UNIT: _boot(cluster), "emr-flow@.service": _runner(cluster), "emr-schedule@.service": _due(cluster)}
    return [{"unit": UNIT, "wanted": True, "files": [
        {"path": f"{UNIT_DIR}/{name}", "content": text, "owner": "root", "group": "root", "mode": "0644"} for name, text in texts.items()]}]


def _boot(cluster: str) -> str:
    return f"""[Unit]
Description=Takes up the flows of cluster {cluster} after a boot
After={JOBS_UNIT}

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart={PROGRAM} boot

[Install]
WantedBy=multi-user.target
"""


def _runner(cluster: str) -> str:
    # A runner that dies is started again and goes on from the flow's record.
    return f"""[Unit]
Description=Flow %i of cluster {cluster}
After={JOBS_UNIT}
CollectMode=inactive-or-failed
StartLimitIntervalSec=300
StartLimitBurst=20

[Service]
ExecStart={PROGRAM} supervise %i
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
ExecStart={PROGRAM} fire %i
"""
