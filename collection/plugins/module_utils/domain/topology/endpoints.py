"""Which daemons answer, and under which names: always a list, made from the placement. Pure Python: no Ansible import.

Who wants one daemon of several asks each which one is active; nobody takes a master's name for it.
"""
from __future__ import annotations

from dataclasses import dataclass

from ..catalogue import COMPONENTS


@dataclass(frozen=True)
class Endpoint:
    """One daemon at one of its ports: ``host`` is the node's name, ``address`` its address."""

    host: str
    address: str
    port: int

    @property
    def authority(self) -> str:
        """For settings, whose readers know the cluster's names."""
        return f"{self.host}:{self.port}"

    @property
    def url(self) -> str:
        """For programs, which need no name to be resolved."""
        return f"http://{self.address}:{self.port}"


def endpoints(topology, component: str, port: str = "http") -> tuple:
    """The endpoints of a component, in the order of its placement."""
    row = COMPONENTS[component]
    return tuple(Endpoint(node.name, node.address, row.ports[port]) for node in topology.running(row))


def endpoint(topology, component: str, port: str = "http") -> Endpoint:
    """The endpoint of a component that runs on one node, or the first of several. Raises ValueError when no node runs it."""
    found = endpoints(topology, component, port)
    if not found:
        raise ValueError(f"cluster {topology.cluster} has no node for {component}")
    return found[0]


def urls(topology, services, component: str, port: str = "http") -> tuple:
    """Base URLs of a component, empty when the cluster (with these services) does not run it."""
    return tuple(e.url for e in endpoints(topology, component, port)) if COMPONENTS[component].service in services else ()


def default_fs(topology) -> str:
    """The name of the cluster's file system: the only place that says whose it is.

    With one NameNode it is that daemon's address. Files' locations, which tables and histories keep, say ``hdfs:///``, so that they
    stay what they are when this becomes the name of a pair.
    """
    return f"hdfs://{endpoint(topology, 'namenode', 'ipc').authority}"
