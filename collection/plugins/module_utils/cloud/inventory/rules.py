"""What is wrong with the clusters that the inventory found: roles, lives and names of groups."""
from __future__ import annotations

import re

from ..cluster.hostvars import PLAYS, sanitise
from ..ecs.client import tags_of

_NAME = re.compile(r"[a-z][a-z0-9-]{0,62}")
_ROLES = ("master", "slave", "task", "gateway")
# A cluster of such a name would share its group with a node group, region, zone or account. (A group of plays it does not join.)
_TAKEN = re.compile(r"(group|region|zone|account)-.")
_SHOWN = 5


def problems(instances: list) -> list:
    """One sentence for each thing that makes a group of the inventory untrustworthy."""
    bad_roles, lives, names = {}, {}, {}
    for instance in instances:
        tags = tags_of(instance)
        cluster = tags.get("emr:cluster")
        if cluster is None:
            continue
        if not _NAME.fullmatch(cluster):
            names.setdefault(cluster, []).append(instance["InstanceId"])
            continue
        if tags.get("emr:role") not in _ROLES:
            bad_roles.setdefault(cluster, []).append(instance["InstanceId"])
        lives.setdefault(cluster, {}).setdefault(tags.get("emr:id", ""), []).append(instance["InstanceId"])
    found = [f"{_some(ids)}: the tag emr:cluster is not the name of a cluster; in no group of a cluster"
             for ids in names.values()]
    found += [f"cluster {cluster}: {_some(ids)}: the tag emr:role is not one of {', '.join(_ROLES)}; in no role's group"
              for cluster, ids in bad_roles.items()]
    for cluster, by_id in lives.items():
        if len(by_id) > 1:
            kinds = "; ".join(f"emr:id {key if re.fullmatch(r'emr-[0-9a-f]{12}', key) else 'missing or odd'}: {_some(ids)}"
                              for key, ids in sorted(by_id.items()))
            found.append(f"group emr_{sanitise(cluster)} holds several clusters of one name ({kinds})")
        if _TAKEN.match(cluster) or f"emr_{sanitise(cluster)}" in PLAYS:
            found.append(f"group emr_{sanitise(cluster)}: the name of cluster {cluster} is also that of another kind of group")
    return found


def _some(ids: list) -> str:
    return ", ".join(ids[:_SHOWN]) + (f" and {len(ids) - _SHOWN} more" if len(ids) > _SHOWN else "")
