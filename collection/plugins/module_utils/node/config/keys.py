"""Keys of configuration texts."""
from __future__ import annotations

import re
from xml.etree import ElementTree

from ...domain.config.writers import read_property
from ..common import read_text


def keys_of(path):
    """{key: value} of a file of settings; {} where there is none."""
    return parse_keys(read_text(path) or "")


def parse_keys(text):
    """{key: value} of a Hadoop XML file or of lines ``key value`` / ``key=value``."""
    if "<configuration" in text:
        try:
            root = ElementTree.fromstring(text)
        except ElementTree.ParseError:
            return {}
        return {(p.findtext("name") or ""): (p.findtext("value") or "") for p in root.iter("property")}
    lines = (re.match(r"^(?:export )?([A-Za-z][\w.\-]*)(?:\s*=\s*|\s+)(.*)$", line) for line in text.splitlines())
    return {match.group(1): match.group(2) if match.group().startswith("export ") else read_property(match.group(2)) for match in lines if match}
