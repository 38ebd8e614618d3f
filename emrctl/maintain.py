"""`emrctl maintain`: what cron runs. Never asks; what it does follows from the spec."""
from __future__ import annotations

import sys

import typer

from emrctl import failures
from emrctl.verbs import OUTPUT, QUIET, REGION, Format, attempt, counters, emit

NAME = typer.Argument(None, help="Name of the cluster.")
ALL = typer.Option(False, "--all", help="Take all clusters of the region, one after the other.")
DRY = typer.Option(False, "--dry-run", help="Show what would be done and change nothing.")
GRACE = typer.Option("1h", "--grace", help="Shortest time from the warning to the release.")


def maintain(name: str = NAME, everything: bool = ALL, dry_run: bool = DRY, grace: str = GRACE, region: str = REGION,
              output: Format = OUTPUT, quiet: bool = QUIET) -> None:
    """Replace spot nodes that went, release clusters nobody needs: too old or idle by their spec. For cron and AWX."""
    if bool(name) == everything:
        failures.fail("give the name of a cluster, or --all. Next: emrctl list", failures.USAGE)
    names = _all(region) if everything else [name]
    rows, worst = [], 0
    for one in names:
        row, code = _one(one, dry_run, grace, region, quiet)
        rows.append(row)
        worst = _worse(worst, code)
        if code == failures.CANCELLED:
            break
    emit(rows if everything else rows[0], output, "\n".join(_lines(rows)) if rows else "No clusters.")
    if worst:
        raise typer.Exit(worst)


def _all(region) -> list:
    from emrctl import cloud

    return [cluster["name"] for cluster in cloud.clusters(region)]


def _one(name: str, dry_run: bool, grace: str, region, quiet: bool) -> tuple:
    """(what was found and done, exit code) of one cluster; why it failed goes to stderr."""
    wanted = {"emr_name": name, "emr_region": region, "emr_plan_only": dry_run, "emr_grace": grace}
    result = attempt("maintain", wanted, quiet)
    row = {"name": name, "exit_code": result.exit_code, **result.data.get("maintain", {}), "stats": counters(result)}
    if not result.ok:
        again = f"emrctl maintain {name}" + (" --dry-run" if dry_run else "")
        print(f"{name}:\n{failures.explain(result, again)}", file=sys.stderr)
    return row, result.exit_code


def _worse(one: int, other: int) -> int:
    """The exit code of several: the first trouble counts, a refusal (somebody else works) least, a Ctrl-C most."""
    if failures.CANCELLED in (one, other):
        return failures.CANCELLED
    return other if one in (0, failures.REFUSED) and other != 0 else one


def _lines(rows: list) -> list:
    """What was done, one line each."""
    lines = []
    for row in rows:
        if row["exit_code"] == failures.REFUSED:
            lines.append(f"{row['name']}: refused, nothing was done")
            continue
        lines += [f"{row['name']}: {text}" for text in row.get("done", []) or ["nothing to do"]]
    return lines
