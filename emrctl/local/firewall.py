"""Security groups as the hosts' firewalls: which rules an instance has, and bringing them to the driver."""
from __future__ import annotations

import logging
import threading

log = logging.getLogger(__name__)


def rules_for(store, instance: dict) -> dict:
    """Rules of one instance for the driver: addresses admitted on every port, and ingress by port and CIDR.

    Members of one group reach each other, as in the cloud's normal groups. A rule with a source group stands for the
    addresses of that group's members.
    """
    members: set = set()
    ingress: list = []
    by_group: dict = {}
    for other in store.all("instance"):
        for group in other["groups"]:
            by_group.setdefault(group, set()).add(other["ip"])
    for group_id in instance["groups"]:
        members |= by_group.get(group_id, set())
        group = store.get("securitygroup", group_id) or {"rules": []}
        for rule in group["rules"]:
            if rule["policy"] != "Accept":
                continue
            if rule["source_group"]:
                sources = sorted(by_group.get(rule["source_group"], ()))
                if rule["protocol"] == "ALL":
                    members.update(sources)
                    continue
                cidrs = [f"{ip}/32" for ip in sources]
            else:
                cidrs = [rule["cidr"]]
            ingress += [{"protocol": rule["protocol"].lower(), "port_range": rule["ports"], "cidr": cidr}
                        for cidr in cidrs]
    members.discard(instance["ip"])
    return {"members": sorted(members), "ingress": ingress}


class Firewall:
    """Keeps hosts' firewalls up to date in a thread of its own; equal rules are pushed once."""

    def __init__(self, store, driver):
        self._store = store
        self._driver = driver
        self.active = getattr(driver, "real_hosts", True)
        self._dirty: set = set()
        self._pushed: dict = {}
        self._locks: dict = {}
        self._changed = threading.Condition()
        self._busy = False
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="firewall", daemon=True)
        self._thread.start()

    def push(self, instance_id: str, force: bool = False) -> None:
        """Bring the rules to one host now. Driver errors go to the caller."""
        if not self.active:
            return
        # One lock per host: a host that is busy booting must not hold up the others.
        with self._locks.setdefault(instance_id, threading.Lock()):
            instance = self._store.get("instance", instance_id)
            if instance is None:
                self._pushed.pop(instance_id, None)
                return
            rules = rules_for(self._store, instance)
            if force or self._pushed.get(instance_id) != rules:
                self._driver.set_firewall(instance_id, rules)
                self._pushed[instance_id] = rules

    def refresh(self, groups) -> None:
        """Update, soon, every running host whose rules depend on these groups. Others get theirs when they start."""
        if not self.active:
            return
        groups = set(groups)
        wanted = set(groups)
        for group in self._store.all("securitygroup"):
            if any(rule["source_group"] in groups for rule in group["rules"]):
                wanted.add(group["id"])
        ids = {i["id"] for i in self._store.all("instance")
               if i["status"] == "Running" and not i["released"] and wanted & set(i["groups"])}
        with self._changed:
            self._dirty |= ids
            self._changed.notify_all()

    def wait(self, seconds: float) -> None:
        """Wait until everything asked for so far is pushed, at most so long."""
        with self._changed:
            self._changed.wait_for(lambda: not self._dirty and not self._busy, seconds)

    def close(self) -> None:
        """End the thread."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._thread.join(10)

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._dirty or self._closed)
                if self._closed:
                    return
                ids, self._dirty, self._busy = self._dirty, set(), True
            for instance_id in sorted(ids):
                try:
                    self.push(instance_id)
                except Exception:  # a host that is just going away must not end the thread
                    log.exception("firewall of %s", instance_id)
            with self._changed:
                self._busy = False
                self._changed.notify_all()
