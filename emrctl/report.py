"""`emrctl report`: how a cluster was used, and what that cost."""
from __future__ import annotations

from pathlib import Path

import typer

from emrctl import failures, views_usage
from emrctl.verbs import NAME, OUTPUT, QUIET, REGION, Format, emit, run

SINCE = typer.Option("7d", "--since", help="Begin so long ago, such as 7d, or at a time such as 2026-11-01.")
HTML = typer.Option(None, "--html", metavar="FILE", help="Write the report as a page of HTML to this file.", show_default=False)


def report(name: str = NAME, since: str = SINCE, html: Path = HTML, region: str = REGION, output: Format = OUTPUT, quiet: bool = QUIET) -> None:
    """Report the use of a cluster: time, waiting, cost by user, queue, flow and job, and what was asked for and not used."""
    path = html.expanduser().absolute() if html else None
    if path and (path.is_dir() or not path.parent.is_dir()):
        failures.fail(f"{path}: not a file in a folder that exists. Next: give another --html", failures.REFUSED)
    data = run("report", {"emr_name": name, "emr_region": region, "emr_report_since": since, "emr_report_html": str(path) if path else None}, quiet).data
    found = data.get("report") or {}
    emit(found, output, views_usage.report(found, bool(data.get("cut")), str(path or "")))
