"""Brings instances from the state that they are in to the state that was asked for, in worker threads.

The wish is in the store before a worker starts, so a server that was killed takes up every unfinished change when it
starts again.
"""
from __future__ import annotations

import logging
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from . import offers
from .clock import stamp
from .firewall import Firewall

log = logging.getLogger(__name__)
UNFINISHED = ("Pending", "Starting", "Stopping")


class Engine:
    """Workers that drive the hosts. ``driver`` has the methods of NullDriver."""

    def __init__(self, store, driver, faults, workers: int = 8):
        self.store = store
        self.driver = driver
        self.faults = faults
        self.firewall = Firewall(store, driver)
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="host")
        self._locks: dict = {}
        self._locks_guard = threading.Lock()

    def resume(self) -> None:
        """Take up what an earlier server left unfinished, and notice hosts that went down meanwhile."""
        for instance in self.store.all("instance"):
            if instance["released"] or instance["status"] in UNFINISHED:
                self.submit(instance["id"])
            elif instance["status"] == "Running":
                if self.driver.state(instance["id"]) == "running":
                    self.firewall.refresh(instance["groups"])
                else:
                    log.warning("%s is not running any more", instance["id"])
                    self._update(instance["id"], "Running", status="Stopped")

    def submit(self, instance_id: str) -> None:
        """Work on an instance soon."""
        self._pool.submit(self._safely, instance_id)

    def close(self) -> None:
        """Finish the running steps and end the threads."""
        self._pool.shutdown(wait=True, cancel_futures=True)
        self.firewall.close()
        if hasattr(self.driver, "close"):
            self.driver.close()

    def _safely(self, instance_id: str) -> None:
        with self._locks_guard:
            lock = self._locks.setdefault(instance_id, threading.Lock())
        with lock:
            try:
                while self._step(instance_id):
                    pass
            except Exception as error:
                log.exception("instance %s", instance_id)
                self._failed(instance_id, str(error))

    def _step(self, instance_id: str) -> bool:
        """One change of state; True when there may be another."""
        instance = self.store.get("instance", instance_id)
        if instance is None:
            return False
        if instance["released"]:
            return self._release(instance)
        status = instance["status"]
        if status == "Pending":
            if self.faults.value("slow_boot"):
                time.sleep(self.faults.value("slow_boot"))
            self._create(instance)
            return self._update(instance_id, status, status="Starting")
        if status == "Starting":
            # One that gave its public address back comes up with another one.
            if self.driver.state(instance_id) == "missing" or "public_turn" in instance:
                self._create(instance)
            self.firewall.push(instance_id, force=True)
            self.driver.start(instance_id)
            self.firewall.push(instance_id)
            # A node that is Running is admitted by all that run; those bought while it booted are let in right after.
            self.firewall.refresh(instance["groups"])
            self.firewall.wait(10)
            self._update(instance_id, status, status="Running", started=stamp())
            self.firewall.refresh(instance["groups"])
            return True
        if status == "Stopping":
            self.driver.stop(instance_id, instance.get("force_stop", False))
            after = "Starting" if instance.get("reboot") else "Stopped"
            given_back = {"public_ip": ""} if after == "Stopped" and instance.get("stopped_mode") == "StopCharging" else {}
            return self._update(instance_id, status, status=after, reboot=False, **given_back)
        return False

    def _create(self, instance: dict) -> None:
        key = self.store.get("keypair", f"{instance['region']}/{instance['key_pair']}")
        key_body = instance.get("public_key") or (key or {}).get("public_key")
        self.driver.create({
            "id": instance["id"], "hostname": instance["hostname"], "private_ip": instance["ip"],
            "public_ip": instance.get("public_ip", ""),
            "memory_mib": instance["memory_mib"], "public_keys": [key_body] if key_body else [],
            "disks": [{"id": d["id"], "size_gib": d["size_gib"], "serial": d["serial"]}
                      for d in instance["disks"] if d["type"] == "data"],
            "user_data": instance["user_data"], "system": offers.IMAGES[instance["image"]].system,
        })
        if not instance["made"]:
            self._update(instance["id"], instance["status"], made=True)

    def _release(self, instance: dict) -> bool:
        self.driver.delete(instance["id"])
        with self.store.transaction() as tx:
            tx.delete("instance", instance["id"])
        self.firewall.refresh(instance["groups"])
        with self._locks_guard:
            self._locks.pop(instance["id"], None)
        return False

    def _update(self, instance_id: str, expected: str, **values) -> bool:
        """Set fields unless the instance's status became another one meanwhile. True: look at it again."""
        with self.store.transaction() as tx:
            instance = tx.edit("instance", instance_id)
            if instance is None:
                return False
            if instance["status"] == expected:
                instance.update(values)
        return True

    def _failed(self, instance_id: str, reason: str) -> None:
        """A host that cannot be driven is Stopped, with the reason on record."""
        with self.store.transaction() as tx:
            instance = tx.edit("instance", instance_id)
            if instance is not None and not instance["released"]:
                instance.update(status="Stopped", reboot=False, failure=reason)
