# Copyright (c) the emr.cluster authors
# Apache License 2.0 (see LICENSE or https://www.apache.org/licenses/LICENSE-2.0)
"""Options of a job, from their definition."""

from __future__ import annotations

import json

from ansible_collections.emr.cluster.plugins.module_utils.domain.jobs.options import OPTIONS

_TYPES = {"text": "str", "int": "int", "bool": "bool", "list": "list", "map": "dict"}


def _option(option) -> dict:
    row = {"description": [option.help(r"C(\1)")], "type": _TYPES[option.kind]}
    if option.kind == "list":
        row["elements"] = "str"
    if option.choices:
        row["choices"] = list(option.choices)
    if option.default is not None:
        row["default"] = list(option.default) if option.kind == "list" else option.default
    return row


class ModuleDocFragment:
    """C(emr.cluster.job): what a job is asked for with."""


# Not in the class, where ansible-test reads texts alone.
ModuleDocFragment.DOCUMENTATION = json.dumps({"options": {option.name: _option(option) for option in OPTIONS}})
