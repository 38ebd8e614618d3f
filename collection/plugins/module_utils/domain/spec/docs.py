"""JSON Schema and reference page of the spec, both read from schema.SPEC."""
from __future__ import annotations

from ..config import keys as config_keys
from ..text import durations
from .check import GROUP_NAME, NAMES
from .field import MISSING, Field
from .schema import SPEC

SCHEMA_ID = "https://json-schema.org/draft/2020-12/schema"
_TYPES = {"text": "string", "int": "integer", "number": "number", "bool": "boolean", "list": "array", "object": "object",
          "map": "object", "config": "object", "scalar": ["string", "integer", "number", "boolean"]}
_SIZES = {"text": ("minLength", "maxLength"), "int": ("minimum", "maximum"), "number": ("minimum", "maximum"),
          "list": ("minItems", "maxItems"), "map": ("minProperties", "maxProperties")}
DURATION = "^[1-9][0-9]{0,8}[smhd]$"
_SCALAR = {"type": ["string", "integer", "number", "boolean"]}


_NAMES = {"groups": "<group>", "queues": "<queue>", "users": "<user>"}
_COMBINATIONS = (
    "- exactly one master; slaves if HDFS runs, and none of their groups empty",
    "- every service comes with those it needs, and is named once",
    "- replication is at most the number of slaves",
    "- spot only in task groups, no data disks on gateways, at most 16 data disks on a node",
    "- the capacities of all queues add up to 100 percent; users and queues that name each other exist; no user has the name of a daemon's account",
    "- a group named like a role has that role; the zone lies in the region",
)


def json_schema() -> dict:
    """JSON Schema (2020-12) of a spec. It knows single values; combinations are checked by ``plan``."""
    return schema_of(SPEC, "emr.cluster spec")


def schema_of(field: Field, title: str) -> dict:
    """JSON Schema (2020-12) of a kind of document."""
    return {"$schema": SCHEMA_ID, "title": title, **_schema(field)}


def _schema(field: Field) -> dict:
    out: dict = {"description": field.doc, "type": _TYPES[field.kind]}
    if field.choices and field.kind == "text":
        out["enum"] = list(field.choices)
    if field.pattern:
        out["pattern"] = f"^(?:{field.pattern})$"
    if field.form == "duration":
        out["pattern"] = DURATION
    for key, bound in zip(_SIZES.get(field.kind, ()) if field.form != "duration" else (), (field.least, field.most)):
        if bound is not None:
            out[key] = bound
    if field.default is not MISSING and field.default not in (None, (), {}):
        out["default"] = list(field.default) if isinstance(field.default, tuple) else field.default
    getattr(_Parts, field.kind, lambda *_: None)(field, out)
    if field.single:
        single = _schema(field.item)
        return {"description": out.pop("description"), "anyOf": [single, out]}
    if field.default is None:
        out["type"] = [out["type"], "null"]
        if "enum" in out:
            out["enum"].append(None)
    return out


class _Parts:
    """What a composite kind adds to its schema."""

    @staticmethod
    def list(field: Field, out: dict) -> None:
        out["items"] = _schema(field.item)
        if field.unique:
            out["uniqueItems"] = True

    @staticmethod
    def object(field: Field, out: dict) -> None:
        out["properties"] = {part.name: _schema(part) for part in field.fields}
        out["additionalProperties"] = False
        required = [part.name for part in field.fields if part.required]
        if required:
            out["required"] = required

    @staticmethod
    def map(field: Field, out: dict) -> None:
        if field.choices:
            out["properties"] = {name: _schema(field.item) for name in field.choices}
            out["additionalProperties"] = False
            if "env" in field.choices:
                out["properties"]["env"] = {
                    "type": "object", "additionalProperties": False, "description": "JVM options by variable name.",
                    "properties": {name: {"type": "string"} for name in config_keys.ENV_NAMES}}
            return
        out["additionalProperties"] = _schema(field.item)
        pattern = GROUP_NAME if field.form == "groups" else NAMES.get(field.form, ("",))[0]
        if pattern:
            out["propertyNames"] = {"pattern": f"^(?:{pattern})$"}

    @staticmethod
    def config(_field: Field, out: dict) -> None:
        out["additionalProperties"] = _SCALAR


def reference() -> str:
    """The reference page: one table of keys, then the settings that a spec may not make."""
    rows = ["# The cluster spec", "",
            "A spec is one YAML document that describes the wanted cluster.",
            "This page is made from the definition that checks specs; `cluster.schema.json` beside it is the same for editors:",
            "", "```yaml",
            "# yaml-language-server: $schema=cluster.schema.json", *_example(), "```", "", "## Keys", "",
            "`<group>`, `<queue>` and `<user>` are their names, `<tag>`, `<file>` and `<key>` are names that you choose or know.", "",
            "| Key | Type | Default | Meaning |", "| --- | --- | --- | --- |"]
    rows += [_row(path, field) for path, field in _walk(SPEC, "")]
    rows += ["", "## Combinations", "",
             "Checked before anything is bought:", "", *_COMBINATIONS, "", "## Settings that the cluster makes itself", "",
             "A spec that sets one of these under `config` is refused, as is anything that looks like a credential.", ""]
    by_reason: dict = {}
    for key, why in config_keys.RESERVED.items():
        by_reason.setdefault(why, []).append(f"`{key}`")
    rows += [f"- {why[0].upper() + why[1:]}: {', '.join(sorted(keys))}." for why, keys in by_reason.items()]
    return "\n".join(rows) + "\n"


def _example() -> list:
    return ["name: sales", "region: cn-hangzhou", "zone: cn-hangzhou-h", "services: [hadoop]", "image: m-bp1g7004ksh0oeuc",
            "network: {vswitch_id: vsw-bp1s5fnvk4gn2tws03624, ssh_from: 203.0.113.0/24}", "node_groups:",
            "  master: {count: 1, instance_types: [ecs.g7.xlarge, ecs.g6.xlarge]}", "  slave:", "    count: 3",
            "    instance_types: [ecs.g7.2xlarge]", "    data_disks: [{category: cloud_essd, size_gib: 200, count: 4}]",
            "config:", "  hdfs-site: {dfs.replication: 2}"]


def _walk(field: Field, path: str):
    """(path, Field) of every key, parents first."""
    parts = [(part.name, part) for part in field.fields]
    if field.kind == "map" and field.item.kind in ("object", "config"):
        parts = [(_NAMES.get(field.form, "<file>"), field.item)]
    elif field.kind == "config":
        return
    for name, part in parts:
        where = f"{path}.{name}" if path else name
        yield where, part
        inner = part.item if part.kind == "list" and part.item.kind == "object" else part
        yield from _walk(inner, where + ("[]" if inner is not part else ""))


def _row(path: str, field: Field) -> str:
    kinds = {"int": "whole number", "bool": "true or false", "object": "mapping", "map": "mapping", "config": "settings"}
    kind = kinds.get(field.kind, field.kind)
    if field.choices:
        kind = ", ".join(f"`{choice}`" for choice in field.choices)
    elif field.form == "duration":
        kind = f"duration, {durations.words(field.least)}–{durations.words(field.most)}"
    elif field.kind in ("int", "number"):
        kind += f" {field.least}–{field.most}"
    elif field.kind == "list":
        kind = f"list, {field.least or 0}–{field.most}" if field.most else "list"
    if field.required:
        default = "**required**"
    elif field.default in (MISSING, None, (), {}):
        default = ""
    else:
        shown = field.default
        default = f"`[{', '.join(shown)}]`" if isinstance(shown, tuple) else f"`{str(shown).lower()}`"
    example = f" Example: `{field.example}`." if field.example and not field.choices and field.example not in default else ""
    return f"| `{path}` | {kind} | {default} | {field.doc}{example} |"
