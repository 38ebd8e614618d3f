"""`emrctl flow`: jobs that wait for each other. A flow runs on the cluster, so it goes on when this terminal closes."""
from __future__ import annotations

from pathlib import Path

import typer

from emrctl import failures, views_flow
from emrctl.verbs import NAME, OUTPUT, QUIET, REGION, Format, attempt, emit, pairs, run, stop

app = typer.Typer(rich_markup_mode=None, pretty_exceptions_enable=False, no_args_is_help=True)
FLOW = typer.Argument(help="The flow's id.")
FILE = typer.Argument(help="The flow file.")
WAIT = typer.Option(False, "--wait", "-w", help="Wait until it has ended; exit with 5 if it did not succeed.")
PARAMETERS = typer.Option([], "--param", "-p", metavar="NAME=VALUE", help="Value for ${NAME}; repeatable.")
TIME = typer.Option(None, "--time", metavar="DATE", help="Date that times such as ${yyyyMMdd-1} refer to (default: now).")
ZONE = typer.Option(None, "--zone", help="Time zone of that date, such as Asia/Shanghai (default: that of the hosts).")


@app.callback()
def flows() -> None:
    """Jobs that wait for each other."""


@app.command("run")
def run_flow(name: str = NAME, file: Path = FILE, wait: bool = WAIT, parameters: list[str] = PARAMETERS, time: str = TIME,
             zone: str = ZONE, token: str = typer.Option(None, "--token", help="Idempotency key: one run per token."),
             region: str = REGION, output: Format = OUTPUT, quiet: bool = QUIET) -> None:
    """Run a flow on the cluster."""
    wanted = {"emr_name": name, "emr_region": region, "emr_flow_op": "run", "emr_flow_file": flow_file(file), "emr_flow_wait": wait,
              "emr_flow_parameters": pairs("--param", parameters), "emr_flow_time": time, "emr_flow_zone": zone, "emr_flow_token": token}
    _told(name, attempt("flow", wanted, quiet), output, wait)


@app.command("list")
def list_flows(name: str = NAME, region: str = REGION, output: Format = OUTPUT, quiet: bool = QUIET) -> None:
    """List the cluster's flows, the newest first."""
    found = run("flow", {"emr_name": name, "emr_region": region, "emr_flow_op": "list"}, quiet).data.get("flows", [])
    emit(found, output, views_flow.flows(found))


@app.command()
def show(name: str = NAME, flow: str = FLOW, wait: bool = WAIT, region: str = REGION, output: Format = OUTPUT,
         quiet: bool = QUIET) -> None:
    """Show a flow: its jobs as a tree, with their states."""
    wanted = {"emr_name": name, "emr_region": region, "emr_flow_op": "show", "emr_flow_id": flow, "emr_flow_wait": wait}
    _told(name, attempt("flow", wanted, quiet), output, wait)


@app.command()
def logs(name: str = NAME, flow: str = FLOW, job: str = typer.Option(None, "--job", help="Print the logs of this job only."), region: str = REGION,
         output: Format = OUTPUT, quiet: bool = QUIET) -> None:
    """Print the output of a flow's jobs."""
    wanted = {"emr_name": name, "emr_region": region, "emr_flow_op": "logs", "emr_flow_id": flow, "emr_flow_job": job}
    data = run("flow", wanted, quiet).data
    emit(data, output, views_flow.logs(data))


@app.command()
def retry(name: str = NAME, flow: str = FLOW, wait: bool = WAIT, region: str = REGION, output: Format = OUTPUT,
          quiet: bool = QUIET) -> None:
    """Retry a failed or killed flow from what failed; jobs that succeeded do not run again."""
    wanted = {"emr_name": name, "emr_region": region, "emr_flow_op": "retry", "emr_flow_id": flow, "emr_flow_wait": wait}
    _told(name, attempt("flow", wanted, quiet), output, wait)


@app.command()
def kill(name: str = NAME, flow: str = FLOW, region: str = REGION, output: Format = OUTPUT, quiet: bool = QUIET) -> None:
    """Stop a flow and its running jobs."""
    wanted = {"emr_name": name, "emr_region": region, "emr_flow_op": "kill", "emr_flow_id": flow}
    _told(name, attempt("flow", wanted, quiet), output, False)


def _told(name: str, result, output: Format, wait: bool) -> None:
    """Print the flow; leaves with the exit code of a failed run, or of a flow that was waited for and did not succeed."""
    found = result.data.get("flow")
    if found:
        emit(found, output, views_flow.flow(name, found))
    if not result.ok:
        stop(result)
    if found and wait and found["state"] != "SUCCEEDED":
        raise typer.Exit(failures.TASK_FAILED)


def flow_file(file: Path) -> str:
    """Absolute path of a flow file. Leaves with 3 when there is none."""
    if not file.is_file():
        failures.fail(f"{file}: no such file. Next: write one (see docs/flows.md)", failures.REFUSED)
    return str(file.resolve())
