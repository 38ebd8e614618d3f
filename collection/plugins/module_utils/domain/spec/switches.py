"""Services that run unless a spec switches them off: what a person writes names them or not, what a cluster keeps always does.

So a cluster of before such a service stays as it is until somebody applies a document to it, whose plan shows the service.
"""
from __future__ import annotations

from dataclasses import replace

from ...services.registry import SWITCHES


def as_written(spec):
    """(Spec, problems) of a document by a person: with the services that it does not switch off. A problem is (key, message, remedy)."""
    problems = []
    for service, key in SWITCHES.items():
        if getattr(spec, key).enabled:
            if service not in spec.expanded_services:
                spec = replace(spec, services=(*spec.services, service))
        elif service in spec.expanded_services:
            problems.append((f"{key}.enabled", f"false switches the service {service} off, and `services` names it",
                             f"Take {service} out of `services`, or remove {key}.enabled."))
    return spec, problems


def as_kept(spec):
    """The Spec that a cluster keeps: its services are those that it names, and its switches say the same."""
    for service, key in SWITCHES.items():
        enabled = service in spec.expanded_services
        if getattr(spec, key).enabled != enabled:
            spec = replace(spec, **{key: replace(getattr(spec, key), enabled=enabled)})
    return spec


def switched_off(spec) -> frozenset:
    """The services that a spec switches off."""
    return frozenset(service for service, key in SWITCHES.items() if not getattr(spec, key).enabled)
