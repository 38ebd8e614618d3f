"""Prove on the control node that the cluster works: nodes, and what each service can do for a user."""
from __future__ import annotations

import time

from ..common import NodeError
from ..services.hooks import asked, module


def verify(params, check=False):
    """Do the checks that the options ask for. Returns the module's result; raises NodeError at the first failure.

    With ``look_s`` (seconds) it comes back with ``waits`` while nodes are missing, to be run again.
    """
    if check:
        return {"changed": False}
    result = {"changed": False, "seconds": {}}
    begun = time.monotonic()
    missing = _await_nodes(params, result, begun)
    if missing:
        return {"changed": False, "waits": missing}
    result["seconds"]["nodes"] = round(time.monotonic() - begun, 2)
    for proof in params["proofs"]:
        begun = time.monotonic()
        result[proof["name"]] = prove(proof)
        result["seconds"][proof["name"]] = round(time.monotonic() - begun, 2)
    return result


def prove(proof):
    """Let a service show that it does for a user what it is there for; raises NodeError when it does not. A proof is {service, name, user, …}."""
    return module(proof["service"]).prove(proof)


def _await_nodes(params, result, begun):
    """Wait until every expected daemon is there. Returns '', or what is missing after one look."""
    while True:
        seen = asked(params["answers"], "summary")
        missing = "; ".join(_missing(params, seen))
        if not missing:
            result["nodes"] = seen
            return ""
        passed = time.monotonic() - begun
        if passed > params["limit_s"]:
            raise NodeError(f"the cluster is not complete: {missing}. `emrctl status` shows which daemon is down.")
        if passed > params.get("look_s", params["limit_s"]):
            return missing
        time.sleep(0.15)


def _missing(params, seen):
    """What is not there yet, as sentences."""
    found = [module(service).lacking(address, seen[service], params["members"][service], params["logs"][service])
             for service, address in params["answers"].items()]
    return [text for text in found if text]
