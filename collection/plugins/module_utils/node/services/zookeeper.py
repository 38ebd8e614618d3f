"""ZooKeeper on a node: how its servers say that they serve, and that enough of them do."""
from __future__ import annotations

from ...domain import paths
from ..common import read_text
from ..config.keys import parse_keys
from ..hadoop_http import connect
from .turns import QuorumTurn

CONF = f"{paths.HADOOP_CONF}/zoo.cfg"
LOOK_S = 3.0


def _server(url, limit_s):
    """Asks who it is: leader, follower, or none as long as it sees less than half of the others."""
    try:
        with connect(url, limit_s) as connection:
            connection.sendall(b"srvr")
            answer = b""
            while piece := connection.recv(4096):
                answer += piece
    except OSError as error:
        return False, f"no answer from {url}: {error}"
    mode = next((line.split(":", 1)[1].strip() for line in answer.decode(errors="replace").splitlines() if line.startswith("Mode:")), "")
    return (True, mode) if mode else (False, "waits for most of the other servers")


def servers(text):
    """The names of the servers in a zoo.cfg."""
    return sorted(value.split(":")[0] for key, value in parse_keys(text).items() if key.startswith("server."))


def silent(port, but=""):
    """The servers of this cluster that do not serve, without ``but``."""
    return [name for name in servers(read_text(CONF) or "") if name != but and not _server(f"tcp://{name}:{port}", LOOK_S)[0]]


class ServerTurn(QuorumTurn):
    """A restart of a server of ZooKeeper."""

    NAME = "ZooKeeper"

    def missing(self):
        missing = silent(self.component["ports"]["client"], self.here)
        return f"{', '.join(missing)} would be left without most of the servers" if missing else ""


SOCKETS = {"server": _server}
TURNS = {"server": ServerTurn}

__all__ = ["SOCKETS", "TURNS", "servers", "silent"]
