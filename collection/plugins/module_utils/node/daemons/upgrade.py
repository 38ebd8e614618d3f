"""What services want to be told when their software changes to another release: before the first of their daemons runs it, and when all do."""
from __future__ import annotations

from ...domain.waiting import wait
from ..services.hooks import asked

HOOKS = {"prepare": "upgrade_prepare", "finish": "upgrade_finish"}
LOOK_S = 90


def perform(params, check):
    """The operation ``upgrade``: ``phase`` look ({upgrade: {service: its state}}), prepare or finish."""
    if params["phase"] == "look" or check:
        seen = {}
        # An interrupted run may have left a daemon that is just coming back.
        wait(lambda: _coming(params["answers"], seen), LOOK_S, 0.5)
        return {"changed": False, "upgrade": seen}
    changes = [done for done in asked(params["answers"], HOOKS[params["phase"]], params).values() if done]
    return {"changed": bool(changes), "changes": changes}


def _coming(answers, seen):
    """Whether somebody does not answer, or is held by what passes; ``seen`` is filled with what each told."""
    seen.update(asked(answers, "upgrade_state"))
    return any(state is None or (state["held"] and state["passes"]) for state in seen.values())
