"""``python -m emrctl.docs [FOLDER]``: write the pages that are made from code (docs/spec.md, docs/cluster.schema.json, docs/flow.schema.json)."""
from __future__ import annotations

import json
import sys
from pathlib import Path


def pages() -> dict:
    """{file name: content} of the generated pages."""
    from ansible_collections.emr.cluster.plugins.module_utils.domain.flows import definition as flow
    from ansible_collections.emr.cluster.plugins.module_utils.domain.spec.model import json_schema, spec_reference

    def text(schema: dict) -> str:
        return json.dumps(schema, indent=2, sort_keys=True, ensure_ascii=False) + "\n"

    return {"spec.md": spec_reference(), "cluster.schema.json": text(json_schema()), "flow.schema.json": text(flow.json_schema())}


def write(folder) -> None:
    """Write the pages into ``folder``."""
    for name, content in pages().items():
        (Path(folder) / name).write_text(content, encoding="utf-8")


if __name__ == "__main__":
    write(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).resolve().parents[1] / "docs")
