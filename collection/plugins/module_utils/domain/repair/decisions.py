"""What a cluster lacks and how it is made whole: pure decisions on what was seen. Runs on the controller.

``seen`` is what ``findings.judge`` takes, with ``status`` of the nodes that answer in place of ``check``. A node is
dead when ECS or SSH say so and Hadoop does not contradict; only then may it be replaced.
"""
from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field

from ..errors import Refused
from ..health.findings import lacking

# A DataNode that reported within this time is alive, whatever SSH says.
ALIVE_S = 30


@dataclass
class Repair:
    """Names of nodes: to ``start`` (their instances are stopped), ``silent`` (run, but do not answer), with ``daemons``
    that do not serve ({node: [component]}); ``missing`` {group: count} are to be bought; converge gets ``edit``.
    """

    cluster: str
    start: list = field(default_factory=list)
    silent: list = field(default_factory=list)
    daemons: dict = field(default_factory=dict)
    missing: dict = field(default_factory=dict)
    healing: int = 0
    edit: dict = field(default_factory=dict)

    @property
    def empty(self) -> bool:
        """Whether nothing is known to be wrong. Drift is not looked for here: converge removes it in passing."""
        return not (self.start or self.silent or self.daemons or self.missing or self.healing)

    def to_dict(self) -> dict:
        """Plain data with the digest that stands for it. ``buy`` and ``release`` are what may happen to dead nodes."""
        data = {key: value for key, value in asdict(self).items() if key != "edit"}
        text = json.dumps([self.cluster, self.start, self.silent, self.missing], sort_keys=True)
        return dict(data, empty=self.empty, digest=hashlib.sha256(text.encode()).hexdigest()[:12], buy=self.missing,
                    release=self.start + self.silent)


def plan(seen: dict, only: str = "") -> Repair:
    """What is to be done; with ``only`` for this node alone. Raises Refused for what no program may decide."""
    name, looked = seen["cluster"], seen["inspection"]
    _refuse_strangers(name, looked)
    known = {i["name"]: i for i in looked["instances"]}
    result = Repair(name, edit={"groups": counts(seen)} if counts(seen) else {})
    for node, instance in sorted(known.items()):
        if instance["status"] != "Running":
            result.start.append(node)
        elif seen["nodes"][node].get("silent"):
            result.silent.append(node)
        else:
            down = [row["component"] for row in seen["nodes"][node].get("status", {}).get("components", [])
                    if row["state"] not in ("running", "starting")]
            if down:
                result.daemons[node] = down
    result.missing = {group: wanted - there for group, (there, wanted) in lacking(seen).items() if there < wanted}
    hdfs = hdfs_of(seen)
    result.healing = hdfs.get("under_replicated_blocks", 0) + hdfs.get("missing_blocks", 0)
    if only:
        _narrow(result, only, known)
    return result


def counts(seen: dict) -> dict:
    """{group: how many nodes the spec wants}; {} when the spec is not known."""
    return {group: int(row["count"]) for group, row in ((seen.get("spec") or {}).get("node_groups") or {}).items()}


def _refuse_strangers(name: str, looked: dict) -> None:
    strangers = looked["foreign"] + looked["twice"]
    if strangers:
        shown = ", ".join(f"{i['name']} ({i['instance_id']})" for i in strangers)
        raise Refused(f"these instances carry the tag of cluster '{name}' and do not belong to it: {shown}",
                      f"Remove their emr:cluster tag or release them in the console. emrctl check {name} tells more")
    if not looked["anchor"]:
        raise Refused(f"the security group of cluster '{name}' is gone, nothing can be bought for it",
                      f"Tag a security group with emr:cluster={name} and the instances' emr:id")


def _narrow(result: Repair, only: str, known: dict) -> None:
    """Keep what concerns one node; another dead one would be in the way, and nobody asked to replace it."""
    others = [node for node in result.start + result.silent if node != only]
    if others:
        raise Refused(f"{', '.join(others)} cannot be used either", f"Run: emrctl repair {result.cluster}")
    group = only.rsplit("-", 1)[0].removeprefix(f"{result.cluster}-")
    if only not in known and group not in result.missing:
        raise Refused(f"cluster '{result.cluster}' has no node {only} and lacks none in group {group}",
                      f"It has: {', '.join(sorted(known))}")
    result.daemons = {node: down for node, down in result.daemons.items() if node == only}


def hdfs_of(seen: dict) -> dict:
    """Numbers of HDFS as the control node told them; {} when it did not."""
    return (seen["nodes"].get(seen["control"], {}).get("status") or {}).get("hdfs") or {}


def refuse_masters(seen: dict, dead) -> None:
    """A master holds what nobody can buy: it is started, but never replaced by itself."""
    masters = sorted(i["name"] for i in seen["inspection"]["instances"] if i["name"] in dead and i["role"] == "master")
    gone = [group for group, (there, wanted) in lacking(seen).items() if there < wanted
            and seen["spec"]["node_groups"][group].get("role") == "master"]
    if (masters or gone) and sum(i["role"] == "master" for i in seen["inspection"]["instances"]) > 1:
        raise Refused(f"{', '.join(masters) or 'a master'} is dead, and a master cannot be replaced yet; the others go on without it, as long as two live",
                      "Bring its instance back (console, snapshot of its disk)")
    if masters or gone:
        raise Refused(f"{', '.join(masters) or 'the master'} is dead, and holds HDFS's metadata: replacing it would "
                      "lose every file", "Bring its instance back (console, snapshot of its disk); or restore the metadata "
                      f"from a backup: emrctl restore {seen['cluster']}")


def contradicted(dead, datanodes) -> list:
    """(node, text) of those that do not answer over SSH and are not dead: their DataNode reported a moment ago."""
    return [(row["node"], f"its DataNode reported to the NameNode {row['last_contact_s']} s ago")
            for row in datanodes or []
            if row["node"] in dead and row["state"] != "dead" and row["last_contact_s"] <= ALIVE_S]


def keeps_blocks(seen: dict, dead) -> list:
    """Those of the dead nodes that may hold blocks: their instances exist, so their disks do."""
    return sorted(i["name"] for i in seen["inspection"]["instances"] if i["name"] in dead and i["role"] == "slave")
