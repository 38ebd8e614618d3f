"""Names of tables of Iceberg and Delta: what people write, and what sessions of Spark take. Iceberg's are in a catalogue of their own."""
from __future__ import annotations

import re

ICEBERG, DELTA = FORMATS = ("iceberg", "delta")
CATALOGUE = "iceberg"
NAME = re.compile(r"\w+")


def parts_of(text: str) -> tuple:
    """(database, table) of TABLE or DATABASE.TABLE, each also with `iceberg.` before it. Raises ValueError."""
    parts = text.split(".")
    parts = parts[1:] if len(parts) > 1 and parts[0] == CATALOGUE else parts
    if len(parts) > 2 or not all(NAME.fullmatch(part) for part in parts):
        raise ValueError(f"{text!r} is not the name of a table, expected DATABASE.TABLE")
    return (*["default", *parts][-2:],)


def quoted(text: str) -> str:
    """A name, with dots, for SQL, which takes one such as 2024_sales for a number otherwise. NAME has no quote."""
    return ".".join(f"`{part}`" for part in text.split("."))


__all__ = ["CATALOGUE", "DELTA", "FORMATS", "ICEBERG", "NAME", "parts_of", "quoted"]
