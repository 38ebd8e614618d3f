"""The options of a job at the terminal, made from their one definition."""
from __future__ import annotations

import inspect
from pathlib import Path

import typer

from ansible_collections.emr.cluster.plugins.module_utils.domain.jobs.options import BY_NAME, OPTIONS
from emrctl import failures
from emrctl.verbs import NAME, pairs

# The cluster's name is called ``name`` in a command, so the job's is called so.
_JOB_NAME = "job_name"


def _kind(option) -> type:
    return {"list": list[str], "map": list[str], "int": int, "bool": bool}.get(option.kind, str)


def terminal(name: str):
    """An option of a job as one of a command."""
    option, several = BY_NAME[name], _kind(BY_NAME[name]) == list[str]
    more = f" One of {', '.join(option.choices)}." if option.choices else " Repeatable." if several else ""
    if option.kind == "text" and option.default and not option.required:
        more = f" Default: {option.default}."
    return typer.Option(... if option.required else [] if several else None, *option.flags, metavar=option.shown,
                        min=option.least if option.kind == "int" else None, help=option.help() + more)


JOB_NAME, USER, QUEUE, TOKEN = map(terminal, ("name", "user", "queue", "token"))


def signature(more: dict) -> inspect.Signature:
    """That of a command with all options of a job. ``more``: {name: (type, default)} of its others."""
    rows = {"ctx": (typer.Context, inspect.Parameter.empty), "name": (str, NAME)}
    rows.update({_JOB_NAME if option.name == "name" else option.name: (_kind(option), terminal(option.name)) for option in OPTIONS if option.flags})
    return inspect.Signature([inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=kind)
                              for name, (kind, default) in {**rows, **more}.items()])


def values(given: dict) -> dict:
    """What was given as a playbook wants it; leaves with 2 or 3 when that cannot be."""
    found = {name: _value(option, given[_JOB_NAME if name == "name" else name]) for name, option in BY_NAME.items() if option.flags}
    return {name: value for name, value in found.items() if value not in (None, [], {})}


def _value(option, value):
    if option.name == "environment":
        return dict(row.split("=", 1) if "=" in row else (row, None) for row in value)
    if option.kind == "map":
        return pairs(option.flags[0], value)
    if option.kind == "list":
        return _places(value)
    if option.form == "path" and value:
        return _places([value])[0]
    if option.choices:
        folded = value.upper().replace("-", "_")
        if folded not in option.choices:
            failures.fail(f"{option.flags[0]} {value}: expected one of {', '.join(option.choices)}", failures.USAGE)
        return folded
    return value


def _places(rows: list[str]) -> list[str]:
    """Files here by their whole paths; leaves with 3 when one is not there. What lies elsewhere stays as it is."""
    missing = [row for row in rows if "://" not in row and not Path(row.split("#")[0]).expanduser().is_file()]
    if missing:
        failures.fail(f"no such file: {', '.join(missing)}", failures.REFUSED)
    return [row if "://" in row else "#".join([str(Path(row.split("#")[0]).expanduser().resolve()), *row.split("#")[1:]]) for row in rows]
