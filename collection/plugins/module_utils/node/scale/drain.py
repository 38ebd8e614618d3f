"""Take nodes out of the cluster so that nothing is lost: what they hold, beginning, and how far it is.

Runs on the control node and asks the daemons that answer for their service (node/services/: ``load``, ``before_drain``, ``check_drain``,
``seen``, ``empty`` and ROW). No call here waits long: the action plugin calls again and tells people in between. Nodes are {name, address,
parts: services that have something there, drains}.
"""
from __future__ import annotations

import time

from ..services.hooks import asked, module
from ..services.node_lists import LISTS
from . import lists as node_lists, services


def perform(params, check):
    """One step: op look, name, begin, wait. Returns the module's result."""
    if params["op"] == "look":
        return dict(look(params), changed=False)
    if params["op"] == "name":
        return {"changed": True if check else begin(params)}
    if params["op"] == "begin" and check:
        return {"changed": True, "nodes": [], "done": True}
    if params["op"] == "begin":
        before = asked(params["answers"], "before_drain")
        changed = begin(params)
        return dict(progress(dict(params, before=before)), changed=changed, before=before)
    return dict(wait(params), changed=False)


def look(params):
    """{loads: what each service tells of what its nodes hold and run}."""
    return {"loads": asked(params["answers"], "load", params["copies_over"], params["limit_s"])}


def begin(params):
    """Put the nodes into the lists of those to be drained and have the daemons read them. Whether something changed."""
    add = {daemon: [node["name"] for node in params["nodes"] if row["service"] in node["parts"]] for daemon, row in LISTS.items()
           if row["service"] in params["answers"]}
    for daemon, names in add.items():
        check = getattr(module(LISTS[daemon]["service"]), "check_drain", None)
        if check:
            check(names)
    changed = node_lists.change(add)
    # Also when the lists were there before: an interrupted run may not have come to the refresh.
    stale = node_lists.stale()
    node_lists.refresh(stale, params["drain_s"])
    told = [services.begin(drain) for node in params["nodes"] for drain in node.get("drains", ())]
    return changed or bool(stale) or any(told)


def wait(params):
    """Progress, as soon as all nodes are done or the picture has changed, at latest after ``limit_s`` seconds."""
    deadline = time.monotonic() + params["limit_s"]
    found = first = progress(params)
    while not found["done"] and time.monotonic() < deadline and not _finished_more(first, found):
        time.sleep(0.5)
        found = progress(params)
    return found


def _finished_more(before, after):
    return sum(row["done"] for row in after["nodes"]) > sum(row["done"] for row in before["nodes"])


def progress(params):
    """{done, nodes: [{name, done, what each service tells}], answers, silent: who does not answer}. Raises nothing: a daemon that does
    not answer makes its part "unknown", since it may be restarting."""
    seen = asked(params["answers"], "seen")
    rows = [_row(node, seen, params.get("before") or {}) for node in params["nodes"]]
    silent = [module(service).DAEMON.NAME for service, told in seen.items() if told is None]
    return {"done": all(row["done"] for row in rows), "nodes": rows, "answers": not silent, "silent": silent}


def _row(node, seen, before):
    row, done = {"name": node["name"]}, []
    for service, told in reversed(list(seen.items())):
        row.update(module(service).ROW)
        if service in node["parts"]:
            done.append(module(service).empty(row, told, node, before.get(service) or {}))
    held = {drain["component"]: services.left(drain) for drain in node.get("drains", ())}
    return dict(row, done=all(done) and not any(left != 0 for left in held.values()), **({"services": held} if held else {}))
