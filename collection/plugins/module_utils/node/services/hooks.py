"""Finds what one service alone does on a node: a module of its name beside this one.

Such a module has tables, name -> hook: READERS take the parsed answer of a probe, SOCKETS (url, limit_s), and both return (ready,
what it said); TURNS are classes with what has to hold around a restart.
Where one daemon answers for all of a service, the module has functions of its address as well: ``details``, ``summary``, ``lacking``,
``activity``, ``at_work``, and those of a drain (node/scale/drain.py). The home names a hook as ``service.name``.

The module of a service whose home is outside the collection comes as text with the operation, and as a file of the resident package where
its programs ask for it; it imports like those here.
"""
from __future__ import annotations

import sys
from importlib import import_module
from importlib.abc import InspectLoader
from importlib.util import module_from_spec, spec_from_loader


class _Text(InspectLoader):
    """Loads a module from its text."""

    def __init__(self, text):
        self.text = text

    def get_source(self, fullname):
        """Its text."""
        return self.text


def hook(name, table):
    """The hook of this name in a table. Raises KeyError for one that there is not."""
    service, _dot, own = name.partition(".")
    return getattr(module(service), table)[own]


def asked(answers, name, *more):
    """{service: what its function ``name(address, …)`` gives} of those that have one. ``answers``: {service: address of who answers for it}."""
    found = {service: getattr(module(service), name, None) for service in answers}
    return {service: function(answers[service], *more) for service, function in found.items() if function}


def module(service):
    """The hooks of a service. Raises ImportError where it has none."""
    return import_module(_place(service))


def learn(texts):
    """Take in the hooks of services from outside the collection, {service: text of their module}."""
    for service, text in texts.items():
        # As trusted as the home that it came with, which says what root runs here.
        found = module_from_spec(spec_from_loader(_place(service), _Text(text)))
        sys.modules[found.__name__] = found
        found.__spec__.loader.exec_module(found)


def _place(service):
    return f"{__package__}.{service.replace('-', '_')}"
