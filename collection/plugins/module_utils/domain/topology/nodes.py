"""Nodes and the shape of a cluster."""
from __future__ import annotations

from dataclasses import dataclass, field

from .placement import CONTROL, RULE_OF_CONTROL, choose


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


@dataclass(frozen=True)
class Topology:
    """All nodes of one cluster, ordered: masters first, then by name. ``placement`` is what ``placement.resolve`` returned; a
    component that it does not name runs where its rule says."""

    cluster: str
    cluster_id: str
    nodes: tuple[Node, ...] = field(default_factory=tuple)
    placement: dict = field(default_factory=dict, hash=False)

    def with_role(self, *roles: str) -> tuple[Node, ...]:
        """The nodes that have one of these roles, in order."""
        return tuple(n for n in self.nodes if n.role in roles)

    @property
    def masters(self) -> tuple[Node, ...]:
        return self.with_role("master")

    @property
    def control_node(self) -> Node:
        """The node where jobs, flows, revisions and timers live. Raises KeyError when there is no master."""
        names = self.placement.get(CONTROL) or choose(RULE_OF_CONTROL, self.nodes)
        return self.node(names[0] if names else "")

    def running(self, component) -> tuple[Node, ...]:
        """The nodes on which a component runs, a row of the catalogue, in the order of its placement."""
        rule = component.placement
        if not rule.count:
            return self.with_role(*rule.roles) if rule.enough(self.nodes) else ()
        return tuple(self.node(name) for name in self.placement.get(component.name) or choose(rule, self.nodes))

    def runs(self, component, node: Node) -> bool:
        """Whether a component, a row of the catalogue, runs on this node."""
        if not component.placement.count:
            return node.role in component.placement.roles and component.placement.enough(self.nodes)
        return any(found.name == node.name for found in self.running(component))

    def endpoints(self, component, port: str = "http") -> tuple[Endpoint, ...]:
        """Where a component answers, a row of the catalogue, in the order of its placement."""
        return tuple(Endpoint(node.name, node.address, component.ports[port]) for node in self.running(component))

    def endpoint(self, component, port: str = "http") -> Endpoint:
        """The endpoint of a component that runs on one node, or the first of several. Raises ValueError when no node runs it."""
        found = self.endpoints(component, port)
        if not found:
            raise ValueError(f"cluster {self.cluster} has no node for {component.name}")
        return found[0]

    def node(self, name: str) -> Node:
        """The node of this name. Raises KeyError."""
        for node in self.nodes:
            if node.name == name:
                return node
        raise KeyError(name)
