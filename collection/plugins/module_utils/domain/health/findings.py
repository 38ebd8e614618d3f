"""What was seen of a cluster, judged: rows of {check, node, state: ok|warn|fail, detail, next}.

``seen`` is {cluster, inspection, spec, nodes: {name: {silent, clock, host, check}}, first}; parts that nobody could
look at are missing. Times are seconds, sizes bytes.
"""
from __future__ import annotations

from ...services.registry import HOMES
from .rows import from_first, row

# Kerberos and YARN's tokens tolerate minutes; logs and leases get confusing before.
CLOCK_WARN_S, CLOCK_FAIL_S = 2.0, 60.0
DISK_WARN, DISK_FAIL = 0.85, 0.95
STATES = ("ok", "warn", "fail")


def judge(seen: dict) -> list:
    """All findings, the worst first; a check without any has one row that says ok."""
    rows = []
    for name, check in CHECKS:
        found = check(seen)
        rows += [dict(row, check=name) for row in found if row["state"] != "ok"]
        fine = [row for row in found if row["state"] == "ok"]
        if fine and len(fine) == len(found):
            rows.append(dict(fine[0], check=name))
    order = {"fail": 0, "warn": 1, "ok": 2}
    keys = ("check", "node", "state", "detail", "next")
    return [{key: row[key] for key in keys} for row in sorted(rows, key=lambda row: order[row["state"]])]


def lacking(seen: dict) -> dict:
    """{group: (there, wanted)} of the groups that have fewer nodes than the spec, or more."""
    spec, there = seen.get("spec"), {}
    for instance in seen["inspection"]["instances"]:
        there[instance["group"]] = there.get(instance["group"], 0) + 1
    if not spec:
        return {}
    wanted = {name: int(group["count"]) for name, group in spec["node_groups"].items()}
    return {group: (there.get(group, 0), wanted.get(group, 0)) for group in sorted(set(wanted) | set(there))
            if there.get(group, 0) != wanted.get(group, 0)}


def _instances(seen) -> list:
    name, looked = seen["cluster"], seen["inspection"]
    if looked["instances"] and all(i["status"] == "Stopped" for i in looked["instances"]):
        return [row("fail", "the cluster is stopped", then=f"emrctl start {name}")]
    rows = [row("fail", f"the instance is {i['status']}", i["name"], f"emrctl repair {name}")
            for i in looked["instances"] if i["status"] != "Running"]
    rows += [row("fail", f"{i['instance_id']} has no address ({i['status']})", i["name"],
                 "look at it in the console") for i in looked["homeless"]]
    for group, (there, wanted) in lacking(seen).items():
        many = "emrctl apply" if there > wanted else f"emrctl repair {name}"
        rows.append(row("fail" if there < wanted else "warn",
                        f"group {group} has {there} nodes, the spec says {wanted}", then=many))
    if not looked["anchor"]:
        rows.append(row("fail", "the cluster's security group is gone: nothing can be bought or released for it",
                        then=f"tag a security group with emr:cluster={name} and the instances' emr:id"))
    return rows or [row("ok", f"{len(looked['instances'])} instances run, as the spec says")]


def _foreign(seen) -> list:
    looked = seen["inspection"]
    remedy = "remove its emr:cluster tag, or release it in the console"
    rows = [row("fail", f"{i['instance_id']} carries the tag emr:cluster={seen['cluster']} but belongs to "
                f"{i['cluster_id'] or 'no cluster'}", i["name"], remedy)
            for i in looked["foreign"]]
    rows += [row("fail", f"{i['instance_id']} has a name that another node has", i["name"],
                 "release the one that is not wanted in the console") for i in looked["twice"]]
    return rows or [row("ok", "no other instance carries the cluster's tag")]


def _operations(seen) -> list:
    looked = seen["inspection"]
    rows = [row("warn", f"a purchase of {', '.join(i['nodes'])} was announced {i['age_s']} s ago and is not settled",
                then=f"emrctl repair {seen['cluster']}") for i in looked["intents"]]
    if looked["holder"]:
        rows.append(row("warn", f"an operation of {looked['holder']} works on the cluster: this may be half done",
                        then="run the check again when it has ended"))
    return rows or [row("ok", "no operation is open")]


def _answers(seen) -> list:
    stopped = {i["name"] for i in seen["inspection"]["instances"] if i["status"] != "Running"}
    rows = [row("fail", found["silent"], name, f"emrctl repair {seen['cluster']}")
            for name, found in sorted(seen["nodes"].items()) if found.get("silent") and name not in stopped]
    return rows or [row("ok", f"{len(set(seen['nodes']) - stopped)} nodes answer on SSH")]


def _looked(seen) -> list:
    """(name, result) of the nodes at which the check could look."""
    return [(name, found["check"]) for name, found in sorted(seen["nodes"].items()) if found.get("check")]


def _unseen(seen) -> list:
    rows = [row("fail", f"could not be looked at: {found['error']}", name, f"emrctl ssh {seen['cluster']} {name}")
            for name, found in sorted(seen["nodes"].items()) if found.get("error")]
    return rows or [row("ok", "every node that answers was looked at")]


def _clock(seen) -> list:
    """Each node against the controller, and the nodes against each other; only what the error bound cannot explain."""
    clocks = {name: found["clock"] for name, found in sorted(seen["nodes"].items()) if found.get("clock")}
    rows = []
    for name, clock in clocks.items():
        sure = abs(clock["offset_s"]) - clock["error_s"]
        if sure > CLOCK_WARN_S:
            said = f"its clock is {clock['offset_s']:+.2f} s off this machine's (within {clock['error_s']:.2f} s)"
            rows.append(row("fail" if sure > CLOCK_FAIL_S else "warn", said, name, "let chrony or ntpd run there"))
    if len(rows) == len(clocks) > 1 and _spread(clocks) <= CLOCK_WARN_S:
        offset = next(iter(clocks.values()))["offset_s"]
        return [row("warn", f"all nodes agree, this machine's clock is {-offset:+.2f} s off theirs",
                    then="let chrony or ntpd run on this machine")]
    if clocks and not rows:
        most = max(abs(c["offset_s"]) + c["error_s"] for c in clocks.values())
        return [row("ok", f"all clocks agree within {most:.2f} s")]
    return rows


def _spread(clocks: dict) -> float:
    """Seconds by which the nodes' clocks differ for sure."""
    latest = max(c["offset_s"] - c["error_s"] for c in clocks.values())
    return latest - min(c["offset_s"] + c["error_s"] for c in clocks.values())


def _daemons(seen) -> list:
    name, rows = seen["cluster"], []
    for node, found in _looked(seen):
        for daemon in found["components"]:
            if daemon["state"] != "running":
                said = f": {daemon['detail']}" if daemon.get("detail") else ""
                rows.append(row("fail", f"{daemon['component']} is {daemon['state']}{said}", node,
                                f"emrctl repair {name}"))
            elif daemon.get("stale"):
                rows.append(row("warn", f"{daemon['component']} runs with an older configuration", node,
                                f"emrctl restart {name} --node {node}"))
        rows += [row("warn", f"{unit} does not belong on this node", node,
                     f"emrctl ssh {name} {node} -- systemctl disable --now {unit}") for unit in found["strays"]]
        rows += [row("warn", f"{component} runs without Hadoop's native library, so checksums and reads are slower", node,
                     f"emrctl ssh {name} {node} -- hadoop checknative") for component in found.get("without_native") or []]
        for grave in found["crashes"]:
            rows.append(row("warn", f"{grave['component']}: {grave['what']} in {grave['file']}", node,
                            f"emrctl support-bundle {name}"))
    return rows or [row("ok", "all daemons serve, with the newest configuration")]


def _files(seen) -> list:
    """Drift. While nodes are missing every list of nodes differs, so it is then only told, not counted as wrong."""
    name, rows = seen["cluster"], []
    state, then = "warn" if lacking(seen) else "fail", f"emrctl repair {name}"
    for node, found in _looked(seen):
        drift, host = found.get("drift") or {}, seen["nodes"][node].get("host") or {}
        for path in drift.get("changed_files", []):
            keys = [] if "/digest/" in path else drift.get("changed_keys", {}).get(path) or []
            shown = f" ({', '.join(keys[:5])}{', …' if len(keys) > 5 else ''})" if keys else ""
            rows.append(row(state, f"{path} is not as rendered{shown}", node, then))
        rows += [row(state, f"{change}: is not as it should be", node, then)
                 for change in list(drift.get("changes", [])) + list(host.get("changes", []))]
        rows += [row(state, f"{link} is missing: the daemon would not start at boot", node, then)
                 for link in drift.get("links", [])]
        if drift.get("error"):
            rows.append(row("fail", drift["error"], node, then))
    return rows or [row("ok", "files, owners, modes and units are as rendered from the spec")]


def _versions(seen) -> list:
    rows = [row("fail", f"{name} is not the version of release {(seen.get('spec') or {}).get('release', '?')}", node,
                f"emrctl repair {seen['cluster']}")
            for node, found in _looked(seen) for name in (found.get("drift") or {}).get("installed", {})]
    return rows or [row("ok", "the installed software is that of the release")]


def _disks(seen) -> list:
    rows, most = [], 0.0
    for node, found in _looked(seen):
        for disk in found["disks"]:
            for kind, used in (("bytes", disk["used_share"]), ("inodes", disk["inodes_share"])):
                most = max(most, used)
                if used >= DISK_WARN:
                    rows.append(row("fail" if used >= DISK_FAIL else "warn",
                                    f"{disk['mount']}: {used:.0%} of its {kind} are used", node,
                                    f"emrctl ssh {seen['cluster']} {node} -- du -xh --max-depth=3 {disk['mount']}"))
            if disk.get("read_only"):
                rows.append(row("fail", f"{disk['mount']} is mounted read-only", node,
                                f"emrctl ssh {seen['cluster']} {node} -- dmesg"))
    return rows or [row("ok", f"no disk has more than {most:.0%} of its space or inodes used")]


def _computed(seen: dict) -> list:
    """A file written, read and compared; a program run."""
    first, rows = from_first(seen), []
    for proof in filter(None, (home.proof for home in HOMES.values())):
        found, done = first.get(proof.name), proof.done
        if found is None:
            continue
        if found.get("error"):
            rows.append(row("fail", found["error"], seen["control"], f"emrctl status {seen['cluster']}"))
        else:
            rows.append(row("ok", f"{done} in {found['seconds']:.1f} s"))
    if not first:
        rows.append(row("fail", "nothing could be written or computed: the control node was not examined",
                        seen["control"], f"emrctl repair {seen['cluster']}"))
    if len(rows) == 2 and all(row["state"] == "ok" for row in rows):
        rows = [row("ok", f"{rows[0]['detail']}; {rows[1]['detail']}")]
    return rows


CHECKS = (("instances", _instances), ("foreign nodes", _foreign), ("operations", _operations), ("reachable", _answers),
          ("examined", _unseen), ("clocks", _clock), ("daemons", _daemons), ("drift", _files), ("versions", _versions),
          ("disks", _disks), *(check for home in HOMES.values() for check in home.findings), ("work", _computed))
