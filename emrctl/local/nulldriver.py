"""Hosts that do not exist: the driver for ``--api-only``, and the interface that every driver has."""
from __future__ import annotations

import sqlite3
import threading
import time
from pathlib import Path


class DriverError(Exception):
    """A host could not be made, started, stopped or removed."""


class NullDriver:
    """Remembers states and nothing else, in one file, so that they survive a restart or kill of the server."""

    real_hosts = False

    def __init__(self, state: Path, boot_seconds: float = 0.0):
        self._boot_seconds = boot_seconds
        self._lock = threading.Lock()
        self._db = sqlite3.connect(str(Path(state) / "null-hosts.sqlite"), check_same_thread=False,
                                   isolation_level=None)
        self._db.execute("PRAGMA journal_mode=WAL")
        # Only the process is ever killed here, never the machine's power taken: what was written is there.
        self._db.execute("PRAGMA synchronous=OFF")
        self._db.execute("CREATE TABLE IF NOT EXISTS hosts (id TEXT PRIMARY KEY, state TEXT)")
        self._states = dict(self._db.execute("SELECT id, state FROM hosts"))

    def create(self, instance: dict) -> None:
        """Prepare a host: id, hostname, private_ip, memory_mib, public_keys, disks, user_data. Idempotent."""
        if self.state(instance["id"]) == "missing":
            self._write([instance["id"]], "stopped")

    def start(self, instance_id: str) -> None:
        """Boot; returns when the host runs. Idempotent."""
        if self.state(instance_id) == "missing":
            raise DriverError(f"{instance_id} was not created")
        time.sleep(self._boot_seconds)
        self._write([instance_id], "running")

    def stop(self, instance_id: str, force: bool = False) -> None:
        """Shut down; returns when the host is down. Idempotent."""
        if self.state(instance_id) == "running":
            self._write([instance_id], "stopped")

    def delete(self, instance_id: str) -> None:
        """Remove the host with its disks. Idempotent."""
        with self._lock:
            self._db.execute("DELETE FROM hosts WHERE id=?", (instance_id,))
            self._states.pop(instance_id, None)

    def state(self, instance_id: str) -> str:
        """running, stopped or missing."""
        return self._states.get(instance_id, "missing")

    def set_firewall(self, instance_id: str, rules: dict) -> None:
        """Rules: members (addresses admitted on every port) and ingress ({protocol, port_range, cidr})."""

    def adopt(self, instance_ids: list) -> None:
        """Take these hosts for running ones, without booting them one by one."""
        self._write(instance_ids, "running")

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._db.close()

    def _write(self, instance_ids: list, state: str) -> None:
        with self._lock:
            self._db.execute("BEGIN")
            self._db.executemany("INSERT OR REPLACE INTO hosts VALUES (?,?)", ((i, state) for i in instance_ids))
            self._db.execute("COMMIT")
            self._states.update(dict.fromkeys(instance_ids, state))
