"""Verbs on jobs. A job runs on the cluster and is recorded there, so it goes on when this terminal closes."""
from __future__ import annotations

import shutil
import sys
from pathlib import Path

import typer

from emrctl import failures, views
from emrctl.job_options import TOKEN, signature, values
from emrctl.verbs import NAME, OUTPUT, QUIET, REGION, YES, Format, ask, attempt, emit, stop

# Options that are variables of the playbook themselves; the others are in emr_job_options.
VARIABLES = ("type", "files", "name", "user", "queue", "token")
WAIT = typer.Option(False, "--wait", "-w", help="Wait for the job; exit with 5 if it did not succeed.")
JOB = typer.Argument(help="The job's id.")
YARN = typer.Option(False, "--yarn", help="Also print the logs of its YARN containers.")
STATES = typer.Option([], "--state", help="List only jobs in this state; repeatable.")
KINDS = typer.Option([], "--type", "-t", help="List only jobs of this type; repeatable.")
USERS = typer.Option([], "--user", help="List only jobs of this user; repeatable.")
FROM = typer.Option(None, "--from", metavar="oss://…", help="Read the archive that `logs.oss` of the spec names, also after the release.")
app = typer.Typer(rich_markup_mode=None, pretty_exceptions_enable=False, no_args_is_help=True)


@app.callback()
def jobs() -> None:
    """The jobs of a cluster."""


def submit(ctx: typer.Context, name: str, wait: bool, region: str, output: Format, quiet: bool, **given) -> None:
    """Run a program on the cluster. What follows -- are the program's own arguments."""
    rows = values(given)
    own = {f"emr_job_{key}": rows.pop(key) for key in VARIABLES if key in rows}
    _follow("submit", name, {"emr_name": name, "emr_region": region, "emr_job_args": list(ctx.obj or []), "emr_job_wait": wait, **own,
                             "emr_job_options": rows}, output, quiet)


submit.__signature__, submit.__annotations__ = signature({"wait": (bool, WAIT), "region": (str, REGION), "output": (Format, OUTPUT),
                                                           "quiet": (bool, QUIET)}), {}


def _follow(playbook: str, name: str, wanted: dict, output: Format, quiet: bool) -> None:
    """Run a playbook that starts or awaits a job; print the job, and leave with 5 when it was awaited and did not succeed."""
    result = _attempt(playbook, wanted, quiet)
    job = result.data.get("job")
    if result.cancelled and job:
        print(f"Job {job['id']} is still running. Show it: emrctl jobs show {name} {job['id']}   wait for it: emrctl jobs wait {name} "
              f"{job['id']}   stop it: emrctl jobs kill {name} {job['id']}", file=sys.stderr)
        raise typer.Exit(failures.CANCELLED)
    if job:
        emit(job, output, views.job(name, job))
    if not result.ok:
        stop(result)
    if job and wanted.get("emr_job_wait", True) and job.get("state") != "SUCCEEDED":
        raise typer.Exit(failures.TASK_FAILED)


def _attempt(playbook: str, wanted: dict, quiet: bool):
    """Run a playbook on the master as it was found a short while ago; when nobody answers there, as it is found now."""
    result = attempt(playbook, wanted, quiet)
    if result.exit_code == failures.UNREACHABLE and not result.data.get("job"):
        result = attempt(playbook, {**wanted, "emr_remember": 0}, quiet)
    return result


def _run(playbook: str, wanted: dict, quiet: bool):
    """Like ``_attempt``; leaves with its exit code when it fails."""
    result = _attempt(playbook, wanted, quiet)
    if not result.ok:
        stop(result)
    return result


def _archive(address: str, name: str, region: str | None):
    from emrctl.job_archive import Archive

    return Archive(address, name, region)


@app.command("list")
def list_jobs(name: str = NAME, state: list[str] = STATES, kind: list[str] = KINDS, user: list[str] = USERS,
              job_name: str = typer.Option(None, "--name", help="List only jobs of this name; * and ? are wildcards."),
              since: str = typer.Option(None, "--since", help="List only jobs since then: 2h ago, or a time such as 2026-11-26."),
              limit: int = typer.Option(None, "--limit", min=1, help="Show at most this many jobs (default: 200)."),
              archive: str = FROM, region: str = REGION, output: Format = OUTPUT, quiet: bool = QUIET) -> None:
    """List the jobs, the newest first."""
    if archive:
        if state or kind or user or job_name or since or limit:
            failures.fail("--from lists all jobs and takes no filters", failures.USAGE)
        found = _archive(archive, name, region).jobs()
        emit(found, output, views.jobs(found))
        return
    wanted = {"state": state, "kind": kind, "owner": user, "name_like": job_name, "since": since, "limit": limit}
    data = _run("jobs_list", {"emr_name": name, "emr_region": region,
                             "emr_job_filters": {key: value for key, value in wanted.items() if value}}, quiet).data
    found = data.get("jobs", [])
    emit(found, output, views.jobs(found))


@app.command()
def show(name: str = NAME, job: str = JOB, archive: str = FROM, region: str = REGION, output: Format = OUTPUT,
         quiet: bool = QUIET) -> None:
    """Show all that is known of a job."""
    wanted = {"emr_name": name, "emr_region": region, "emr_job_id": job}
    found = _archive(archive, name, region).job(job) if archive else _run("jobs_show", wanted, quiet).data.get("job", {})
    emit(found, output, views.job_details(name, found))


@app.command()
def wait(name: str = NAME, job: str = JOB, region: str = REGION, output: Format = OUTPUT, quiet: bool = QUIET) -> None:
    """Wait until a job has ended. Exit code 5 if it did not succeed."""
    _follow("jobs_wait", name, {"emr_name": name, "emr_region": region, "emr_job_id": job}, output, quiet)


@app.command()
def logs(name: str = NAME, job: str = JOB, yarn: bool = YARN,
         number: int = typer.Option(None, "--attempt", min=1, help="Print this attempt instead of the last one."), archive: str = FROM,
         region: str = REGION, output: Format = OUTPUT, quiet: bool = QUIET) -> None:
    """Print a job's output. For a failed job it ends with the program's own error."""
    wanted = {"emr_name": name, "emr_region": region, "emr_job_id": job, "emr_job_yarn": yarn, "emr_job_attempt": number}
    data = _archive(archive, name, region).logs(job, yarn) if archive else _run("jobs_logs", wanted, quiet).data
    path, parts = data.pop("log_file", ""), data.pop("log_parts", {})
    if path and output is Format.table:
        with open(path, "rb") as source:
            Path(path).unlink()
            shutil.copyfileobj(source, sys.stdout.buffer)
        sys.stdout.flush()
        return
    if path:
        raw = Path(path).read_bytes()
        Path(path).unlink()
        err, out = parts["stderr"], parts["stderr"] + parts["stdout"]
        data.update({name: text.decode(errors="replace") for name, text in (("log", raw), ("stderr", raw[:err]), ("stdout", raw[err:out]))})
    emit(data, output, str(data.get("log", "")))


@app.command()
def kill(name: str = NAME, job: str = JOB, region: str = REGION, output: Format = OUTPUT, quiet: bool = QUIET) -> None:
    """Stop a job and its YARN applications for good."""
    found = _run("jobs_kill", {"emr_name": name, "emr_region": region, "emr_job_id": job}, quiet).data.get("job", {})
    emit(found, output, views.job(name, found))


@app.command()
def retry(name: str = NAME, job: str = JOB, wait: bool = WAIT, token: str = TOKEN, region: str = REGION, output: Format = OUTPUT,
          quiet: bool = QUIET) -> None:
    """Retry a job that has ended, as a new job with the same request and files."""
    _follow("jobs_retry", name, {"emr_name": name, "emr_region": region, "emr_job_id": job, "emr_job_token": token, "emr_job_wait": wait},
            output, quiet)


@app.command()
def prune(name: str = NAME, older_than: str = typer.Option(None, "--older-than", help="Delete records of jobs that ended longer ago, such as 30d."),
          keep: int = typer.Option(None, "--keep", min=0, help="Keep this many of the newest records."), yes: bool = YES,
          region: str = REGION, output: Format = OUTPUT, quiet: bool = QUIET) -> None:
    """Delete records and logs of jobs that have ended: by default those older than 90 days, and all but the newest 1000."""
    if not yes:
        ask(f"Delete records of jobs of cluster {name}?")
    wanted = {"emr_name": name, "emr_region": region, "emr_job_older_than": older_than, "emr_job_keep": keep}
    gone = _run("jobs_prune", wanted, quiet).data.get("pruned", [])
    emit({"pruned": gone}, output, f"{len(gone)} records deleted.")
