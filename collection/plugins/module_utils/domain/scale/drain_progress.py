"""What a drain says to people, and when it does not go on. Times are seconds."""
from __future__ import annotations

# Nodes that are told one by one; more are summed up.
SHOWN = 4


def describe(rows) -> str:
    """One line for all leaving nodes: ``draining a: 3 containers, 120 of 800 blocks left; b: done``."""
    rest = [row for row in rows if not row["done"]]
    parts = [f"{row['name']}: {_one(row)}" for row in rest[:SHOWN]]
    if len(rest) > SHOWN:
        more = rest[SHOWN:]
        parts.append(f"{len(more)} more nodes: {sum(r['containers'] for r in more)} containers, "
                     f"{sum(r['left'] for r in more)} blocks left")
    done = len(rows) - len(rest)
    if done:
        parts.append(f"{done} of {len(rows)} done")
    return "draining " + "; ".join(parts)


def _one(row) -> str:
    parts = []
    if row["yarn"] not in ("-", "decommissioned", "lost", "shutdown", "rebooted", "not there"):
        # YARN also waits for applications whose intermediate data lies there.
        parts.append(f"{row['containers']} container{'' if row['containers'] == 1 else 's'}" if row["containers"]
                     else "applications that ran there")
    if row["hdfs"] in ("-", "decommissioned"):
        pass
    elif row["hdfs"] in ("dead", "not there"):
        parts.append(f"HDFS does not see it, and {row['left']} blocks are missing" if row["hdfs"] == "dead"
                     else f"HDFS no longer knows it, and {row['left']} blocks are missing or have too few copies")
    elif row["hdfs"] == "decommission in progress":
        parts.append(f"{row['left']} of {row['blocks']} blocks to be copied")
    else:
        parts.append(f"HDFS {row['hdfs']}")
    parts += [f"{name}: {'not known how much' if left is None else left} left" for name, left in row.get("services", {}).items() if left != 0]
    return ", ".join(parts) or "ending"


def stuck(found) -> str:
    """Why the nodes that are not done are not, with what to look at."""
    parts = [f"{row['name']}: {_one(row)}" for row in found["nodes"] if not row["done"]]
    if not found.get("answers", True):
        parts.append("the NameNode or the ResourceManager does not answer (emrctl status)")
    if any(row["hdfs"] == "decommission in progress" for row in found["nodes"] if not row["done"]):
        parts.append("blocks without room for a copy elsewhere: hdfs fsck / lists files with fewer copies than they should have")
    return "; ".join(parts)


class Patience:
    """Gives up when YARN is over its limit, or when HDFS shows the same picture for ``stall_s`` seconds."""

    def __init__(self, yarn_s: float, stall_s: float):
        self.yarn_s, self.stall_s = yarn_s, stall_s
        self.begun = self.moved = None
        self.picture = None

    def over(self, found, now: float) -> str:
        """Why waiting ends, or ''."""
        if self.begun is None:
            self.begun = self.moved = now
        rest = [row for row in found["nodes"] if not row["done"]]
        # Containers may take their time up to the limit; what must move is everything else.
        computing = found.get("answers", True) and any(row["yarn"] in ("decommissioning", "running", "unhealthy") for row in rest)
        picture = [(row["name"], row["hdfs"], row["left"], row["yarn"], row.get("services")) for row in rest]
        if picture != self.picture:
            self.picture, self.moved = picture, now
        if computing and now - self.begun > self.yarn_s:
            return f"containers still run after {self.yarn_s:.0f} s"
        if now - self.moved > self.stall_s and not (computing and all(_stored(row) for row in rest)):
            return f"nothing has moved for {self.stall_s:.0f} s"
        return ""


def _stored(row) -> bool:
    return row["hdfs"] in ("-", "decommissioned")
