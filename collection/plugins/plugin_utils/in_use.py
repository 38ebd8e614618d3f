"""Before an edit takes queues, users or services away: nothing may run there. Called on the control node."""
from __future__ import annotations

from ..module_utils.domain.errors import Refused
from ..module_utils.services.registry import COMPONENTS, HOMES, homes


def check(action, context, before, wanted) -> None:
    """Raises Refused, before any change, when something still runs in a queue, for a user or by a service that goes.

    ``action`` is a NodeAction on the control node; ``before`` and ``wanted`` are Specs. Costs nothing when nothing goes, else one
    run of the module in the same task.
    """
    services = sorted(set(before.expanded_services) - set(wanted.expanded_services))
    gone = {"queues": sorted(set(before.queues) - set(wanted.queues)), "users": sorted(set(before.users) - set(wanted.users)),
            "services": [{"name": name, "applications": HOMES[name].used_by[0], "jobs": HOMES[name].used_by[1]} for name in services]}
    if not any(gone.values()):
        return
    # Who ran before answers, whatever is wanted now.
    answers = {home.name: f"http://{context.address(context.host)}:{COMPONENTS[home.answers].ports['http']}"
               for home in homes(before.expanded_services) if home.answers}
    found = action.module({"op": "guard", "answers": answers, **gone}, op="people")
    if found.get("failed") or found.get("unreachable"):
        raise Refused(str(found.get("msg") or "the control node did not say what runs"), "Nothing was changed")
    if found["reasons"]:
        raise Refused("; ".join(found["reasons"]), "Nothing was changed. Run the command again after that")
