"""What a spec's ``config`` may set: which file a key belongs to, keys the cluster decides itself, types, secrets."""
from __future__ import annotations

import re

from ...services.registry import COMPONENTS, FILES, HOMES
from ..text.credential_words import secret_key
from ..text.names import instead
from . import kinds, writers

SECRET_REMEDY = ("Remove it. Keep data credentials in a Hadoop credential provider on the cluster, readable by the job's "
                 "user alone, and name that with hadoop.security.credential.provider.path.")
ENV_NAMES = (*(c.jvm_opts_env for c in COMPONENTS.values() if c.jvm_opts_env), *(n for home in HOMES.values() for n in home.env_names))
STEM_ALIASES = {**{alias: file.stem for file in FILES.values() for alias in file.aliases},
                **{alias: "env" for home in HOMES.values() for alias in home.env_aliases}}
# Keys whose value holds the cluster together; the reason is shown to the reader.
RESERVED = {key: why for file in FILES.values() for key, why in file.reserved.items()}
_RESERVED_PATTERNS = [(re.compile(pattern), why) for file in FILES.values() for pattern, why in file.reserved_patterns]
# Where keys belong, by prefix; the longest that fits decides.
_PREFIXES = sorted(((prefix, file.stem) for file in FILES.values() for prefix in file.prefixes), key=lambda row: -len(row[0]))
_TYPES = {key: kind for file in FILES.values() for key, kind in file.types.items()}
_TYPE_PATTERNS = [(re.compile(family), *kind) for file in FILES.values() for family, kind in file.type_patterns]
_ENV_VALUE = re.compile(r"^[A-Za-z0-9 ._:/=+,@%-]*$")


def home_of(key: str) -> str:
    """The file a key belongs to, or an empty text when nothing is known of it."""
    return next((stem for prefix, stem in _PREFIXES if key.startswith(prefix)), "")


def reserved(key: str) -> str:
    """Why the cluster decides this key itself, or an empty text."""
    return RESERVED.get(key) or next((why for pattern, why in _RESERVED_PATTERNS if pattern.match(key)), "")


def expected_type(key: str) -> str:
    """Type of a known key in words, or an empty text."""
    return _TYPES.get(key) or next((kind for family, name, kind in _TYPE_PATTERNS if family.match(key) and name.search(key)), "")


def check_key(stem: str, key: str):
    """None, or (message, remedy) when ``stem`` must not hold this key."""
    if stem == "env":
        if key in ENV_NAMES:
            return None
        return "unknown variable", instead(key, ENV_NAMES)
    file = FILES[stem]
    if not file.key.match(key):
        return "not the name of a setting, expected words joined by dots", file.key_hint
    if secret_key(key):
        return "credentials do not belong in a spec, which is stored and shown in many places", SECRET_REMEDY
    why = reserved(key)
    if why:
        return f"the cluster decides this itself: {why}", "Remove the line."
    home = home_of(key)
    if home and home != stem and home not in file.takes:
        return f"does not belong in {stem}", f"Move it to {home}: under config, {home}: {{{key}: …}}."
    if not home and file.only:
        message, remedy = file.only
        return message, remedy.format(key=key)
    return None


def check_value(stem: str, key: str, text: str, kind: str):
    """None, or (message, remedy) when the value cannot be right for this key. ``kind`` is the YAML type as written."""
    if stem == "env":
        if kind != "str" or not _ENV_VALUE.match(text):
            return (f'found "{text[:60]}", expected options without quotes, dollars and backslashes',
                    "Write plain options, for example: HDFS_NAMENODE_OPTS: -Xmx4g")
        if key == "SPARK_DAEMON_MEMORY" and not re.match(r"^[1-9]\d*[mg]$", text):
            return f'found "{text[:60]}", expected a size such as 1g', "Write for example: SPARK_DAEMON_MEMORY: 1g"
        return None
    if len(text) > 4096:
        return f"{len(text)} characters, expected at most 4096", "Put such data into a file of its own."
    try:
        FILES[stem].check(key, text)
    except writers.Unwritable as error:
        return error.message.split(": ", 1)[1], error.remedy
    expected = expected_type(key)
    if expected and not kinds.CHECKS[expected].match(text):
        return f'found "{text[:60]}", expected {expected}', f"Write for example: {key}: {kinds.EXAMPLES[expected]}"
    if kind == "bool" and expected and expected != kinds.BOOL:
        return f"found a truth value, expected {expected}", f"Write for example: {key}: {kinds.EXAMPLES[expected]}"
    return None
