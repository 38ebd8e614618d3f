"""A component of the catalogue as the modules on a node want it."""
from __future__ import annotations

from ..module_utils.domain import units


def describe(component, context) -> dict:
    """A component of this node as the modules want it."""
    health = component.health
    scheme = "http" if health.path else "tcp"
    return {"name": component.name, "label": component.label, "service": component.service, "unit": component.unit,
            "user": component.user, "application": component.application, "after": list(component.after), "log_file": units.log_file(component),
            "health": {"kind": health.kind,
                       "url": f"{scheme}://{context.node.address}:{component.ports[health.port]}{health.path}"}}
