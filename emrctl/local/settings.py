"""Where one local ECS keeps its things, and how everything of it on this machine is named.

All names derive from the prefix, so that leftovers can be found without any record of what was made.
"""
from __future__ import annotations

import hashlib
import ipaddress
import json
import os
import re
from dataclasses import asdict, dataclass
from pathlib import Path

from emrctl.local.shell import Refused

DEFAULT_PREFIX = "emr"
DEFAULT_SUBNET = "10.77.0.0/24"
API_ONLY_SUBNET = "10.64.0.0/16"
DEFAULT_PORT = 7788
# The metadata service, as an instance finds it.
METADATA_ADDRESS = "100.100.100.200"
STATE_ROOT = Path("/var/lib/emr-local")
FILE = "local.json"
# A network interface's name has at most 15 characters: prefix, dash, six hex digits.
PREFIX = re.compile(r"[a-z][a-z0-9]{0,7}")
# The state folder's path becomes part of mount options, where these characters have a meaning.
UNSAFE_PATH = re.compile(r"[^A-Za-z0-9._/@+-]")


def cache_dir() -> Path:
    """Folder of everything that can be downloaded or built again (EMR_CACHE, else ~/.cache/emr)."""
    return Path(os.environ.get("EMR_CACHE") or Path.home() / ".cache" / "emr").absolute()


@dataclass(frozen=True)
class Settings:
    """One local ECS. `image` is the folder of the hosts' system, empty in API-only mode.

    `memory_mib` is what all instances may have together; 0: what the machine has, less a reserve.
    `class_data` is a folder that lies over the image and holds class-data archives; empty when there are none.
    """

    prefix: str = DEFAULT_PREFIX
    subnet: str = DEFAULT_SUBNET
    port: int = DEFAULT_PORT
    state: str = ""
    api_only: bool = False
    image: str = ""
    class_data: str = ""
    memory_mib: int = 0

    @property
    def folder(self) -> Path:
        return Path(self.state)

    @property
    def hosts(self) -> Path:
        return self.folder / "hosts"

    @property
    def network(self) -> ipaddress.IPv4Network:
        return ipaddress.IPv4Network(self.subnet)

    @property
    def gateway(self) -> str:
        """The bridge's own address: the first of the subnet."""
        return str(self.network[1])

    @property
    def bridge(self) -> str:
        return f"{self.prefix}0"

    def netns(self, host_id: str) -> str:
        """Name of a host's network namespace; also its machine name."""
        return f"{self.prefix}-{host_id}"

    def veth(self, host_id: str) -> str:
        """Name of the outer end of a host's cable."""
        return f"{self.prefix}-{hashlib.sha256(host_id.encode()).hexdigest()[:6]}"

    def save(self) -> None:
        """Write local.json atomically."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        fresh = self.folder / f"{FILE}.new"
        fresh.write_text(json.dumps(asdict(self), indent=2) + "\n")
        fresh.rename(self.folder / FILE)


def state_folder(prefix: str, state: str | Path | None = None) -> Path:
    """Where this local ECS keeps its state; without root (API only) below the user's home."""
    if state:
        return Path(state).absolute()
    root = STATE_ROOT if os.geteuid() == 0 else Path.home() / ".local" / "state" / "emr-local"
    return root / prefix


def load(state: str | Path) -> Settings:
    """Settings of the local ECS in this state folder. Raises FileNotFoundError where there is none."""
    folder = Path(state).absolute()
    known = json.loads((folder / FILE).read_text())
    return Settings(**{**known, "state": str(folder)})


def check_prefix(prefix: str) -> None:
    """Raises Refused when names cannot be made from it."""
    if not PREFIX.fullmatch(prefix):
        raise Refused(f"prefix {prefix!r}: expected 1 to 8 lower-case letters and digits, the first a letter",
                      "choose another --prefix")


def make(prefix: str, subnet: str, port: int, state: str | Path | None, api_only: bool) -> Settings:
    """Checked settings. Raises Refused when a value cannot work."""
    check_prefix(prefix)
    try:
        network = ipaddress.IPv4Network(subnet)
    except ValueError as error:
        raise Refused(f"subnet {subnet!r}: {error}", "give an IPv4 network such as 10.77.1.0/24") from error
    if not 16 <= network.prefixlen <= 28:
        raise Refused(f"subnet {subnet}: expected a size from /16 to /28", "give a network such as 10.77.1.0/24")
    folder = state_folder(prefix, state)
    if UNSAFE_PATH.search(str(folder)):
        raise Refused(f"state folder {folder}: its path may hold only letters, digits and . _ / @ + -",
                      "choose another --state")
    return Settings(prefix, str(network), port, str(folder), api_only)
