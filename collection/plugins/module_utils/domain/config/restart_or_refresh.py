"""What a change of configuration does to a running daemon: restart, refresh by a command, or nothing.

The rule is that of the units: the digests of what a component reads.
"""
from __future__ import annotations

from ..daemons.units import component_digest, refresh_digests

RESTART = "restart"


def restart_or_refresh(component, before: dict, after: dict, versions=({}, {})):
    """``restart``, or the names of the refreshes that the change wants ([] for nothing).

    ``before`` and ``after``: effective configurations of one node; ``versions``: its software before and after, as
    component_digest takes them.
    """
    if component_digest(component, before, "", "", versions[0]) != component_digest(component, after, "", "", versions[1]):
        return RESTART
    had, has = refresh_digests(component, before), refresh_digests(component, after)
    return [name for name in has if has[name] != had[name]]
