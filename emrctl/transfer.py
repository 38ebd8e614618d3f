"""Data between the cluster's HDFS and the world outside: OSS and databases. Each transfer is a job of the cluster."""
from __future__ import annotations

from pathlib import Path

import typer

from emrctl import failures, life, views
from emrctl.jobs import JOB_NAME, QUEUE, USER, WAIT
from emrctl.verbs import NAME, OUTPUT, QUIET, REGION, Format, attempt, emit, stop

SOURCE = typer.Argument(help="Where the data is: oss://BUCKET/PATH, mysql://HOST/DATABASE or postgresql://HOST/DATABASE.")
TARGET = typer.Argument(help="Path in HDFS.")
FROM = typer.Argument(None, help="Path in HDFS; without it the cluster's spec is printed.", show_default=False)
TO = typer.Argument(None, help="Where to: oss://BUCKET/PATH, mysql://HOST/DATABASE or postgresql://HOST/DATABASE.", show_default=False)
CREDENTIALS = typer.Option(None, "--credentials", metavar="FILE",
                           help="File to sign on with, readable by you alone; chain: emrctl's own. Default: the environment.")
TOKEN = typer.Option(None, "--token", help="The same token submits once.")
# Options of OSS.
INCLUDE = typer.Option([], "--include", metavar="PATTERN", help="OSS: only files that match, for example '*.csv'; repeatable.")
EXCLUDE = typer.Option([], "--exclude", metavar="PATTERN", help="OSS: no files that match; repeatable.")
DELETE = typer.Option(None, "--delete", help="OSS: delete what the target has and the source has not.")
OVERWRITE = typer.Option(None, "--overwrite", help="OSS: copy files that are equal as well.")
VERIFY = typer.Option(None, "--verify", metavar="HOW", help="OSS: checksum (default), size or none.", show_default=False)
MAPS = typer.Option(None, "--maps", min=1, help="OSS: containers that copy at once, at most (default 20).", show_default=False)
BANDWIDTH = typer.Option(None, "--bandwidth", min=1, metavar="MB", help="OSS: MB per second of each container, at most.",
                         show_default=False)
ENDPOINT = typer.Option(None, "--endpoint", help="OSS: its endpoint, as the nodes reach it (default: the cluster's).",
                        show_default=False)


def import_(name: str = NAME, source: str = SOURCE, target: str = TARGET, include: list[str] = INCLUDE,
            exclude: list[str] = EXCLUDE, delete: bool = DELETE, overwrite: bool = OVERWRITE, verify: str = VERIFY,
            maps: int = MAPS, bandwidth: int = BANDWIDTH, endpoint: str = ENDPOINT, credentials: str = CREDENTIALS,
            user: str = USER, queue: str = QUEUE, job_name: str = JOB_NAME, token: str = TOKEN, wait: bool = WAIT,
            region: str = REGION, output: Format = OUTPUT, quiet: bool = QUIET) -> None:
    """Bring data into HDFS, from OSS or a database. Run again after a failure: only what is missing or differs is copied."""
    options = _oss(include, exclude, delete, overwrite, verify, maps, bandwidth, endpoint)
    _transfer("import", name, source, target, options, output, quiet, emr_credentials=credentials, emr_job_user=user, emr_job_queue=queue,
              emr_job_name=job_name, emr_job_token=token, emr_job_wait=wait, emr_region=region)


def export(name: str = NAME, source: str = FROM, target: str = TO, include: list[str] = INCLUDE, exclude: list[str] = EXCLUDE,
           delete: bool = DELETE, overwrite: bool = OVERWRITE, verify: str = VERIFY, maps: int = MAPS, bandwidth: int = BANDWIDTH,
           endpoint: str = ENDPOINT, credentials: str = CREDENTIALS, user: str = USER, queue: str = QUEUE,
           job_name: str = JOB_NAME, token: str = TOKEN, wait: bool = WAIT, revision: int = life.REVISION,
           file: Path = life.FILE, region: str = REGION, output: Format = OUTPUT, quiet: bool = QUIET) -> None:
    """Bring data out of HDFS, to OSS or into a database; with the cluster's name alone, print its spec."""
    if not source:
        life.export(name, revision, file, region, quiet)
        return
    if not target or revision or file:
        failures.fail("an export of data needs a source and a target, and neither --revision nor --file. Next: emrctl export "
                      f"{name} {source} oss://BUCKET/PATH", failures.USAGE)
    options = _oss(include, exclude, delete, overwrite, verify, maps, bandwidth, endpoint)
    _transfer("export", name, source, target, options, output, quiet, emr_credentials=credentials, emr_job_user=user, emr_job_queue=queue,
              emr_job_name=job_name, emr_job_token=token, emr_job_wait=wait, emr_region=region)


def _oss(include, exclude, delete, overwrite, verify, maps, bandwidth, endpoint) -> dict:
    """The options that were given; those that do not fit the kind of place are refused by its own module."""
    given = {"include": include or None, "exclude": exclude or None, "delete": delete, "overwrite": overwrite, "verify": verify,
             "maps": maps, "bandwidth_mb": bandwidth, "endpoint": endpoint}
    return {key: value for key, value in given.items() if value is not None}


def _transfer(direction: str, name: str, source: str, target: str, options: dict, output: Format, quiet: bool, **wanted) -> None:
    """Submit the job; with --wait stay until it has ended."""
    if wanted.get("emr_credentials") and wanted["emr_credentials"] != "chain":
        wanted["emr_credentials"] = str(Path(wanted["emr_credentials"]).expanduser().resolve())
    result = attempt(direction, {"emr_name": name, "emr_source": source, "emr_target": target, "emr_transfer_options": options,
                                 **wanted}, quiet)
    job = result.data.get("job")
    if job:
        emit(job, output, views.job(name, job))
    if not result.ok:
        stop(result)
