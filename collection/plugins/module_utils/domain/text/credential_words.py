"""The one judge of what looks like a credential in a text of a person: specs, flows, schedules and jobs.

What is stored and shown must hold none. A reference ($VAR, ${VAR}, $(command)) names one and holds none, and a comparison, as in SQL,
only has the word in it.
"""
from __future__ import annotations

import re

_KEY = re.compile(r"(secret|passwo?r?d|access[._-]?key|(security|session)[._-]?token|"
                  r"private[._-]?key|account[._-]key|passphrase|credentials?$)", re.IGNORECASE)
_NOT_SECRET = re.compile(r"(\.provider\.path|\.enabled?|\.file|\.class|\.alias|\.provider|\.regex|\.required|"
                         r"-timeout|\.interval(\.\w+)?)$", re.IGNORECASE)
_SHAPES = (re.compile(r"\bLTAI[A-Za-z0-9]{12,}"), re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY"))
_ADDRESS = re.compile(r"://[^/\s:@]+:([^/\s@]+)@")
# name=value as options, shells, properties and addresses have it. With a blank before the sign it is a comparison, or nothing's format.
_ASSIGNED = re.compile(r"(?P<before>[\w.-]*)(?:password|passwd|accesskeysecret|secret)=(?!=)(?P<value>\S+)", re.IGNORECASE)
# "$X", '$X' and \$X are references as well: who unfolds them is behind quotes.
_REFERENCE = re.compile(r"""^["'\\]*(\$[A-Za-z_0-9]\w*|\$\{[A-Za-z_0-9][^}:]*\}|\$\(|`)""")
# Words of SQL, and of tests in shells, after which name=value compares.
_COMPARES = re.compile(r"(?:\b(?:where|and|or|on|not|having|when|if|then|else|select|by|case|filter)\b|\[{1,2}|\()\s*(?:\w+\.)?$", re.IGNORECASE)


def secret_key(key: str) -> bool:
    """Whether a key is named like a credential."""
    return bool(_KEY.search(key)) and not _NOT_SECRET.search(key)


def reference(text: str) -> bool:
    """Whether a value names where the real one is, and is none itself."""
    return bool(_REFERENCE.match(text))


def secret_value(text: str) -> bool:
    """Whether a text holds a credential: a cloud key, a private key, a password in an address or an option."""
    if any(shape.search(text) for shape in _SHAPES) or any(not reference(found) for found in _ADDRESS.findall(text)):
        return True
    return any(not reference(found["value"]) and not _compares(text, found) for found in _ASSIGNED.finditer(text))


def _compares(text: str, found) -> bool:
    """Whether an assignment stands in a condition: ``where secret=1``."""
    return not found["before"].startswith("-") and bool(_COMPARES.search(text[:found.start()] + found["before"]))
