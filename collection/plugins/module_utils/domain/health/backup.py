"""How the backups of the NameNode's metadata stand, judged."""
from __future__ import annotations

from ..text import durations


def problems(name: str, states: dict) -> list:
    """Sentences about what `status` counts as wrong. ``states``: {node: {backup, restored}}."""
    said = [f"the last good backup of the NameNode's metadata is {durations.words(found['backup']['age_s'])} old"
            + (f" ({found['backup']['error']})" if found["backup"]["error"] else "")
            for found in states.values() if (found.get("backup") or {}).get("overdue")]
    return said + [f"HDFS runs from the backup of {found['restored']['time']} in safe mode, until emrctl restore {name} --accept-loss"
                   for found in states.values() if found.get("restored")]


def findings(name: str, wanted: bool, states: dict) -> list:
    """(state, detail, node, next) rows of a check. ``wanted``: the spec says that backups are made."""
    rows, made = [], 0
    for node, found in sorted(states.items()):
        if found.get("restored"):
            rows.append(("fail", f"HDFS runs from the backup of {found['restored']['time']} in safe mode", node,
                         f"emrctl restore {name} --accept-loss"))
        backup = found.get("backup")
        if not backup:
            continue
        made += 1
        age = durations.words(backup["age_s"])
        if backup["overdue"]:
            rows.append(("fail", (f"no good backup of the NameNode's metadata since {age}: "
                         f"{backup['error'] or 'the timer does not run'}"), node, f"emrctl backup {name}"))
        elif backup["error"]:
            rows.append(("warn", f"the last attempt of a backup failed: {backup['error']}", node, f"emrctl backup {name}"))
        elif backup["last"]:
            rows.append(("ok", f"{backup['copies']} verified backups, the last one {age} old", node, ""))
        else:
            rows.append(("ok", "the first backup is about to be made", node, ""))
    if wanted and not made:
        rows.append(("fail", "no node makes backups of the NameNode's metadata, though the spec says so", "-",
                     f"emrctl repair {name}"))
    return rows
