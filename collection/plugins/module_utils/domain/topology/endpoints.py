"""Which daemons answer, and under which names: always a list, made from the placement.

Who wants one daemon of several asks each which one is active; nobody takes a master's name for it.
"""
from __future__ import annotations

from ...services.registry import COMPONENTS
from .nodes import Endpoint


def endpoints(topology, component: str, port: str = "http") -> tuple:
    """The endpoints of a component, in the order of its placement."""
    return topology.endpoints(COMPONENTS[component], port)


def endpoint(topology, component: str, port: str = "http") -> Endpoint:
    """The endpoint of a component that runs on one node, or the first of several. Raises ValueError when no node runs it."""
    return topology.endpoint(COMPONENTS[component], port)


def urls(topology, services, component: str, port: str = "http") -> tuple:
    """Base URLs of a component, empty when the cluster (with these services) does not run it."""
    return tuple(e.url for e in endpoints(topology, component, port)) if COMPONENTS[component].service in services else ()


def addresses(topology, services, component: str, port: str = "http") -> str:
    """The base URLs of a component with commas between them, as node/hadoop_http.py takes a daemon; '' when there is none."""
    return ",".join(urls(topology, services, component, port))
