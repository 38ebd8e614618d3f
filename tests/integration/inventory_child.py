"""Parses inventories for the tests, as ansible does at its start: one line of JSON in, one out, each in a fork of its own.

A process apart, since Ansible's loader wants to import ``ansible_collections`` itself; and one for all parses, since
starting Ansible costs a second.
"""
from __future__ import annotations

import json
import os
import sys

from ansible.errors import AnsibleError
from ansible.inventory.manager import InventoryManager
from ansible.parsing.dataloader import DataLoader
from ansible.plugins.loader import init_plugin_loader, inventory_loader
from ansible.utils.display import Display


def plain(value):
    """As JSON: without the marks on texts."""
    if isinstance(value, dict):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    return value if value is None or isinstance(value, (bool, int, float)) else "".join(value)


def parse(request: dict) -> dict:
    """Hosts with variables, groups, what was said, and which texts core would take for templates."""
    os.environ.update(request["env"])
    said: list = []
    Display.warning = lambda self, msg, *_, **__: said.append(str(msg))
    Display.error_as_warning = lambda self, msg=None, exception=None, **__: said.append(f"{msg} {exception}")
    manager = InventoryManager(loader=DataLoader(), sources=None)
    said.clear()
    manager._sources = request["sources"]
    ended = ""
    try:
        manager.parse_sources(cache=request["cache"])
    except AnsibleError as error:
        ended = str(error)
    return {"hosts": {n: plain(h.vars) for n, h in manager.hosts.items()}, "said": said, "ended": ended,
            "groups": {n: sorted(h.name for h in g.hosts) for n, g in manager.groups.items()},
            "children": {n: sorted(c.name for c in g.child_groups) for n, g in manager.groups.items()},
            "rendered": render(manager, request.get("render"))}


def render(manager, expression) -> dict:
    """What this expression gives for each host, templated as a task would."""
    if not expression:
        return {}
    from ansible.template import Templar
    try:
        from ansible.template import trust_as_template as trust
    except ImportError:
        def trust(text):
            return text
    found = {}
    for name, host in manager.hosts.items():
        found[name] = plain(Templar(loader=DataLoader(), variables=host.get_vars()).template(trust(expression)))
    return found


def main() -> None:
    """Answer requests until the input ends. What every parse imports is imported once, before the forks."""
    init_plugin_loader([])
    inventory_loader.get("emr.cluster.ecs")
    import aliyunsdkcore.client  # noqa: F401
    import ansible.template  # noqa: F401
    print("ready", flush=True)
    for line in sys.stdin:
        read, write = os.pipe()
        child = os.fork()
        if child == 0:
            try:
                answer = parse(json.loads(line))
            except Exception as error:  # noqa: BLE001  (the test shows it)
                answer = {"error": f"{type(error).__name__}: {error}"}
            with os.fdopen(write, "w") as stream:
                json.dump(answer, stream)
            os._exit(0)
        os.close(write)
        with os.fdopen(read) as stream:
            print(stream.read(), flush=True)
        os.waitpid(child, 0)


if __name__ == "__main__":
    main()
