"""Data between the cluster's HDFS and the world outside: OSS and databases. Each transfer is a job of the cluster."""
from __future__ import annotations

from pathlib import Path

import typer

from emrctl import failures, life, views
from emrctl.job_options import JOB_NAME, QUEUE, USER
from emrctl.jobs import WAIT
from emrctl.verbs import NAME, OUTPUT, QUIET, REGION, Format, attempt, emit, stop

SOURCE = typer.Argument(help="Where the data is: oss://BUCKET/PATH, mysql://HOST/DATABASE or postgresql://HOST/DATABASE.")
TARGET = typer.Argument(help="Path in HDFS; with --format iceberg or delta, DATABASE.TABLE.")
FROM = typer.Argument(None, help="Path in HDFS (with --format iceberg or delta, DATABASE.TABLE); without it, print the cluster's spec.", show_default=False)
TO = typer.Argument(None, help="Where the data goes: oss://BUCKET/PATH, mysql://HOST/DATABASE or postgresql://HOST/DATABASE.", show_default=False)
CREDENTIALS = typer.Option(None, "--credentials", metavar="FILE",
                           help="File with credentials, readable by you alone; chain means emrctl's own credentials (default: the environment).")
TOKEN = typer.Option(None, "--token", help="Idempotency key: one job per token.")
# Options of OSS.
INCLUDE = typer.Option([], "--include", metavar="PATTERN", help="OSS: only files that match, for example '*.csv'; repeatable.")
EXCLUDE = typer.Option([], "--exclude", metavar="PATTERN", help="OSS: skip files that match; repeatable.")
DELETE = typer.Option(None, "--delete", help="OSS: delete files that the target has and the source does not.")
OVERWRITE = typer.Option(None, "--overwrite", help="OSS: copy equal files too. Database: let an import replace the target.")
VERIFY = typer.Option(None, "--verify", metavar="HOW", help="OSS: checksum (default), size or none.", show_default=False)
MAPS = typer.Option(None, "--maps", min=1, help="OSS: most containers that copy at once (default 20).", show_default=False)
BANDWIDTH = typer.Option(None, "--bandwidth", min=1, metavar="MB", help="OSS: most MB per second for each container.",
                         show_default=False)
ENDPOINT = typer.Option(None, "--endpoint", help="OSS: its endpoint, as the nodes reach it (default: the cluster's).",
                        show_default=False)
# Options of databases.
TABLE = typer.Option(None, "--table", help="Database: NAME or SCHEMA.NAME.", show_default=False)
QUERY = typer.Option(None, "--query", metavar="SQL", help="Database: this query in place of a table.", show_default=False)
WHERE = typer.Option(None, "--where", metavar="SQL", help="Database: only rows that match this condition.", show_default=False)
COLUMNS = typer.Option([], "--columns", metavar="A,B", help="Database: only these columns; repeatable.")
EXCEPT = typer.Option([], "--except", metavar="A,B", help="Database: without these columns; repeatable.")
TYPES = typer.Option([], "--column-type", metavar="NAME=TYPE", help="Database: type of a column, Spark's for an import, the database's for "
                     "a table that an export makes; repeatable.")
SPLIT_BY = typer.Option(None, "--split-by", metavar="COLUMN", help="Database: column that divides the rows for parallel reads "
                        "(default: the key, if it is a number, date or timestamp).", show_default=False)
PARALLEL = typer.Option(None, "--parallel", min=1, help="Database: connections at the same time (default 4).", show_default=False)
FORMAT = typer.Option(None, "--format", help="Database: parquet (default of an import), orc, csv or json; iceberg or delta for a table of the metastore.", show_default=False)
INCREMENTAL = typer.Option(None, "--incremental", metavar="COLUMN", help="Database: only rows beyond those of the last import, by this "
                           "column, which must grow.", show_default=False)
MODE = typer.Option(None, "--mode", help="Database: append (default), overwrite or upsert.", show_default=False)
KEY = typer.Option([], "--key", metavar="A,B", help="Database: columns that upsert goes by; a table that is made gets them as its primary key.")
TLS = typer.Option(None, "--tls", help="Database: use only an encrypted connection.", show_default=False)


def import_(name: str = NAME, source: str = SOURCE, target: str = TARGET, include: list[str] = INCLUDE,
            exclude: list[str] = EXCLUDE, delete: bool = DELETE, overwrite: bool = OVERWRITE, verify: str = VERIFY,
            maps: int = MAPS, bandwidth: int = BANDWIDTH, endpoint: str = ENDPOINT, table: str = TABLE, query: str = QUERY,
            where: str = WHERE, columns: list[str] = COLUMNS, except_: list[str] = EXCEPT,
            types: list[str] = TYPES, split_by: str = SPLIT_BY, parallel: int = PARALLEL,
            form: str = FORMAT, incremental: str = INCREMENTAL, tls: bool = TLS, credentials: str = CREDENTIALS,
            user: str = USER, queue: str = QUEUE, job_name: str = JOB_NAME, token: str = TOKEN, wait: bool = WAIT,
            region: str = REGION, output: Format = OUTPUT, quiet: bool = QUIET) -> None:
    """Bring data into HDFS, from OSS or a database. Run again after a failure: only what is missing or differs is copied."""
    options = {**_oss(include, exclude, delete, overwrite, verify, maps, bandwidth, endpoint),
               **_given(table=table, query=query, where=where, columns=columns, types=types, split_by=split_by, parallel=parallel,
                        **{"except": except_}, format=form, incremental=incremental, tls=tls)}
    _transfer("import", name, source, target, options, output, quiet, emr_credentials=credentials, emr_job_user=user, emr_job_queue=queue,
              emr_job_name=job_name, emr_job_token=token, emr_job_wait=wait, emr_region=region)


def export(name: str = NAME, source: str = FROM, target: str = TO, include: list[str] = INCLUDE, exclude: list[str] = EXCLUDE,
           delete: bool = DELETE, overwrite: bool = OVERWRITE, verify: str = VERIFY, maps: int = MAPS, bandwidth: int = BANDWIDTH,
           endpoint: str = ENDPOINT, table: str = TABLE, columns: list[str] = COLUMNS, except_: list[str] = EXCEPT,
           types: list[str] = TYPES, parallel: int = PARALLEL, form: str = FORMAT, mode: str = MODE,
           key: list[str] = KEY, tls: bool = TLS, credentials: str = CREDENTIALS, user: str = USER, queue: str = QUEUE,
           job_name: str = JOB_NAME, token: str = TOKEN, wait: bool = WAIT, revision: int = life.REVISION,
           file: Path = life.FILE, region: str = REGION, output: Format = OUTPUT, quiet: bool = QUIET) -> None:
    """Bring data out of HDFS, to OSS or into a database; with the cluster's name alone, print its spec."""
    if not source:
        life.export(name, revision, file, region, quiet)
        return
    if not target or revision or file:
        failures.fail("an export of data needs a source and a target, and neither --revision nor --file. Next: emrctl export "
                      f"{name} {source} oss://BUCKET/PATH", failures.USAGE)
    options = {**_oss(include, exclude, delete, overwrite, verify, maps, bandwidth, endpoint),
               **_given(table=table, columns=columns, **{"except": except_}, types=types, parallel=parallel, format=form,
                        mode=mode, key=key, tls=tls)}
    _transfer("export", name, source, target, options, output, quiet, emr_credentials=credentials, emr_job_user=user, emr_job_queue=queue,
              emr_job_name=job_name, emr_job_token=token, emr_job_wait=wait, emr_region=region)


def _oss(include, exclude, delete, overwrite, verify, maps, bandwidth, endpoint) -> dict:
    """The options that were given; those that do not fit the kind of place are refused by its own module."""
    return _given(include=include, exclude=exclude, delete=delete, overwrite=overwrite, verify=verify, maps=maps, bandwidth_mb=bandwidth,
                  endpoint=endpoint)


def _given(**options) -> dict:
    return {key: value for key, value in options.items() if value is not None and value != []}


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
