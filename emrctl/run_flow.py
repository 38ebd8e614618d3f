"""`emrctl run-flow`: a cluster for one flow. It is released at the end, also when something failed."""
from __future__ import annotations

import sys
from pathlib import Path

import typer

from emrctl import failures, views, views_flow
from emrctl.cluster import SPEC
from emrctl.flow import FILE, PARAMETERS, TIME, ZONE, flow_file
from emrctl.output import duration
from emrctl.verbs import (
    CONFIRM,
    OUTPUT,
    QUIET,
    REGION,
    YES,
    Format,
    attempt,
    command_again,
    confirmed,
    emit,
    pairs,
    run,
    spec_vars,
)

PUT = typer.Option([], "--put", metavar="FILE=PATH", help="Put a local file or folder into HDFS first; repeatable.")
GET = typer.Option([], "--get", metavar="PATH[=FILE]", help="Fetch a file or folder from HDFS afterwards; repeatable.")
INTO = typer.Option(None, "--into", metavar="FOLDER", help="Folder for results and logs (default: the flow's name with -results).")
KEEP = typer.Option(False, "--keep", help="Do not release the cluster.")
KEEP_FAILED = typer.Option(False, "--keep-on-failure", help="Do not release the cluster if something fails.")


def run_flow(spec: Path = SPEC, file: Path = FILE, put: list[str] = PUT, get: list[str] = GET, into: Path = INTO,
             parameters: list[str] = PARAMETERS, time: str = TIME, zone: str = ZONE, keep: bool = KEEP, keep_failed: bool = KEEP_FAILED,
             yes: bool = YES, confirm: str = CONFIRM, region: str = REGION, output: Format = OUTPUT, quiet: bool = QUIET) -> None:
    """Create a cluster, run a flow on it, fetch results and logs, release it: also when something failed. Run again after any
    interruption. Exit code 0 when the flow succeeded, else 5."""
    path = flow_file(file)
    into = into or Path(f"{_name_of(path)}-results")
    wanted = {**spec_vars(spec), "emr_region": region, "emr_flow_file": path, "emr_flow_put": [_put(text) for text in put],
              "emr_flow_get": [_get(text) for text in get], "emr_flow_into": str(into.resolve()), "emr_flow_parameters": pairs("--param", parameters),
              "emr_flow_time": time, "emr_flow_zone": zone, "emr_keep": keep, "emr_keep_on_failure": keep_failed}
    wanted |= confirmed("run_flow", wanted, yes, confirm, quiet, views.plan)
    result = attempt("run_flow", wanted, quiet)
    data, name = result.data, result.data.get("name") or "NAME"
    if data.get("run"):
        emit({**data, "seconds": round(result.seconds, 1)}, output, _text(name, data, result.seconds))
    if result.ok:
        return
    print(failures.explain(result, command_again()), file=sys.stderr)
    if result.cancelled:
        _remains(name, region, quiet)
    if not data.get("run"):
        # It ended before its end, so nothing has been released.
        raise typer.Exit(result.exit_code)
    raise typer.Exit(failures.TASK_FAILED)


def _text(name: str, data: dict, seconds: float) -> str:
    """The flow, where its results are, and what has become of the cluster."""
    flow, ran = data.get("flow"), data["run"]
    lines = views_flow.flow(name, flow).splitlines() if flow else ["The flow did not start."]
    if not ran["kept"]:
        # Nobody can ask the cluster any more.
        lines = [line for line in lines if not line.lstrip().startswith(("Next:", "emrctl ", "Output:"))]
    if flow:
        lines.append(f"Results and logs: {ran['into']}")
    lines.append(f"Cluster {name} is still there and costs money. Next: emrctl release {name}" if ran["kept"] else
                 f"Cluster {name} is released, {duration(seconds)} after the beginning.")
    return "\n".join(lines)


def _remains(name: str, region: str | None, quiet: bool) -> None:
    """After an interruption: say what remains, and offer to release it."""
    print(f"Cluster {name} is still there and costs money, and its flow goes on if it has begun. The command above also releases it at the end.\n"
          f"To give it up: emrctl release {name}", file=sys.stderr)
    if not sys.stdin.isatty():
        return
    print(f"Release cluster {name} now? [y/N] ", end="", file=sys.stderr, flush=True)
    if sys.stdin.readline().strip().lower() in ("y", "yes"):
        run("release", {"emr_name": name, "emr_region": region, "emr_confirm": "yes"}, quiet)
        print(f"Cluster {name} is released.", file=sys.stderr)


def _name_of(path: str) -> str:
    """The flow's name, as far as it can be read; what is wrong with the file is told by the playbook."""
    from ansible_collections.emr.cluster.plugins.module_utils.domain.errors import SpecError
    from ansible_collections.emr.cluster.plugins.module_utils.domain.flows.definition import load_flow

    try:
        return load_flow(path)["name"]
    except SpecError as error:
        failures.fail(str(error), failures.REFUSED)


def _put(text: str) -> dict:
    local, mark, path = text.partition("=")
    if not mark or not path:
        failures.fail(f"--put {text}: expected FILE=PATH, such as flights.csv=/user/emr/flights.csv", failures.USAGE)
    return {"from": str(Path(local).resolve()), "to": path}


def _get(text: str) -> dict:
    path, _mark, local = text.partition("=")
    return {"from": path, "to": str(Path(local).resolve()) if local else path.rstrip("/").rsplit("/", 1)[-1]}
