"""The services that there are: the homes in this folder, and those in the folders that EMR_SERVICES_PATH names.

A home is a module with a ``SERVICE``; adding one is adding its file. The other modules of the folder are what homes share. What a
service from another folder does on nodes lies in ``node/`` below that folder, as a module of its name; see node/services/hooks.py.
"""
from __future__ import annotations

import os
import sys
from functools import lru_cache
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location

from ..domain.errors import Refused
from .model import JOB_USER, ROLES, Service

# Folders with homes of the user's own, with : between them. Each is a module as those here, and imports from them in the same way.
VARIABLE = "EMR_SERVICES_PATH"
_FOLDER = os.path.dirname(os.path.abspath(__file__))
# service -> folder of its home, of those from outside the collection
OUTSIDE: dict = {}


def _discover() -> dict:
    """{name: Service} of all homes: what stands for several first, then each after what it needs, by name."""
    found: dict = {}
    for folder in (_FOLDER, *filter(None, os.environ.get(VARIABLE, "").split(":"))):
        for file in _homes(folder):
            service = getattr(_module(folder, file), "SERVICE", None)
            if isinstance(service, Service):
                if service.name in found:
                    raise Refused(f"{folder}/{file}: there is a service {service.name} already", f"Rename it, or take {folder} out of {VARIABLE}")
                found[service.name] = service
                OUTSIDE.update({} if folder == _FOLDER else {service.name: folder})
    return {service.name: service for service in sorted(found.values(), key=lambda s: (not s.bundle, _depth(s, found), s.name))}


def _homes(folder: str) -> list:
    try:
        return sorted(name for name in os.listdir(folder) if name.endswith(".py") and not name.startswith("_") and name != "registry.py")
    except OSError as error:
        raise Refused(f"{VARIABLE}: {folder}: {error.strerror}", "Name folders with homes of services, or unset it") from error


def _module(folder: str, file: str):
    name = f"{__package__}.{file[:-3]}"
    if folder == _FOLDER or name in sys.modules:
        return import_module(name)
    spec = spec_from_file_location(name, os.path.join(folder, file))
    module = module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException as error:
        del sys.modules[name]
        if not isinstance(error, Exception):
            raise
        raise Refused(f"{folder}/{file}: {type(error).__name__}: {error}", f"Correct this home, or take {folder} out of {VARIABLE}") from error
    return module


def _depth(service, found) -> int:
    """Length of the longest chain of services that this one needs."""
    missing = [name for name in service.needs if name not in found]
    if missing:
        raise Refused(f"the service {service.name} needs {', '.join(missing)}, which no home describes", f"Add its home to {VARIABLE}")
    return 1 + max((_depth(found[name], found) for name in service.needs), default=0)


HOMES = _discover()
# What a spec may write for several services at once.
BUNDLES = {name: home.bundle for name, home in HOMES.items() if home.bundle}
# service -> services that it cannot run without
SERVICES = {name: home.needs for name, home in HOMES.items() if not home.bundle}
COMPONENTS = {row.name: row for home in HOMES.values() for row in home.components}
# Services that a cluster has when it has enough nodes for them, and that nobody names
JOINING = tuple(name for name, home in HOMES.items() if home.components and all(row.placement.least > 1 for row in home.components))
FILES = {file.stem: file for home in HOMES.values() for file in home.files}
# service -> its component that answers for all of it
ANSWERING = {name: home.answers for name, home in HOMES.items() if home.answers}
# Names of files of settings in a spec; env are the JVM options of the daemons.
STEMS = (*FILES, "env")
# service that runs unless a spec switches it off -> object of the spec with that switch
SWITCHES = {name: home.switch for name, home in HOMES.items() if home.switch}
# artifact -> folder that it is installed in
SOFTWARE = {home.software: home.home for home in HOMES.values() if home.home}


@lru_cache(maxsize=1)
def own_hooks() -> dict:
    """{service: text of the module with its hooks on nodes} of the services from outside the collection that have one.

    Raises Refused for one that cannot be read, or is no Python.
    """
    paths = {name: os.path.join(folder, "node", f"{module_name(name)}.py") for name, folder in OUTSIDE.items()}
    return {name: _hooks(path) for name, path in paths.items() if os.path.isfile(path)}


def _hooks(path: str) -> str:
    try:
        with open(path, encoding="utf-8") as handle:
            text = handle.read()
        compile(text, path, "exec")
    except (OSError, ValueError, SyntaxError) as error:
        raise Refused(f"{path}: {type(error).__name__}: {error}", f"Correct these hooks, or take their folder out of {VARIABLE}") from error
    return text


def module_name(service: str) -> str:
    """What the module with the hooks of a service is called, in node/services/ or in a folder of one's own."""
    return service.replace("-", "_")


def homes(services) -> tuple:
    """The homes that count on a cluster with these (expanded) services: theirs, and what they have in common."""
    return tuple(home for name, home in HOMES.items() if home.bundle or name in services)


def expand_services(names) -> tuple:
    """Services with bundles resolved, in the order of SERVICES, without repetition. Raises KeyError for an unknown name."""
    wanted: set = set()
    for name in names:
        members = BUNDLES.get(name, (name,))
        for member in members:
            if member not in SERVICES:
                raise KeyError(member)
            wanted.add(member)
    return tuple(s for s in SERVICES if s in wanted)


def joining(number) -> tuple:
    """The services that join by themselves where ``number(*roles)`` is how many nodes of roles there are."""
    return tuple(name for name in JOINING if any(number(*row.roles) >= row.placement.least for row in HOMES[name].components))


def components_for(services, role: str | None = None) -> tuple:
    """Components of these (expanded) services, optionally only those that run on ``role``, in start order."""
    services = set(services)
    return tuple(c for c in start_order() if c.service in services and (role is None or role in c.roles))


def components_on(services, topology, node) -> tuple:
    """Components of these (expanded) services that run on this node of a topology, in start order."""
    return tuple(c for c in components_for(services, node.role) if topology.runs(c, node))


def start_order() -> tuple:
    """All components so that each comes after what it must start after; first what only several masters have, which changes no order of others."""
    done = [c for c in COMPONENTS.values() if c.placement.least > 1 and not c.after]
    rest = [c for c in COMPONENTS.values() if c not in done]
    while rest:
        ready = [c for c in rest if all(COMPONENTS[a] in done for a in c.after)]
        if not ready:
            raise ValueError("circular start order: " + ", ".join(c.name for c in rest))
        done += ready
        rest = [c for c in rest if c not in ready]
    return tuple(done)


__all__ = ["ANSWERING", "BUNDLES", "COMPONENTS", "FILES", "HOMES", "JOB_USER", "JOINING", "OUTSIDE", "ROLES", "SERVICES", "SOFTWARE", "STEMS", "SWITCHES",
           "VARIABLE", "components_for",
           "components_on", "expand_services", "homes", "joining", "module_name", "own_hooks", "start_order"]
