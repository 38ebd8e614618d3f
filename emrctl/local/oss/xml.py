"""Documents of OSS, out and in."""
from __future__ import annotations

from xml.etree import ElementTree
from xml.sax.saxutils import escape

from .errors import OssError

MOST_BYTES = 2 << 20


def document(root: str, content: dict) -> bytes:
    """An XML document. A list repeats its element, None leaves it out, true and false are words."""
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<{root}>{_inner(content)}</{root}>'.encode("utf-8", "replace")


def _inner(value) -> str:
    if isinstance(value, dict):
        return "".join(f"<{name}>{_inner(one)}</{name}>" for name, each in value.items() if each is not None
                       for one in (each if isinstance(each, list) else [each]))
    if isinstance(value, bool):
        return str(value).lower()
    return escape(str(value), {"\r": "&#13;"})


def parse(data: bytes, root: str) -> ElementTree.Element:
    """The document with this root, name spaces taken away. Raises OssError MalformedXML."""
    if len(data) > MOST_BYTES or b"<!DOCTYPE" in data:
        raise OssError("MalformedXML")
    try:
        found = ElementTree.fromstring(data)
    except (ElementTree.ParseError, ValueError):
        raise OssError("MalformedXML") from None
    for element in found.iter():
        element.tag = element.tag.rpartition("}")[2]
    if found.tag != root:
        raise OssError("MalformedXML")
    return found
