"""docs/glossary.md: the glossary of ARCHITECTURE.md, with an address for each word and links to the pages that tell more."""
from __future__ import annotations

import re

from emrctl.docs import REPO


def words() -> list:
    """[(word, meaning, page under docs/ or "")] of the table in ARCHITECTURE.md."""
    text = (REPO / "ARCHITECTURE.md").read_text(encoding="utf-8").partition("\n## Glossary\n")[2].partition("\n## ")[0]
    rows = [[part.strip() for part in line.strip("|").split("|")] for line in text.splitlines() if line.startswith("|")][2:]
    return [(word, meaning, (re.findall(r"\(docs/([^)]*)\)", link) or [""])[0]) for word, meaning, link in rows]


def page() -> str:
    """The page."""
    rows = ["# Glossary", "", "One word for one thing, on all pages, in all messages and in the code.", ""]
    for word, meaning, link in words():
        rows += [f"## {word}", "", meaning + (f" More: [{_title(link)}]({link})." if link else ""), ""]
    return "\n".join(rows).rstrip() + "\n"


def _title(link: str) -> str:
    path = REPO / "docs" / link.partition("#")[0]
    # A page that is made by the same run may not stand there yet.
    return path.read_text(encoding="utf-8").partition("\n")[0].lstrip("# ") if path.exists() else path.stem
