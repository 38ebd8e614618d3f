"""The timer that writes a node's own figures: daemons that give none, units, jobs, flows, schedules, backups."""
from __future__ import annotations

import json

from ...services.registry import COMPONENTS, components_on
from .. import paths
from ..daemons.units import UNIT_DIR, storage_dirs
from ..resident import package as resident
from ..resident.files import root_file, timer_unit
from ..topology.endpoints import addresses

UNIT, RELAY = "emr-figures", "emr-dingtalk"
# Where figures are read from: without it nobody wants any.
SERVICE = "monitoring"
DINGTALK = "https://oapi.dingtalk.com/robot/send"
# Seconds between two looks.
EVERY_S = 20


def side_units(spec, topology, node, effective) -> list:
    """The timer with all that belongs to it, as node/daemons/side.py wants it."""
    texts = {f"{UNIT_DIR}/{UNIT}.timer": timer_unit(f"Writes the figures of this node of cluster {topology.cluster}", 5, EVERY_S),
             f"{UNIT_DIR}/{UNIT}.service": _service(topology.cluster),
             paths.FIGURES_SETTINGS: json.dumps(settings(spec, topology, node, effective), indent=1, sort_keys=True) + "\n"}
    wanted = SERVICE in spec.expanded_services
    files = [root_file(path, text) for path, text in texts.items()] + resident.program_files(paths.FIGURES_PROGRAM, "figures.program")
    return [{"unit": f"{UNIT}.timer", "wanted": wanted, "files": files if wanted else [{"path": path} for path in (*texts, paths.FIGURES_PROGRAM)]},
            *_relay(spec, topology, node)]


def _relay(spec, topology, node) -> list:
    """What passes alerts on to DingTalk, on the node that sends them; only where somebody wants that."""
    robots = {r.name: r.url or DINGTALK for r in spec.monitoring.receivers.values() if r.type == "dingtalk"}
    sender = COMPONENTS["alertmanager"]
    if node.role not in sender.roles:
        return []
    wanted = bool(robots) and SERVICE in spec.expanded_services and topology.runs(sender, node)
    texts = {f"{UNIT_DIR}/{RELAY}.service": f"""[Unit]
Description=Passes alerts of cluster {topology.cluster} on to DingTalk

[Service]
User={sender.user}
Group={sender.group}
ExecStart={paths.DINGTALK}
Restart=always
RestartSec=5
NoNewPrivileges=yes
""", paths.DINGTALK_SETTINGS: json.dumps(robots, indent=1, sort_keys=True) + "\n"}
    files = [root_file(path, text) for path, text in texts.items()] + resident.program_files(paths.DINGTALK, "figures.dingtalk")
    return [{"unit": f"{RELAY}.service", "wanted": wanted, "files": files if wanted else [{"path": path} for path in (*texts, paths.DINGTALK)]}]


def settings(spec, topology, node, effective) -> dict:
    """What the program has to know of its node."""
    services, control = spec.expanded_services, node.name == topology.control_node.name
    daemons = [{"name": c.name, "unit": c.unit, "health": None if c.metrics else _health(c, node)} for c in components_on(services, topology, node)]
    stores = storage_dirs("prometheus", effective) if topology.runs(COMPONENTS["prometheus"], node) else []
    return {"daemons": daemons, "control": control, "namenode": addresses(topology, services, "namenode") if control else "", "stores": stores}


def _health(component, node) -> dict:
    """How a daemon without figures is asked whether it serves."""
    health = component.health
    return {"kind": health.kind, "url": f"{'http' if health.path else 'tcp'}://{node.address}:{component.ports[health.port]}{health.path}"}


def _service(cluster: str) -> str:
    return f"""[Unit]
Description=Figures of this node of cluster {cluster}

[Service]
Type=oneshot
ExecStart={paths.FIGURES_PROGRAM}
TimeoutStartSec=60
Nice=10
"""
