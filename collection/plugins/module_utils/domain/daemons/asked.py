"""Sockets behind which something with more rights answers a daemon: what the daemon may know is decided there, not by what it can read.

systemd starts the program as root for each connection, with the connection as its stdout, and the program reads nothing. Nobody looks,
nothing runs.
"""
from __future__ import annotations

from ...services.registry import COMPONENTS
from ..daemons.units import UNIT_DIR
from ..resident.files import root_file

# Programs at once, and seconds that one may take.
AT_ONCE, LIMIT_S = 4, 30


def side_units(components, cluster: str) -> list:
    """The sockets of the components of one node, and those that are not wanted there, as node/daemons/side.py wants them."""
    here = {component.name for component in components}
    return [_row(component, number, *pair, cluster, component.name in here)
            for component in COMPONENTS.values() for number, pair in enumerate(component.asks, 1)]


def _row(component, number: int, socket: str, program: str, cluster: str, wanted: bool) -> dict:
    name = f"{component.unit}-asks{number}"
    texts = {f"{name}.socket": _socket(component, socket, cluster), f"{name}@.service": _service(component, program, cluster)}
    return {"unit": f"{name}.socket", "wanted": wanted, "files": [root_file(f"{UNIT_DIR}/{file}", text) for file, text in texts.items()]}


def _socket(component, socket: str, cluster: str) -> str:
    return f"""[Unit]
Description={component.label} of cluster {cluster} asks here

[Socket]
ListenStream={socket}
SocketUser={component.user}
SocketGroup={component.group}
SocketMode=0600
RemoveOnStop=yes
Accept=yes
MaxConnections={AT_ONCE}

[Install]
WantedBy=sockets.target
"""


def _service(component, program: str, cluster: str) -> str:
    return f"""[Unit]
Description=Answers the {component.label} of cluster {cluster}
CollectMode=inactive-or-failed

[Service]
ExecStart={program}
StandardInput=socket
StandardOutput=socket
StandardError=journal
RuntimeMaxSec={LIMIT_S}
ProtectSystem=full
PrivateTmp=yes
NoNewPrivileges=yes
"""
