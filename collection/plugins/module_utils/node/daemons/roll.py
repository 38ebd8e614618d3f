"""Restart the daemons of one node of a living cluster, each between its gates.

A daemon that all others wait for goes first and alone; what else the node has restarts together.
"""
from __future__ import annotations

import time

from ..common import NodeError, unit_states
from ..services.hooks import hook
from .refresh import refresh
from .service import Start
from .stale import RUNNING, mark, stale_parts, wants_refresh, wants_restart


def perform(params, check):
    """The operation ``roll``: ``phase`` mark (ask for restarts, tell what is stale) or go (do them)."""
    if params["phase"] == "mark":
        names = params["names"]
        if params["mark"] and not check:
            mark(names)
        found = stale_parts(names)
        if params["mark"] and check:
            found["restart"] = [name for name in names if name not in found["idle"]]
        return {"changed": bool(params["mark"] and names), "emr_stale": found["restart"], "emr_refresh": found["refresh"],
                "emr_idle": found["idle"]}
    return Roll(params, check).run()


class Roll:
    """One node's turn. ``params``: components, refreshes, answers, host names, limits, force, again."""

    def __init__(self, params, check):
        self.params, self.check = params, check
        self.changes, self.seconds = [], {}

    def run(self):
        """Refresh what a command can refresh, restart the rest, step by step."""
        verbs = self._verbs()
        if self.check:
            return {"changed": bool(verbs), "changes": [f"{name}: {verb}" for name, verb in verbs.items()]}
        try:
            for step in self._steps([c for c in self.params["components"] if verbs.get(c["name"]) in ("start", "restart")]):
                self._step(step, verbs)
            for row in self.params["refreshes"]:
                if verbs.get(row["component"]) == "refresh" and row["name"] in wants_refresh(row["component"]):
                    self.changes.append(refresh(row))
        except NodeError as error:
            raise NodeError(f"{error}\nThe restart stopped here; daemons that wait for theirs still run with the former "
                            f"configuration. Go on with: {self.params['again']}", changes=self.changes, **error.extra)
        return {"changed": bool(self.changes), "changes": self.changes, "seconds": self.seconds}

    def _verbs(self):
        """{component: start, restart or refresh} of those that need one now."""
        states = unit_states([c["unit"] for c in self.params["components"]])
        verbs = {}
        for component in self.params["components"]:
            name = component["name"]
            if states.get(component["unit"], {}).get("ActiveState") not in RUNNING:
                verbs[name] = "start"
            elif wants_restart(name):
                verbs[name] = "restart"
            elif wants_refresh(name):
                verbs[name] = "refresh"
        return verbs

    @staticmethod
    def _steps(components):
        first = [c for c in components if c.get("leads")]
        rest = [c for c in components if not c.get("leads")]
        return [step for step in (first, rest) if step]

    def _step(self, components, verbs):
        todo = {c["name"]: verbs[c["name"]] for c in components}
        # A daemon without a hook is back when it serves, which starting waits for.
        turns = [hook(c["turn"], "TURNS")(self.params, c, todo[c["name"]]) for c in components if c.get("turn")]
        for turn in turns:
            turn.before()
        begun, clock = time.time(), time.monotonic()
        for turn in turns:
            turn.leave()
        start = Start(dict(self.params, components=components, format={}, file_system={}, data_dirs=[], bootstrap=[]), False)
        start.relaunch(todo)
        for turn in turns:
            turn.after(begun)
        self.changes += start.changes
        self.seconds["+".join(todo)] = round(time.monotonic() - clock, 1)
