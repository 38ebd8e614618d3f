"""The unit that copies the logs of jobs to OSS."""
from __future__ import annotations

import json

from .. import paths
from ..daemons.units import UNIT_DIR
from ..resident.files import root_file, timer_unit

SETTINGS = paths.LOGS_SETTINGS
UNIT = "emr-logs"
# Seconds between two looks for jobs that have ended.
TICK_S = 60


def side_units(spec, topology, node, effective) -> list:
    """The timer on the control node, as node/daemons/side.py wants it."""
    if node.name != topology.control_node.name:
        return []
    wanted = bool(spec.logs.oss)
    timer = timer_unit(f"Looks for jobs of cluster {topology.cluster} whose records and logs are not in OSS yet", TICK_S, TICK_S)
    texts = {f"{UNIT_DIR}/{UNIT}.timer": timer, f"{UNIT_DIR}/{UNIT}.service": _service(topology.cluster)}
    if wanted:
        texts[SETTINGS] = json.dumps({
            "oss": f"{spec.logs.oss.rstrip('/')}/{topology.cluster}-{topology.cluster_id}", "region": spec.region,
            "endpoint": str(effective["core-site"].get("fs.oss.endpoint") or "")}, indent=1, sort_keys=True) + "\n"
    files = [root_file(path, text) for path, text in texts.items()]
    return [{"unit": f"{UNIT}.timer", "wanted": wanted,
             "files": files if wanted else [{"path": path} for path in (*texts, SETTINGS)]}]


def _service(cluster: str) -> str:
    return f"""[Unit]
Description=Copies records and logs of jobs of cluster {cluster} to OSS
After=network-online.target

[Service]
Type=oneshot
ExecStart={paths.LOGS_PROGRAM}
TimeoutStartSec=3h
Nice=10
"""
