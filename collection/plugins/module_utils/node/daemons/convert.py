"""Make the only one of a daemon the first of several: it stops, gets what they have in common, and starts again as one of them."""
from __future__ import annotations

import time

from ..common import run, unit_states
from ..hadoop_http import base_of
from ..services.hooks import hook, module
from . import gates
from .health import probe
from .service import Start
from .stale import RUNNING, wants_restart

STATES = ("active", "standby")


def perform(params, check):
    """The operation ``convert``. ``components``: those that become the first of several, and those that decide who of them is active.

    What is left is seen: a daemon that serves, as the files are now, has been converted.
    """
    changes, seconds = [], {}
    for component in (c for c in params["components"] if c["becomes"]):
        one = One(params, component)
        if one.left:
            changes.append(f"{component['name']}: the first of several")
            if not check:
                seconds[component["label"]] = one.convert(changes)
    told = [f"{label} was away for {count} s" for label, count in seconds.items()]
    return {"changed": bool(changes), "changes": changes, "told": told, "paused": seconds}


class One:
    """A daemon that becomes the first of several, with those that decide who of them is active (``helpers``)."""

    def __init__(self, params, component):
        self.params, self.component = params, component
        self.helpers = [c for c in params["components"] if c["elects"] and component["name"] in c["after"]]
        self.own, self.answers = base_of(component["health"]["url"])[0], params["answers"].get(component["service"])
        self.stands = not wants_restart(component["name"]) and self._serves()
        states = unit_states([helper["unit"] for helper in self.helpers])
        self.left = not self.stands or any(state.get("ActiveState") not in RUNNING for state in states.values())

    def _daemon(self, address):
        return module(self.component["service"]).DAEMON(address)

    def _serves(self):
        """A unit that starts again and again runs as well, so the daemon is asked."""
        if self.answers:
            return self._daemon(self.own).states().get(self.own) in STATES
        return probe(self.component["health"])[0]

    def convert(self, changes):
        """Do it, and wait until it serves. Seconds from its stop until then. What takes time and needs no pause comes before."""
        for helper in self.helpers:
            self._note(changes, hook(helper["prepare"], "PREPARE")(helper))
        begun = time.monotonic()
        if not self.stands:
            run(["systemctl", "stop", f"{self.component['unit']}.service"], limit_s=180)
            self._note(changes, hook(self.component["becomes"], "BECOME")(self.params, self.component))
        # Its helpers wait for it by themselves, from the beginning.
        rows = [self.component, *(dict(helper, after=[], prepare="") for helper in self.helpers)]
        start = Start(dict(self.params, components=rows, format={}, file_system={}, data_dirs=[], bootstrap=[]), False)
        start.relaunch({row["name"]: "start" for row in rows})
        changes += start.changes
        if self.answers:
            daemon = self._daemon(self.answers)
            gates.wait(f"the {self.component['label']} becomes active", lambda: self._inactive(daemon), self.params["limit_s"], "Look with: emrctl status")
        return round(time.monotonic() - begun, 1)

    @staticmethod
    def _note(changes, done):
        changes += [done] if done else []

    def _inactive(self, daemon):
        """Gate: it is active, or another one."""
        states = daemon.states()
        return "" if "active" in states.values() else f"it is {states.get(self.own, 'silent')}"
