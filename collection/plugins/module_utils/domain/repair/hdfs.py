"""When HDFS has healed."""
from __future__ import annotations

# A DataNode that has not reported for so long may be the one that was replaced: the NameNode still counts it as live.
QUIET_S = 20
# Seconds after which copies that nobody makes are not waited for: a file wants more of them than there are DataNodes.
SETTLED_S = 60


def healed(hdfs, wanted: int) -> bool:
    """Whether every block has its copies and exactly the DataNodes that should be there are.

    With one more, the NameNode has not noticed yet that one is gone. Missing blocks do not heal by waiting, so they are
    for the check to tell.
    """
    return settled(hdfs, wanted) and not hdfs["under_replicated_blocks"]


def settled(hdfs, wanted: int) -> bool:
    """Whether HDFS serves with exactly the DataNodes that should be there."""
    return bool(hdfs) and not hdfs["safe_mode"] and hdfs["live"] == wanted and not quiet(hdfs)


class Healing:
    """Looks at HDFS until it has healed: ``look(hdfs, now)`` is true then. ``now`` in seconds, from any beginning."""

    def __init__(self, wanted: int):
        self.wanted, self.seen, self.since = wanted, None, 0.0

    def __call__(self, hdfs, now: float) -> bool:
        if healed(hdfs, self.wanted):
            return True
        seen = (hdfs["under_replicated_blocks"], hdfs["copying_blocks"]) if settled(hdfs, self.wanted) else None
        if seen != self.seen or seen is None or seen[1]:
            self.seen, self.since = seen, now
            return False
        return now - self.since > SETTLED_S


def quiet(hdfs) -> list:
    """Live DataNodes that have not reported lately."""
    return [row["node"] for row in hdfs.get("datanodes", [])
            if row["state"] != "dead" and row["last_contact_s"] > QUIET_S]


def progress(hdfs, wanted: int) -> str:
    """What is still to come, in words."""
    if not hdfs:
        return "the NameNode does not answer"
    parts = [f"{hdfs['live']} of {wanted} DataNodes are live"] if hdfs["live"] < wanted else []
    if hdfs["live"] > wanted or quiet(hdfs):
        parts.append("the NameNode has not noticed yet which nodes are gone")
    if hdfs["safe_mode"]:
        parts.append("safe mode")
    parts.append(f"{hdfs['under_replicated_blocks']} of {hdfs['blocks']} blocks have too few copies")
    if hdfs["missing_blocks"]:
        parts.append(f"{hdfs['missing_blocks']} are missing")
    return ", ".join(parts)
