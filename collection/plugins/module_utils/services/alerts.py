"""What the alerts of all homes have in common."""
from __future__ import annotations

from .model import Alert, Component


def down(name: str, component: Component, means: str, severity: str = "warning", follows: tuple = ()) -> Alert:
    """A daemon that does not serve: it gives no figures, or it does not answer the node's own look where it has none to give.

    ``means``: what of the cluster does not work then. A restart takes less than a minute, so that is no alert.
    """
    expr = f'up{{component="{component.name}"}} == 0' if component.metrics else f'emr_daemon_up{{daemon="{component.name}"}} == 0'
    return Alert(name, expr, f"{component.label} on {{{{ $labels.node }}}} does not answer. {means}",
                 "emrctl repair {cluster} --node {node}", severity, 60, follows=follows)
