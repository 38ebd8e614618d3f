"""`emrctl alerts`: what is wrong with the cluster now, and the command that helps."""
from __future__ import annotations

import sys
import time
from calendar import timegm

import typer

from emrctl.output import duration, table
from emrctl.verbs import NAME, OUTPUT, QUIET, REGION, Format, emit, run

ALL = typer.Option(False, "--all", help="Show also alerts that are about to fire, and those that follow from another one.")


def alerts(name: str = NAME, everything: bool = ALL, region: str = REGION, output: Format = OUTPUT, quiet: bool = QUIET) -> None:
    """Show the alerts that fire now, what each means, and the command that helps."""
    data = run("alerts", {"emr_name": name, "emr_region": region}, quiet).data
    rows = data.get("alerts") or []
    shown = rows if everything else [row for row in rows if row["state"] == "firing" and not row["quiet"]]
    emit(shown, output, text(shown, data.get("rules") or 0, time.time()))
    if len(shown) < len(rows):
        print(f"{len(rows) - len(shown)} more are about to fire or follow from these. To see them: --all", file=sys.stderr)
    if not data.get("passed_on"):
        print(f"Alertmanager does not answer: no message is sent. Next: emrctl repair {name}", file=sys.stderr)


def text(rows: list, rules: int, now: float) -> str:
    """A table of the alerts, and below it what each kind means and the commands."""
    if not rows:
        return f"No alert; {rules} rules are watched."
    states = any(row["state"] != "firing" or row["quiet"] for row in rows)
    cells = [{"severity": row["severity"], "alert": row["alert"], "node": row["node"] or "-", "since": _ago(row["since"], now),
              "state": row["quiet"] or row["state"], "what": row["means"], "next": row["help"]} for row in rows]
    columns = ["severity", "alert", "node", "since", *(["state"] if states else []), "what", "next"]
    return table(cells, columns, {"what": "WHAT IT MEANS"})


def _ago(moment: str, now: float) -> str:
    return f"{duration(max(0, now - timegm(time.strptime(moment[:19], '%Y-%m-%dT%H:%M:%S'))))} ago"
