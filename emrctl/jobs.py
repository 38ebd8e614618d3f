"""Verbs on jobs. A job runs on the cluster and is recorded there, so it goes on when this terminal closes."""
from __future__ import annotations

import shutil
import sys
from pathlib import Path

import typer

from emrctl import failures, views
from emrctl.verbs import NAME, OUTPUT, QUIET, REGION, YES, Format, ask, attempt, emit, stop

TYPES = ("MR", "HADOOP_STREAMING", "SPARK", "PYSPARK", "SPARK_SQL", "SPARK_STREAMING", "SHELL")
KIND = typer.Option(..., "--type", "-t", help=f"One of {', '.join(TYPES)}.")
FILES = typer.Option([], "--file", "-f", help="File that the job needs: here, or at hdfs:// or oss://; repeatable, like the next three.")
JARS = typer.Option([], "--jar", help="Java library.")
PY_FILES = typer.Option([], "--py-file", help="Python module or package (.py, .zip, .egg).")
ARCHIVES = typer.Option([], "--archive", metavar="FILE[#NAME]", help="Archive to unpack as the folder NAME.")
PYTHON_ENV = typer.Option(None, "--python-env", metavar="FILE", help="Packed virtual environment with the job's Python.")
PROPERTIES = typer.Option([], "--property", "-p", metavar="KEY=VALUE", help="Set a key of Hadoop (-D) or Spark (--conf); repeatable.")
ENVIRONMENT = typer.Option([], "--env", "-e", metavar="NAME[=VALUE]", help="Set a variable; without a value, take it from this environment.")
PARAMETERS = typer.Option([], "--parameter", metavar="NAME=VALUE", help="Value for ${NAME} in arguments and queries; repeatable.")
TIME = typer.Option(None, "--time", help="Moment that ${yyyy-MM-dd} and the like refer to (default: now).")
ZONE = typer.Option(None, "--time-zone", help="Time zone of that moment, such as Asia/Shanghai (default: UTC).")
MEMORY = typer.Option(None, "--memory", help="Memory of each map, reduce or executor, such as 2g.")
CORES = typer.Option(None, "--cores", min=1, help="Cores of each map, reduce or executor.")
PRIORITY = typer.Option(None, "--priority", help="Priority in its queue; a larger number goes first.")
RETRIES = typer.Option(None, "--retries", help="Retries after a failure.")
INTERVAL = typer.Option(None, "--retry-interval", help="Pause before a retry, such as 5m (default: 30s).")
TIMEOUT = typer.Option(None, "--timeout", help="Longest time for one attempt, such as 2h.")
ON_FAILURE = typer.Option(None, "--on-failure", metavar="COMMAND", help="Command to run on the master after the last attempt has failed.")
KEEP = typer.Option(None, "--keep-running", help="For a stream: start it again after a failure and after a reboot of the master.")
TOKEN = typer.Option(None, "--token", help="Idempotency key: one job per token.")
JOB_NAME = typer.Option(None, "--name", help="Name of the job, for people.")
WAIT = typer.Option(False, "--wait", "-w", help="Wait for the job; exit with 5 if it did not succeed.")
USER = typer.Option(None, "--user", help="Run as this user of the cluster (default: emr).")
QUEUE = typer.Option(None, "--queue", help="Run in this queue of YARN (default: the user's own).")
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


def submit(ctx: typer.Context, name: str = NAME, kind: str = KIND, files: list[str] = FILES, jars: list[str] = JARS,
           py_files: list[str] = PY_FILES, archives: list[str] = ARCHIVES, python_env: str = PYTHON_ENV,
           properties: list[str] = PROPERTIES, environment: list[str] = ENVIRONMENT, memory: str = MEMORY, cores: int = CORES,
           user: str = USER, queue: str = QUEUE, priority: int = PRIORITY, parameters: list[str] = PARAMETERS, time: str = TIME,
           time_zone: str = ZONE, retries: int = RETRIES, retry_interval: str = INTERVAL, timeout: str = TIMEOUT,
           on_failure: str = ON_FAILURE, keep_running: bool = KEEP, token: str = TOKEN, job_name: str = JOB_NAME, wait: bool = WAIT,
           region: str = REGION, output: Format = OUTPUT, quiet: bool = QUIET) -> None:
    """Run a program on the cluster. What follows -- are the program's own arguments."""
    kind = kind.upper().replace("-", "_")
    if kind not in TYPES:
        failures.fail(f"--type {kind}: expected one of {', '.join(TYPES)}", failures.USAGE)
    options = {"jars": _places(jars), "py_files": _places(py_files), "archives": _places(archives),
               "python_env": _places([python_env])[0] if python_env else None, "properties": _pairs("--property", properties),
               "environment": dict(row.split("=", 1) if "=" in row else (row, None) for row in environment),
               "parameters": _pairs("--parameter", parameters), "time": time, "time_zone": time_zone, "memory": memory, "cores": cores,
               "priority": priority, "retries": retries, "retry_interval": retry_interval, "timeout": timeout,
               "on_failure": on_failure, "keep_running": keep_running}
    wanted = {"emr_name": name, "emr_region": region, "emr_job_type": kind, "emr_job_args": list(ctx.obj or []),
              "emr_job_files": _places(files), "emr_job_name": job_name, "emr_job_wait": wait, "emr_job_user": user,
              "emr_job_queue": queue, "emr_job_token": token,
              "emr_job_options": {key: value for key, value in options.items() if value not in (None, [], {})}}
    _follow("submit", name, wanted, output, quiet)


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


def _places(rows: list[str]) -> list[str]:
    """Files here by their whole paths; leaves with 3 when one is not there. What lies elsewhere stays as it is."""
    missing = [row for row in rows if "://" not in row and not Path(row.split("#")[0]).expanduser().is_file()]
    if missing:
        failures.fail(f"no such file: {', '.join(missing)}", failures.REFUSED)
    return [row if "://" in row else "#".join([str(Path(row.split("#")[0]).expanduser().resolve()), *row.split("#")[1:]]) for row in rows]


def _pairs(option: str, rows: list[str]) -> dict:
    wrong = [row for row in rows if "=" not in row]
    if wrong:
        failures.fail(f"{option} {wrong[0]}: expected NAME=VALUE", failures.USAGE)
    return dict(row.split("=", 1) for row in rows)


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
