"""`emrctl service`: services of a running cluster."""
from __future__ import annotations

import typer

from emrctl import views
from emrctl.verbs import NAME, OUTPUT, QUIET, REGION, YES, Format, ask, counters, emit, run

app = typer.Typer(rich_markup_mode=None, pretty_exceptions_enable=False, no_args_is_help=True)


@app.callback()
def services() -> None:
    """Add services to a running cluster."""


@app.command()
def add(name: str = NAME, service: str = typer.Argument(help="The service to add, for example spark."),
        yes: bool = YES, region: str = REGION, output: Format = OUTPUT, quiet: bool = QUIET) -> None:
    """Install and start one more service on a running cluster; the others stay up."""
    if not yes:
        ask(f"Add {service} to cluster {name}?")
    wanted = {"emr_name": name, "emr_region": region, "emr_service": service, "emr_confirm": "yes"}
    result = run("service_add", wanted, quiet)
    emit({**result.data, "stats": counters(result)}, output, views.created(result.data, result.seconds))
