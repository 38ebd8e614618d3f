"""The driver that gives the local ECS real hosts. Its methods block, may be repeated, and may run in many threads."""
from __future__ import annotations

import logging
from pathlib import Path

from emrctl.local import image, settings as local_settings
from emrctl.local.hosts import Host
from emrctl.local.shell import DriverError

__all__ = ["DriverError", "NspawnDriver"]
log = logging.getLogger(__name__)


class NspawnDriver:
    """Hosts of the local ECS whose state folder is `state` (needs its local.json, written by `emrctl local up`)."""

    real_hosts = True

    def __init__(self, state: str | Path):
        self.settings = local_settings.load(state)

    def _host(self, host_id: str) -> Host:
        if "/" in host_id or host_id.startswith(".") or not host_id:
            raise DriverError(f"{host_id!r} is not an instance id")
        return Host(self.settings, host_id)

    def create(self, instance: dict) -> None:
        """Make the file system and disks of an instance's host; start() boots it.

        instance: id, hostname, private_ip, public_ip (may be empty), memory_mib, public_keys (list of lines), disks (list of
        id, size_gib, serial), user_data, system (name of its image; that of `up` without one). An image that no host had yet is
        built first (a minute). Raises DriverError.
        """
        host = self._host(instance["id"])
        with host.locked():
            host.define(instance, self._layers(instance.get("system") or image.DEFAULT))

    def _layers(self, system: str) -> list:
        """The folders below a new host's own, the uppermost first. The default image stays that of the first `up`."""
        if system == image.DEFAULT and self.settings.image and Path(self.settings.image).is_dir():
            folders = [self.settings.image]
        else:
            folders = [str(folder) for folder in image.layers(log.info, system)]
        # Other images start a little slower: making archives for each of them would keep its first instance Pending for longer.
        classes = self.settings.class_data if folders[-1] == self.settings.image else ""
        return [*filter(None, [classes]), *folders]

    def start(self, host_id: str) -> None:
        """Boot a host, with its old data if it ran before. Raises DriverError, after which nothing of it runs."""
        host = self._host(host_id)
        with host.locked():
            host.start()

    def stop(self, host_id: str, force: bool = False) -> None:
        """Halt a host, in order (up to 30 s) or at once. Raises DriverError."""
        host = self._host(host_id)
        with host.locked():
            host.stop(force)

    def delete(self, host_id: str) -> None:
        """Remove a host with its data, whatever its state; a missing one is fine. Raises DriverError."""
        host = self._host(host_id)
        with host.locked():
            host.delete()
        (self.settings.hosts / f".{host_id}.lock").unlink(missing_ok=True)

    def state(self, host_id: str) -> str:
        """"running", "stopped" or "missing", as it really is now, whoever started it."""
        return self._host(host_id).state()

    def set_firewall(self, host_id: str, rules: dict) -> None:
        """Let in members (list of ip) entirely and ingress (list of protocol, port_range, cidr); nothing else.

        Until the first call a host lets nothing in. Raises DriverError.
        """
        host = self._host(host_id)
        with host.locked():
            host.firewall(rules)
