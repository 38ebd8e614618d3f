"""A component of the catalogue, and a refresh of one, as the modules on a node want them."""
from __future__ import annotations

from dataclasses import asdict

from ..module_utils.domain.daemons import units
from ..module_utils.domain.requests import Daemon
from ..module_utils.services.registry import COMPONENTS


def describe(component, context) -> dict:
    """A component of this node as the modules want it."""
    health = component.health
    scheme = "http" if health.path else "tcp"
    return asdict(Daemon(
        name=component.name, label=component.label, service=component.service, unit=component.unit, user=component.user,
        application=component.application, after=list(component.after), leads=component.leads, survives=component.survive, turn=component.turn,
        prepare=component.prepare, elects=component.elects, becomes=component.becomes, ports=component.ports, native=component.native,
        log_file=units.log_file(component),
        health={"kind": health.kind, "url": f"{scheme}://{context.node.address}:{component.ports[health.port]}{health.path}"}))


def file_system(context) -> str:
    """Base URL of the daemon that serves the cluster's file system; '' when there is none."""
    return next((context.url(row.name) for row in COMPONENTS.values() if row.leads), "")


def having(context, component) -> list:
    """Names of the nodes on which this daemon has its data, as far as this run has looked."""
    seen = {node.name: (context.fact("emr_storage", node.name) or {}).get(component.name) for node in context.topology.running(component)}
    return [name for name, rows in seen.items() if any(row["state"] == "formatted" for row in rows or ())]


def refresh_row(component, refresh, context) -> dict:
    """One refresh of a component as the module on the node wants it."""
    return {"component": component.name, "label": component.label, "unit": component.unit, "user": component.user,
            "name": refresh.name, "base": context.url(component.name), "argv": [word.format(node=context.host) for word in refresh.command]}


def peers(context, rows) -> dict:
    """Where the same daemons of other nodes answer, as ``peers`` {component: addresses}, and on which nodes, as ``names`` {address: node}."""
    found = {row.name: [e for e in context.topology.endpoints(row, row.health.port) if e.host != context.host] for row in rows if row.turn}
    return {"peers": {name: [e.url for e in ends] for name, ends in found.items()}, "names": {e.url: e.host for ends in found.values() for e in ends}}
