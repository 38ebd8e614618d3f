"""Names of Hadoop's properties, read from the *-default.xml inside the installed jars, and what looks misspelt.

The jars of the control node are read, in the command that reads the spec: they are exactly what runs, so no list of names
has to be kept for each release, and a cluster with other artifacts is checked against its own.
"""
from __future__ import annotations

import re

from .. import paths
from ..text.names import nearest

STEMS = ("core-site", "hdfs-site", "yarn-site", "mapred-site")
_JARS = ("common/hadoop-common", "hdfs/hadoop-hdfs", "yarn/hadoop-yarn-common", "mapreduce/hadoop-mapreduce-client-core")
MARK = "=== names"
# Families whose members are named by the user, or that belong to software with its own list.
_FREE = re.compile(r"^(hadoop\.proxyuser\.|hadoop\.user\.group\.static|ipc\.\d+\.|fs\.(oss|s3a|viewfs|azure|gs|cosn|obs)\.|"
                   r"yarn\.nodemanager\.aux-services\.|yarn\.scheduler\.capacity\.|io\.compression\.codec\.|"
                   r"dfs\.namenode\.[a-z-]+-address\.|hadoop\.security\.group\.mapping\.|mapreduce\.job\.(hdfs|counters)|spark\.)")
# Only " in the text: it goes into a shell's '...'.
_PYTHON = ('import glob, re, zipfile; seen = set()\n'
           'for part in "{jars}".split():\n'
           f'  for jar in glob.glob("{paths.HADOOP_HOME}/share/hadoop/" + part + "-[0-9]*.jar"):\n'
           '    with zipfile.ZipFile(jar) as archive:\n'
           '      for name in archive.namelist():\n'
           '        if re.match("[a-z]+-default.xml$", name):\n'
           '          seen |= set(re.findall("<name>([^<]+)</name>", archive.read(name).decode()))\n'
           'print("\\n".join(sorted(name.strip() for name in seen)))')


def names_command() -> str:
    """A shell command that prints a mark and all names; a node without jars or Python prints the mark alone."""
    return f"echo '{MARK}'; {paths.PYTHON} -c '{_PYTHON.format(jars=' '.join(_JARS))}' 2>/dev/null; true"


def split_names(output: str) -> tuple:
    """(the output before the mark, the names after it)."""
    text, _mark, names = output.partition(MARK + "\n")
    return text, {line.strip() for line in names.splitlines() if line.strip()}


def changed_settings(before: dict | None, after: dict) -> list:
    """(place, stem, key) of each setting of a spec's data that is new or has another value than before."""
    old = dict(_settings(before)) if before else {}
    return sorted(place for place, value in _settings(after) if old.get(place, None) != value)


def _settings(data: dict):
    """((place, stem, key), value) of all settings; place is ``config`` or ``node_groups.NAME.config``."""
    layers = [("config", data.get("config") or {})]
    layers += [(f"node_groups.{name}.config", (group or {}).get("config") or {})
               for name, group in (data.get("node_groups") or {}).items()]
    for place, config in layers:
        for stem, settings in config.items():
            for key, value in (settings or {}).items():
                yield (place, stem, key), value


def unknown_names(changed, names) -> list:
    """Warnings, one for each changed setting whose name none of Hadoop's defaults has. ``changed``: see changed_settings."""
    if not names:
        return []
    warnings = []
    for place, stem, key in changed:
        if stem not in STEMS or key in names or _FREE.match(key):
            continue
        near = nearest(key, names)
        warnings.append(f"{place}.{stem}.{key}: Hadoop has no property of this name in its defaults" +
                        (f"; did you mean {near}?" if near else "; it is written all the same"))
    return warnings
