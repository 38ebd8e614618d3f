"""What all verbs share: options, running a playbook with progress, printing its result, confirming a change."""
from __future__ import annotations

import sys
from pathlib import Path

import typer

from emrctl import failures
from emrctl.output import Format, emit

OUTPUT = typer.Option(Format.table, "-o", "--output", help="Format of the data on stdout.")
REGION = typer.Option(None, "--region", help="Region of the cluster (default: ALIBABA_CLOUD_REGION_ID).")
YES = typer.Option(False, "-y", "--yes", help="Skip the confirmation.")
CONFIRM = typer.Option(None, "--confirm", metavar="DIGEST", help="Carry out the plan with this digest, and no other.")
QUIET = typer.Option(False, "-q", "--quiet", help="Show no progress.")
NAME = typer.Argument(help="Name of the cluster.")


def run(playbook: str, extra_vars: dict, quiet: bool = False):
    """Run ``playbook`` with progress on stderr; leaves with its exit code (module failures) when it fails."""
    result = attempt(playbook, extra_vars, quiet)
    if not result.ok:
        stop(result)
    return result


def attempt(playbook: str, extra_vars: dict, quiet: bool = False, reads=None):
    """Like ``run``, but the caller looks at ``result.ok``; ``reads`` as in ``runner.run_playbook``."""
    from emrctl import progress, runner

    wanted = {key: value for key, value in extra_vars.items() if value is not None}
    more = {"reads": reads} if reads else {}
    return runner.run_playbook(playbook, wanted, watch=progress.make(playbook, quiet=quiet), **more)


def stop(result) -> None:
    """Explain a failed result on stderr and leave with its exit code."""
    print(failures.explain(result, command_again()), file=sys.stderr)
    raise typer.Exit(result.exit_code)


def command_again() -> str:
    """The command line of this process, to be shown as what to run next."""
    import shlex

    return shlex.join(["emrctl", *sys.argv[1:]])


def pairs(flag: str, rows: list[str], form: str = "NAME=VALUE") -> dict:
    """Options of this form as a dictionary; leaves with 2 for one without =."""
    wrong = [row for row in rows if "=" not in row]
    if wrong:
        failures.fail(f"{flag} {wrong[0]}: expected {form}", failures.USAGE)
    return dict(row.split("=", 1) for row in rows)


def spec_vars(spec: Path) -> dict:
    """Extra vars for a spec file, ``-`` being standard input. Leaves with 3 when there is no such file."""
    if str(spec) == "-":
        return {"emr_spec": sys.stdin.read()}
    if not spec.is_file():
        failures.fail(f"{spec}: no such file. Next: write one (see docs/, or `emrctl local example > cluster.yml`)",
                      failures.REFUSED)
    return {"emr_spec_file": str(spec.resolve())}


def confirmed(playbook: str, extra_vars: dict, yes: bool, digest: str | None, quiet: bool, show, always: bool = False) -> dict:
    """``emr_confirm`` for a change: at once with --yes or --confirm; else the plan is made, shown and asked for.

    ``show(data)`` gives the plan as text. A plan that buys and deletes nothing needs no answer, unless ``always`` is set: then
    every change does. Leaves with 3 when not confirmed.
    """
    if yes or digest:
        return {"emr_confirm": digest or "yes"}
    data = run(playbook, {**extra_vars, "emr_plan_only": True}, quiet).data
    plan = data.get("plan") or {}
    print(show(data), file=sys.stderr)
    found = str(plan.get("digest") or "yes")
    if plan.get("buy") or plan.get("release") or plan.get("networks") or plan.get("leave") or (always and not plan.get("empty")):
        ask("Go on?", f"or, for exactly this plan: {command_again()} --confirm {found}")
    return {"emr_confirm": found}


def ask(question: str, hint: str = "") -> None:
    """Put a question at the terminal; leaves with 3 when the answer is no or nobody is there."""
    if not sys.stdin.isatty():
        print(f"Not confirmed; nothing was changed. Next: {command_again()} --yes", *([f"  {hint}"] if hint else []),
              sep="\n", file=sys.stderr)
        raise typer.Exit(failures.REFUSED)
    print(f"{question} [y/N] ", end="", file=sys.stderr, flush=True)
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        print("Not confirmed; nothing was changed.", file=sys.stderr)
        raise typer.Exit(failures.REFUSED)


def counters(result) -> dict:
    """``{host: {ok, changed, failed, unreachable}}`` of a run."""
    names = {"ok": "ok", "changed": "changed", "failures": "failed", "dark": "unreachable"}
    hosts = sorted({host for key in names for host in result.stats.get(key, {})})
    return {h: {to: result.stats.get(key, {}).get(h, 0) for key, to in names.items()} for h in hosts}


def finish(result, output: Format, text: str) -> None:
    """Print what a run that changed the cluster gave, with its counters and how long it took."""
    emit({**result.data, "stats": counters(result), "seconds": round(result.seconds, 1)}, output, text)


__all__ = [
    "CONFIRM",
    "NAME",
    "OUTPUT",
    "QUIET",
    "REGION",
    "YES",
    "Format",
    "ask",
    "attempt",
    "confirmed",
    "counters",
    "emit",
    "finish",
    "pairs",
    "run",
    "spec_vars",
    "stop",
]
