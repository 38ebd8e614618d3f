"""Verbs on clusters. Each is one playbook of the collection; the text forms of their results are in views.py."""
from __future__ import annotations

import sys
from pathlib import Path

import typer

from emrctl import failures, views, views_health, views_operate
from emrctl.verbs import (
    CONFIRM,
    NAME,
    OUTPUT,
    QUIET,
    REGION,
    YES,
    Format,
    attempt,
    confirmed,
    emit,
    finish,
    run,
    spec_vars,
    stop,
)

SHOWN = ("spec", "config", "nodes", "links")
SPEC = typer.Argument(help="The cluster's spec, or - for standard input.")
KEEP_LOGS = typer.Option(True, "--logs/--no-logs", help="First copy the last logs of jobs to `logs.oss` of the spec, if it is set.")
GATE = typer.Option(False, "--gate", help=f"Exit with {failures.CHANGES} if create would buy or change something, with 0 if "
                    "everything is as the spec wants it.")


def plan(spec: Path = SPEC, gate: bool = GATE, output: Format = OUTPUT, quiet: bool = QUIET) -> None:
    """Show what create would do: to each node, the price now and after, and what the cluster will offer."""
    data = run("plan", spec_vars(spec), quiet).data
    emit(data.get("plan", data), output, views.plan(data))
    if gate and not data.get("plan", data).get("empty", True):
        raise typer.Exit(failures.CHANGES)


def create(spec: Path = SPEC, yes: bool = YES, confirm: str = CONFIRM, output: Format = OUTPUT,
           quiet: bool = QUIET) -> None:
    """Create the cluster: buy what is missing and make it ready. Run again after any interruption."""
    wanted = spec_vars(spec)
    wanted |= confirmed("create", wanted, yes, confirm, quiet, views.plan)
    result = run("create", wanted, quiet)
    finish(result, output, views.created(result.data, result.seconds))


def release(name: str = NAME, logs: bool = KEEP_LOGS, yes: bool = YES, confirm: str = CONFIRM, region: str = REGION, output: Format = OUTPUT,
            quiet: bool = QUIET) -> None:
    """Release the whole cluster: all instances with their data, and everything bought with them."""
    wanted = {"emr_name": name, "emr_region": region, "emr_keep_logs": logs}
    wanted |= confirmed("release", wanted, yes, confirm, quiet, views.plan)
    result = run("release", wanted, quiet)
    emit(result.data, output, f"Cluster {name} is released.")


def status(name: str = NAME, region: str = REGION, output: Format = OUTPUT, quiet: bool = QUIET) -> None:
    """Show each daemon's state and the health of HDFS and YARN. Exit code 5 if something is down."""
    result = attempt("status", {"emr_name": name, "emr_region": region}, quiet)
    if result.data.get("state") == "stopped":
        emit(result.data, output, views_operate.standing(result.data))
    elif result.data.get("state") == "unfinished" and output is not Format.table:
        emit(result.data, output)
    elif result.data.get("components"):
        emit(result.data, output, views_health.status(result.data, name))
    if result.data.get("warned"):
        from emrctl.listing import warning

        print(f"emrctl: {warning(result.data['warned'])}. Next: emrctl maintain {name} --dry-run", file=sys.stderr)
    if not result.ok:
        stop(result)


def show(name: str = NAME, what: str = typer.Argument("spec", help="spec, config, nodes or links."),
         origin: bool = typer.Option(False, "--origin", help="With config: show where each value comes from."),
         node: str = typer.Option(None, "--node", help="With config: show this node (default: the control node)."),
         region: str = REGION, output: Format = OUTPUT, quiet: bool = QUIET) -> None:
    """Show the cluster's spec, configuration, nodes or web pages."""
    if what not in SHOWN:
        failures.fail(f"{what}: expected one of {', '.join(SHOWN)}. Next: emrctl show {name} {SHOWN[0]}", failures.USAGE)
    wanted = {"emr_name": name, "emr_region": region, "emr_show_node": node}
    data = run("show", wanted, quiet).data
    part = data.get(what, data)
    emit(part, output, views.shown(what, part, origin))
