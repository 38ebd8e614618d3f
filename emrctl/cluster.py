"""Verbs on clusters. Each is one playbook of the collection; the text forms of their results are in views.py."""
from __future__ import annotations

from pathlib import Path

import typer

from emrctl import failures, views
from emrctl.verbs import (
    CONFIRM,
    NAME,
    OUTPUT,
    QUIET,
    REGION,
    YES,
    Format,
    ask,
    attempt,
    confirmed,
    counters,
    emit,
    run,
    spec_vars,
    stop,
)

SPEC = typer.Argument(help="The cluster's spec, or - for standard input.")


GATE = typer.Option(False, "--gate", help=f"Leave with {failures.CHANGES} when create would buy or change something, with 0 when "
                    "all is as the spec wants it.")


def plan(spec: Path = SPEC, gate: bool = GATE, output: Format = OUTPUT, quiet: bool = QUIET) -> None:
    """Show what create would do to each node, the price now and after, and what the cluster will offer."""
    data = run("plan", spec_vars(spec), quiet).data
    emit(data.get("plan", data), output, views.plan(data))
    if gate and not data.get("plan", data).get("empty", True):
        raise typer.Exit(failures.CHANGES)


def create(spec: Path = SPEC, yes: bool = YES, confirm: str = CONFIRM, output: Format = OUTPUT,
           quiet: bool = QUIET) -> None:
    """Buy what is missing of the cluster and make it ready. Run again after any interruption."""
    wanted = spec_vars(spec)
    wanted |= confirmed("create", wanted, yes, confirm, quiet, views.plan)
    result = run("create", wanted, quiet)
    emit({**result.data, "stats": counters(result), "seconds": round(result.seconds, 1)}, output,
         views.created(result.data, result.seconds))


def release(name: str = NAME, yes: bool = YES, confirm: str = CONFIRM, region: str = REGION, output: Format = OUTPUT,
            quiet: bool = QUIET) -> None:
    """Give all instances of the cluster back, with their data, and everything bought with them."""
    wanted = {"emr_name": name, "emr_region": region}
    wanted |= confirmed("release", wanted, yes, confirm, quiet, views.plan)
    result = run("release", wanted, quiet)
    emit(result.data, output, f"Cluster {name} is released.")


def start(name: str = NAME, region: str = REGION, output: Format = OUTPUT, quiet: bool = QUIET) -> None:
    """Start the cluster's instances and daemons."""
    result = run("start", {"emr_name": name, "emr_region": region, "emr_confirm": "yes"}, quiet)
    emit(result.data, output, f"Cluster {name} is started.")


def stop_cluster(name: str = NAME, yes: bool = YES, region: str = REGION, output: Format = OUTPUT,
                 quiet: bool = QUIET) -> None:
    """Stop the cluster's daemons and instances; its data stays on the disks."""
    if not yes:
        ask(f"Stop cluster {name}? Its running jobs are lost.")
    result = run("stop", {"emr_name": name, "emr_region": region, "emr_confirm": "yes"}, quiet)
    emit(result.data, output, f"Cluster {name} is stopped. Next: emrctl start {name}")


def status(name: str = NAME, region: str = REGION, output: Format = OUTPUT, quiet: bool = QUIET) -> None:
    """Show each daemon's state and the health of HDFS and YARN. Exit code 5 when something is down."""
    result = attempt("status", {"emr_name": name, "emr_region": region}, quiet)
    if result.data.get("components"):
        emit(result.data, output, views.status(result.data))
    if not result.ok:
        stop(result)


def show(name: str = NAME, what: str = typer.Argument("spec", help="spec, config, nodes or links."),
         origin: bool = typer.Option(False, "--origin", help="With config: where each value comes from."),
         node: str = typer.Option(None, "--node", help="With config: of this node (default: the first master)."),
         region: str = REGION, output: Format = OUTPUT, quiet: bool = QUIET) -> None:
    """Show the cluster's spec, its effective configuration, its nodes or its web pages."""
    wanted = {"emr_name": name, "emr_region": region, "emr_show": what, "emr_show_node": node}
    data = run("show", wanted, quiet).data
    part = data.get(what, data)
    emit(part, output, views.shown(what, part, origin))
