"""Finds what one service alone does on a node: a module of its name beside this one.

Such a module has tables, name -> hook: READERS take the parsed answer of a probe, SOCKETS (url, limit_s), and both return (ready,
what it said); TURNS are classes with what has to hold around a restart. The home names a hook as ``service.name``.
"""
from __future__ import annotations

from importlib import import_module


def hook(name, table):
    """The hook of this name in a table. Raises KeyError for one that there is not."""
    service, _dot, own = name.partition(".")
    return getattr(import_module(f"{__package__}.{service.replace('-', '_')}"), table)[own]
