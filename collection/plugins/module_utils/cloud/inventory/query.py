"""What the inventory plugin asks the API: instances of accounts and regions, at the same time, each with its own fate.

A *question* is one account in one region with one set of filters; its answer is a list of
*records*: instances as DescribeInstances gives them, without the fields that nobody reads, plus their data disks.
"""
from __future__ import annotations

import fnmatch
import hashlib
import json
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from ...domain.errors import EmrError, Refused
from ..credentials.chain import Credentials
from ..ecs.client import PATIENCE, EcsClient, EcsError, tag_list, tags_of

# Part of the cache's key: raise it when the shape of records changes.
SCHEMA = 3
POOL = 16
PAGE = 100
# Filter -> (parameter of DescribeInstances, field of an instance)
FILTERS = {
    "image_id": ("ImageId", "ImageId"), "instance_charge_type": ("InstanceChargeType", "InstanceChargeType"),
    "instance_name": ("InstanceName", "InstanceName"), "instance_type": ("InstanceType", "InstanceType"),
    "key_pair_name": ("KeyPairName", "KeyPairName"), "security_group_id": ("SecurityGroupId", "SecurityGroupIds"),
    "status": ("Status", "Status"), "vpc_id": ("VpcId", "VpcId"), "vswitch_id": ("VSwitchId", "VSwitchId"),
    "zone_id": ("ZoneId", "ZoneId"),
}
_KEPT = ("InstanceId", "InstanceName", "HostName", "Status", "RegionId", "ZoneId", "InstanceType", "Memory", "Cpu",
         "KeyPairName", "ImageId", "InstanceChargeType", "SpotStrategy", "CreationTime", "VpcAttributes", "InnerIpAddress",
         "PublicIpAddress", "EipAddress", "SecurityGroupIds")
# Few values over many instances: one string object for each.
_SHARED = ("Status", "RegionId", "ZoneId", "InstanceType", "KeyPairName", "ImageId", "InstanceChargeType", "SpotStrategy")

# An inventory holds up every command: where nobody answers at all it is content to say so after this time.
UNHEARD_S = 30


@dataclass(frozen=True)
class Question:
    """One listing. ``includes`` are alternatives (a union), ``excludes`` leave out what matches any of them."""

    account: str
    credentials: Credentials = field(repr=False)
    region: str
    endpoint: str | None = None
    clusters: tuple = ()
    includes: tuple = ()
    excludes: tuple = ()
    all_instances: bool = False
    disks: bool = True
    patience: float = PATIENCE

    @property
    def key(self) -> str:
        """Name of the answer in a cache: the same only for the same caller and the same question."""
        parts = [SCHEMA, self.credentials.identity, self.region, self.endpoint, sorted(self.clusters), self.includes,
                 self.excludes, self.all_instances, self.disks]
        return hashlib.sha256(json.dumps(parts, sort_keys=True, default=list).encode()).hexdigest()[:20]

    def client(self) -> EcsClient:
        """A client for it."""
        return EcsClient(self.region, self.credentials, self.endpoint, self.patience, UNHEARD_S)


def check_filters(filters: dict) -> dict:
    """The filters with values as text or lists of text. Raises Refused for a name that is none."""
    checked = {}
    for name, value in filters.items():
        name = str(name)
        if name not in FILTERS and ":" not in name:
            raise Refused(f"'{name}' is not a filter", f"Write tag:KEY, or one of {', '.join(FILTERS)}")
        values = value if isinstance(value, (list, tuple)) else ["" if value is None else value]
        checked[name] = tuple(str(v) for v in values)
    return checked


def ask(questions: list) -> list:
    """``(records, error)`` of each question, in order, over a bounded number of threads. One failure hurts no other."""
    def one(question):
        try:
            return answer(question), None
        except EmrError as error:
            return [], error

    if len(questions) == 1:
        return [one(questions[0])]
    with ThreadPoolExecutor(min(POOL, len(questions) or 1)) as pool:
        return list(pool.map(one, questions))


def answer(question: Question) -> list:
    """Records of one question. Raises EcsError, also when nothing came because the permission is missing."""
    client = question.client()
    found: dict = {}
    for include in question.includes or ({},):
        for params in _parameters(question, include):
            for instance in _instances(client, params):
                if (matches(instance, include) and not any(matches(instance, e) for e in question.excludes)
                        and (not question.clusters or tags_of(instance).get("emr:cluster") in question.clusters)):
                    found[instance["InstanceId"]] = instance
    if not found and not client.allowed("DescribeInstances"):
        raise EcsError("Forbidden.RAM", "the answer is empty because the permission is missing", "", "DescribeInstances")
    records = list(found.values())
    if question.disks and records:
        disks = _disks(client, found)
        for record in records:
            if record["InstanceId"] in disks:
                record["Disks"] = disks[record["InstanceId"]]
    return records


def all_regions(credentials: Credentials, endpoint: str | None, start: str) -> list:
    """Every region that the account can use, asked in region ``start``."""
    client = EcsClient(start or "cn-hangzhou", credentials, endpoint, unheard=UNHEARD_S)
    return sorted(r["RegionId"] for r in client.items("DescribeRegions"))


def _parameters(question: Question, include: dict) -> list:
    """Parameters of DescribeInstances. What it cannot express (several values) is left to ``matches``."""
    tags = {} if question.all_instances else {"emr:cluster": ""}
    params = {}
    for name, values in include.items():
        if len(values) != 1:
            continue
        if name in FILTERS:
            params[FILTERS[name][0]] = values[0]
        else:
            tags[_tag(name)] = values[0]
    # One listing for each cluster is cheaper than one of everybody's nodes, as long as there are few.
    if 0 < len(question.clusters) <= 5 and not question.all_instances:
        return [{**params, "Tag": tag_list({**tags, "emr:cluster": c})} for c in question.clusters]
    return [{**params, "Tag": tag_list(tags) or None}]


def _instances(client: EcsClient, params: dict):
    """Instances page by page; only what is kept of one stays in memory."""
    token, words = None, {}
    while True:
        page = client.call("DescribeInstances", MaxResults=PAGE, NextToken=token, **params)
        for instance in (page.get("Instances") or {}).get("Instance") or []:
            yield slim(instance, words)
        token = page.get("NextToken")
        if not token:
            return


def slim(instance: dict, words: dict) -> dict:
    """The part of an instance that is used. Equal texts share one object, through ``words``."""
    kept = {name: instance[name] for name in _KEPT if instance.get(name)}
    for name in _SHARED:
        if name in kept:
            kept[name] = sys.intern(kept[name])
    network = kept.pop("VpcAttributes", None) or {}
    kept["VpcId"], kept["VSwitchId"] = (words.setdefault(network.get(n, ""), network.get(n, "")) for n in ("VpcId", "VSwitchId"))
    kept["VpcAttributes"] = {"PrivateIpAddress": network.get("PrivateIpAddress") or {}}
    kept["tags"] = {words.setdefault(k, k): words.setdefault(v, v) for k, v in tags_of(instance).items()}
    kept["SecurityGroupIds"] = [words.setdefault(g, g) for g in (kept.get("SecurityGroupIds") or {}).get(
        "SecurityGroupId") or []]
    for name in ("InnerIpAddress", "PublicIpAddress", "EipAddress"):
        if name in kept and not kept[name].get("IpAddress"):
            del kept[name]
    return kept


def _disks(client: EcsClient, wanted: dict) -> dict:
    """Data disks of these instances: ``{instance id: [disk]}``, sorted by device, one listing for each zone."""
    found: dict = {}
    for zone in sorted({i.get("ZoneId", "") for i in wanted.values()}):
        for disk in client.items("DescribeDisks", DiskType="data", ZoneId=zone or None):
            if disk.get("InstanceId") in wanted:
                found.setdefault(disk["InstanceId"], []).append(
                    {name: disk[name] for name in ("DiskId", "SerialNumber", "Size", "Device") if name in disk})
    for disks in found.values():
        disks.sort(key=lambda d: (d.get("Device", ""), d["DiskId"]))
    return found


def matches(instance: dict, filters: dict) -> bool:
    """Whether an instance has one of the values of every filter. An empty value stands for any; names may hold ``*``."""
    tags = tags_of(instance) if any(":" in name for name in filters) else {}
    for name, values in filters.items():
        if name in FILTERS:
            value = instance.get(FILTERS[name][1], "")
            have = value if isinstance(value, list) else [value]
        else:
            have = [tags[_tag(name)]] if _tag(name) in tags else []
        if not any(_like(h, v) for h in have for v in values):
            return False
    return True


def _like(value: str, wanted: str) -> bool:
    if not wanted or value == wanted:
        return True
    return "*" in wanted and fnmatch.fnmatchcase(value, wanted)


def _tag(name: str) -> str:
    """``tag:KEY`` and, for the tags of clusters, ``emr:…`` itself."""
    return name.removeprefix("tag:")
