"""The options of an action, checked against the documentation that ships with it: the one place that lists them."""
from __future__ import annotations

import ast
import os
from functools import lru_cache
from importlib import import_module

import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ..module_utils.domain.errors import Refused
from ..module_utils.domain.text.names import instead

MODULES = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "modules")
# Paths are a person's words: a type of Ansible's would put variables of the environment into them.
_TYPES = {"path": "str"}


@lru_cache(64)
def options(action: str) -> dict:
    """{option: {type, elements, choices}} as DOCUMENTATION of the module of this name says.

    Without defaults: an action tells what was given from what was not.
    """
    with open(os.path.join(MODULES, f"{action}.py"), encoding="utf-8") as handle:
        body = ast.parse(handle.read()).body
    page = _read(next(ast.literal_eval(node.value) for node in body
                      if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "DOCUMENTATION"))
    rows = dict(page.get("options") or {})
    for name in page.get("extends_documentation_fragment") or []:
        fragment, _dot, part = name.removeprefix("emr.cluster.").partition(".")
        texts = import_module(f"..doc_fragments.{fragment}", __package__).ModuleDocFragment
        rows.update(_read(getattr(texts, part.upper() or "DOCUMENTATION")).get("options") or {})
    return {name: _row(row) for name, row in rows.items()}


def _read(text: str) -> dict:
    return yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))


def _row(row: dict) -> dict:
    """What is checked of an option."""
    known = {key: _TYPES.get(row[key], row[key]) for key in ("type", "elements") if key in row}
    if "choices" in row:
        known["choices"] = row["choices"]
    if "suboptions" in row:
        known["options"] = {name: _row(part) for name, part in row["suboptions"].items()}
    return known


def checked(action: str, given: dict) -> dict:
    """The arguments of a task, each of its documented type. Raises Refused for an unknown option or a value that it cannot have.

    What is empty counts as not given, texts without choices excepted: playbooks hand on what people may have left out.
    """
    known = options(action)
    for name in given:
        if name not in known:
            raise Refused(f"{action}: unknown option {name}", instead(str(name), sorted(known)) if known else f"{action} has no options")
    found = {name: value for name, value in given.items() if value is not None and (value != "" or _is_text(known[name]))}
    for name, value in found.items():
        kind = known[name].get("type", "str")
        if kind == "list" and isinstance(value, str):
            # A text is one element. Ansible would split it at commas, which may be part of a name or of an argument.
            found[name] = [value]
        elif "choices" in known[name] and isinstance(value, str):
            found[name] = {_folded(choice): choice for choice in known[name]["choices"]}.get(_folded(value), value)
        elif kind == "dict" and not isinstance(value, dict):
            raise Refused(f"{action}: {name}: {value!r} is not a map", _help(action))
    result = ArgumentSpecValidator({name: known[name] for name in found}).validate(found)
    if result.error_messages:
        raise Refused(f"{action}: {'; '.join(result.error_messages)}", _help(action))
    return result.validated_parameters


def _is_text(option: dict) -> bool:
    return option.get("type", "str") in ("str", "raw") and "choices" not in option


def _folded(text) -> str:
    """A choice as people may write it."""
    return str(text).lower().replace("-", "_")


def _help(action: str) -> str:
    return f"See its options with: ansible-doc -t module emr.cluster.{action}"
