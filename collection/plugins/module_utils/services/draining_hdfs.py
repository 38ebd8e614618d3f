"""What people read of HDFS's part of a drain, and whether nodes that store may leave at all. Sizes are bytes."""
from __future__ import annotations

from ..domain.errors import Refused
from .model import Draining

# Room that must be left on the staying DataNodes after they took over the blocks: nobody can work on full disks.
SPARE = 0.05
_COPYING = "decommission in progress"


def _said(row) -> str:
    state = row.get("hdfs", "-")
    if state in ("-", "decommissioned"):
        return ""
    if state == "dead":
        return f"HDFS does not see it, and {row['left']} blocks are missing"
    if state == "not there":
        return f"HDFS no longer knows it, and {row['left']} blocks are missing or have too few copies"
    return f"{row['left']} of {row['blocks']} blocks to be copied" if state == _COPYING else f"HDFS {state}"


def _hint(row) -> str:
    copying = row.get("hdfs") == _COPYING
    return "blocks without room for a copy elsewhere: hdfs fsck / lists files with fewer copies than they should have" if copying else ""


def _weight(told, name) -> tuple:
    node = (told.get("nodes") or {}).get(name) or {}
    return bool(node) and not node["alive"], node.get("bytes", 0)


def _may_leave(storing, staying, coming: int, hdfs, stopped) -> None:
    """See ``Draining.may_leave``. ``hdfs``: what ``load`` told."""
    if not hdfs:
        raise Refused("HDFS does not answer, so it is unknown whether the leaving nodes hold the last copy of a block",
                      "Look with: emrctl status; then run the command again")
    if hdfs.get("safe_mode"):
        raise Refused(f"HDFS is in safe mode and copies no blocks: {hdfs['safe_mode'].split('.')[0]}",
                      "Wait until it has left it, or look with: emrctl status; then run the command again")
    if not staying and not coming:
        raise Refused("no slave would be left to store data", "Keep at least one slave, or give the whole cluster back with: "
                      "emrctl release")
    live = [name for name in staying if (hdfs["nodes"].get(name) or {}).get("alive")]
    used = hdfs.get("replication") or {}
    if used.get("most", 0) > len(live) + coming:
        raise Refused(
            f"{len(live) + coming} DataNodes would be left, but HDFS holds {used['files']} files with up to {used['most']} copies, for "
            f"example {used['example']}: their copies could not be placed",
            f"Keep at least {used['most']} slaves, or lower the copies first: hdfs dfs -setrep -R {max(1, len(live) + coming)} "
            f"{used['example']} (this keeps fewer copies of it)")
    off = sorted(name for name in storing if name in stopped and (hdfs["nodes"].get(name) or {}).get("alive"))
    if off:
        raise Refused(f"{', '.join(off)} has just been stopped, and HDFS has not noticed yet what it misses", "Wait two minutes, or "
                      "start it; then run the command again")
    dead = [name for name in storing if not (hdfs["nodes"].get(name) or {}).get("alive")]
    if dead and hdfs.get("missing_blocks"):
        raise Refused(f"{', '.join(dead)} is not live and HDFS misses {hdfs['missing_blocks']} blocks: the last copy may be there",
                      "Bring the node back (emrctl start, emrctl repair), or delete the files that are lost (hdfs fsck / "
                      "-list-corruptfileblocks); then run the command again")
    if not coming:
        _check_room([n for n in storing if n not in dead], live, hdfs)


def _check_room(storing, live, hdfs) -> None:
    moved = sum(hdfs["nodes"][name]["bytes"] for name in storing)
    free = sum(hdfs["nodes"][name]["free"] for name in live)
    spare = SPARE * sum(hdfs["nodes"][name]["capacity"] for name in live)
    if moved and moved > free - spare:
        raise Refused(f"the nodes that leave hold {_gib(moved)} GiB, but the others have only {_gib(free)} GiB free",
                      "Delete data, or let fewer nodes leave")


def _gib(size) -> str:
    return f"{size / 2 ** 30:.1f}"


DRAINING = Draining(said=_said, sums=(("left", "blocks left"),), moves=("hdfs", "left"), done=lambda row: row.get("hdfs", "-") in ("-", "decommissioned"),
                    hint=_hint, weight=_weight, may_leave=_may_leave)
