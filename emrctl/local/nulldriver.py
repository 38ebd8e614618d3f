"""Hosts that do not exist: the driver for ``--api-only``, and the interface that every driver has."""
from __future__ import annotations

import os
import time
from pathlib import Path


class DriverError(Exception):
    """A host could not be made, started, stopped or removed."""


class NullDriver:
    """Remembers states and nothing else. One small file per host, so that it survives a restart of the server."""

    real_hosts = False

    def __init__(self, state: Path, boot_seconds: float = 0.0):
        self._folder = Path(state) / "null-hosts"
        self._folder.mkdir(parents=True, exist_ok=True)
        self._boot_seconds = boot_seconds

    def create(self, instance: dict) -> None:
        """Prepare a host: id, hostname, private_ip, memory_mib, public_keys, disks, user_data. Idempotent."""
        if self.state(instance["id"]) == "missing":
            self._write(instance["id"], "stopped")

    def start(self, instance_id: str) -> None:
        """Boot; returns when the host runs. Idempotent."""
        if self.state(instance_id) == "missing":
            raise DriverError(f"{instance_id} was not created")
        time.sleep(self._boot_seconds)
        self._write(instance_id, "running")

    def stop(self, instance_id: str, force: bool = False) -> None:
        """Shut down; returns when the host is down. Idempotent."""
        if self.state(instance_id) == "running":
            self._write(instance_id, "stopped")

    def delete(self, instance_id: str) -> None:
        """Remove the host with its disks. Idempotent."""
        (self._folder / instance_id).unlink(missing_ok=True)

    def state(self, instance_id: str) -> str:
        """running, stopped or missing."""
        try:
            return (self._folder / instance_id).read_text()
        except FileNotFoundError:
            return "missing"

    def set_firewall(self, instance_id: str, rules: dict) -> None:
        """Rules: members (addresses admitted on every port) and ingress ({protocol, port_range, cidr})."""

    def _write(self, instance_id: str, state: str) -> None:
        path = self._folder / instance_id
        temporary = path.with_suffix(".tmp")
        temporary.write_text(state)
        os.replace(temporary, path)
