"""`emrctl bench`: how fast a cluster is and what that costs, with answers that were checked; results that can be compared."""
from __future__ import annotations

import json
from pathlib import Path

import typer

from ansible_collections.emr.cluster.plugins.module_utils.domain.bench import request, results
from ansible_collections.emr.cluster.plugins.module_utils.domain.errors import EmrError
from emrctl import failures, views
from emrctl.job_options import QUEUE, USER, terminal
from emrctl.verbs import NAME, OUTPUT, QUIET, REGION, Format, attempt, emit, pairs, run, stop

READS = ("list", "show", "compare")
WHAT = typer.Argument(metavar="WHAT", help=f"What to measure: {', '.join(request.KINDS)}; or {', '.join(READS)}.")
RUNS = typer.Argument(None, metavar="[RUN]...", help="Runs to show or compare: ids, or files with what `show -o json` printed.", show_default=False)
SCALE = typer.Option(None, "--scale", help="Amount of data: 1 is about 1 GB, 0.01 the least (default 1).", show_default=False)
STREAMS = typer.Option(None, "--streams", help="How many ask all queries at the same time (tpch; default 1).", show_default=False)
ROUNDS = typer.Option(None, "--rounds", help="How often all of it is measured; the best of each step counts (default 1).", show_default=False)
LABEL = typer.Option(None, "--label", help="A word for people that tells this run from others.", show_default=False)
PROPERTIES = terminal("properties")
DETACH = typer.Option(False, "--no-wait", help="Leave when the job is submitted.")


def bench(name: str = NAME, what: str = WHAT, runs: list[str] = RUNS, scale: str = SCALE, streams: str = STREAMS, rounds: str = ROUNDS,
          label: str = LABEL, properties: list[str] = PROPERTIES, user: str = USER, queue: str = QUEUE, no_wait: bool = DETACH,
          region: str = REGION, output: Format = OUTPUT, quiet: bool = QUIET) -> None:
    """Measure a cluster with TPC-H, TeraSort or DFSIO; list, show and compare such runs."""
    given = {"scale": scale, "streams": streams, "rounds": rounds, "label": label, "properties": pairs("--property", properties, "KEY=VALUE")}
    given = {key: value for key, value in given.items() if value not in (None, {})}
    wanted = {"emr_name": name, "emr_region": region, "emr_job_user": user}
    try:
        if what in READS:
            _read(what, runs or [], given, wanted, output, quiet)
            return
        if runs:
            failures.fail(f"{runs[0]}: {what} takes no runs", failures.USAGE)
        request.checked(what, given)
    except EmrError as error:
        failures.fail(str(error), error.exit_code)
    _measure(what, {**wanted, "emr_bench_options": given, "emr_job_queue": queue}, not no_wait, output, quiet)


def _measure(kind: str, wanted: dict, wait: bool, output: Format, quiet: bool) -> None:
    """Run the benchmark; print its result, or without waiting its job. A wrong answer is a failure, and its result is shown."""
    from emrctl import views_bench

    done = attempt("bench", {**wanted, "emr_bench": kind, "emr_job_wait": wait}, quiet)
    job = done.data.get("job")
    if not job or not wait or done.cancelled:
        if job:
            emit(job, output, views.job(wanted["emr_name"], job))
        if not done.ok:
            stop(done)
        return
    read = {key: wanted[key] for key in ("emr_name", "emr_region", "emr_job_user")}
    shown = attempt("bench", {**read, "emr_bench": "show", "emr_bench_runs": [job["id"]]}, quiet)
    if shown.ok:
        found = shown.data["runs"][0]
        emit({**found, "summary": results.summary(found)}, output, views_bench.result(wanted["emr_name"], found))
    if not done.ok or not shown.ok:
        stop(done if not done.ok else shown)


def _read(what: str, runs: list, given: dict, wanted: dict, output: Format, quiet: bool) -> None:
    """List, show or compare results. Files are read here, runs on the cluster."""
    from emrctl import views_bench

    if given:
        failures.fail(f"--{'property' if 'properties' in given else next(iter(given))}: {what} measures nothing", failures.USAGE)
    if what == "list":
        if runs:
            failures.fail("list takes no runs. Next: emrctl bench NAME show RUN", failures.USAGE)
        found = run("bench", {**wanted, "emr_bench": "list"}, quiet).data["runs"]
        emit(found, output, views_bench.listing(found))
        return
    if len(runs) != {"show": 1, "compare": 2}[what]:
        failures.fail(f"{what} takes {'one run' if what == 'show' else 'two runs, the one before and the one after'}. Next: emrctl bench "
                      f"{wanted['emr_name']} list", failures.USAGE)
    files = {name: _file(name) for name in runs if not request.ID.match(name)}
    ids = [name for name in runs if name not in files]
    there = run("bench", {**wanted, "emr_bench": "show", "emr_bench_runs": ids}, quiet).data["runs"] if ids else []
    found = {**files, **{row["id"]: row for row in there}}
    if what == "show":
        emit({**found[runs[0]], "summary": results.summary(found[runs[0]])}, output, views_bench.result(wanted["emr_name"], found[runs[0]]))
        return
    compared = results.comparison(*(found[name] for name in runs))
    emit(compared, output, views_bench.comparison(compared))


def _file(name: str) -> dict:
    """A result in a file here. Leaves with 3 for what is neither an id nor such a file."""
    path = Path(name).expanduser()
    if not path.is_file():
        request.run_id(name)
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        results.brief(found)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        failures.fail(f"{name}: not the result of a run. Next: write one with emrctl bench NAME show RUN -o json >FILE", failures.REFUSED)
    return found
