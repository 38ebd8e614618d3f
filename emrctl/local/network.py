"""The hosts' network: one bridge per local ECS, per host a network namespace, a cable and a firewall inside it."""
from __future__ import annotations

import ipaddress
import json
import time
from pathlib import Path

from emrctl.local.settings import METADATA_ADDRESS, Settings
from emrctl.local.shell import DriverError, Refused, run

NETNS = Path("/run/netns")
# Security groups: replies and the host's own loopback always pass, everything else needs a rule; egress is open.
RULES = """\
add table inet emr
delete table inet emr
table inet emr {{
  chain input {{
    type filter hook input priority 0; policy drop;
    iif lo accept
    ct state established,related accept
{rules}
  }}
}}
"""

# The metadata service, as every instance finds it. The address is rewritten inside the host's namespace, and what is
# not rewritten is refused there, so that nothing sent to it ever leaves the namespace.
METADATA = """\
table ip emr_metadata {{
  chain rewrite {{
    type nat hook output priority -100;
    ip daddr {address} tcp dport 80 dnat to {gateway}:{port}
  }}
  chain guard {{
    type filter hook output priority 10;
    ip daddr {address} reject
  }}
}}
"""


def _links() -> list[dict]:
    return json.loads(run(["ip", "-j", "-d", "link", "show"]) or "[]")


def check_subnet(settings: Settings) -> None:
    """Raises Refused when the subnet is in use by something else on this machine."""
    for route in json.loads(run(["ip", "-j", "-4", "route", "show", "table", "all"]) or "[]"):
        if route.get("dst") in (None, "default") or route.get("dev") == settings.bridge or route.get("type"):
            continue
        if ipaddress.ip_network(route["dst"], strict=False).overlaps(settings.network):
            raise Refused(f"the network {settings.subnet} overlaps {route['dst']} on {route.get('dev')}",
                          "choose another one with --subnet, and another --prefix if that is in use too")


def make_bridge(settings: Settings) -> None:
    """Create the bridge with the gateway address, or leave it as it is. Raises DriverError, Refused."""
    address = f"{settings.gateway}/{settings.network.prefixlen}"
    bridge = settings.bridge
    if any(link["ifname"] == bridge for link in _links()):
        shown = json.loads(run(["ip", "-j", "-4", "addr", "show", "dev", bridge]))
        have = [f"{each['local']}/{each['prefixlen']}" for each in shown[0].get("addr_info", [])]
        if have and have != [address]:
            raise Refused(f"the bridge {bridge} exists with address {', '.join(have)}, not {address}",
                          f"give its --subnet, or take it down first: emrctl local down --prefix {settings.prefix}")
    else:
        run(["ip", "link", "add", bridge, "address", _mac(settings.gateway), "type", "bridge"])
        # Whoever finds the bridge alone finds the state folder.
        run(["ip", "link", "set", bridge, "alias", settings.state])
    run(["ip", "addr", "replace", address, "dev", bridge])
    run(["ip", "link", "set", bridge, "up"])


def _mac(ip: str) -> str:
    """A stable locally administered address; the bridge would else change its own with every cable."""
    return "02:" + ":".join(f"{byte:02x}" for byte in (0x45, *ipaddress.IPv4Address(ip).packed))


def state_of_bridge(prefix: str) -> str:
    """State folder of the local ECS whose bridge stands, "" when there is none."""
    try:
        return Path(f"/sys/class/net/{prefix}0/ifalias").read_text().strip()
    except OSError:
        return ""


def remove_bridge(settings: Settings) -> None:
    """Remove the bridge and every cable of the prefix."""
    for link in _links():
        name = link["ifname"]
        ours = name.startswith(f"{settings.prefix}-") and link.get("linkinfo", {}).get("info_kind") == "veth"
        if name == settings.bridge or ours:
            run(["ip", "link", "del", name], check=False)


def make_namespace(settings: Settings, host_id: str, ip: str) -> Path:
    """Give a host its namespace, cable and address; returns the namespace's path. Raises DriverError."""
    remove_namespace(settings, host_id)
    name, cable = settings.netns(host_id), settings.veth(host_id)
    run(["ip", "netns", "add", name])
    run(["ip", "-batch", "-"], stdin=(
        f"link add {cable} type veth peer name eth0 address {_mac(ip)} netns {name}\n"
        f"link set {cable} master {settings.bridge} up\n"))
    run(["ip", "-n", name, "-batch", "-"], stdin=(
        "link set lo up\n"
        f"addr add {ip}/{settings.network.prefixlen} dev eth0\n"
        "link set eth0 up\n"
        f"route add default via {settings.gateway}\n"))
    run(["ip", "netns", "exec", name, "nft", "-f", "-"], stdin=METADATA.format(
        address=METADATA_ADDRESS, gateway=settings.gateway, port=settings.port))
    return NETNS / name


def remove_namespace(settings: Settings, host_id: str) -> None:
    """Remove a host's namespace and cable. Its processes must have ended. Raises DriverError."""
    name = settings.netns(host_id)
    run(["ip", "link", "del", settings.veth(host_id)], check=False)
    if not (NETNS / name).exists():
        return
    for _ in range(50):
        run(["ip", "netns", "del", name], check=False)
        if not (NETNS / name).exists():
            return
        time.sleep(0.1)
    raise DriverError(f"{host_id}: network namespace {name} stays busy")


def known(prefix: str) -> list[str]:
    """Ids of the hosts of this prefix that have a namespace, whether or not there is a record of them."""
    return sorted(path.name[len(prefix) + 1:] for path in NETNS.glob(f"{prefix}-*"))


def _match(rule: dict) -> str | None:
    """One ingress rule of a security group as a line of nftables, None for what cannot reach such a host."""
    source = ipaddress.ip_network(rule.get("cidr") or "0.0.0.0/0", strict=False)
    family = "ip" if source.version == 4 else "ip6"
    protocol = str(rule.get("protocol", "all")).lower()
    first, _, last = str(rule.get("port_range") or "-1/-1").partition("/")
    start = f"{family} saddr {source}"
    if protocol == "all":
        return f"{start} accept"
    if protocol in ("tcp", "udp"):
        low, high = (1, 65535) if int(first) < 1 else (int(first), int(last or first))
        return f"{start} {protocol} dport {low if low == high else f'{low}-{high}'} accept"
    if protocol == "icmp":
        return f"{start} meta l4proto {{ icmp, ipv6-icmp }} accept"
    return None


def firewall_text(rules: dict) -> str:
    """The nftables program for {members: [ip], ingress: [{protocol, port_range, cidr}]}. Raises ValueError."""
    members = sorted({str(ipaddress.ip_address(ip)) for ip in rules.get("members", [])})
    lines = [f"    ip saddr {{ {', '.join(members)} }} accept"] if members else []
    lines += [f"    {line}" for line in map(_match, rules.get("ingress", [])) if line]
    return RULES.format(rules="\n".join(lines))


def apply_firewall(settings: Settings, host_id: str, rules: dict) -> None:
    """Replace the host's rules in one transaction. Raises DriverError."""
    run(["ip", "netns", "exec", settings.netns(host_id), "nft", "-f", "-"], stdin=firewall_text(rules))
