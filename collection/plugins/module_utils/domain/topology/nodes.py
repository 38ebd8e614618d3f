"""Nodes and the shape of a cluster. Pure Python: no Ansible import."""
from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Disk:
    """A data disk of a node: its serial (ECS disk id without ``d-``) and size in GiB."""

    serial: str
    size_gib: int = 0


@dataclass(frozen=True)
class Node:
    """One host of a cluster. ``memory_mib`` and ``vcpus`` are what ECS sells (or facts where there is no ECS)."""

    name: str
    group: str
    role: str
    address: str
    memory_mib: int
    vcpus: int
    disks: tuple[Disk, ...] = ()
    instance_id: str = ""
    instance_type: str = ""


@dataclass(frozen=True)
class Topology:
    """All nodes of one cluster, ordered: masters first, then by name."""

    cluster: str
    cluster_id: str
    nodes: tuple[Node, ...] = field(default_factory=tuple)

    def with_role(self, *roles: str) -> tuple[Node, ...]:
        """The nodes that have one of these roles, in order."""
        return tuple(n for n in self.nodes if n.role in roles)

    @property
    def masters(self) -> tuple[Node, ...]:
        return self.with_role("master")

    @property
    def first_master(self) -> Node:
        return self.masters[0]

    def node(self, name: str) -> Node:
        """The node of this name. Raises KeyError."""
        for node in self.nodes:
            if node.name == name:
                return node
        raise KeyError(name)
