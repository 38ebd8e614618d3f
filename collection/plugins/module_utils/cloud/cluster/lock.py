"""One operation on a cluster at a time: a key pair ``emr-lock-<cluster>``, whose name is unique in a region.

Its tags say who holds it (``emr:owner``) and until when (``emr:expiry``, epoch seconds). A keeper process renews it
while the owning process lives, and removes it when that ends without unlocking. Taking over goes through a second
key pair, so that of several who see the same dead lock exactly one wins. Times are seconds.
"""
from __future__ import annotations

import base64
import json
import os
import secrets
import signal
import struct
import subprocess
import sys
import time
from dataclasses import dataclass

from ...domain.errors import EmrError, Refused
from ..ecs.client import EcsClient, EcsError, tag_list, tags_of
from .owner import is_dead, owner_name

TTL = 90
RENEW = 30


class LockLost(EmrError):
    """Another operation holds the lock that this one had."""


@dataclass(frozen=True)
class Holder:
    """Who holds a lock, and until when (epoch seconds)."""

    owner: str
    expiry: int

    @property
    def left(self) -> int:
        """Seconds until it expires; negative afterwards."""
        return int(self.expiry - time.time())


class Lock:
    """The lock of one cluster, held in the name of process ``pid`` (default: this one)."""

    def __init__(self, client: EcsClient, cluster: str, pid: int | None = None):
        self.client, self.cluster = client, cluster
        self.name = f"emr-lock-{cluster}"
        self.pid = pid or os.getpid()
        self.owner = owner_name(self.pid)

    def holder(self, name: str | None = None) -> Holder | None:
        """Who holds it now, or None."""
        name = name or self.name
        for pair in self.client.items("DescribeKeyPairs", KeyPairName=name):
            if pair.get("KeyPairName") == name:
                tags = tags_of(pair)
                expiry = tags.get("emr:expiry", "")
                return Holder(tags.get("emr:owner", "unknown"), int(expiry) if expiry.isdigit() else 0)
        return None

    def acquire(self, watch: float = RENEW + 5) -> bool:
        """Take the lock. True when it is newly taken, False when this process held it already.

        Raises Refused when another operation holds it. A lock that expired under five minutes ago is first watched
        for ``watch`` seconds, since it may only look expired to a clock that is ahead.
        """
        for _attempt in range(5):
            if self._create(self.name):
                return True
            holder = self.holder()
            if holder is None:
                continue
            if holder.owner == self.owner:
                self.renew()
                return False
            if not is_dead(holder.owner):
                if holder.left > 0:
                    raise self._refusal(holder)
                if holder.left > -300 and not self._unchanged(holder, watch):
                    continue
            if self._take_over(holder):
                return True
        holder = self.holder()
        raise self._refusal(holder or Holder("unknown", 0))

    def renew(self) -> None:
        """Extend the lock. Raises LockLost when it is another's, or gone."""
        holder = self.holder()
        if holder is None or holder.owner != self.owner:
            raise LockLost(f"The lock of cluster '{self.cluster}' is " +
                           (f"held by {holder.owner}" if holder else "gone"),
                           "Nothing else was changed. Look at the cluster's status, then run the command again")
        self._tag({"emr:expiry": str(int(time.time()) + TTL)})

    def check(self) -> None:
        """Make sure that the lock is still ours, before something that cannot be taken back. Raises LockLost.

        A worker that outlives its killed ansible-playbook must not go on either.
        """
        if is_dead(self.owner):
            raise LockLost(f"The process that held the lock of cluster '{self.cluster}' has ended", "Run it again")
        self.renew()

    def release(self) -> bool:
        """Give it back; only when it is ours. Whether it was."""
        holder = self.holder()
        if holder is None or holder.owner != self.owner:
            return False
        self._delete(self.name)
        return True

    def _create(self, name: str, ttl: int | None = None) -> bool:
        ttl = TTL if ttl is None else ttl
        tags = {"emr:cluster": self.cluster, "emr:owner": self.owner, "emr:expiry": str(int(time.time()) + ttl)}
        try:
            self.client.call("ImportKeyPair", KeyPairName=name, PublicKeyBody=_throwaway_key(), Tag=tag_list(tags))
            return True
        except EcsError as error:
            if "Duplicat" in error.code or "AlreadyExist" in error.code:
                return False
            raise

    def _take_over(self, seen: Holder) -> bool:
        """Replace a dead holder. Only who makes the second key pair may; it reads again before it acts.

        The lock is deleted and made anew, not tagged: a changed tag may be seen late, a name is taken at once.
        """
        gate = f"{self.name}-takeover"
        if not self._create(gate, 30):
            stale = self.holder(gate)
            if stale and (stale.left < -30 or is_dead(stale.owner)):
                self._delete(gate)
            time.sleep(1.0)
            return False
        try:
            if self.holder() != seen:
                return False
            self._delete(self.name)
            return self._create(self.name)
        finally:
            self._delete(gate)

    def _unchanged(self, seen: Holder, seconds: float) -> bool:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            time.sleep(min(5.0, seconds))
            if self.holder() != seen:
                return False
        return True

    def _tag(self, tags: dict) -> None:
        self.client.call("TagResources", ResourceType="keypair", ResourceId=[self.name], Tag=tag_list(tags))

    def _delete(self, name: str) -> None:
        try:
            self.client.call("DeleteKeyPairs", KeyPairNames=json.dumps([name]))
        except EcsError as error:
            if "NotFound" not in error.code:
                raise

    def _refusal(self, holder: Holder) -> Refused:
        return Refused(f"Another operation on cluster '{self.cluster}' is running: {holder.owner}",
                       f"Wait for it to end. If it was killed, its lock ends by itself in {max(0, holder.left)} s",
                       {"owner": holder.owner, "expiry": holder.expiry})

    def start_keeper(self) -> int:
        """Start the process that renews the lock while the owner lives; returns its process id.

        It gets no file of ours, so that nobody waits for it, and no credential but through the environment.
        """
        code = ("import importlib, json, sys, types; a = json.load(sys.stdin); p = types.ModuleType('emr_utils'); "
                "p.__path__ = [a['path']]; sys.modules['emr_utils'] = p; "
                "importlib.import_module('emr_utils.cloud.cluster.lock').keep(a)")
        order = {"path": os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))), "region": self.client.region,
                 "cluster": self.cluster, "pid": self.pid, "owner": self.owner}
        keeper = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                                  stderr=subprocess.DEVNULL, start_new_session=True, cwd="/")
        keeper.stdin.write(json.dumps(order).encode())
        keeper.stdin.close()
        return keeper.pid


def keep(order: dict) -> None:
    """The keeper: renews until the owner ends, then gives the lock back. Ends the owner if the lock is lost."""
    client = EcsClient(order["region"])
    lock = Lock(client, order["cluster"], order["pid"])
    lock.owner = order["owner"]
    due = time.monotonic() + RENEW
    while not is_dead(lock.owner):
        time.sleep(0.5)
        if time.monotonic() < due:
            continue
        due = time.monotonic() + RENEW
        try:
            lock.renew()
        except LockLost:
            holder = lock.holder()
            if holder and holder.owner != lock.owner and not is_dead(lock.owner):
                os.kill(lock.pid, signal.SIGTERM)
            return
        except EmrError:
            due = time.monotonic() + 5
    try:
        lock.release()
    except EmrError:
        pass


def _throwaway_key() -> str:
    """A well-formed public key that nobody has the private part of: the API wants one."""
    name = b"ssh-ed25519"
    blob = struct.pack(">I", len(name)) + name + struct.pack(">I", 32) + secrets.token_bytes(32)
    return f"ssh-ed25519 {base64.b64encode(blob).decode()} emr-lock"
