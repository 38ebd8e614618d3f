"""Verbs on jobs. A job runs on the cluster and is recorded there, so it goes on when this terminal closes."""
from __future__ import annotations

from pathlib import Path

import typer

from emrctl import failures, views
from emrctl.verbs import NAME, OUTPUT, QUIET, REGION, Format, attempt, emit, run, stop

TYPES = ("MR", "HADOOP_STREAMING", "SPARK", "PYSPARK", "SPARK_SQL", "SPARK_STREAMING", "SHELL")
KIND = typer.Option(..., "--type", "-t", help=f"One of {', '.join(TYPES)}.")
FILES = typer.Option([], "--file", "-f", help="A file that the job needs; may be repeated.")
JOB_NAME = typer.Option(None, "--name", help="A name for people.")
WAIT = typer.Option(False, "--wait", "-w", help="Stay until it has ended.")
USER = typer.Option(None, "--user", help="Run as this user of the cluster (default: emr).")
QUEUE = typer.Option(None, "--queue", help="Run in this queue of YARN (default: the user's own).")
JOB = typer.Argument(help="The job's id.")
YARN = typer.Option(False, "--yarn", help="The logs of its YARN containers as well.")


def submit(ctx: typer.Context, name: str = NAME,
           kind: str = KIND, files: list[Path] = FILES, job_name: str = JOB_NAME, wait: bool = WAIT,
           user: str = USER, queue: str = QUEUE, region: str = REGION, output: Format = OUTPUT, quiet: bool = QUIET) -> None:
    """Run a program on the cluster. What follows -- are the program's own arguments."""
    kind = kind.upper().replace("-", "_")
    if kind not in TYPES:
        failures.fail(f"--type {kind}: expected one of {', '.join(TYPES)}", failures.USAGE)
    missing = [str(f) for f in files if not f.is_file()]
    if missing:
        failures.fail(f"no such file: {', '.join(missing)}", failures.REFUSED)
    wanted = {"emr_name": name, "emr_region": region, "emr_job_type": kind, "emr_job_args": list(ctx.obj or []),
              "emr_job_files": [str(f.resolve()) for f in files], "emr_job_name": job_name, "emr_job_wait": wait,
              "emr_job_user": user, "emr_job_queue": queue}
    result = attempt("submit", wanted, quiet)
    job = result.data.get("job")
    if job:
        emit(job, output, views.job(name, job))
    if not result.ok:
        stop(result)
    if job and wait and job.get("state") != "SUCCEEDED":
        raise typer.Exit(failures.TASK_FAILED)


def jobs(name: str = NAME, region: str = REGION, output: Format = OUTPUT, quiet: bool = QUIET) -> None:
    """List the cluster's jobs, the newest first."""
    data = run("jobs", {"emr_name": name, "emr_region": region}, quiet).data
    found = data.get("jobs", [])
    emit(found, output, views.jobs(found))


def logs(name: str = NAME, job: str = JOB, yarn: bool = YARN, region: str = REGION, output: Format = OUTPUT,
         quiet: bool = QUIET) -> None:
    """Print a job's output."""
    wanted = {"emr_name": name, "emr_region": region, "emr_job_id": job, "emr_job_yarn": yarn}
    data = run("logs", wanted, quiet).data
    emit(data, output, str(data.get("log", "")))


def kill(name: str = NAME, job: str = JOB, region: str = REGION, output: Format = OUTPUT, quiet: bool = QUIET) -> None:
    """Stop a running job and its YARN applications."""
    found = run("kill", {"emr_name": name, "emr_region": region, "emr_job_id": job}, quiet).data.get("job", {})
    emit(found, output, views.job(name, found))
