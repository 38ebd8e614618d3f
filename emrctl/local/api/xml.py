"""Answers as XML, for clients that ask for it with ``Format=XML``."""
from __future__ import annotations

from xml.sax.saxutils import escape


def xml_document(action: str, answer: dict) -> bytes:
    """The answer below ``<ActionResponse>``, an error below ``<Error>``."""
    root = "Error" if "Code" in answer else f"{action}Response"
    return f"<?xml version='1.0' encoding='UTF-8'?><{root}>{_inner(answer)}</{root}>".encode()


def _inner(value) -> str:
    """Content of an element: a list repeats the element that holds it, so only dictionaries have tags."""
    if isinstance(value, dict):
        return "".join("".join(f"<{name}>{_inner(one)}</{name}>" for one in each)
                       if isinstance(each, list) else f"<{name}>{_inner(each)}</{name}>"
                       for name, each in value.items())
    if isinstance(value, bool):
        return str(value).lower()
    return escape(str(value))
