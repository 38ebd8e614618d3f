"""Make running daemons take over settings without a restart."""
from __future__ import annotations

from ...domain import paths
from .. import hadoop_cli
from ..common import NodeError, read_text, wait_until
from .stale import note_refreshed, wanted_digest

UNIT_ENV = paths.UNIT_ENV
LIMIT_S = 120


def refresh(row, limit_s=LIMIT_S):
    """Run one refresh and record it. ``row``: {component, label, unit, user, name, argv, base}. Returns what was done, as text.

    The digest is taken before the command reads the files: a change in between is noticed the next time.
    """
    digest = wanted_digest(row["component"], row["name"])
    environment = unit_environment(row["unit"])
    if row["name"] == "queues":
        from ..people.queues import refresh_queues
        refresh_queues(row["base"], environment)
    elif "-reconfig" in row["argv"]:
        _reconfigure(row, environment, limit_s)
    else:
        _run(row, [], environment, limit_s)
    note_refreshed(row["component"], row["name"], digest)
    return f"{row['component']}: {row['name']} refreshed"


def unit_environment(unit):
    """What the environment of Hadoop's commands gets, as this daemon's unit has it, with errors on stderr instead of in the daemon's log."""
    lines = (read_text(f"{UNIT_ENV}/{unit}.env") or "").splitlines()
    found = dict(line.split("=", 1) for line in lines if "=" in line)
    for name in ("HADOOP_LOGFILE", "HADOOP_PID_DIR"):
        found.pop(name, None)
    found["HADOOP_ROOT_LOGGER"] = "WARN,console"
    return found


def _run(row, more, environment, limit_s):
    try:
        return hadoop_cli.run(row["argv"][0], [*row["argv"][1:], *more], row["user"], environment, limit_s=limit_s)[1]
    except NodeError as error:
        raise NodeError(f"{row['label']} did not accept its new {row['name']}: {error}. It keeps the old ones. Correct "
                        "them and run the same command again.", component=row["component"])


def _reconfigure(row, environment, limit_s):
    """Start a reconfiguration, wait for its end, and fail for a setting that was not accepted."""
    _run(row, ["start"], environment, limit_s)
    said = ""

    def unfinished():
        nonlocal said
        said = _run(row, ["status"], environment, limit_s)
        return "" if "finished at" in said else said.strip()[-300:] or "it says nothing"
    wait_until(limit_s, f"the new settings of {row['label']}", unfinished, 0.5, lambda seen: NodeError(
        f"{row['label']} is still reconfiguring after {limit_s} s: {seen}"))
    failed = [line.strip() for line in said.splitlines() if line.strip().startswith("FAILED")]
    if failed:
        raise NodeError(f"{row['label']} did not accept: {'; '.join(failed)}\n{said.strip()[-1000:]}", component=row["component"])
