"""The anchor of a cluster: its security group, which carries the cluster's id, spec digest and purchase intents.

It is made before the first instance and deleted after the last. Instances are found by tags; the anchor decides
what they belong to. Times are seconds since the epoch.
"""
from __future__ import annotations

import hashlib
import secrets
import time
from dataclasses import dataclass, field, replace
from ipaddress import ip_network

from ...domain.errors import EmrError
from ...domain.waiting import wait
from ..ecs.client import EcsClient, EcsError, tag_list, tags_of

INTENT = "emr:intent:"
# When and why people were warned that the cluster will be released, and until when it may live at most; see module idle.
WARNED, UNTIL = "emr:warned", "emr:until"
# Says of a cluster that it was made for one flow and is to be released after it.
TRANSIENT = "emr:transient"
# Of the security group, VPC and vSwitch of a cluster: that its network was made for it, and goes with it.
OWN_NETWORK = "emr:network"
MAX_TAGS = 20
# RunInstances and the name pattern [n,3] take at most this many at once.
BATCH = 100


def node_name(cluster: str, group: str, ordinal: int) -> str:
    """Name and host name of a node."""
    return f"{cluster}-{group}-{ordinal:03d}"


@dataclass(frozen=True)
class Intent:
    """A purchase that is announced on the anchor: nodes ``first`` to ``last`` of a group, as one instance type.

    ``nonce`` makes the client token of each decision to buy a new one: without it, buying an ordinal again after its
    node was released would return the released instance.
    """

    group: str
    first: int
    last: int
    instance_type: str
    nonce: str = field(default_factory=lambda: secrets.token_hex(4))
    epoch: int = field(default_factory=lambda: int(time.time()))

    @property
    def key(self) -> str:
        return f"{INTENT}{self.group}:{self.first}-{self.last}"

    @property
    def value(self) -> str:
        return f"{self.instance_type},{self.nonce},{self.epoch}"

    @property
    def count(self) -> int:
        return self.last - self.first + 1

    def names(self, cluster: str) -> list:
        """Names of the nodes it buys."""
        return [node_name(cluster, self.group, n) for n in range(self.first, self.last + 1)]

    def token(self, cluster_id: str) -> str:
        """The ClientToken: 64 ASCII characters, the same for the same intent."""
        text = f"{cluster_id}|{self.group}|{self.first}-{self.last}|{self.instance_type}|{self.nonce}"
        return hashlib.sha256(text.encode()).hexdigest()

    def age(self) -> float:
        """Seconds since it was written; never negative, clocks differ."""
        return max(0.0, time.time() - self.epoch)

    def of_type(self, instance_type: str) -> Intent:
        """The same nodes as another type: a new decision, so a new token."""
        return Intent(self.group, self.first, self.last, instance_type)


def read_intents(tags: dict) -> tuple:
    """Open intents among the tags of an anchor. Tags that are not well formed are left out."""
    found = []
    for key, value in sorted(tags.items()):
        if not key.startswith(INTENT):
            continue
        group, _colon, span = key[len(INTENT):].rpartition(":")
        first, _dash, last = span.partition("-")
        parts = value.split(",")
        if group and first.isdigit() and last.isdigit() and len(parts) == 3 and parts[2].isdigit():
            found.append(Intent(group, int(first), int(last), parts[0], parts[1], int(parts[2])))
    return tuple(found)


@dataclass(frozen=True)
class Anchor:
    """What the security group of a cluster says. Methods that change it return the changed anchor."""

    group_id: str
    cluster: str
    cluster_id: str
    vpc_id: str = ""
    spec_digest: str = ""
    login: str = ""
    intents: tuple = ()
    tag_count: int = 0
    created: str = ""
    warned: str = ""
    until: str = ""
    transient: bool = False
    # Whether a VPC and a vSwitch were made for the cluster; module vpc.
    own_network: bool = False

    @property
    def room(self) -> int:
        """How many more tags, that is intents, it can carry."""
        return MAX_TAGS - self.tag_count

    def open_intents(self, client: EcsClient, intents) -> Anchor:
        """Write intents (at most ``room`` new ones). An intent of the same nodes is replaced.

        Returns when they can be read back: a rerun after a kill must see them, or it would buy again.
        """
        _tag(client, self.group_id, {i.key: i.value for i in intents})
        _read_back(client, self, {i.key: i.value for i in intents})
        keys = {i.key for i in intents}
        kept = tuple(i for i in self.intents if i.key not in keys)
        new = len(kept) + len(intents) - len(self.intents)
        return replace(self, intents=kept + tuple(intents), tag_count=self.tag_count + new)

    def close_intents(self, client: EcsClient, intents) -> Anchor:
        """Remove intents that are settled."""
        keys = sorted({i.key for i in intents})
        for start in range(0, len(keys), MAX_TAGS):
            client.call("UntagResources", ResourceType="securitygroup", ResourceId=[self.group_id],
                        TagKey=keys[start:start + MAX_TAGS])
        kept = tuple(i for i in self.intents if i.key not in keys)
        return replace(self, intents=kept, tag_count=self.tag_count - (len(self.intents) - len(kept)))

    def describe_spec(self, client: EcsClient, digest: str, login: str) -> Anchor:
        """Record the digest of the spec that is being made real, and the login key pair."""
        if (digest, login) == (self.spec_digest, self.login):
            return self
        _tag(client, self.group_id, {"emr:spec": digest, "emr:login": login})
        added = (not self.spec_digest) + (not self.login)
        return replace(self, spec_digest=digest, login=login, tag_count=self.tag_count + added)

    def mark(self, client: EcsClient, warned: str, until: str) -> Anchor:
        """Record a warning and the end of the cluster's life, each taken away when it is empty."""
        wanted, now = {WARNED: warned, UNTIL: until}, {WARNED: self.warned, UNTIL: self.until}
        changed = {key: value for key, value in wanted.items() if value and value != now[key]}
        if changed:
            _tag(client, self.group_id, changed)
        gone = [key for key, value in wanted.items() if not value and now[key]]
        if gone:
            client.call("UntagResources", ResourceType="securitygroup", ResourceId=[self.group_id], TagKey=gone)
        count = self.tag_count + sum(not now[key] for key in changed) - len(gone)
        return replace(self, warned=warned, until=until, tag_count=count)


def _tag(client: EcsClient, group_id: str, tags: dict) -> None:
    client.call("TagResources", ResourceType="securitygroup", ResourceId=[group_id], Tag=tag_list(tags))


def _read_back(client: EcsClient, anchor: Anchor, tags: dict, limit: float = 60.0) -> None:
    """Wait until readers see these tags on the group. Raises EmrError."""
    def unseen() -> bool:
        groups = client.items("DescribeSecurityGroups", Tag=tag_list({"emr:cluster": anchor.cluster}))
        seen = next((tags_of(g) for g in groups if g["SecurityGroupId"] == anchor.group_id), {})
        return any(seen.get(k) != v for k, v in tags.items())
    if wait(unseen, limit):
        raise EmrError(f"Tags of security group {anchor.group_id} are not visible after {limit:.0f} s",
                       "Nothing was bought. Run the command again")


def read_anchor(group: dict) -> Anchor:
    """The anchor of a security group as DescribeSecurityGroups gives it."""
    tags = tags_of(group)
    return Anchor(group["SecurityGroupId"], tags.get("emr:cluster", ""), tags.get("emr:id", ""),
                  group.get("VpcId", ""), tags.get("emr:spec", ""), tags.get("emr:login", ""),
                  read_intents(tags), len(tags), group.get("CreationTime", ""), tags.get(WARNED, ""), tags.get(UNTIL, ""),
                  TRANSIENT in tags, OWN_NETWORK in tags)


def find_anchor(client: EcsClient, cluster: str) -> Anchor | None:
    """The anchor of a cluster, or None. Raises EmrError when there are several."""
    groups = client.items("DescribeSecurityGroups", Tag=tag_list({"emr:cluster": cluster}))
    anchors = sorted((read_anchor(g) for g in groups), key=lambda a: a.group_id)
    if len(anchors) > 1:
        ids = ", ".join(f"{a.group_id} (emr:id {a.cluster_id})" for a in anchors)
        raise EmrError(f"Several security groups of {client.region} claim to be cluster '{cluster}': {ids}",
                       "Delete the one that no instance uses, in the console; then run the command again")
    if anchors and not anchors[0].cluster_id:
        raise EmrError(f"Security group {anchors[0].group_id} has the tag emr:cluster={cluster} but no emr:id",
                       "It was not made by this program: remove its emr:cluster tag, or use another cluster name")
    return anchors[0] if anchors else None


def create_anchor(client: EcsClient, cluster: str, vpc_id: str, spec_digest: str, login: str, seed: str,
                  transient: bool = False, own_network: bool = False) -> Anchor:
    """Give birth to a cluster: a new id on a new security group.

    ``seed`` is the same for all tries of one run, so that a repeated call makes no second group.
    """
    cluster_id = "emr-" + hashlib.sha256(f"{cluster}|{seed}".encode()).hexdigest()[:12]
    tags = {"emr:cluster": cluster, "emr:id": cluster_id, "emr:spec": spec_digest, "emr:login": login,
            **({TRANSIENT: "yes"} if transient else {}), **({OWN_NETWORK: "created"} if own_network else {})}
    answer = client.call("CreateSecurityGroup", SecurityGroupName=f"emr-{cluster}", VpcId=vpc_id,
                         SecurityGroupType="normal", Description=f"Cluster {cluster} of emr.cluster",
                         ClientToken=hashlib.sha256(f"anchor|{cluster}|{seed}".encode()).hexdigest(),
                         Tag=tag_list(tags))
    anchor = Anchor(answer["SecurityGroupId"], cluster, cluster_id, vpc_id, spec_digest, login, (), len(tags), transient=transient,
                    own_network=own_network)
    _read_back(client, anchor, tags)
    return anchor


def wanted_rules(anchor: Anchor, ssh_from) -> list:
    """The only ingress rules of a cluster, as parameters: itself on everything, and SSH from the given CIDRs."""
    rules = [{"IpProtocol": "all", "PortRange": "-1/-1", "SourceGroupId": anchor.group_id}]
    rules += [{"IpProtocol": "tcp", "PortRange": "22/22", "SourceCidrIp": str(ip_network(cidr, strict=False))}
              for cidr in ssh_from]
    return rules


def ensure_rules(client: EcsClient, anchor: Anchor, ssh_from) -> tuple:
    """Make the ingress rules of the security group exactly the wanted ones. (added, revoked) as texts."""
    answer = client.call("DescribeSecurityGroupAttribute", SecurityGroupId=anchor.group_id, Direction="ingress")
    present = {_rule_key(p): p for p in (answer.get("Permissions") or {}).get("Permission") or []}
    wanted = {_rule_key(r): r for r in wanted_rules(anchor, ssh_from)}
    added, revoked = [], []
    for key, rule in wanted.items():
        if key not in present:
            client.call("AuthorizeSecurityGroup", SecurityGroupId=anchor.group_id, **rule)
            added.append(_rule_text(key))
    for key, rule in present.items():
        if key not in wanted:
            kept = {k: rule[k] for k in ("IpProtocol", "PortRange", "SourceCidrIp", "SourceGroupId", "Ipv6SourceCidrIp",
                                         "SourcePrefixListId", "Policy", "Priority") if rule.get(k)}
            client.call("RevokeSecurityGroup", SecurityGroupId=anchor.group_id, **kept)
            revoked.append(_rule_text(key))
    return added, revoked


def _rule_key(rule: dict) -> tuple:
    source = (rule.get("SourceGroupId") or rule.get("SourceCidrIp") or rule.get("Ipv6SourceCidrIp")
              or rule.get("SourcePrefixListId") or "")
    return (str(rule.get("IpProtocol", "")).lower(), rule.get("PortRange", ""), source,
            str(rule.get("Policy") or "accept").lower())


def _rule_text(key: tuple) -> str:
    return f"{key[3]} {key[0]} {key[1]} from {key[2]}"


def delete_anchor(client: EcsClient, group_id: str, patience: float = 60.0) -> None:
    """Delete the security group; waits while released instances are still leaving it. Gone already is fine."""
    end = time.monotonic() + patience
    while True:
        try:
            client.call("DeleteSecurityGroup", SecurityGroupId=group_id)
            return
        except EcsError as error:
            if error.is_a("InvalidSecurityGroupId.NotFound"):
                return
            if not error.is_a("DependencyViolation") or time.monotonic() > end:
                raise
        time.sleep(1.0)
