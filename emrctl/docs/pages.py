"""All pages that are made from code."""
from __future__ import annotations

import json
from pathlib import Path

from ansible_collections.emr.cluster.plugins.module_utils.domain.flows import definition as flow
from ansible_collections.emr.cluster.plugins.module_utils.domain.spec.model import json_schema, spec_reference
from emrctl.docs import alerts, cli, collection, glossary, grafana, jobs, ports


def pages() -> dict:
    """{file name: content} of the generated pages."""
    def text(schema: dict) -> str:
        return json.dumps(schema, indent=2, sort_keys=True, ensure_ascii=False) + "\n"

    return {"spec.md": spec_reference(), "cluster.schema.json": text(json_schema()), "flow.schema.json": text(flow.json_schema()),
            "reference/cli.md": cli.page(), "reference/ports.md": ports.page(), "reference/playbooks.md": collection.playbooks(),
            "reference/roles.md": collection.roles(), "reference/modules.md": collection.modules(), "glossary.md": glossary.page(),
            "reference/job-options.md": jobs.page(), "alerts.md": alerts.page(), **{f"grafana/{name}": text for name, text in grafana.boards().items()}}


def write(folder) -> None:
    """Write the pages into ``folder``."""
    for name, content in pages().items():
        path = Path(folder) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
