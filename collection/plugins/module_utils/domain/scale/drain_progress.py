"""What a drain says to people, and when it does not go on. Times are seconds."""
from __future__ import annotations

from ...services.registry import HOMES

# What runs on another service is told before it.
PARTS = tuple(home.draining for home in reversed(HOMES.values()) if home.draining)
# Nodes that are told one by one; more are summed up.
SHOWN = 4


def describe(rows) -> str:
    """One line for all leaving nodes: ``draining a: 3 containers, 120 of 800 blocks left; b: done``."""
    rest = [row for row in rows if not row["done"]]
    parts = [f"{row['name']}: {_one(row)}" for row in rest[:SHOWN]]
    if len(rest) > SHOWN:
        more = rest[SHOWN:]
        sums = [f"{sum(row.get(key, 0) for row in more)} {words}" for part in PARTS for key, words in part.sums]
        parts.append(f"{len(more)} more nodes: {', '.join(sums)}")
    done = len(rows) - len(rest)
    if done:
        parts.append(f"{done} of {len(rows)} done")
    return "draining " + "; ".join(parts)


def _one(row) -> str:
    parts = [text for part in PARTS for text in [part.said(row)] if text]
    parts += [f"{name}: {'not known how much' if left is None else left} left" for name, left in row.get("services", {}).items() if left != 0]
    return ", ".join(parts) or "ending"


def stuck(found) -> str:
    """Why the nodes that are not done are not, with what to look at."""
    parts = [f"{row['name']}: {_one(row)}" for row in found["nodes"] if not row["done"]]
    parts += [f"the {name} does not answer (emrctl status)" for name in found.get("silent", ())]
    hints = [part.hint(row) for part in PARTS for row in found["nodes"] if not row["done"]]
    parts += dict.fromkeys(filter(None, hints))
    return "; ".join(parts)


class Patience:
    """Gives up when what has a limit is over it, or when the rest shows the same picture for ``stall_s`` seconds."""

    def __init__(self, timed_s: float, stall_s: float):
        self.timed_s, self.stall_s = timed_s, stall_s
        self.begun = self.moved = None
        self.picture = None

    def over(self, found, now: float) -> str:
        """Why waiting ends, or ''."""
        if self.begun is None:
            self.begun = self.moved = now
        rest = [row for row in found["nodes"] if not row["done"]]
        # Containers may take their time up to the limit; what must move is everything else.
        working = found.get("answers", True) and any(part.timed(row) for part in PARTS for row in rest)
        picture = [(row["name"], *(row.get(key) for part in PARTS for key in part.moves), row.get("services")) for row in rest]
        if picture != self.picture:
            self.picture, self.moved = picture, now
        if working and now - self.begun > self.timed_s:
            return f"containers still run after {self.timed_s:.0f} s"
        if now - self.moved > self.stall_s and not (working and all(part.done(row) for part in PARTS for row in rest)):
            return f"nothing has moved for {self.stall_s:.0f} s"
        return ""
