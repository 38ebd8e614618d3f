"""Have another node take over what is active on this one."""
from __future__ import annotations

from ..hadoop_http import base_of
from ..services.hooks import hook, module
from . import gates


def perform(params, check):
    """The operation ``failover``: ``phase`` look ({states: {service: {address: state}}}) or go (hand over the daemons of ``components``)."""
    if params["phase"] == "look":
        return {"changed": False, "states": {service: module(service).DAEMON(url).states() for service, url in params["answers"].items()}}
    changes = [_hand_over(params, component, check) for component in params["components"]]
    return {"changed": True, "changes": changes}


def _hand_over(params, component, check):
    if not check:
        own, daemon = base_of(component["health"]["url"])[0], module(component["service"]).DAEMON(params["answers"][component["service"]])
        hook(component["turn"], "TURNS")(dict(params, force=False), component, "restart").hand_over()
        gates.wait(f"the {component['label']} of {params['hosts'][0]} hands over", lambda: _held(daemon, own), params["limit_s"],
                   "Look with: emrctl status")
    return f"{component['name']}: handed over"


def _held(daemon, own):
    """Gate: another one is active."""
    states = daemon.states()
    others = [state for address, state in states.items() if address != own]
    return "" if "active" in others else "; ".join(f"{address}: {state}" for address, state in states.items())
