"""Public addresses of the hosts. As in the cloud a host does not have its public address: the way in translates it.

Everything is one nftables table of this machine per local ECS, made when the first host gets a public address. This
machine itself stands for the inside of the VPC: it reaches every host at its private address, and nobody else does.
"""
from __future__ import annotations

import fcntl
import ipaddress
from contextlib import contextmanager
from pathlib import Path

from emrctl.local.settings import Settings
from emrctl.local.shell import run

# Set aside for benchmarks (RFC 2544), so nothing on the internet is hidden by it.
RANGE = ipaddress.IPv4Network("198.18.0.0/15")
# Both hooks translate: one for packets from elsewhere, one for those of this machine. What is forwarded to the bridge must
# have been translated or be an answer.
TABLE = """\
table ip {table} {{
  map public {{
    type ipv4_addr : ipv4_addr
  }}
  chain incoming {{
    type nat hook prerouting priority -100
    dnat to ip daddr map @public
  }}
  chain own {{
    type nat hook output priority -100
    dnat to ip daddr map @public
  }}
  chain passing {{
    type filter hook forward priority 0
    oifname {bridge} iifname != {bridge} ct state established,related accept
    oifname {bridge} iifname != {bridge} ct status ! dnat drop
  }}
}}
"""


def public_address(private: str, turn: int = 0) -> str:
    """The public address that belongs to a private one: the same last 17 bits, so that subnets do not collide.

    An instance that gave its address back gets the one of the other ``turn`` (0 or 1): the first of those bits flipped.
    """
    place = int(ipaddress.IPv4Address(private)) % RANGE.num_addresses
    return str(RANGE[place ^ (RANGE.num_addresses // 2 * turn)])


def _table(settings: Settings) -> str:
    return f"emr-local-{settings.prefix}"


@contextmanager
def _alone(settings: Settings):
    """One change of the table at a time, across threads and processes."""
    settings.folder.mkdir(parents=True, exist_ok=True)
    with (settings.folder / ".internet.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def publish(settings: Settings, private: str, public: str) -> None:
    """Make a host reachable at its public address; repeated is fine. Raises DriverError."""
    table = _table(settings)
    with _alone(settings):
        if not run(["nft", "list", "table", "ip", table], check=False):
            Path("/proc/sys/net/ipv4/ip_forward").write_text("1\n")
            run(["nft", "-f", "-"], stdin=TABLE.format(table=table, bridge=f'"{settings.bridge}"'))
        # This machine goes there over the bridge too, so that hosts see the gateway's address, not another one of it.
        run(["ip", "route", "replace", f"{public}/32", "dev", settings.bridge])
        run(["nft", "delete", "element", "ip", table, "public", f"{{ {public} }}"], check=False)
        run(["nft", "add", "element", "ip", table, "public", f"{{ {public} : {private} }}"])


def withdraw(settings: Settings, public: str) -> None:
    """Take a public address back; one that was not given is fine."""
    run(["nft", "delete", "element", "ip", _table(settings), "public", f"{{ {public} }}"], check=False)
    run(["ip", "route", "del", f"{public}/32", "dev", settings.bridge], check=False)


def withdraw_all(settings: Settings) -> None:
    """Remove the table of this local ECS."""
    run(["nft", "delete", "table", "ip", _table(settings)], check=False)
