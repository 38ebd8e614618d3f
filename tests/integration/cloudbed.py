"""What the tests of the cloud side share: a spec for the local API, operations whose owner can be killed, faults."""
from __future__ import annotations

import subprocess
from collections import Counter

import pytest

from ansible_collections.emr.cluster.plugins.module_utils.cloud.cluster.operation import Operation
from ansible_collections.emr.cluster.plugins.module_utils.cloud.ecs.client import EcsClient
from ansible_collections.emr.cluster.plugins.module_utils.domain.spec.model import parse_spec

READS = ("Describe", "List")


class Killed(BaseException):
    """Stands for SIGKILL: nothing in the code under test handles it."""


class BrittleClient(EcsClient):
    """Dies at its n-th changing call: ``before`` it is sent, or ``after`` it was done and its answer is lost."""

    def __init__(self, region: str, number: int = 0, moment: str = "before"):
        super().__init__(region, patience=60)
        self.number, self.moment, self.changes, self.log = number, moment, 0, []

    def send(self, action, flat):
        """One exchange, or death."""
        if not action.startswith(READS):
            self.changes += 1
            self.log.append(action)
            if self.changes == self.number and self.moment == "before":
                raise Killed(action)
            answer = super().send(action, flat)
            if self.changes == self.number:
                raise Killed(action)
            return answer
        return super().send(action, flat)


class Owner:
    """A process in whose name a lock is held; ends with ``kill``."""

    def __init__(self):
        self.process = subprocess.Popen(["sleep", "600"])
        self.pid = self.process.pid

    def kill(self):
        """SIGKILL and reap."""
        self.process.kill()
        self.process.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()


def spec(ecs, name="demo", **changes):
    """A valid spec for the local API; ``changes`` are text lines by key that replace or extend it."""
    parts = {
        "release": "release: emr-1.0",
        "network": f"network: {{vswitch_id: {ecs.vswitch}, ssh_from: 10.0.0.1/32}}",
        "zone": f"zone: {ecs.zone}", "image": f"image: {ecs.image}", "monitoring": "monitoring: {enabled: false}",
        "master": "  master: {count: 1, instance_types: [ecs.c6.large]}",
        "slave": "  slave: {count: 3, instance_types: [ecs.c6.large, ecs.g6.large]}", **changes}
    groups = [parts.pop("master"), parts.pop("slave"), parts.pop("groups", "")]
    return parse_spec("\n".join([f"name: {name}", f"region: {ecs.region}", *parts.values(), "node_groups:", *groups]))


def operation(client, name, owner, **fields) -> Operation:
    """An operation in the name of ``owner``, confirmed, that starts no keeper."""
    fields = {"confirm": "yes", **fields}
    return Operation(client, name, owner.pid, **fields)


def create(client, wanted, owner, **fields):
    """Lock, buy and unlock as the action does; returns the operation and what ``present`` gave."""
    run = operation(client, wanted.name, owner, **fields)
    run.take_lock()
    result = run.present(wanted)
    run.unlock()
    return run, result


def release(client, name, owner, **fields):
    """Lock, release and unlock as the action does; returns the operation and what ``release`` gave."""
    run = operation(client, name, owner, **fields)
    run.take_lock()
    result = run.release()
    run.unlock()
    return run, result


def release_killed_at_every_call(ecs, owner, wanted, moment, first=1) -> int:
    """Create the cluster, kill its release at the n-th changing call from the ``first`` on, and release it again, until a release
    comes to its end; returns how many calls that one makes."""
    for number in range(first, 100):
        create(EcsClient(ecs.region), wanted, owner)
        with Owner() as dying:
            try:
                release(BrittleClient(ecs.region, number, moment), wanted.name, dying)
                return number - 1
            except Killed as death:
                killed = f"killed {moment} call {number}, {death}"
        release(EcsClient(ecs.region), wanted.name, owner)
        assert living(ecs, wanted.name) == left_over(ecs, wanted.name) == [] and networks(ecs) == [[], []], killed
    raise AssertionError("a release makes more than 100 calls")


def networks(ecs):
    """(VPCs, vSwitches) that somebody made."""
    return [sorted(i["id"] for i in ecs.cloud.store.all(kind)) for kind in ("vpc", "vswitch")]


def living(ecs, name):
    """The instances that the server has for a cluster, whatever is visible."""
    found = [i for i in ecs.cloud.store.all("instance") if i["tags"].get("emr:cluster") == name and not i["released"]]
    return sorted(i["name"] for i in found)


def left_over(ecs, name):
    """Names of everything else that the server has for a cluster."""
    groups = [g["name"] for g in ecs.cloud.store.all("securitygroup") if g["tags"].get("emr:cluster") == name]
    pairs = [k["name"] for k in ecs.cloud.store.all("keypair") if k["tags"].get("emr:cluster") == name]
    return groups + pairs


def expected(name, **counts):
    """Sorted node names of a cluster with these counts per group."""
    return sorted(f"{name}-{group}-{n:03d}" for group, count in counts.items() for n in range(1, count + 1))


def changes_of(client) -> Counter:
    """How often each changing action was called."""
    return Counter(client.log)


def die_after_slaves(ecs, owner) -> None:
    """A create of the default spec, killed when the call that bought the slaves was answered and nothing came after it."""
    client = BrittleClient(ecs.region)
    send = client.send

    def call(action, flat):
        answer = send(action, flat)
        if action == "RunInstances" and "slave" in flat["InstanceName"]:
            raise Killed
        return answer

    client.send = call
    with pytest.raises(Killed):
        create(client, spec(ecs), owner)
