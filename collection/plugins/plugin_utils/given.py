"""What a person gave with the call, as it was written: extra variables are data and never templates.

emrctl, ``-e`` and AWX (its extra variables and surveys) all end in Ansible's extra variables. Core takes a text among them for a
template as soon as a playbook says ``{{ name }}``. Here it is read where core keeps it, before any template.
"""
from __future__ import annotations

import json

from ansible.parsing.dataloader import DataLoader
from ansible.utils.vars import load_extra_vars

# Prefix of the variables that are ours to read so.
OURS = "emr_"


def extra(loader=None) -> dict:
    """The extra variables of this run, as they were written. Core keeps them, so this reads no file again."""
    return load_extra_vars(loader or DataLoader())


def plain(value):
    """A copy that consists of plain JSON types only: variables come as lazy, tagged containers, and their texts as templates."""
    return json.loads(json.dumps(value, default=_unwrap))


def _unwrap(value):
    if hasattr(value, "items"):
        return dict(value.items())
    if hasattr(value, "__iter__") and not isinstance(value, (str, bytes)):
        return list(value)
    return str(value)


def given(name: str, loader=None) -> tuple:
    """(whether it was given with the call, its value without any template)."""
    values = extra(loader)
    return (True, plain(values[name])) if name in values else (False, None)
