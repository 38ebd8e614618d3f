"""`emrctl metrics` and `emrctl top`: figures that the cluster keeps of itself."""
from __future__ import annotations

import json
import sys

import typer

from emrctl import failures
from emrctl.verbs import NAME, OUTPUT, QUIET, REGION, Format, attempt, emit, run, stop

QUERY = typer.Argument(help="Query in PromQL, such as 'up' or 'sum by (queue) (queue_metrics_apps_running)'.")
SINCE = typer.Option(None, "--since", help="Show how the values went over this time, such as 6h or 7d; without it, the values of now.")
EVERY = typer.Option(5.0, "--every", min=1.0, help="Look again after so many seconds.")
ONCE = typer.Option(False, "--once", help="Look once; so without a terminal.")
SORT = typer.Option("node", "--sort", help="Sort the nodes by this column: node, cpu, memory, disk, received, sent or load.")


def metrics(name: str = NAME, query: str = QUERY, since: str = SINCE, region: str = REGION, output: Format = OUTPUT, quiet: bool = QUIET) -> None:
    """Ask for the figures of a cluster: the values of now as a table, or over a time as a chart."""
    from emrctl import views_metrics

    data = run("metrics", {"emr_name": name, "emr_region": region, "emr_metrics_query": query, "emr_metrics_since": since}, quiet).data
    if not data["series"]:
        print(f"There are no such series. `emrctl metrics {name} up` shows what is asked for figures.", file=sys.stderr)
    emit(data["series"], output, views_metrics.answer(data))
    if data["left_out"]:
        print(f"{data['left_out']:,} further series are left out. Narrow the query, with topk(10, …) or sum by (node) (…).", file=sys.stderr)


def top(name: str = NAME, every: float = EVERY, once: bool = ONCE, sort: str = SORT, region: str = REGION, output: Format = OUTPUT,
        quiet: bool = QUIET) -> None:
    """Watch a cluster live: nodes, HDFS, queues, applications and alerts. Keys: q quit, s sort, r reverse, / filter."""
    from emrctl import views_metrics
    from emrctl.screen import Screen

    if sort not in views_metrics.SORTS:
        failures.fail(f"--sort {sort}: there is no such column. Columns are {', '.join(views_metrics.SORTS)}", failures.USAGE)
    wanted = {"emr_name": name, "emr_region": region, "emr_metrics_every_s": every}
    view = views_metrics.View(name, sort)
    if once or output is not Format.table or not (sys.stdin.isatty() and sys.stdout.isatty()):
        look = run("metrics", wanted, quiet).data["look"]
        emit(views_metrics.rows(look), output, view.text(look))
        return
    with Screen(view) as screen:
        result = attempt("metrics", {**wanted, "emr_metrics_follow": True}, True, lambda line: screen.show(json.loads(line)))
    if not result.ok and not result.cancelled:
        stop(result)
