"""Fills an API-only local ECS with running instances at once: nodes of clusters, and foreign ones with hostile tags.

The same arguments always give the same instances, so that measurements can be repeated.
"""
from __future__ import annotations

import base64
import random
import time

from . import offers
from .api.errors import ApiError
from .clock import stamp

NODES_PER_CLUSTER = 100
# Other people's tags: what template engines, shells, YAML and terminals would take for theirs.
HOSTILE = (
    ("Name", "{{ lookup('pipe', 'touch /tmp/emr-owned') }}"),
    ("note", "{% for x in ().__class__.__base__.__subclasses__() %}{{ x }}{% endfor %}"),
    ("lines", "first\nansible_host: 203.0.113.9\r\n- second"),
    ("unsafe", "!unsafe {{ 7 * 7 }} {# comment #}"),
    ("shell", "$(reboot) `id` ; rm -rf \"/tmp/x\" 'y' \\"),
    ("控制" * 64, "名" * 128),
    ("emoji \U0001f600", "\U0001f480" * 64),
    ("escape", "\x1b[2J\x1b]0;title\x07\x7f\t"),
    ("direction", "\u202egnirts\u202c\u200b\ufeff"),
    ("ansible_connection", "local"),
    ("__proto__", "null"),
    ("empty", ""),
)


def seed(cloud, count: int, regions: int = 1, foreign: int = 0, claims: int = 0, name: str = "bench",
         per_cluster: int = NODES_PER_CLUSTER) -> dict:
    """Add ``count`` nodes of clusters and ``foreign`` other instances, evenly over the first ``regions`` regions.

    claims: how many of the foreign ones carry emr:cluster with a value that no cluster may have. Clusters are called
    NAME-10001 (the first of the first region) and so on; every instance is Running and visible. Returns what was made. Raises ApiError: no hosts here,
    no such number of regions, or not that many addresses left.
    """
    if cloud.real_hosts:
        raise ApiError("InvalidParameter", message="only an API-only local ECS can be seeded")
    if not 1 <= regions <= len(offers.REGIONS) or min(count, foreign, claims) < 0 or per_cluster < 1:
        raise ApiError("InvalidParameter", message=f"regions: 1 to {len(offers.REGIONS)}; numbers: 0 and more")
    draw = random.Random(f"{name}/{count}/{regions}/{foreign}")
    places = [(region, zones[0]) for region, (_, zones) in list(offers.REGIONS.items())[:regions]]
    began = time.monotonic()
    with cloud.store.transaction() as tx:
        addresses = cloud.take_addresses(tx, count + foreign, None)
        groups = {region: _group(tx, draw, region, name) for region, _ in places}
        first = tx.reserve_numbers("seq", count + foreign)
        ids = []
        for number, address in enumerate(addresses):
            region, zone = places[number % regions]
            item = _instance(draw, region, zone, address, first + number, groups[region])
            if number < count:
                _make_node(item, number // regions, number % regions, name, per_cluster, draw)
            else:
                _make_foreign(item, number - count, claims)
            tx.put("instance", item["id"], item)
            ids.append(item["id"])
        cloud.engine.driver.adopt(ids)
    return {"nodes": count, "foreign": foreign, "claims": min(claims, foreign), "regions": [r for r, _ in places],
            "seconds": round(time.monotonic() - began, 2)}


def _hex(draw: random.Random) -> str:
    return f"{draw.getrandbits(80):020x}"


def _group(tx, draw: random.Random, region: str, name: str) -> str:
    """Id of a new security group for the instances of a region."""
    group_id = f"sg-{_hex(draw)}"
    tx.put("securitygroup", group_id, {
        "id": group_id, "name": f"{name}-seed", "description": "", "vpc": offers.vpc_id(region), "region": region,
        "type": "normal", "rules": [], "tags": {}, "created": "2026-01-01T00:00:00Z", "seq": tx.next_number("seq")})
    return group_id


def _instance(draw: random.Random, region: str, zone: str, address: str, seq: int, group: str) -> dict:
    """A running instance as RunInstances would have kept it."""
    kind = offers.TYPES["ecs.g6.xlarge"]
    instance_id, disk = f"i-{_hex(draw)}", _hex(draw)
    mac = ":".join(f"{byte:02x}" for byte in draw.randbytes(3))
    now = stamp()
    return {
        "id": instance_id, "seq": seq, "region": region, "zone": zone, "name": instance_id, "hostname": instance_id[2:],
        "type": kind.name, "family": kind.family, "vcpus": kind.vcpus, "memory_mib": kind.memory_mib,
        "image": offers.IMAGE_ID, "key_pair": "", "public_key": "", "groups": [group],
        "vswitch": offers.vswitch_id(zone), "ip": address, "public_ip": "", "bandwidth_out": 0, "tags": {},
        "disks": [{"type": "system", "category": "cloud_essd", "size_gib": 40, "device": "/dev/xvda", "name": "",
                   "delete_with_instance": True, "id": f"d-{disk}", "serial": disk, "region": region, "tags": {}}],
        "user_data": "", "charge": "PostPaid", "spot": "NoSpot", "spot_limit": 0.0, "protected": False,
        "description": "", "created": now, "started": now, "status": "Running", "released": False, "made": True,
        "eni": f"eni-{instance_id[2:]}", "mac": f"00:16:3e:{mac}", "visible_at": 0.0}


def _make_node(item: dict, number: int, place: int, name: str, per_cluster: int, draw: random.Random) -> None:
    """Make it the number-th node of its region (the place-th): one master per cluster, all others slaves."""
    cluster = f"{name}-{place + 1}{number // per_cluster + 1:04d}"
    member = number % per_cluster
    group = "slave" if member else "master"
    item["name"] = item["hostname"] = f"{cluster}-{group}-{member or 1:03d}"
    key = base64.b64encode(b"\0\0\0\x0bssh-ed25519\0\0\0 " + draw.randbytes(32)).decode()
    item["tags"] = {"emr:cluster": cluster, "emr:id": f"emr-{cluster.encode().hex()[-12:]}", "emr:group": group,
                    "emr:role": group, "emr:release": "emr-1.0", "emr:services": "hdfs,yarn,mapreduce",
                    "emr:hostkey": f"ssh-ed25519 {key}"}


def _make_foreign(item: dict, number: int, claims: int) -> None:
    """Give it someone else's name and four of the hostile tags."""
    pairs = [HOSTILE[(number + step) % len(HOSTILE)] for step in range(4)]
    item["name"] = f"web:{number}" if number % 2 else f"数据库{number}"
    item["tags"] = dict(pairs)
    if number < claims:
        item["tags"].update({"emr:cluster": HOSTILE[number % 5][1], "emr:role": "{{ inventory_hostname }}"})
