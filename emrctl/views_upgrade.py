"""Text forms, for people, of what upgrade returns."""
from __future__ import annotations

from emrctl import views_life
from emrctl.output import table

BACK = ["Nothing that was written since the upgrade is lost: both releases keep the same form of data."]


def plan(data: dict) -> str:
    """Which software changes, what pauses and how one gets back; then the plan."""
    found = (data.get("plan") or {}).get("upgrade") or {}
    lines = []
    if found.get("versions"):
        lines += [f"From {found['from']} to {found['to']}:", table(found["versions"], ["software", "from", "to"]),
                  "First the release is unpacked beside the one in use, on all nodes; nothing pauses. Then:"]
    lines += [f"  {sentence}" for sentence in found.get("pauses") or []]
    lines += BACK if found.get("direction") == "back" else []
    return "\n".join([*lines, views_life.plan(data)])


def upgraded(name: str, text: str, back: bool) -> str:
    """What was done, and what comes next."""
    if back:
        return f"{text}\nThe upgrade is taken back."
    return (f"{text}\nUntil the upgrade is finalised, files that are deleted keep their space in HDFS. To keep it: emrctl upgrade {name} --finalize. "
            f"To take it back: emrctl upgrade {name} --rollback")


def finalised(name: str, data: dict) -> str:
    """Whether there was something to finalise."""
    if not data.get("finalised"):
        return f"No upgrade of cluster {name} waits to be finalised; its release is {data.get('release')}."
    return f"Cluster {name} is of release {data.get('release')} for good."
