"""`emrctl schedule`: flows and jobs that the cluster starts at certain times by itself."""
from __future__ import annotations

from pathlib import Path

import typer

from emrctl import failures, views_flow
from emrctl.flow import PARAMETERS, flow_file
from emrctl.verbs import NAME, OUTPUT, QUIET, REGION, Format, emit, pairs, run

app = typer.Typer(rich_markup_mode=None, pretty_exceptions_enable=False, no_args_is_help=True)
SCHEDULE = typer.Argument(help="The schedule's name.")
FILE = typer.Argument(None, help="Flow file; without one, a job of --type with its arguments behind --.")
FILES = typer.Option([], "--file", "-f", help="File that the job needs; repeatable.")


@app.callback()
def schedules() -> None:
    """Flows and jobs at certain times."""


@app.command()
def add(ctx: typer.Context, name: str = NAME,
        file: Path = FILE,
        at: str = typer.Option(..., "--at", metavar="WHEN", help="When: '30 2 * * *', 'Mon..Fri 02:30', '*:0/15', daily …"),
        called: str = typer.Option(None, "--name", help="The schedule's name (default: the flow's)."),
        missed: str = typer.Option("run", "--missed", help="What to do about times that passed while the master was down: run (once) or skip."),
        zone: str = typer.Option(None, "--zone", help="Time zone of --at, such as Asia/Shanghai (default: that of the hosts)."),
        kind: str = typer.Option(None, "--type", "-t", help="Type of the job, if there is no flow file."),
        files: list[Path] = FILES,
        user: str = typer.Option(None, "--user", help="Run the job as this user of the cluster."),
        queue: str = typer.Option(None, "--queue", help="Run the job in this YARN queue."),
        parameters: list[str] = PARAMETERS,
        replace: bool = typer.Option(False, "--replace", help="Replace the schedule of this name."),
        region: str = REGION, output: Format = OUTPUT, quiet: bool = QUIET) -> None:
    """Run a flow, or a job, at certain times. Skipped while its last run still goes on."""
    wanted = {"emr_name": name, "emr_region": region, "emr_schedule_op": "add", "emr_schedule": called, "emr_schedule_at": at,
              "emr_schedule_zone": zone, "emr_schedule_missed": missed, "emr_schedule_replace": replace,
              "emr_flow_parameters": pairs("--param", parameters)}
    if (file is None) == (kind is None):
        failures.fail("expected a flow file, or --type with a job's arguments behind --", failures.USAGE)
    if file is not None:
        wanted["emr_flow_file"] = flow_file(file)
    else:
        if not called:
            failures.fail("the schedule of a job needs --name", failures.USAGE)
        missing = [str(f) for f in files if not f.is_file()]
        if missing:
            failures.fail(f"no such file: {', '.join(missing)}", failures.REFUSED)
        job = {"type": kind.upper().replace("-", "_"), "args": list(ctx.obj or []), "files": [str(f.resolve()) for f in files],
               "user": user, "queue": queue}
        wanted["emr_schedule_job"] = {key: value for key, value in job.items() if value}
    found = run("schedule", wanted, quiet).data.get("schedule", {})
    emit(found, output, views_flow.schedule(name, found))


@app.command("list")
def list_schedules(name: str = NAME, region: str = REGION, output: Format = OUTPUT, quiet: bool = QUIET) -> None:
    """List the schedules with their last and next runs."""
    found = run("schedule", {"emr_name": name, "emr_region": region, "emr_schedule_op": "list"}, quiet).data.get("schedules", [])
    emit(found, output, views_flow.schedules(found))


@app.command()
def show(name: str = NAME, schedule: str = SCHEDULE, region: str = REGION, output: Format = OUTPUT, quiet: bool = QUIET) -> None:
    """Show a schedule and its last runs."""
    _do("show", name, schedule, region, output, quiet)


@app.command()
def pause(name: str = NAME, schedule: str = SCHEDULE, region: str = REGION, output: Format = OUTPUT, quiet: bool = QUIET) -> None:
    """Switch a schedule off; flows that it has started go on."""
    _do("pause", name, schedule, region, output, quiet)


@app.command()
def resume(name: str = NAME, schedule: str = SCHEDULE, region: str = REGION, output: Format = OUTPUT, quiet: bool = QUIET) -> None:
    """Switch a schedule on again. Runs that were due meanwhile are not made up for."""
    _do("resume", name, schedule, region, output, quiet)


@app.command()
def remove(name: str = NAME, schedule: str = SCHEDULE, region: str = REGION, output: Format = OUTPUT, quiet: bool = QUIET) -> None:
    """Remove a schedule; flows that it has started go on."""
    _do("remove", name, schedule, region, output, quiet)


def _do(operation: str, name: str, schedule: str, region: str | None, output: Format, quiet: bool) -> None:
    wanted = {"emr_name": name, "emr_region": region, "emr_schedule_op": operation, "emr_schedule": schedule}
    found = run("schedule", wanted, quiet).data.get("schedule", {})
    emit(found, output, views_flow.schedule(name, found))
