"""Pages that are made from code: ``python -m emrctl.docs [FOLDER]`` writes them, a test compares them with the files in docs/."""
from __future__ import annotations

import json
from pathlib import Path

REPO = Path(__file__).resolve().parents[2]


def pages() -> dict:
    """{file name: content} of the generated pages."""
    from ansible_collections.emr.cluster.plugins.module_utils.domain.flows import definition as flow
    from ansible_collections.emr.cluster.plugins.module_utils.domain.spec.model import json_schema, spec_reference
    from emrctl.docs import cli, collection, glossary, ports

    def text(schema: dict) -> str:
        return json.dumps(schema, indent=2, sort_keys=True, ensure_ascii=False) + "\n"

    return {"spec.md": spec_reference(), "cluster.schema.json": text(json_schema()), "flow.schema.json": text(flow.json_schema()),
            "reference/cli.md": cli.page(), "reference/ports.md": ports.page(), "reference/playbooks.md": collection.playbooks(),
            "reference/roles.md": collection.roles(), "reference/modules.md": collection.modules(), "glossary.md": glossary.page()}


def write(folder) -> None:
    """Write the pages into ``folder``."""
    for name, content in pages().items():
        path = Path(folder) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")


def table(head: list, rows: list) -> list:
    """Lines of a table in Markdown."""
    return ["| " + " | ".join(head) + " |", "|" + " --- |" * len(head), *("| " + " | ".join(map(cell, row)) + " |" for row in rows), ""]


def cell(text) -> str:
    """A text as one cell: in one line, its bars no borders."""
    return " ".join(str(text).split()).replace("|", "\\|")
