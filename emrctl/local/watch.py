"""What happens to instances without anyone calling: they die, spot instances are taken back, release times come.

A thread looks several times a second; ``tick`` is one look.
"""
from __future__ import annotations

import logging
import threading
import time
from fnmatch import fnmatchcase

log = logging.getLogger(__name__)
INTERVAL = 0.2
# Looking whether a host still runs costs some files per host.
HOSTS_INTERVAL = 2.0


class Watch:
    """Watches the instances of a store. ``engine`` carries out what has to happen to them."""

    def __init__(self, store, engine, faults):
        self._store = store
        self._engine = engine
        self._faults = faults
        self._deadlines: dict = {}
        self._suspects: set = set()
        self._look_at = 0.0
        self._ended = threading.Event()
        for item in store.all("instance"):
            self._note(None, item)
        store.watch("instance", self._note)
        self._thread = threading.Thread(target=self._run, name="watch", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def close(self) -> None:
        """End the thread."""
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join(10)

    def _run(self) -> None:
        while not self._ended.wait(INTERVAL):
            try:
                self.tick(time.time())
            except Exception:
                log.exception("watch")

    def _note(self, old: dict | None, new: dict | None) -> None:
        """Keep the earliest time at which something happens to the instance."""
        times = [new[name] for name in ("spot_ends", "release_at") if new.get(name)] if new else []
        if times and not new["released"]:
            self._deadlines[new["id"]] = min(times)
        else:
            self._deadlines.pop((new or old)["id"], None)

    def tick(self, now: float) -> None:
        """Do everything that is due."""
        for entry in self._faults.value("die"):
            self._die(entry)
        for pattern in self._faults.value("spot_notice"):
            self._give_notice(pattern, now)
        for instance_id in [i for i, moment in list(self._deadlines.items()) if moment <= now]:
            self._take_back(instance_id, now)
        if self._engine.firewall.active and now >= self._look_at:
            self._look_at = now + HOSTS_INTERVAL
            self._find_dead()

    def _matching(self, pattern: str) -> list:
        """Running instances whose id or name the pattern fits."""
        return [i for i in self._store.all("instance") if i["status"] == "Running" and not i["released"]
                and (fnmatchcase(i["id"], pattern) or fnmatchcase(i["name"], pattern))]

    def _die(self, entry) -> None:
        """The fault ``die``: pull the plug, and release the instance where that is asked for."""
        entry_is_text = isinstance(entry, str)
        found = self._matching(entry if entry_is_text else entry["instance"])
        released = not entry_is_text and bool(entry.get("released"))
        for item in found:
            log.warning("%s dies", item["id"])
            values = {"released": True} if released else {"status": "Stopping", "force_stop": True, "reboot": False}
            self._change(item["id"], **values)
        if found:
            self._faults.consume("die", entry)

    def _give_notice(self, pattern: str, now: float) -> None:
        """The fault ``spot_notice``: matching spot instances learn when they will be taken back."""
        found = [i for i in self._matching(pattern) if i["spot"] != "NoSpot"]
        for item in found:
            if not item.get("spot_ends"):
                self._change(item["id"], spot_ends=now + self._faults.value("spot_notice_seconds"))
        if found:
            self._faults.consume("spot_notice", pattern)

    def _take_back(self, instance_id: str, now: float) -> None:
        item = self._store.get("instance", instance_id)
        if item is None or item["released"]:
            return
        if item.get("spot_stop") and (item.get("release_at") or now + 1) > now:
            self._change(instance_id, status="Stopping", force_stop=True, reboot=False, spot_ends=None)
        else:
            self._change(instance_id, released=True)

    def _find_dead(self) -> None:
        """Hosts that ended without a call are Stopped. Twice seen, because a host may just be rebooting."""
        down = {i["id"] for i in self._store.all("instance") if i["status"] == "Running" and not i["released"]
                and self._engine.driver.state(i["id"]) != "running"}
        for instance_id in down & self._suspects:
            log.warning("%s is not running any more", instance_id)
            self._change(instance_id, status="Stopping", force_stop=True, reboot=False)
        self._suspects = down - self._suspects

    def _change(self, instance_id: str, **values) -> None:
        """Write down what happens to a running instance, and let it happen."""
        with self._store.transaction() as tx:
            item = tx.edit("instance", instance_id)
            if item is None or item["released"] or ("status" in values and item["status"] != "Running"):
                return
            item.update(values)
        self._engine.submit(instance_id)
