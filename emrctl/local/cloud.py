"""One local ECS without its network side: state, hosts, stock, and the way of a call through it."""
from __future__ import annotations

import ipaddress
import logging
import os
import secrets
from pathlib import Path

from . import offers
from .api import ACTIONS
from .api.errors import ApiError
from .api.params import known_actions, parse
from .api.registry import Call
from .api.sts import forbidden
from .api.unsupported import refuse_unsupported
from .engine import Engine
from .faults import Faults
from .identity import Principal
from .index import InstanceIndex
from .internet import public_address
from .metadata import Metadata
from .sessions import Sessions
from .store import Store
from .watch import Watch

log = logging.getLogger(__name__)
# Kept free for the machine itself and the cluster tools.
RESERVED_MIB = 2048
UNLIMITED = 1 << 40
# The account's own key.
OWNER = Principal("")


def machine_memory_mib() -> int:
    """Memory that instances may have on this machine."""
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // (1 << 20)
    return max(total - RESERVED_MIB, 0)


class Cloud:
    """State folder, driver and limits. ``memory_mib`` is what all running instances may have together."""

    def __init__(self, state: Path, driver, subnet: str, memory_mib: int = UNLIMITED, workers: int = 8):
        self.state = Path(state)
        self.subnet = ipaddress.IPv4Network(subnet)
        self.memory_mib = memory_mib
        self.real_hosts = getattr(driver, "real_hosts", True)
        self.endpoint = ""
        self.store = Store(self.state / "api.sqlite")
        self.faults = Faults(self.state / "faults.json")
        self.index = InstanceIndex(self.store)
        self.engine = Engine(self.store, driver, self.faults, workers)
        self.sessions = Sessions(self.store, self.faults)
        # Tokens need not outlive the server: clients fetch a new one when theirs is refused.
        self.metadata = Metadata(self, secrets.token_bytes(32))
        self.engine.resume()
        self.watch = Watch(self.store, self.engine, self.faults)
        self.watch.start()

    def close(self) -> None:
        """Finish what the workers are doing and close the state."""
        self.watch.close()
        self.engine.close()
        self.store.close()

    def handle(self, action: str, flat: dict, principal: Principal = OWNER) -> dict:
        """Answer of one verified request, without its RequestId. Raises ApiError."""
        region = flat.get("RegionId", "")
        if action not in known_actions() or action not in ACTIONS:
            raise ApiError("InvalidAction.NotFound")
        self.faults.before(action, region)
        if region and region not in offers.REGIONS:
            raise ApiError("InvalidRegionId.NotFound")
        call = Call(action, region, parse(action, flat), self, principal=principal)
        refuse_unsupported(call)
        handler, empty_when_denied = ACTIONS[action]
        hidden = self.faults.denied(action, principal.role)
        if hidden and (call.get("DryRun") or not empty_when_denied):
            raise forbidden(action, principal)
        with self.store.transaction() as tx:
            call.tx, call.denied = Nothing() if hidden else tx, hidden
            answer = handler(call)
        for hook in call.after:
            hook()
        self.faults.after(action)
        return answer

    def vpc(self, item: dict) -> str:
        """VPC of an instance."""
        return item.get("vpc") or offers.vpc_id(item["region"])

    def free_memory(self, tx) -> int:
        """MiB that further instances can have."""
        used = sum(i["memory_mib"] for i in tx.all("instance") if i["status"] != "Stopped")
        return self.memory_mib - used

    def no_memory(self, tx, count: int, each_mib: int) -> ApiError:
        """The refusal of instances for which this machine's memory does not suffice."""
        free = max(0, self.free_memory(tx))
        return ApiError("OperationDenied.NoStock", message=(
            f"{count} x {each_mib} MiB are more than the {free} MiB that are left of the {self.memory_mib} MiB of memory that this local "
            "ECS gives away. Release a cluster, take smaller types, or start it with another --memory-mib"))

    def free_addresses(self, tx) -> int:
        """Addresses left in the subnet: network, gateway and broadcast address are never given away."""
        return self.subnet.num_addresses - 3 - len(tx.all("instance"))

    def take_addresses(self, tx, amount: int, wanted: str | None) -> list:
        """Private addresses for ``amount`` instances, the first being ``wanted`` when given. Raises ApiError."""
        used = {i["ip"] for i in tx.all("instance")}
        taken = []
        if wanted:
            taken.append(self._wanted(wanted, used))
            used.add(wanted)
        number = 2
        while len(taken) < amount and number < self.subnet.num_addresses - 1:
            address = str(self.subnet[number])
            if address not in used:
                taken.append(address)
            number += 1
        if len(taken) < amount:
            raise ApiError("OperationDenied.NoStock")
        return taken

    def _wanted(self, text: str, used: set) -> str:
        try:
            address = ipaddress.IPv4Address(text)
        except ValueError:
            address = None
        if address not in self.subnet or address in (self.subnet[0], self.subnet[1], self.subnet[-1]):
            raise ApiError("InvalidPrivateIpAddress.Malformed", message="Specified private IP address is malformed.")
        if text in used:
            raise ApiError("InvalidPrivateIpAddress.Duplicated", text)
        return text

    def public_address(self, private: str, turn: int = 0) -> str:
        """The public address of the instance with this private one, in 198.18.0.0/15; another one for each ``turn``."""
        return public_address(private, turn)


class Nothing:
    """What a caller without permission sees."""

    def get(self, kind: str, key: str):
        """Nothing is there."""

    def all(self, kind: str) -> list:
        """Nothing at all."""
        return []
