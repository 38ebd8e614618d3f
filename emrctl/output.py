"""What a command prints on stdout: data only, as a table for people, or as JSON or YAML for programs."""
from __future__ import annotations

import sys
from enum import Enum


class Format(str, Enum):
    """Forms of output."""

    table = "table"
    json = "json"
    yaml = "yaml"


def emit(data, form: Format = Format.table, text: str | None = None, stream=None) -> None:
    """Write ``data`` in ``form``. ``text`` is what people get in place of the general rendering."""
    stream = stream or sys.stdout
    if form is Format.json:
        import json

        out = json.dumps(data, indent=2, ensure_ascii=False, default=str)
    elif form is Format.yaml:
        out = to_yaml(data)
    else:
        out = render(data) if text is None else text
    stream.write(out.rstrip("\n") + "\n")
    stream.flush()


def to_yaml(data) -> str:
    """``data`` as YAML, keys in their order. Values go through JSON first, so only plain types get there."""
    import json

    import yaml

    plain = json.loads(json.dumps(data, default=str))
    return yaml.safe_dump(plain, sort_keys=False, allow_unicode=True, default_flow_style=False, width=120)


def table(rows, columns, titles: dict | None = None) -> str:
    """``rows`` (dicts) as aligned columns; numbers to the right. ``titles`` renames columns."""
    titles = titles or {}
    head = [titles.get(c, c.replace("_", " ").upper()) for c in columns]
    cells = [[_cell(row.get(c)) for c in columns] for row in rows]
    widths = [max(len(line[i]) for line in [head, *cells]) for i in range(len(columns))]
    right = [bool(rows) and all(_is_number(row.get(c)) for row in rows) for c in columns]

    def line(values) -> str:
        parts = (v.rjust(w) if r else v.ljust(w) for v, w, r in zip(values, widths, right, strict=True))
        return "  ".join(parts).rstrip()

    return "\n".join(line(v) for v in [head, *cells])


def render(data) -> str:
    """Any plain data for people: lists of records as tables, dicts as ``key: value`` with nested parts indented."""
    if isinstance(data, list):
        if data and all(isinstance(row, dict) for row in data):
            columns = list(dict.fromkeys(key for row in data for key in row))
            return table(data, columns)
        return "\n".join(_cell(v) for v in data)
    if not isinstance(data, dict):
        return _cell(data)
    lines = []
    for key, value in data.items():
        nested = isinstance(value, dict) or (isinstance(value, list) and any(isinstance(v, (dict, list)) for v in value))
        if nested and value:
            lines += [f"{key}:", *("  " + line for line in render(value).splitlines())]
        else:
            lines.append(f"{key}: {_cell(value)}")
    return "\n".join(lines)


def duration(seconds: float) -> str:
    """``3.2s`` below ten seconds, ``42s`` below two minutes, else ``4m05s``."""
    if seconds < 10:
        return f"{seconds:.1f}s"
    if seconds < 120:
        return f"{seconds:.0f}s"
    return f"{int(seconds) // 60}m{int(seconds) % 60:02d}s"


def _cell(value) -> str:
    if value is None or value == [] or value == {}:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:,.2f}"
    if isinstance(value, (list, tuple)):
        return ", ".join(_cell(v) for v in value)
    if isinstance(value, dict):
        import json

        return json.dumps(value, ensure_ascii=False, default=str)
    # A control character in data from elsewhere (tags, logs) must not steer the terminal.
    return "".join(c if c.isprintable() else " " for c in str(value))


def _is_number(value) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
