"""Which nodes leave when a cluster shrinks, and whether they may.

``nodes`` are what ``cluster`` returns: {name, vars: {emr_group, emr_role, …}}. ``loads`` is what the operation ``drain``
saw on the control node (node/scale/drain.py, ``look``): {"hdfs": …, "yarn": …}. Sizes are bytes.
"""
from __future__ import annotations

from ..errors import Refused

# Room that must be left on the staying DataNodes after they took over the blocks: nobody can work on full disks.
SPARE = 0.05


def groups_of(nodes) -> dict:
    """{group: [names]} of nodes, sorted."""
    found: dict = {}
    for node in nodes:
        found.setdefault(str(node["vars"]["emr_group"]), []).append(str(node["name"]))
    return {group: sorted(names) for group, names in found.items()}


def present(nodes) -> dict:
    """{group: how many nodes there are}."""
    return {group: len(names) for group, names in groups_of(nodes).items()}


def surplus(spec, nodes) -> dict:
    """{group: how many nodes more than the spec wants}; a group that the spec does not have is wanted nowhere."""
    counts = {name: group.count for name, group in spec.node_groups.items()}
    more = {group: len(names) - counts.get(group, 0) for group, names in groups_of(nodes).items()}
    return {group: number for group, number in more.items() if number > 0}


def check_named(nodes, named, gone=()) -> list:
    """The named nodes that exist. Raises Refused for one that does not, unless it is among ``gone``: names that an
    interrupted run of the same command has released already.
    """
    known = {str(n["name"]): n for n in nodes}
    unknown = sorted(set(named) - set(known) - set(gone))
    if unknown:
        raise Refused(f"the cluster has no node {', '.join(unknown)}", f"Its nodes: {_short(sorted(known))}")
    masters = sorted(name for name in named if name in known and known[name]["vars"]["emr_role"] == "master")
    if masters:
        raise Refused(f"{', '.join(masters)} is the cluster's master and cannot be removed: it keeps the names of all files",
                      "Remove other nodes, or release the whole cluster: emrctl release")
    return sorted(name for name in set(named) if name in known)


def choose(spec, nodes, named=(), excluded=(), loads=None, gone=()) -> list:
    """Names of the nodes that leave, sorted: the named ones, then those whose drain has begun already, then dead ones, then
    the emptiest; the first slave is the last choice, since it keeps the backups of the NameNode's metadata. A
    named node of a group whose count stays is replaced: it leaves, and another one is bought first.
    ``gone``: see check_named. Raises Refused when the cluster must not change like this.
    """
    named = check_named(nodes, named, gone)
    more = surplus(spec, nodes)
    leaving: list = []
    keeper = min((str(n["name"]) for n in nodes if n["vars"]["emr_role"] == "slave"), default="")
    for group, members in sorted(groups_of(nodes).items()):
        ours = [n for n in named if n in members]
        number, counted = more.get(group, 0), spec.node_groups[group].count if group in spec.node_groups else 0
        if 0 < number < len(ours):
            raise Refused(f"{len(ours)} nodes of group {group} are named to leave, but its count of {counted} lets {number} go",
                          f"Name {number}, or set {group}={len(members) - len(ours)}")
        ordered = sorted(members, key=lambda name: _rank(name, named, excluded, loads or {}, keeper))
        leaving += ordered[:max(number, len(ours))]
    check(spec, nodes, leaving, loads)
    return sorted(leaving)


def _rank(name, named, excluded, loads, keeper) -> tuple:
    """Sort key: who leaves first. Among equals the one with the highest number."""
    stored = ((loads.get("hdfs") or {}).get("nodes") or {}).get(name)
    works = ((loads.get("yarn") or {}).get("nodes") or {}).get(name) or {}
    dead = bool(loads.get("hdfs")) and stored is not None and not stored["alive"]
    return (name not in named, name not in excluded, not dead, name == keeper, (stored or {}).get("bytes", 0),
            works.get("containers", 0), [-ord(c) for c in name])


def check(spec, nodes, leaving, loads) -> None:
    """Raises Refused when these nodes cannot leave without losing what makes the cluster one, or a copy of a block."""
    roles = {str(n["name"]): str(n["vars"]["emr_role"]) for n in nodes}
    gone = [name for name in leaving if roles[name] == "master"]
    if gone:
        raise Refused(f"{', '.join(gone)} would leave, but is the cluster's last master", "Keep one master, or give the whole cluster "
                      "back with: emrctl release")
    storing = [name for name in leaving if roles[name] == "slave"]
    if storing and "hdfs" in spec.expanded_services:
        staying = [n for n, role in roles.items() if role == "slave" and n not in leaving]
        stopped = [str(n["name"]) for n in nodes if n["vars"].get("emr_state", "Running") != "Running"]
        _check_hdfs(storing, staying, max(0, spec.count("slave") - len(staying)), loads or {}, stopped)


def _check_hdfs(storing, staying, coming: int, loads, stopped) -> None:
    """``coming``: slaves that are bought before these leave. ``stopped``: nodes whose instances do not run."""
    hdfs = loads.get("hdfs")
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


def _short(names, most: int = 12) -> str:
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")
