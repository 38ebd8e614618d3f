"""Pages that are made from code: ``python -m emrctl.docs [FOLDER]`` writes them, a test compares them with the files in docs/."""
from __future__ import annotations

from pathlib import Path

REPO = Path(__file__).resolve().parents[2]


def table(head: list, rows: list) -> list:
    """Lines of a table in Markdown."""
    return ["| " + " | ".join(head) + " |", "|" + " --- |" * len(head), *("| " + " | ".join(map(cell, row)) + " |" for row in rows), ""]


def cell(text) -> str:
    """A text as one cell: in one line, its bars no borders."""
    return " ".join(str(text).split()).replace("|", "\\|")
