"""What has to hold around the restart of a daemon."""
from __future__ import annotations

from ..common import run
from ..daemons import gates


class Turn:
    """One daemon's restart on one node; ``params`` are those of the operation, ``verb`` is start or restart."""

    def __init__(self, params, component, verb):
        self.params, self.component, self.verb = params, component, verb
        self.here = params["hosts"][0]

    def before(self):
        """Wait until it may go down, and note what is to be compared afterwards."""

    def leave(self):
        """The last word before it goes down."""

    def after(self, begun):
        """Wait until the cluster has it back. ``begun``: moment at which it went down."""

    def hand_over(self):
        """Have another one of several take over what is active here: it does when this one begins anew."""
        run(["systemctl", "restart", f"{self.component['unit']}.service"], limit_s=180)

    def wait(self, what, gate):
        """Wait for a gate after the restart."""
        gates.wait(what, gate, self.params["gate_limit_s"], "Look at the logs of both daemons: emrctl status")


class QuorumTurn(Turn):
    """Most of the servers stay: one goes down only while all others serve."""

    NAME = ""

    def before(self):
        if self.verb == "restart" and not self.params["force"]:
            gates.wait(f"the {self.NAME} of {self.here} cannot be stopped now", self.missing, self.params["gate_limit_s"],
                       "Look with: emrctl status. Or restart anyway with --force")

    def missing(self):
        """Gate: who else does not serve, in words."""
        raise NotImplementedError
